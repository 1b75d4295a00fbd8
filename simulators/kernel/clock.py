"""All clocks under one name, for edges. What does no I/O imports `manual_clock`, which knows no real time."""

from __future__ import annotations

from simulators.kernel.manual_clock import Clock, ManualClock
from simulators.kernel.monotonic import MonotonicClock

__all__ = ["Clock", "ManualClock", "MonotonicClock"]
