"""Every call into a plugin runs on a daemon thread of its own with a deadline: a hang is a verdict, not a hang of the
kit.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

from conformance.contract import OperationCancelled

T = TypeVar("T")
_SETTLING_SECONDS = 2.0
_MOMENT_SECONDS = 0.005


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
        self._is_still = False
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Wait, or move the clock."""
        if not self._simulated or self._is_still:
            time.sleep(min(seconds, _MOMENT_SECONDS) if self._is_still else seconds)
            return
        with self._lock:
            self._ahead += max(0.0, seconds)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Simulated time stands still for a while: of two calls, none is late because the other waits."""
        self._is_still = self._simulated
        try:
            yield
        finally:
            self._is_still = False


class CallOperation:
    """The operation a call works for; see the contract's `Operation`."""

    def __init__(
        self, identifier: str, clock: KitClock, seconds: float, has_given_up: Callable[[], bool] = lambda: False
    ) -> None:
        self.id = identifier
        self._clock, self._has_given_up = clock, has_given_up
        self._deadline = clock.monotonic() + seconds
        self.is_cancelled = False

    @property
    def remaining_seconds(self) -> float:
        """Time left until the deadline."""
        return max(0.0, self._deadline - self._clock.monotonic())

    def check(self) -> None:
        """Raise when the caller gave up or the time is over."""
        if self.is_cancelled or self._has_given_up():
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
        self._checks_left: int | None = None

    def begin(self, seconds: float) -> CallOperation:
        """Make a new operation."""
        self._latest = CallOperation(f"op-{next(self._numbers)}", self.clock, seconds, self._has_given_up)
        return self._latest

    @contextmanager
    def given_up(self, nth: int) -> Iterator[None]:
        """Meanwhile callers give up: `check` raises from its nth call on, counted from 0."""
        self._checks_left = nth
        try:
            yield
        finally:
            self._checks_left = None

    def _has_given_up(self) -> bool:
        if self._checks_left is None:
            return False
        self._checks_left -= 1
        return self._checks_left < 0

    def enter(self, operation: CallOperation) -> None:
        """Say that the calling thread now works for this operation."""
        self._of_thread.operation = operation

    def current(self) -> CallOperation:
        """The calling thread's operation; threads the plugin made itself get the latest."""
        found: CallOperation = getattr(self._of_thread, "operation", self._latest)
        return found


class _Worker:
    """One daemon thread that carries out calls one after the other, until it hangs in one."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._endings: SimpleQueue[tuple[object, BaseException | None]] = SimpleQueue()
        self.is_busy = False
        threading.Thread(target=self._work, name="storage-conformance calls", daemon=True).start()

    def run(self, function: Callable[[], T], seconds: float) -> T:
        """Raises what the function raises, `StrayExit`, or `CallHung`; after that this worker is of no use."""
        self.is_busy = True
        self._calls.put(function)
        try:
            answer, error = self._endings.get(timeout=seconds)
        except Empty:
            raise CallHung(seconds) from None
        self.is_busy = False
        if isinstance(error, Exception):
            raise error
        if error is not None:
            raise StrayExit(error)
        return answer  # type: ignore[return-value]

    def settle(self, seconds: float) -> None:
        """Let a call that nobody waits for any more come to its end."""
        with suppress(Empty):
            self._endings.get(timeout=seconds)
            self.is_busy = False

    def stop(self) -> None:
        """End the thread once it has nothing more to do."""
        self._calls.put(None)

    def _work(self) -> None:
        while (function := self._calls.get()) is not None:
            try:
                ending: tuple[object, BaseException | None] = (function(), None)
            except BaseException as error:  # a plugin may raise SystemExit or KeyboardInterrupt: that is a finding
                ending = (None, error)
            # Nothing of a call may be held here until the next one.
            del function
            self._endings.put(ending)
            del ending


class Threads(Protocol):
    """Where calls into a plugin run."""

    def run(self, function: Callable[[], T], seconds: float) -> T:
        """Raises what the function raises, `StrayExit`, or `CallHung`."""
        ...

    def close(self) -> None:
        """Let go of threads."""
        ...


class CallThreads:
    """Workers that are kept from call to call: making a thread for each would cost more than most calls."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []

    def run(self, function: Callable[[], T], seconds: float) -> T:
        """Run on an idle worker; one that hangs is abandoned."""
        worker = self._idle.pop() if self._idle else _Worker()
        try:
            return worker.run(function, seconds)
        except KeyboardInterrupt:
            # What the plugin is doing now would otherwise be done while everything is being cleaned up.
            worker.settle(_SETTLING_SECONDS)
            raise
        finally:
            if worker.is_busy:
                worker.stop()
            else:
                self._idle.append(worker)

    def close(self) -> None:
        """End all threads that are not in a call."""
        while self._idle:
            self._idle.pop().stop()


def run_with_deadline(function: Callable[[], T], seconds: float) -> T:
    """Run once on a daemon thread; raises what the function raises, `StrayExit`, or `CallHung`."""
    worker = _Worker()
    try:
        return worker.run(function, seconds)
    finally:
        worker.stop()
