"""Plugins for arrays of another shape: coarse sizes, names that are hashes, access for whole clusters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    AccessGranularity,
    Cluster,
    Host,
    HypervisorType,
    Limits,
    ProviderContext,
    VolumeRequest,
)
from reference_providers import solidfire
from tests.reference_providers.minimal_over import minimal_over
from tests.variants.wrapping import Around, Variant

GIB: Final = 1 << 30
_GROUPS_PER_LUN: Final = 64
_NAMING: Final = frozenset({"CreateVolume", "CloneVolume", "ListVolumes"})


def coarse(connect: Any) -> Variant:
    """Makes LUNs of whole gibibytes only."""
    return _in_steps(solidfire.PROVIDER(connect=connect), "coarse", GIB)


def coarse_over_a_bridge(connect: Any) -> Variant:
    """The same, and it makes the datastores itself: a disk is smaller than its LUN."""
    return _in_steps(solidfire.PLUGIN_HOOKUP(connect=connect), "coarse-over-a-bridge", GIB)


def steps_of_16_mib(connect: Any) -> Variant:
    """Rounds sizes up to whole 16 MiB."""
    return _in_steps(solidfire.PROVIDER(connect=connect), "steps-of-16-mib", 16 << 20)


def _in_steps(plugin: Any, name: str, step: int) -> Variant:
    smallest = -(-plugin.limits.smallest_lun_bytes // step) * step
    limits: Limits = replace(
        plugin.limits, granularity_bytes=step, smallest_lun_bytes=smallest, largest_lun_bytes=7000 * GIB
    )

    def made(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return method(*(_rounded(each, limits) if isinstance(each, VolumeRequest) else each for each in arguments))

    def grown(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        *others, size_bytes = arguments
        within = 0 < size_bytes <= limits.largest_lun_bytes
        return method(*others, limits.rounded_up(size_bytes) if within else max(size_bytes, 0) and 2**60)

    around: dict[str, Around] = {"create": made, "clone": made, "resize": grown, "seed_template": grown}
    return Variant(plugin, {"name": name, "limits": limits}, driver=around)


def _rounded(request: VolumeRequest, limits: Limits) -> VolumeRequest:
    if request.size_bytes > limits.largest_lun_bytes:
        return replace(request, size_bytes=2**60)
    wanted = max(limits.rounded_up(request.size_bytes), limits.smallest_lun_bytes)
    return replace(request, size_bytes=wanted) if request.size_bytes > 0 else request


def hashed_names(connect: Any) -> Variant:
    """Calls LUNs on the array by a hash of everything."""

    def named(connection: Any) -> _Renaming:
        return _Renaming(connection)

    plugin = solidfire.PROVIDER(connect=lambda *place: named(connect(*place)))
    traits = replace(plugin.traits, name_rule="v<40 hexadecimal digits>")
    return Variant(plugin, {"name": "hashed-names", "traits": traits})


class _Renaming:
    """A connection on which volumes have other names."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        asked = json.loads(body)
        for key in ("name", "volumeName"):
            if key in asked["params"] and asked["method"] in _NAMING:
                asked["params"][key] = f"v{hashlib.sha1(asked['params'][key].encode()).hexdigest()}"
        answer: tuple[int, bytes] = self._connection.request(method, path, headers, json.dumps(asked).encode(), timeout)
        return answer

    def close(self) -> None:
        self._connection.close()


class _ClusterWide:
    """Grants to all hosts of a cluster at once, and revokes when none of them remains."""

    def __init__(self, context: Callable[[], ProviderContext]) -> None:
        self._context = context

    def granted(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, target, host = arguments
        method(store, target, host)
        for each in self._mates(host):
            method(store, target, each)

    def revoked(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, target, host, remaining = arguments
        if any(each.cluster_uuid == host.cluster_uuid for each in remaining):
            return
        for each in [host, *self._mates(host)]:
            method(store, target, each, remaining)

    def _mates(self, host: Host) -> Sequence[Host]:
        cluster = Cluster(host.cluster_uuid, host.cluster_uuid, HypervisorType.KVM)
        return [each for each in self._context().hosts(cluster) if each != host and each.iqns]


def cluster_wide(connect: Any) -> Variant:
    """An array that knows clusters of hosts, not hosts."""
    plugin = minimal_over(connect)
    return _for_clusters(plugin, "cluster-wide", lambda: plugin._context)


def cluster_wide_with_listener(connect: Any) -> Variant:
    """The same, and it is told when a host leaves."""
    plugin = solidfire.PROVIDER(connect=connect)
    return _for_clusters(plugin, "cluster-wide-with-listener", lambda: plugin._arrays.context)


def _for_clusters(plugin: Any, name: str, context: Callable[[], ProviderContext]) -> Variant:
    wide = _ClusterWide(context)
    traits = replace(plugin.traits, access_granularity=AccessGranularity.CLUSTER)
    # Each of a cluster's initiators is in a group of its own here.
    limits = replace(plugin.limits, groups_per_lun=None, initiators_per_group=_GROUPS_PER_LUN)
    around: dict[str, Around] = {"grant_access": wide.granted, "revoke_access": wide.revoked}
    return Variant(plugin, {"name": name, "traits": traits, "limits": limits}, driver=around)
