"""Every call into a plugin runs on a daemon thread of its own with a deadline: a hang is a verdict, not a hang of the
kit.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from conformance.contract import OperationCancelled

T = TypeVar("T")


class CallHung(Exception):
    """The call did not come back in time; its thread was abandoned."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"no return within {seconds:g} s")


class StrayExit(Exception):
    """The call raised what is no Exception: SystemExit, KeyboardInterrupt … The user's own Ctrl-C never looks like
    this.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(f"{type(error).__name__}: {error}")


class KitClock:
    """The clock plugins wait with. Simulated: a sleep moves the clock instead of waiting."""

    def __init__(self, *, simulated: bool) -> None:
        self._simulated = simulated
        self._ahead = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Wait, or move the clock."""
        if not self._simulated:
            time.sleep(seconds)
            return
        with self._lock:
            self._ahead += max(0.0, seconds)


class CallOperation:
    """The operation a call works for; see the contract's `Operation`."""

    def __init__(self, identifier: str, clock: KitClock, seconds: float) -> None:
        self.id = identifier
        self._clock = clock
        self._deadline = clock.monotonic() + seconds
        self.is_cancelled = False

    @property
    def remaining_seconds(self) -> float:
        """Time left until the deadline."""
        return max(0.0, self._deadline - self._clock.monotonic())

    def check(self) -> None:
        """Raise when the caller gave up or the time is over."""
        if self.is_cancelled:
            raise OperationCancelled(self.id)
        if self.remaining_seconds <= 0:
            raise OperationCancelled(self.id, "past its deadline")


class Operations:
    """Tells each plugin thread which operation it works for."""

    def __init__(self, clock: KitClock) -> None:
        self.clock = clock
        self._of_thread = threading.local()
        self._numbers = itertools.count(1)
        self._latest = CallOperation("idle", clock, 3600.0)

    def begin(self, seconds: float) -> CallOperation:
        """Make a new operation."""
        self._latest = CallOperation(f"op-{next(self._numbers)}", self.clock, seconds)
        return self._latest

    def enter(self, operation: CallOperation) -> None:
        """Say that the calling thread now works for this operation."""
        self._of_thread.operation = operation

    def current(self) -> CallOperation:
        """The calling thread's operation; threads the plugin made itself get the latest."""
        found: CallOperation = getattr(self._of_thread, "operation", self._latest)
        return found


class _Result:
    """Where a call's thread leaves its answer."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.answer: object = None
        self.error: BaseException | None = None


def run_with_deadline(function: Callable[[], T], seconds: float, name: str = "call") -> T:
    """Run `function` on a daemon thread; raises what it raises, `StrayExit`, or `CallHung`."""
    result = _Result()

    def work() -> None:
        try:
            result.answer = function()
        except BaseException as error:  # a plugin may raise SystemExit or KeyboardInterrupt: that is a finding
            result.error = error
        finally:
            result.done.set()

    threading.Thread(target=work, name=f"storage-conformance {name}", daemon=True).start()
    if not result.done.wait(seconds):
        raise CallHung(seconds)
    if isinstance(result.error, Exception):
        raise result.error
    if result.error is not None:
        raise StrayExit(result.error)
    return result.answer  # type: ignore[return-value]
