"""Drivers with callbacks, futures or asyncio behave like synchronous ones, and their slips are found."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, cast

import pytest

from conformance.contract import (
    AccessModel,
    Busy,
    Cluster,
    Created,
    DataStore,
    DataStoreDriver,
    HypervisorType,
    OperationCancelled,
    Placement,
    ProviderContext,
    ResizeDriver,
    StoreRequest,
    Usage,
    Volume,
    VolumeRequest,
    adapters,
)
from conformance.contract.adapters import (
    AdaptedDriver,
    CompletedTwice,
    Completion,
    CompletionFinding,
    LoopThread,
    NeverCompleted,
    RaisedAndCompleted,
    from_asyncio,
    from_callbacks,
    from_futures,
)

CLUSTER: Final = Cluster("c", "c", HypervisorType.KVM)
STORE: Final = DataStore(StoreRequest("s", "s", CLUSTER, AccessModel.DIRECT, 1))
REQUEST: Final = VolumeRequest("v", "v", 1)
PLACEMENT: Final = Placement(CLUSTER, ())
CREATED: Final = Created("17", 1)
VOLUME: Final = Volume(REQUEST, "17", 1)


class Operation:
    """An operation whose time and fate the test decides."""

    id = "operation"

    def __init__(self, remaining_seconds: float = 30.0, *, is_cancelled: bool = False) -> None:
        self.remaining_seconds, self.is_cancelled = remaining_seconds, is_cancelled

    def check(self) -> None:
        if self.is_cancelled or self.remaining_seconds <= 0:
            raise OperationCancelled(self.id)


class Context:
    """A context that only knows operations."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation

    def operation(self) -> Operation:
        return self._operation


def configured(adapted: AdaptedDriver, operation: Operation) -> AdaptedDriver:
    adapted.configure(cast(ProviderContext, Context(operation)))
    return adapted


def create(adapted: AdaptedDriver) -> Created:
    return adapted.create(STORE, REQUEST, PLACEMENT)


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def loop_thread() -> Iterator[LoopThread]:
    with LoopThread() as thread:
        yield thread


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


# Futures


class FutureDriver:
    """One method that gives a future, one that does not."""

    def __init__(self, start: Callable[[], Future[Created]]) -> None:
        self._start = start

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Future[Created]:
        return self._start()

    def used(self, store: DataStore) -> Usage:
        return Usage(1, None)


def fail() -> Created:
    raise Busy(1.0)


def test_a_future_is_waited_for(workers: ThreadPoolExecutor) -> None:
    adapted = from_futures(FutureDriver(lambda: workers.submit(lambda: CREATED)))
    assert create(adapted) is CREATED
    assert adapted.used(STORE) == Usage(1, None)
    assert adapted.findings == ()


def test_the_error_of_a_future_is_raised(workers: ThreadPoolExecutor) -> None:
    with pytest.raises(Busy):
        create(from_futures(FutureDriver(lambda: workers.submit(fail))))


def test_a_future_that_never_completes_is_found_and_cancelled() -> None:
    future: Future[Created] = Future()
    adapted = configured(from_futures(FutureDriver(lambda: future)), Operation(0.0))
    with pytest.raises(NeverCompleted, match="create did not complete before its deadline"):
        create(adapted)
    assert future.cancelled()
    assert [type(each) for each in adapted.findings] == [NeverCompleted]


def test_a_cancelled_future_never_completes() -> None:
    future: Future[Created] = Future()
    future.cancel()
    with pytest.raises(NeverCompleted):
        create(from_futures(FutureDriver(lambda: future)))


def test_a_caller_that_gives_up_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "LOOK_SECONDS", 0.001)
    adapted = configured(from_futures(FutureDriver(Future)), Operation(is_cancelled=True))
    with pytest.raises(OperationCancelled):
        create(adapted)
    assert adapted.findings == ()


def test_a_deadline_that_passes_while_waiting_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "LOOK_SECONDS", 0.001)
    operation = Operation()
    future: Future[Created] = Future()

    def run_out() -> Future[Created]:
        threading.Timer(0, lambda: setattr(operation, "remaining_seconds", 0.0)).start()
        return future

    with pytest.raises(NeverCompleted):
        create(configured(from_futures(FutureDriver(run_out)), operation))


def test_without_a_context_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(NeverCompleted):
        create(from_futures(FutureDriver(Future)))


def test_time_ends_though_the_clouds_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "LOOK_SECONDS", 0.001)
    with pytest.raises(NeverCompleted):
        create(configured(from_futures(FutureDriver(Future)), Operation(0.01)))


# Callbacks

Act = Callable[[Completion[Created]], None]


class CallbackDriver:
    """Does with its callback what it is told."""

    def __init__(self, act: Act) -> None:
        self._act = act

    def create(
        self, store: DataStore, request: VolumeRequest, placement: Placement, callback: Completion[Created]
    ) -> None:
        self._act(callback)

    def used(self, store: DataStore) -> Usage:
        return Usage(1, None)


def succeed(callback: Completion[Created]) -> None:
    callback.complete(CREATED)


def twice(callback: Completion[Created]) -> None:
    callback.complete(CREATED)
    callback.complete(CREATED)


def fail_then_succeed(callback: Completion[Created]) -> None:
    callback.fail(Busy(1.0))
    callback.complete(CREATED)


def complete_then_raise(callback: Completion[Created]) -> None:
    callback.complete(CREATED)
    raise Busy(1.0)


def raise_at_once(callback: Completion[Created]) -> None:
    raise Busy(1.0)


def fail_with_nothing(callback: Completion[Created]) -> None:
    callback.fail(cast(BaseException, None))


def test_a_callback_is_waited_for(workers: ThreadPoolExecutor) -> None:
    adapted = from_callbacks(CallbackDriver(lambda callback: [workers.submit(succeed, callback)].clear()))
    assert create(adapted) is CREATED
    assert adapted.used(STORE) == Usage(1, None)
    assert adapted.findings == ()


@pytest.mark.parametrize("act", [raise_at_once, lambda callback: callback.fail(Busy(1.0))])
def test_a_failure_is_raised(act: Act) -> None:
    adapted = from_callbacks(CallbackDriver(act))
    with pytest.raises(Busy):
        create(adapted)
    assert adapted.findings == ()


def test_a_failure_without_an_error_is_no_success() -> None:
    with pytest.raises(TypeError, match="failed with NoneType, which is no error"):
        create(from_callbacks(CallbackDriver(fail_with_nothing)))


@pytest.mark.parametrize(
    ("act", "kind", "sentence"),
    [
        (twice, CompletedTwice, "create completed twice; expected exactly one result or error"),
        (fail_then_succeed, CompletedTwice, "create completed twice; expected exactly one result or error"),
        (complete_then_raise, RaisedAndCompleted, "create raised and completed; expected exactly one result or error"),
    ],
)
def test_more_than_one_end_is_found(act: Act, kind: type[CompletionFinding], sentence: str) -> None:
    adapted = from_callbacks(CallbackDriver(act))
    with pytest.raises(kind) as caught:
        create(adapted)
    assert str(caught.value) == sentence
    assert caught.value.method == "create"
    assert list(adapted.findings) == [caught.value]


def test_a_callback_that_is_never_called_is_found() -> None:
    adapted = configured(from_callbacks(CallbackDriver(lambda _: None)), Operation(0.0))
    with pytest.raises(NeverCompleted):
        create(adapted)
    assert [type(each) for each in adapted.findings] == [NeverCompleted]


def kept(act: Act, *, ends_with: type[Exception] | None) -> tuple[AdaptedDriver, Completion[Created]]:
    """Call once, and keep the callback beyond the end of the call."""
    callbacks: list[Completion[Created]] = []

    def keep(callback: Completion[Created]) -> None:
        callbacks.append(callback)
        act(callback)

    adapted = configured(from_callbacks(CallbackDriver(keep)), Operation(0.0))
    if ends_with:
        with pytest.raises(ends_with):
            create(adapted)
    else:
        create(adapted)
    return adapted, callbacks[0]


def test_a_late_second_completion_is_found() -> None:
    adapted, callback = kept(succeed, ends_with=None)
    callback.fail(Busy(1.0))
    assert [type(each) for each in adapted.findings] == [CompletedTwice]


def test_a_completion_after_raising_is_found() -> None:
    adapted, callback = kept(raise_at_once, ends_with=Busy)
    callback.complete(CREATED)
    assert [type(each) for each in adapted.findings] == [RaisedAndCompleted]


def test_of_completions_after_the_deadline_only_the_second_is_another_finding() -> None:
    adapted, callback = kept(lambda _: None, ends_with=NeverCompleted)
    callback.complete(CREATED)
    assert [type(each) for each in adapted.findings] == [NeverCompleted]
    callback.complete(CREATED)
    assert [type(each) for each in adapted.findings] == [NeverCompleted, CompletedTwice]


# asyncio


class AsyncDriver:
    """Coroutine functions, and one that is none."""

    async def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        await asyncio.sleep(0)
        return CREATED

    async def delete(self, store: DataStore, volume: Volume) -> None:
        raise Busy(1.0)

    async def resize(self, store: DataStore, volume: Volume, size_bytes: int) -> None:
        await asyncio.Event().wait()

    async def fence(self) -> None:
        raise SystemExit(3)

    async def list_objects(self, store: DataStore) -> list[str]:
        return await asyncio.to_thread(lambda: [threading.current_thread().name])

    def used(self, store: DataStore) -> Usage:
        return Usage(threading.get_ident(), None)


def test_a_coroutine_is_run(loop_thread: LoopThread) -> None:
    adapted = from_asyncio(AsyncDriver(), loop_thread)
    assert create(adapted) is CREATED
    with pytest.raises(Busy):
        adapted.delete(STORE, VOLUME)
    assert len(adapted.list_objects(STORE)) == 1
    assert adapted.used(STORE).bytes == threading.get_ident()


def test_a_coroutine_that_never_ends_is_found_and_cancelled(loop_thread: LoopThread) -> None:
    adapted = configured(from_asyncio(AsyncDriver(), loop_thread), Operation(0.0))
    with pytest.raises(NeverCompleted):
        adapted.resize(STORE, VOLUME, 2)


def test_a_coroutine_that_exits_does_not_take_the_loop_with_it(loop_thread: LoopThread) -> None:
    adapted = from_asyncio(AsyncDriver(), loop_thread)
    with pytest.raises(SystemExit):
        cast("Callable[[], None]", adapted.fence)()
    assert create(adapted) is CREATED


def test_closing_ends_what_runs() -> None:
    loop_thread = LoopThread()
    adapted = from_asyncio(AsyncDriver(), loop_thread)
    running = loop_thread.submit(AsyncDriver().resize(STORE, VOLUME, 2))
    loop_thread.close()
    loop_thread.close()
    assert running.cancelled()
    with pytest.raises(RuntimeError, match="open another one"):
        create(adapted)


# All of them


def test_the_signature_is_the_drivers_own_without_the_callback() -> None:
    adapted = from_callbacks(CallbackDriver(succeed))
    assert list(inspect.signature(adapted.create).parameters) == ["store", "request", "placement"]
    assert adapted.create.__name__ == "create"


def test_only_what_the_driver_has_is_there() -> None:
    adapted = from_callbacks(CallbackDriver(succeed))
    assert hasattr(adapted, "create")
    assert not hasattr(adapted, "resize")
    assert not hasattr(adapted, "initialize")


def test_a_type_checker_takes_it_for_any_driver() -> None:
    adapted = from_callbacks(CallbackDriver(succeed))
    core: DataStoreDriver = adapted
    resizing: ResizeDriver = adapted
    assert core.used(STORE) == Usage(1, None)
    assert not hasattr(resizing, "resize")


def test_a_finding_has_a_kind() -> None:
    with pytest.raises(TypeError, match="abstract"):
        CompletionFinding("create")
