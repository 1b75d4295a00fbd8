"""Plugins that declare what no reference plugin declares, and behave so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    AccessModel,
    BelowMinimum,
    Capability,
    DeleteWhileGranted,
    InvalidRequest,
    LunNumberScope,
    SpaceAccounting,
    Supported,
    Usage,
    VolumeRequest,
)
from reference_providers import solidfire
from reference_providers.solidfire import access, luns, snapshots
from tests.variants.own_calls import OwnCalls
from tests.variants.parts import without
from tests.variants.wrapping import DRIVER_METHODS, LIFECYCLE_METHODS, Variant, everywhere

_LONG: Final = 30.0
_LAG_SECONDS: Final = 60.0
_FIRST_NUMBER: Final = 1


def revoking(connect: Any) -> Variant:
    """Takes a volume from its hosts by itself before it removes it."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        element = own.element(arguments[0])
        lun = luns.find(element, *arguments)
        if lun is not None:
            snapshots.check_none(element, lun)
            for group in access.holders(element, lun):
                element.take_lun_from_group(group.group_id, lun.lun_id)
        return method(*arguments)

    traits = replace(plugin.traits, delete_while_granted=DeleteWhileGranted.REVOKES)
    around = own.resumed(everywhere(deleted, "delete", "delete_template"))
    return Variant(plugin, {"name": "revoking", "traits": traits}, driver=around)


def refusing_small(connect: Any) -> Variant:
    """Makes nothing smaller than its smallest LUN."""
    plugin = solidfire.PROVIDER(connect=connect)
    least = plugin.limits.smallest_lun_bytes

    def made(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        asked = next((each.size_bytes for each in arguments if isinstance(each, VolumeRequest)), arguments[-1])
        if asked < least:
            raise InvalidRequest("size_bytes", asked, f"at least {least}")
        return method(*arguments)

    traits = replace(plugin.traits, below_minimum=BelowMinimum.REFUSED)
    around = everywhere(made, "create", "clone", "seed_template")
    return Variant(plugin, {"name": "refusing-small", "traits": traits}, driver=around)


def counting_written(connect: Any) -> Variant:
    """Tells what its volumes hold, not what they could hold."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def used(_method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        (store,) = arguments
        element = own.element(store)
        there = [each for each in luns.of_store(element, store.request.uuid) if not each.is_deleted]
        written = [element.written_bytes(each.lun_id) or 0 for each in there]
        return Usage(sum(written), sum(each.min_iops for each in there))

    traits = replace(plugin.traits, space_accounting=SpaceAccounting.WRITTEN)
    return Variant(plugin, {"name": "counting-written", "traits": traits}, driver=own.resumed({"used": used}))


def overprovisioned(connect: Any) -> Variant:
    """Promises more than a store has: only the array itself refuses."""
    plugin = solidfire.PROVIDER(connect=connect)

    def unbounded(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, *others = arguments
        request = replace(store.request, capacity_bytes=1 << 60, capacity_iops=None)
        return method(replace(store, request=request), *others)

    traits = replace(plugin.traits, overprovisioning=True)
    around = everywhere(unbounded, "create", "clone", "resize", "set_qos", "seed_template")
    return Variant(plugin, {"name": "overprovisioned", "traits": traits}, driver=around)


def numbers_per_host(connect: Any) -> Variant:
    """Numbers a LUN as the host sees it; see numbers-from-1.toml."""
    return _numbering(connect, "numbers-per-host", LunNumberScope.HOST)


def numbers_per_cluster(connect: Any) -> Variant:
    """Numbers a LUN the same for all hosts of a cluster; see numbers-from-1.toml."""
    return _numbering(connect, "numbers-per-cluster", LunNumberScope.CLUSTER)


def _numbering(connect: Any, name: str, scope: LunNumberScope) -> Variant:
    plugin: Any = solidfire.PROVIDER(connect=connect)

    def connected(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        answer = method(*arguments)
        store, target, _ = arguments
        number = _FIRST_NUMBER + plugin.driver.find_lun(store, target).lun_id
        return replace(answer, paths=tuple(replace(each, lun_number=number) for each in answer.paths))

    traits = replace(plugin.traits, lun_number_scope=scope)
    return Variant(plugin, {"name": name, "traits": traits}, driver={"connection": connected})


def direct_only(connect: Any) -> Variant:
    """Its volumes are LUNs for VMs; it knows no datastores."""
    plugin = solidfire.PROVIDER(connect=connect)

    def accepted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        model = arguments[-1].access_model
        if model is not AccessModel.DIRECT:
            raise InvalidRequest("access_model", str(model), "direct")
        return method(*arguments)

    declared = {"name": "direct-only", "access_models": frozenset({AccessModel.DIRECT})}
    return Variant(plugin, declared, lifecycle=everywhere(accepted, "initialize", "update"))


def unhurried(connect: Any) -> Variant:
    """Asks for as long as anybody may for everything, and does not take it."""
    plugin = solidfire.PROVIDER(connect=connect)
    seconds = dict.fromkeys((*DRIVER_METHODS, *LIFECYCLE_METHODS), _LONG)
    traits = replace(plugin.traits, default_completion_seconds=_LONG, completion_seconds=seconds)
    return Variant(plugin, {"name": "unhurried", "traits": traits})


def thick_only(connect: Any) -> Variant:
    """Has no thin volumes: takes all space at once, whatever is asked."""
    return without(solidfire.PROVIDER(connect=connect), "thick-only", Capability.THIN, Capability.UNMAP)


def quiescing(connect: Any) -> Variant:
    """Takes snapshots that are quiesced, by an agent in the guests."""
    plugin = solidfire.PROVIDER(connect=connect)

    def taken(method: Any, arguments: tuple[Any, ...]) -> Any:
        # The agent answers for the guest; the array has no part in it.
        return method.func(*arguments, **{**method.keywords, "quiesced": False})

    capabilities = {**plugin.capabilities, Capability.QUIESCED_SNAPSHOT: Supported()}
    declared = {"name": "quiescing", "capabilities": capabilities}
    return Variant(plugin, declared, driver={"take_snapshot": taken})


def unlimited(connect: Any) -> Variant:
    """Names no limit that it need not name: whatever the array says holds."""
    plugin = solidfire.PROVIDER(connect=connect)
    limits = replace(
        plugin.limits, luns_per_host=None, initiators_per_group=None, groups_per_lun=None, snapshots_per_volume=None
    )
    return Variant(plugin, {"name": "unlimited", "limits": limits})


def lagging(connect: Any) -> Variant:
    """Asks the array for usage once a minute."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)
    kept: dict[str, tuple[float, Usage]] = {}

    def used(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        (store,) = arguments
        now = own.context.clock.monotonic()
        asked_at, usage = kept.get(store.request.uuid, (float("-inf"), None))
        if usage is None or now - asked_at > _LAG_SECONDS:
            asked_at, usage = kept[store.request.uuid] = now, method(*arguments)
        return usage

    traits = replace(plugin.traits, stats_lag_seconds=_LAG_SECONDS)
    return Variant(plugin, {"name": "lagging", "traits": traits}, driver={"used": used})
