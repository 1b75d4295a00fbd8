"""QoS policies inside a plugin's limits."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.contract import Limits, QosPolicy

_FALLBACK_SMALLEST = QosPolicy(100, 200, 300)
_FALLBACK_LARGEST = QosPolicy(1000, 2000, 3000)


@dataclass(frozen=True, slots=True)
class QosAt:
    """A policy: each value so many thousandths of the way through the plugin's range, in ascending order."""

    min_part: int
    max_part: int
    burst_part: int

    def resolve(self, limits: Limits) -> QosPolicy:
        """The policy."""
        low, high = limits.qos_smallest or _FALLBACK_SMALLEST, limits.qos_largest or _FALLBACK_LARGEST
        least = _between(low.min_iops, high.min_iops, self.min_part)
        most = max(least, _between(low.max_iops, high.max_iops, self.max_part))
        return QosPolicy(least, most, max(most, _between(low.burst_iops, high.burst_iops, self.burst_part)))


def _between(low: int | None, high: int | None, part: int) -> int:
    first = low or 100
    last = high or first
    return first + (last - first) * part // 1000


def policies() -> SearchStrategy[QosAt]:
    """QoS policies."""
    part = st.integers(0, 1000)
    return st.builds(QosAt, part, part, part)
