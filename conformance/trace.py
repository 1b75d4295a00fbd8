"""Who called what, when, with what result: the raw material of reports and sequence diagrams."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from conformance.calls import CallHung, StrayExit
from conformance.shown import MASK as MASK
from conformance.shown import short as short

_SHOWN = 240
# Secrets that the plugin has told nobody yet, by the names that APIs give them.
_SENT = re.compile(rb'"[^"]*(?:secret|password)"\s*:\s*"([^"\\]{8,})"', re.IGNORECASE)
_SECRETS = re.compile(r'("[^"]*(?:secret|password|token)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE)


@dataclass(slots=True)
class Exchange:
    """One request to the array and its answer, as it went over the wire."""

    request: bytes
    path: str
    status: int = 0
    response: bytes = b""
    fault: str = ""
    verb: str = "POST"
    began: float = 0.0
    ended: float | None = None

    @property
    def bodies(self) -> tuple[bytes, bytes]:
        """What was sent and what came back."""
        return self.request, self.response


@dataclass(slots=True)
class HostCall:
    """One remote call of a bridge to a hypervisor. What it carried is not kept: it may hold secrets."""

    name: str
    host: str
    began: float
    ended: float | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class Call:
    """One call from one party to another; times are seconds since the trace began.

    `parent` is the caller's own call that was in progress: a user operation, or a call of the plugin.
    """

    number: int
    caller: str
    party: str
    name: str
    arguments: tuple[object, ...]
    keywords: dict[str, object]
    operation: str
    began: float
    ended: float | None = None
    answer: object = None
    error: BaseException | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    host_calls: list[HostCall] = field(default_factory=list)
    parent: Call | None = field(default=None, compare=False, repr=False)

    def text(self) -> str:
        """One line: party.name(arguments) -> answer."""
        arguments = [short(each) for each in self.arguments]
        arguments += [f"{key}={short(each)}" for key, each in self.keywords.items()]
        return f"{self.party}.{self.name}({', '.join(arguments)}) -> {self._ending()}"

    def _ending(self) -> str:
        if isinstance(self.error, CallHung):
            return str(self.error)
        if isinstance(self.error, StrayExit):
            # The kit's wrapping of what was raised, which names it.
            return f"raised {self.error}"
        if self.error is not None:
            return f"raised {type(self.error).__name__}: {self.error}"
        return "did not return" if self.ended is None else short(self.answer)


class Trace:
    """All calls of one world, in the order they began. Safe to use from several threads."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.secrets: set[str] = set()
        self.logged: list[str] = []
        """What the plugin handed the cloud's logger, as it was."""
        self._lock = threading.Lock()
        self._began = time.perf_counter()
        self._current: list[Call] = []
        self._cleaning_from: int | None = None

    def begin(
        self,
        caller: str,
        party: str,
        name: str,
        arguments: Sequence[object],
        keywords: dict[str, object],
        operation: str,
    ) -> Call:
        """Note that a call begins."""
        with self._lock:
            call = Call(len(self.calls) + 1, caller, party, name, tuple(arguments), keywords, operation, self._now())
            call.parent = self._latest(caller)
            self.calls.append(call)
            self._current.append(call)
        return call

    def end(self, call: Call, answer: object = None, error: BaseException | None = None) -> None:
        """Note how it ended."""
        with self._lock:
            call.ended, call.answer, call.error = self._now(), answer, error
            if call in self._current:
                self._current.remove(call)

    def exchange(self, path: str, request: bytes, verb: str = "POST") -> Exchange:
        """Note a request to the array under the plugin's call that is in progress."""
        one = Exchange(request, path, verb=verb)
        # A secret that the plugin made up is searched for as well, also when nobody is ever told it.
        sent = {each.decode(errors="replace") for each in _SENT.findall(request)}
        with self._lock:
            self.secrets |= sent
            one.began = self._now()
            call = self._latest("plugin")
            if call is not None:
                call.exchanges.append(one)
        return one

    def answered(self, one: Exchange, status: int, response: bytes) -> None:
        """Note the array's answer."""
        one.status, one.response, one.ended = status, response, self._now()

    def host_call(self, name: str, host: str) -> HostCall:
        """Note a remote call to a hypervisor under the bridge's call that is in progress."""
        with self._lock:
            one = HostCall(name, host, self._now())
            call = self._latest("bridge")
            if call is not None:
                call.host_calls.append(one)
        return one

    def host_answered(self, one: HostCall, error: BaseException | None = None) -> None:
        """Note how it ended."""
        one.ended, one.error = self._now(), error

    def _latest(self, party: str) -> Call | None:
        return next((each for each in reversed(self._current) if each.party == party), None)

    def begin_cleaning(self) -> None:
        """Note that what follows only cleans up."""
        self._cleaning_from = self._cleaning_from or len(self.calls)

    def steps(self, *, cleaning: bool) -> tuple[str, ...]:
        """Every call of the cloud and of the plugin as a line, secrets masked; with the cleaning up only if asked."""
        return tuple(self.masked(f"{each.number}. {each.text()}") for each in self.told(cleaning=cleaning))

    def told(self, *, cleaning: bool) -> list[Call]:
        """Every call; with the cleaning up only if asked."""
        return self.calls if cleaning else self.calls[: self._cleaning_from]

    def wire(self, last: int = 8, *, cleaning: bool) -> tuple[str, ...]:
        """The last exchanges with the array, secrets masked."""
        every = [(call, each) for call in self.told(cleaning=cleaning) for each in call.exchanges]
        return tuple(_wire_line(call, each, self.masked) for call, each in every[-last:])

    def masked(self, text: str) -> str:
        """The text without any secret that this trace knows."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def _now(self) -> float:
        return time.perf_counter() - self._began


def _wire_line(call: Call, one: Exchange, masked: Callable[[str], str]) -> str:
    sent, got = (masked(_SECRETS.sub(r"\1" + f'"{MASK}"', each.decode("utf-8", "replace"))) for each in one.bodies)
    marked = f" [injected: {one.fault}]" if one.fault else ""
    answered = f"{one.status} {_cut(got)}" if one.status else "no answer"
    return f"during {call.name}: {one.verb} {one.path} {_cut(sent)} -> {answered}{marked}"


def _cut(text: str) -> str:
    """The beginning, up to the end of a word; where something is left out, it says so."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rpartition(' ')[0] or text[:_SHOWN]} …"
