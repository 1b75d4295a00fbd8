"""Quality of service of a volume: guaranteed, sustained and short-term I/O operations per second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulators.array.refusal import Reason, Refused

if TYPE_CHECKING:
    from simulators.array.limits import Limits

BURST_SECONDS = 60
CURVE = {
    4096: 100,
    8192: 160,
    16384: 270,
    32768: 500,
    65536: 1000,
    131072: 1950,
    262144: 3900,
    524288: 7600,
    1048576: 15000,
}
"""Cost of one operation by its size in bytes, in hundredths of an operation of 4 KiB."""


@dataclass(frozen=True, slots=True)
class QosChange:
    """What a caller wants; None leaves a value as it is."""

    min_iops: int | None = None
    max_iops: int | None = None
    burst_iops: int | None = None


@dataclass(frozen=True, slots=True)
class Qos:
    """What a volume has; these are the array's defaults."""

    min_iops: int = 50
    max_iops: int = 15_000
    burst_iops: int = 15_000

    def changed(self, change: QosChange, limits: Limits) -> Qos:
        """What comes out of a change, if it is within the limits."""
        given = {
            name: getattr(change, name)
            for name in ("min_iops", "max_iops", "burst_iops")
            if getattr(change, name) is not None
        }
        return replace(self, **given).checked(limits)

    def checked(self, limits: Limits) -> Qos:
        """Itself, if each value is in its range and min <= max <= burst."""
        _check_range("minIOPS", self.min_iops, limits.min_iops_least, limits.min_iops_most)
        _check_range("maxIOPS", self.max_iops, limits.max_iops_least, limits.max_iops_most)
        _check_range("burstIOPS", self.burst_iops, limits.burst_iops_least, limits.burst_iops_most)
        if not self.min_iops <= self.max_iops <= self.burst_iops:
            raise Refused(
                Reason.VALUE_NOT_ALLOWED,
                f"minIOPS={self.min_iops} maxIOPS={self.max_iops} burstIOPS={self.burst_iops}; "
                "expected minIOPS <= maxIOPS <= burstIOPS",
            )
        return self


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Refused(Reason.VALUE_NOT_ALLOWED, f"{name}={value}; expected {least} to {most}")
