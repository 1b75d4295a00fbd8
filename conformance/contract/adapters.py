"""Drivers written with futures, callbacks or asyncio, made into the synchronous ones that the contract has.

The wrapped object has the methods of the contract, with its names and parameters, and each of them may be of
its own kind; one that simply returns is passed through.

- `from_futures`: a method returns a `concurrent.futures.Future`. - `from_callbacks`: a method takes one
parameter more, named ``callback``, a `Completion` (CloudStack: AsyncCompletionCallback), and calls `complete`
or `fail` on it, from whatever thread. - `from_asyncio`: a method is a coroutine function; it runs on the loop
of a `LoopThread`.

A call completes exactly once, by a result, by an error or by raising. What does otherwise is a
`CompletionFinding`: raised when it is known before the call returns, and in any case kept in
`AdaptedDriver.findings`, where one that comes late is found. The deadline is that of the operation the
calling thread works for, so hand the context on: ``def configure(self, context):
self.driver.configure(context)``.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import wait as wait_for_futures
from typing import Final, Generic, Protocol, TypeVar, cast

from .driver import (
    ChapDriver,
    CloneDriver,
    CopyDriver,
    DataStoreDriver,
    GrowthDriver,
    MigrationDriver,
    QosDriver,
    ResizeDriver,
    RevertDriver,
    SnapshotDriver,
    StatsDriver,
    TemplateDriver,
)
from .errors import OperationCancelled
from .host_listener import HostListener
from .lifecycle import DataStoreLifeCycle, StoreMaintenance, StoreSwitch, StoreUpdate, ZoneAttachment
from .provider import Operation, ProviderContext

T = TypeVar("T")
R = TypeVar("R")
Method = Callable[..., object]

LOOK_SECONDS: Final = 0.05
"""How often a waiting call looks whether its operation was cancelled."""
PATIENCE_SECONDS: Final = 60.0
"""How long a call is waited for before `configure` has told of operations."""
_CLOSING_SECONDS: Final = 5.0


class CompletionFinding(Exception):
    """A call that did not complete exactly once; raise one of the kinds below."""

    since = "0.1"
    what: str = ""

    def __init__(self, method: str) -> None:
        if type(self) is CompletionFinding:
            raise TypeError("CompletionFinding is abstract: raise the kind that says what happened")
        self.method = method
        super().__init__(method)

    def __str__(self) -> str:
        return f"{self.method} {self.what}; expected exactly one result or error"


class CompletedTwice(CompletionFinding):
    """The callback was called again."""

    what = "completed twice"


class RaisedAndCompleted(CompletionFinding):
    """The method raised, and its callback was called, before or after."""

    what = "raised and completed"


class NeverCompleted(CompletionFinding):
    """There was neither result nor error at the operation's deadline, or the future was cancelled."""

    what = "did not complete before its deadline"


class Completion(Generic[T]):
    """What a driver with callbacks is handed: call `complete` or `fail`, once, from any thread."""

    since = "0.1"

    def __init__(self, method: str, report: Callable[[CompletionFinding], None]) -> None:
        self._method, self._report = method, report
        self._lock = threading.Lock()
        self._outcome: Future[T] = Future()
        self._has_completed = self._has_raised = False
        self._finding: CompletionFinding | None = None

    def complete(self, result: T) -> None:
        """Say that the call succeeded, and with what."""
        self._take(lambda: self._outcome.set_result(result))

    def fail(self, error: BaseException) -> None:
        """Say that the call failed, and how."""
        given: object = error
        # A future takes None for "no error", which would make a success of this.
        known = (
            given
            if isinstance(given, BaseException)
            else TypeError(f"failed with {type(given).__name__}, which is no error")
        )
        self._take(lambda: self._outcome.set_exception(known))

    def raised(self) -> CompletionFinding | None:
        """Take note that the method raised; answer the finding if it had completed too. For the adapter."""
        with self._lock:
            self._has_raised = True
            return self._find(RaisedAndCompleted) if self._has_completed else None

    @property
    def outcome(self) -> Future[T]:
        """The result or error, as a future. For the adapter."""
        return self._outcome

    @property
    def finding(self) -> CompletionFinding | None:
        """What is known by now to be wrong with this call. For the adapter."""
        with self._lock:
            return self._finding

    def _take(self, settle: Callable[[], None]) -> None:
        with self._lock:
            if self._has_raised:
                self._find(RaisedAndCompleted)
            elif self._has_completed:
                self._find(CompletedTwice)
            else:
                self._has_completed = True
                # Once the deadline has passed, nobody waits: the outcome is cancelled.
                if not self._outcome.cancelled() and self._outcome.set_running_or_notify_cancel():
                    settle()

    def _find(self, kind: type[CompletionFinding]) -> CompletionFinding:
        self._finding = kind(self._method)
        self._report(self._finding)
        return self._finding


class LoopThread:
    """An event loop on a daemon thread of its own, for drivers written with asyncio; close it to end both."""

    since = "0.1"

    def __init__(self, name: str = "plugin-event-loop") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._is_closed = self._has_ended = False
        self._thread.start()

    def __enter__(self) -> LoopThread:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, coroutine: Coroutine[object, None, R]) -> Future[R]:
        """Run a coroutine on the loop."""
        if self._is_closed:
            coroutine.close()
            raise RuntimeError("the loop thread is closed; open another one")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self) -> None:
        """Cancel what runs, stop the loop and its thread; twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        asyncio.run_coroutine_threadsafe(self._wind_down(), self._loop)
        self._thread.join(3 * _CLOSING_SECONDS)

    def _run(self) -> None:
        while not self._has_ended:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # A task raised it: it is the task's result already, and the others go on.
                continue
        self._loop.close()

    async def _wind_down(self) -> None:
        try:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
            await self._loop.shutdown_asyncgens()
            # Threads that the driver started by asyncio.to_thread belong to the loop's executor.
            await asyncio.wait_for(self._loop.shutdown_default_executor(), _CLOSING_SECONDS)
        finally:
            self._has_ended = True
            self._loop.stop()


class AdaptedDriver(
    DataStoreDriver,
    ResizeDriver,
    QosDriver,
    SnapshotDriver,
    RevertDriver,
    CloneDriver,
    CopyDriver,
    ChapDriver,
    StatsDriver,
    TemplateDriver,
    GrowthDriver,
    MigrationDriver,
    DataStoreLifeCycle,
    ZoneAttachment,
    StoreUpdate,
    StoreSwitch,
    StoreMaintenance,
    HostListener,
    Protocol,
):
    """A synchronous driver, life cycle or host listener made of another.

    Type checkers see every method of the contract; present are those that the wrapped object has, with the
    parameters that it has, so that registration sees what it would see of the object itself.
    """

    @property
    def findings(self) -> Sequence[CompletionFinding]:
        """What was wrong with calls until now, oldest first."""
        ...

    def configure(self, context: ProviderContext) -> None:
        """Take the context whose operations set the deadlines."""
        ...


def from_futures(driver: object) -> AdaptedDriver:
    """Wrap a driver whose methods return `concurrent.futures.Future`."""
    return _adapt(driver, _FutureCall)


def from_callbacks(driver: object) -> AdaptedDriver:
    """Wrap a driver whose methods take a `Completion` as their parameter ``callback``."""
    return _adapt(driver, _CallbackCall)


def from_asyncio(driver: object, loop_thread: LoopThread) -> AdaptedDriver:
    """Wrap a driver whose methods are coroutine functions.

    They run on `loop_thread`, which the caller closes.
    """

    def make(name: str, method: Method, adapter: _Adapter) -> _Call:
        return _AsyncioCall(name, method, adapter, loop_thread)

    return _adapt(driver, make)


def _adapt(driver: object, make: Callable[[str, Method, _Adapter], _Call]) -> AdaptedDriver:
    adapter = _Adapter()
    for protocol in AdaptedDriver.__mro__:
        for name in vars(protocol):
            method = None if name.startswith("_") or hasattr(adapter, name) else getattr(driver, name, None)
            if callable(method):
                setattr(adapter, name, make(name, method, adapter))
    return cast(AdaptedDriver, adapter)


class _Adapter:
    """Holds the calls as its attributes."""

    def __init__(self) -> None:
        self._context: ProviderContext | None = None
        self._lock = threading.Lock()
        self._findings: list[CompletionFinding] = []

    @property
    def findings(self) -> Sequence[CompletionFinding]:
        with self._lock:
            return tuple(self._findings)

    def configure(self, context: ProviderContext) -> None:
        self._context = context

    def report(self, finding: CompletionFinding) -> None:
        with self._lock:
            self._findings.append(finding)

    def operation(self) -> Operation:
        return self._context.operation() if self._context else _Unconfigured()


class _Unconfigured:
    """The operation of a call that no cloud has announced: it has a deadline and is not cancelled."""

    id = "unconfigured"

    def __init__(self) -> None:
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    @property
    def remaining_seconds(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def check(self) -> None:
        if not self.remaining_seconds:
            raise OperationCancelled(self.id, "past its deadline")


class _Call:
    """One method of the driver; its signature is the driver's own."""

    def __init__(self, name: str, method: Method, adapter: _Adapter) -> None:
        self._name, self._method, self._adapter = name, method, adapter
        self.__name__, self.__doc__ = name, inspect.getdoc(method)
        self.__signature__ = inspect.signature(method)

    def _result_of(self, future: Future[T]) -> T:
        """Wait for a future until the operation's deadline, and give what it gives."""
        try:
            self._wait(future, self._adapter.operation())
            return future.result(timeout=0)
        except CancelledError:
            raise self._never() from None
        except BaseException:
            future.cancel()
            raise

    def _wait(self, future: Future[T], operation: Operation) -> None:
        # The cloud's clock may be one that tests set by hand; ours ends the loop all the same.
        give_up_at = time.monotonic() + operation.remaining_seconds
        while not future.done():
            left = min(operation.remaining_seconds, give_up_at - time.monotonic())
            if left <= 0:
                raise self._never()
            wait_for_futures([future], timeout=min(left, LOOK_SECONDS))
            self._check(operation)

    def _check(self, operation: Operation) -> None:
        try:
            operation.check()
        except OperationCancelled:
            # It raises at the deadline too, and then the driver is to blame and not the caller.
            if operation.remaining_seconds > 0:
                raise

    def _never(self) -> NeverCompleted:
        finding = NeverCompleted(self._name)
        self._adapter.report(finding)
        return finding


class _FutureCall(_Call):
    def __call__(self, *args: object, **kwargs: object) -> object:
        result = self._method(*args, **kwargs)
        return self._result_of(result) if isinstance(result, Future) else result


class _CallbackCall(_Call):
    def __init__(self, name: str, method: Method, adapter: _Adapter) -> None:
        super().__init__(name, method, adapter)
        given = self.__signature__.parameters
        self._takes_callback = "callback" in given
        others = [each for each in given.values() if each.name != "callback"]
        self.__signature__ = self.__signature__.replace(parameters=others)

    def __call__(self, *args: object, **kwargs: object) -> object:
        if not self._takes_callback:
            return self._method(*args, **kwargs)
        completion: Completion[object] = Completion(self._name, self._adapter.report)
        try:
            self._method(*args, **kwargs, callback=completion)
        except BaseException as problem:
            finding = completion.raised()
            if finding is None:
                raise
            raise finding from problem
        return self._outcome_of(completion)

    def _outcome_of(self, completion: Completion[object]) -> object:
        try:
            result = self._result_of(completion.outcome)
        except BaseException as problem:
            if completion.finding is None:
                raise
            raise completion.finding from problem
        if completion.finding is not None:
            raise completion.finding
        return result


class _AsyncioCall(_Call):
    def __init__(self, name: str, method: Method, adapter: _Adapter, loop_thread: LoopThread) -> None:
        super().__init__(name, method, adapter)
        self._loop_thread = loop_thread

    def __call__(self, *args: object, **kwargs: object) -> object:
        result = self._method(*args, **kwargs)
        if not inspect.iscoroutine(result):
            return result
        return self._result_of(self._loop_thread.submit(result))
