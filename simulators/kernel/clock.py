"""Time as an argument: simulators never ask the machine they run on."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since some fixed moment; never goes back."""

    def now(self) -> float:
        """Return the current time in seconds."""


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        """Return the time that was set last."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        if seconds < 0:
            raise ValueError(f"a clock never goes back, but was asked to advance by {seconds} s")
        self._now += seconds


class MonotonicClock:
    """The machine's monotonic clock, for servers that talk to real peers."""

    def now(self) -> float:
        """Return the machine's monotonic time."""
        return time.monotonic()
