"""Time as an argument, and a clock that is set by hand: nothing here asks the machine it runs on."""

from __future__ import annotations

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
