"""Plugins for small arrays: little of everything, and said so. Their environment is narrow.toml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from conformance.contract import InvalidRequest, QosPolicy, SnapshotRequest, VolumeRequest
from reference_providers import solidfire
from tests.variants.wrapping import Variant, everywhere

_GIB: Final = 1 << 30
_LONGEST_NAME: Final = 24
_STEP: Final = 3 << 20


def narrow(connect: Any) -> Variant:
    """Few LUNs, few hosts, few snapshots, and none of them large."""
    plugin = solidfire.PROVIDER(connect=connect)
    limits = replace(
        plugin.limits,
        largest_lun_bytes=3 * _GIB,
        luns_per_host=8,
        initiators_per_group=2,
        groups_per_lun=4,
        snapshots_per_volume=2,
    )
    return Variant(plugin, {"name": "narrow", "limits": limits})


def one_snapshot(connect: Any) -> Variant:
    """Keeps one snapshot of a volume; see one-snapshot.toml."""
    plugin = solidfire.PROVIDER(connect=connect)
    limits = replace(plugin.limits, snapshots_per_volume=1)
    return Variant(plugin, {"name": "one-snapshot", "limits": limits})


def one_size(connect: Any) -> Variant:
    """Has LUNs of one size only."""
    plugin = solidfire.PROVIDER(connect=connect)
    limits = replace(plugin.limits, smallest_lun_bytes=_GIB, largest_lun_bytes=_GIB, granularity_bytes=_GIB)

    def sized(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return method(*(_of_one_size(each) for each in arguments))

    around = everywhere(sized, "create", "clone", "seed_template", "resize")
    return Variant(plugin, {"name": "one-size", "limits": limits}, driver=around)


def _of_one_size(each: Any) -> Any:
    if isinstance(each, VolumeRequest):
        return replace(each, size_bytes=_of_one_size(each.size_bytes))
    if isinstance(each, int):
        if not 0 < each <= _GIB:
            raise InvalidRequest("size_bytes", each, f"1 to {_GIB}")
        return _GIB
    return each


def one_qos(connect: Any) -> Variant:
    """Guarantees what it is asked for out of a narrow range."""
    plugin = solidfire.PROVIDER(connect=connect)
    smallest, largest = QosPolicy(1000, 2000, 2000), QosPolicy(1001, 2000, 2001)
    limits = replace(plugin.limits, qos_smallest=smallest, qos_largest=largest)

    def checked(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        for each in arguments:
            qos = each.qos if isinstance(each, VolumeRequest) else each
            if isinstance(qos, QosPolicy):
                _check(qos, smallest, largest)
        return method(*arguments)

    return Variant(
        plugin, {"name": "one-qos", "limits": limits}, driver=everywhere(checked, "create", "clone", "set_qos")
    )


def _check(qos: QosPolicy, smallest: QosPolicy, largest: QosPolicy) -> None:
    for field in ("min_iops", "max_iops", "burst_iops"):
        value, least, most = (getattr(each, field) for each in (qos, smallest, largest))
        if value is not None and not least <= value <= most:
            raise InvalidRequest(f"qos.{field}", value, f"{least} to {most}")


def ragged(connect: Any) -> Variant:
    """Makes LUNs in steps that divide neither the smallest nor powers of two: what rounds too high is refused."""
    plugin = solidfire.PROVIDER(connect=connect)
    largest = plugin.limits.largest_lun_bytes
    limits = replace(plugin.limits, granularity_bytes=_STEP, largest_lun_bytes=largest - largest % _STEP)

    def stepped(each: Any) -> Any:
        if isinstance(each, VolumeRequest):
            return replace(each, size_bytes=stepped(each.size_bytes))
        if not isinstance(each, int) or isinstance(each, bool) or each <= 0:
            return each
        if limits.rounded_up(each) > limits.largest_lun_bytes:
            raise InvalidRequest("size_bytes", each, f"at most {limits.largest_lun_bytes} in whole steps")
        return limits.rounded_up(each)

    def sized(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return method(*map(stepped, arguments))

    def at_least_the_smallest(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        least = limits.rounded_up(limits.smallest_lun_bytes)
        return method(*(_not_below(least, stepped(each)) for each in arguments))

    around = {**everywhere(at_least_the_smallest, "create", "clone", "seed_template"), "resize": sized}
    return Variant(plugin, {"name": "ragged", "limits": limits}, driver=around)


def _not_below(least: int, each: Any) -> Any:
    if isinstance(each, VolumeRequest):
        return replace(each, size_bytes=_not_below(least, each.size_bytes))
    return max(least, each) if isinstance(each, int) and each > 0 else each


def short_names(connect: Any) -> Variant:
    """Takes names of 24 characters at most."""
    plugin = solidfire.PROVIDER(connect=connect)
    limits = replace(plugin.limits, name_length=_LONGEST_NAME)

    def named(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        for each in arguments:
            if isinstance(each, VolumeRequest | SnapshotRequest) and len(each.name) > _LONGEST_NAME:
                raise InvalidRequest("name", each.name, f"at most {_LONGEST_NAME} characters")
        return method(*arguments)

    around = everywhere(named, "create", "clone", "take_snapshot")
    return Variant(plugin, {"name": "short-names", "limits": limits}, driver=around)
