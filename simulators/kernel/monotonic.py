"""Time from the machine, for servers that talk to real peers."""

from __future__ import annotations

import time


class MonotonicClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Return the machine's monotonic time."""
        return time.monotonic()
