"""The array's numbers (GetLimits of Element 12), and what is refused because of them without asking it."""

from __future__ import annotations

from typing import Final

from conformance.contract import InvalidRequest, Limits, QosPolicy

MIB: Final = 1 << 20
LIMITS: Final = Limits(
    smallest_lun_bytes=10**9,
    largest_lun_bytes=8_000_000_491_520,
    granularity_bytes=MIB,
    luns_per_host=2000,
    initiators_per_group=128,
    groups_per_lun=64,
    snapshots_per_volume=32,
    qos_smallest=QosPolicy(50, 100, 100),
    qos_largest=QosPolicy(15_000, 200_000, 200_000),
)
DEFAULT_QOS: Final = QosPolicy(50, 15_000, 15_000)
# What older releases allow, where they allow less: below these, no array has to be asked.
FEWEST_GROUPS: Final = 4
FEWEST_INITIATORS: Final = 64

_QOS_RANGES: Final = {
    "min_iops": range(50, 15_000 + 1),
    "max_iops": range(100, 200_000 + 1),
    "burst_iops": range(100, 200_000 + 1),
}


def lun_bytes_of_new(size_bytes: int) -> int:
    """The size a new LUN gets; what is below the smallest is rounded up to it."""
    return max(lun_bytes(size_bytes), LIMITS.rounded_up(LIMITS.smallest_lun_bytes))


def lun_bytes(size_bytes: int) -> int:
    """The size in whole granules."""
    if not 0 < size_bytes <= LIMITS.largest_lun_bytes:
        raise InvalidRequest("size_bytes", size_bytes, f"1 to {LIMITS.largest_lun_bytes} bytes")
    return LIMITS.rounded_up(size_bytes)


def check_qos(qos: QosPolicy) -> None:
    """Refuse what is given and out of range."""
    for field, allowed in _QOS_RANGES.items():
        value: int | None = getattr(qos, field)
        if value is not None and value not in allowed:
            raise InvalidRequest(f"qos.{field}", value, f"{allowed[0]} to {allowed[-1]}")


def qos_of_new(qos: QosPolicy) -> QosPolicy:
    """A policy, completed from the array's defaults; these give way to keep min <= max <= burst."""
    default_max = DEFAULT_QOS.max_iops or 0
    least = qos.min_iops or DEFAULT_QOS.min_iops or 0
    most = qos.max_iops or max(least, min(default_max, qos.burst_iops or default_max))
    burst = qos.burst_iops or max(most, DEFAULT_QOS.burst_iops or 0)
    return QosPolicy(least, most, burst)


def qos_of_existing(current: QosPolicy, change: QosPolicy) -> QosPolicy:
    """The current policy with what is given put in; what is not given stays, so the two have to fit."""
    least = change.min_iops or current.min_iops
    most = change.max_iops or current.max_iops
    burst = change.burst_iops or current.burst_iops
    try:
        return QosPolicy(least, most, burst)
    except ValueError:
        raise InvalidRequest(
            "qos",
            f"{least}/{most}/{burst}",
            "min_iops <= max_iops <= burst_iops together with what the volume has",
        ) from None
