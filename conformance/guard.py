"""The plugin as the kit calls it: every call has a thread, a deadline, a line in the trace, and a look at what comes
back.

Objects here stand in for the contract's protocols: a guarded driver is called like a driver, by the properties as
well as
by the orchestrator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, NoReturn, cast

from conformance import homes
from conformance.bridge_breaks import BridgeBreaks
from conformance.calls import CallHung, Operations, StrayExit, Threads
from conformance.contract import (
    Backing,
    BlockConnection,
    BridgeError,
    Busy,
    Created,
    DataStore,
    DataStoreDriver,
    DataStoreLifeCycle,
    DataStoreProvider,
    HostListener,
    HypervisorBridge,
    HypervisorFault,
    LunIdentity,
    NfsExport,
    OperationCancelled,
    OwnedObject,
    ProviderError,
    Resized,
    Usage,
    VolumeStats,
)
from conformance.errors import KitError
from conformance.trace import Trace, short
from conformance.unwritten import origin
from conformance.verdict import Broken, Violation

_ANSWERS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "create": Created,
    "clone": Created,
    "take_snapshot": Created,
    "seed_template": Created,
    "copy": Created,
    "connection": (BlockConnection, NfsExport),
    "resize": Resized,
    "used": Usage,
    "volume_stats": VolumeStats,
    "initialize": DataStore,
    "update": DataStore,
    "can_copy": bool,
}
_SET_UP: Final = frozenset(
    {"initialize", "attach_cluster", "create", "host_added", "host_connected", "grant_access", "connection"}
    | {"list_objects", "used", "take_snapshot", "clone", "seed_template"}
)
_BUSY_TRIES: Final = 5
_LONGEST_BUSY_SECONDS: Final = 60.0
_ITEMS: Final[Mapping[str, type]] = {
    "list_objects": OwnedObject,
    "attach_cluster": Backing,
    "attach_zone": Backing,
}


@dataclass(slots=True)
class Watch:
    """What the guards of one world share. `ceiling` is the profile's limit on declared completion times, in seconds."""

    trace: Trace
    operations: Operations
    ceiling: Callable[[str], float]
    hung: set[str]
    threads: Threads
    found: list[Violation] = field(default_factory=list)
    went_beyond_set_up: bool = False
    answers: list[object] = field(default_factory=list)
    before_calls: list[Callable[[str, Sequence[object]], None]] = field(default_factory=list)
    after_calls: list[Callable[[str, Sequence[object]], None]] = field(default_factory=list)

    def charge(self, home: str, expected: str, observed: str) -> NoReturn:
        """Note a violation of the requirement `home` and give up the call."""
        violation = Violation(expected, self.trace.masked(observed), "the kit's watch over calls", home)
        self.found.append(violation)
        raise Broken(violation)

    @property
    def unwritten(self) -> str:
        """The first method called that is not written yet; empty when all were there."""
        return next((each.unwritten for each in self.found if each.unwritten), "")

    def note_unwritten(self, name: str, error: NotImplementedError) -> NoReturn:
        """Charge what is not written yet to the requirement that answers for the method: the next thing to do."""
        violation = Violation(
            f"{name} to be written",
            self.trace.masked(f"{origin(error)} raises NotImplementedError"),
            "the kit's watch over calls",
            homes.STEP.get(name, homes.STRAY_ERROR),
            unwritten=name,
        )
        self.found.append(violation)
        raise Broken(violation)


class Guarded:
    """Stands in for one object of a plugin (driver, life cycle, listener)."""

    def __init__(self, watch: Watch, target: object, seconds_for: Callable[[str], float]) -> None:
        self._watch, self._target, self._seconds_for = watch, target, seconds_for

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value

        def guarded(*arguments: object, **keywords: object) -> object:
            return self._call(name, value, arguments, keywords)

        return guarded

    def _call(
        self,
        name: str,
        function: Callable[..., object],
        arguments: Sequence[object],
        keywords: dict[str, object],
    ) -> object:
        for _ in range(_BUSY_TRIES - 1):
            try:
                return self._once(name, function, arguments, keywords)
            except Busy as busy:
                # The contract: nothing was changed, repeat the same call after this time.
                self._watch.operations.clock.sleep(min(busy.retry_after_seconds, _LONGEST_BUSY_SECONDS))
        return self._once(name, function, arguments, keywords)

    def _once(
        self,
        name: str,
        function: Callable[..., object],
        arguments: Sequence[object],
        keywords: dict[str, object],
    ) -> object:
        watch = self._watch
        for look in watch.before_calls:
            look(name, arguments)
        seconds = min(self._seconds_for(name), watch.ceiling(name))
        operation = watch.operations.begin(seconds)
        clock = watch.operations.clock
        began = clock.monotonic()
        note = watch.trace.begin("cloud", "plugin", name, arguments, keywords, operation.id)

        def work() -> object:
            watch.operations.enter(operation)
            return function(*arguments, **keywords)

        try:
            # A method that hung once is not waited for as long again.
            answer = watch.threads.run(work, min(seconds, 0.5) if name in watch.hung else seconds + 0.5)
        except BaseException as error:
            watch.trace.end(note, error=error)
            self._judge_error(name, seconds, error, operation)
            raise
        watch.trace.end(note, answer)
        for look in watch.after_calls:
            look(name, arguments)
        watch.answers.append(answer)
        watch.went_beyond_set_up |= name not in _SET_UP
        self._judge_answer(name, answer, clock.monotonic() - began, seconds)
        return answer

    def _judge_error(self, name: str, seconds: float, error: BaseException, operation: Any) -> None:
        if isinstance(error, CallHung):
            operation.is_cancelled = True
            self._watch.hung.add(name)
            self._watch.charge(homes.LATE, f"`{name}` to return within {seconds:g} s", "it had not returned")
        if isinstance(error, OperationCancelled) and operation.remaining_seconds <= 0:
            self._watch.charge(homes.LATE, f"`{name}` to return within {seconds:g} s", "it gave up at its deadline")
        if isinstance(error, NotImplementedError):
            self._watch.note_unwritten(name, error)
        watch_passes = (ProviderError, BridgeError, Broken, KitError)
        if not isinstance(error, watch_passes) and isinstance(error, Exception):
            said = str(error) if isinstance(error, StrayExit) else f"{type(error).__name__}: {error}"
            self._watch.charge(homes.STRAY_ERROR, f"`{name}` to raise only errors of the contract", said)

    def _judge_answer(self, name: str, answer: object, took: float, seconds: float) -> None:
        problem = _wrong_type(name, answer)
        if problem:
            self._watch.charge(homes.WRONG_TYPE, f"`{name}` to answer {problem}", short(answer))
        if took > seconds:
            self._watch.charge(homes.LATE, f"`{name}` to return within {seconds:g} s", f"{took:.1f} s")


def _wrong_type(name: str, answer: object) -> str:
    if name in _ANSWERS and not isinstance(answer, _ANSWERS[name]):
        wanted = _ANSWERS[name]
        return " or ".join(each.__name__ for each in (wanted if isinstance(wanted, tuple) else (wanted,)))
    if name in _ITEMS:
        return _wrong_items(answer, _ITEMS[name])
    if isinstance(answer, Created):
        identity: object = answer.identity
        if identity is not None and not isinstance(identity, LunIdentity):
            return "Created with a LunIdentity or None as identity"
    return ""


def _wrong_items(answer: object, wanted: type) -> str:
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        return f"a sequence of {wanted.__name__}"
    return "" if all(isinstance(each, wanted) for each in answer) else f"a sequence of {wanted.__name__}"


class GuardedPlugin:
    """One plugin instance; satisfies the contract's `DataStoreProvider`."""

    def __init__(self, watch: Watch, raw: DataStoreProvider) -> None:
        self.raw = raw
        seconds_for = raw.traits.seconds_for
        self.driver = cast("DataStoreDriver", Guarded(watch, raw.driver, seconds_for))
        self.lifecycle = cast("DataStoreLifeCycle", Guarded(watch, raw.lifecycle, seconds_for))
        listener = raw.host_listener
        self.host_listener = (
            cast("HostListener", Guarded(watch, listener, seconds_for)) if listener is not None else None
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    @property
    def as_provider(self) -> DataStoreProvider:
        """This object, as what it stands in for."""
        return cast("DataStoreProvider", self)


class TracedBridge:
    """Stands in for a bridge: its calls are lines of the trace, under the party that made them.

    `breaks`: which calls fail before they do anything. `made`: told of each datastore that was made.
    """

    def __init__(
        self,
        trace: Trace,
        target: HypervisorBridge,
        caller: str,
        breaks: BridgeBreaks,
        made: Callable[[object], None] = lambda _ref: None,
    ) -> None:
        self._trace, self._target, self._caller, self._breaks, self._made = trace, target, caller, breaks, made

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value

        @wraps(value)  # whoever looks at a bridge's signature sees the bridge's
        def traced(*arguments: object, **keywords: object) -> object:
            note = self._trace.begin(self._caller, "bridge", name, arguments, keywords, "")
            try:
                self._break(name)
                answer = value(*arguments, **keywords)
            except BaseException as error:
                self._trace.end(note, error=error)
                raise
            self._trace.end(note, answer)
            if name == "create_datastore":
                self._made(answer)
            return answer

        return traced

    def _break(self, name: str) -> None:
        if self._breaks.fails(name):
            raise HypervisorFault(str(self._target.hypervisor), "every host", name, "injected by the kit")
