"""Plugins for arrays of another shape: coarse sizes, names that are hashes, access for whole clusters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    AccessGranularity,
    Capability,
    Cluster,
    Host,
    HypervisorType,
    Limits,
    ProviderContext,
    Supported,
    Unsupported,
    Usage,
    VolumeRequest,
)
from reference_providers import solidfire
from tests.reference_providers.minimal_over import minimal_over
from tests.variants.wrapping import Around, Variant

GIB: Final = 1 << 30


def coarse(connect: Any) -> Variant:
    """Makes LUNs of whole gibibytes only."""
    plugin = solidfire.PROVIDER(connect=connect)
    limits: Limits = replace(plugin.limits, granularity_bytes=GIB, smallest_lun_bytes=GIB, largest_lun_bytes=7000 * GIB)

    def created(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, request, placement = arguments
        return method(store, _rounded(request, limits), placement)

    def resized(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, volume, size_bytes = arguments
        within = 0 < size_bytes <= limits.largest_lun_bytes
        return method(store, volume, limits.rounded_up(size_bytes) if within else max(size_bytes, 0) and 2**60)

    around: dict[str, Around] = {"create": created, "resize": resized}
    return Variant(plugin, {"name": "coarse", "limits": limits}, driver=around)


def _rounded(request: VolumeRequest, limits: Limits) -> VolumeRequest:
    if request.size_bytes > limits.largest_lun_bytes:
        return replace(request, size_bytes=2**60)
    return replace(request, size_bytes=limits.rounded_up(request.size_bytes)) if request.size_bytes > 0 else request


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
            if key in asked["params"] and asked["method"] in {"CreateVolume", "ListVolumes"}:
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
    around: dict[str, Around] = {"grant_access": wide.granted, "revoke_access": wide.revoked}
    return Variant(plugin, {"name": name, "traits": traits}, driver=around)


def plain(connect: Any) -> Variant:
    """Does not grow volumes, has no QoS, and knows nothing of hosts beforehand."""
    no = Unsupported("left out")
    plugin = solidfire.PROVIDER(connect=connect)
    kept = {Capability.CHAP, Capability.THIN, Capability.UNMAP}
    capabilities = {each: Supported() if each in kept else no for each in Capability}
    limits = replace(plugin.limits, qos_smallest=None, qos_largest=None)
    declared = {"name": "plain", "capabilities": capabilities, "limits": limits, "host_listener": None}
    return _Plain(plugin, declared)


class _Plain(Variant):
    """Without the methods of what it does not support."""

    def __init__(self, target: Any, declared: Mapping[str, Any]) -> None:
        super().__init__(target, declared)
        self.driver, self.host_listener = _Core(target.driver), None


class _Core:
    """The mandatory methods of a driver."""

    def __init__(self, driver: Any) -> None:
        self.create, self.delete = driver.create, driver.delete
        self.grant_access, self.revoke_access = driver.grant_access, driver.revoke_access
        self.connection, self.fence = driver.connection, driver.fence
        self.list_objects = driver.list_objects

    def used(self, store: Any) -> Usage:
        """Nothing is known of it."""
        return Usage(None, None)
