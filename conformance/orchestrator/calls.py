"""How the cloud calls plugin and bridge.

Through a runner that the kit supplies, and again when told `Busy`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Final, Literal, ParamSpec, Protocol, TypeVar

from conformance.contract import Busy, Clock

P = ParamSpec("P")
T = TypeVar("T")
Party = Literal["plugin", "bridge"]

BUSY_TRIES: Final = 5
LONGEST_BUSY_WAIT: Final = 60.0


class CallRunner(Protocol):
    """Carries out one call to the other party.

    With a deadline, on a thread of its own, recorded, as the kit likes.
    """

    def call(self, party: Party, name: str, function: Callable[[], T]) -> T:
        """Make the call and give its answer, or raise what it raised."""
        ...


class DirectCalls:
    """Makes the call, here and now."""

    def call(self, party: Party, name: str, function: Callable[[], T]) -> T:
        """Make the call."""
        return function()


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Caller:
    """Calls plugin and bridge.

    `Busy` means nothing was changed: the same call is repeated, a bounded number of times.
    """

    def __init__(self, calls: CallRunner, clock: Clock) -> None:
        self._calls, self._clock = calls, clock

    def plugin(self, name: str, method: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Call the plugin."""
        return self._patiently("plugin", name, partial(method, *arguments, **keywords))

    def bridge(self, name: str, method: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Call the bridge."""
        return self._patiently("bridge", name, partial(method, *arguments, **keywords))

    def _patiently(self, party: Party, name: str, function: Callable[[], T]) -> T:
        for _ in range(BUSY_TRIES - 1):
            try:
                return self._calls.call(party, name, function)
            except Busy as busy:
                self._clock.sleep(_wait(busy.retry_after_seconds))
        return self._calls.call(party, name, function)


def _wait(seconds: float) -> float:
    # The number is the plugin's: it may be anything.
    return min(max(seconds, 0.0), LONGEST_BUSY_WAIT) if math.isfinite(seconds) else LONGEST_BUSY_WAIT
