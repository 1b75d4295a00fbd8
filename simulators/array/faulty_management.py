"""The way into a management API: what a fault plan says goes wrong with a call goes wrong here, whichever API it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.kernel.faults import Failure, Fault, FaultPlan
from simulators.kernel.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulators.array.management import ManagementApi, Reply
    from simulators.kernel.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a request: after so many seconds an answer, or the connection closes without one."""

    reply: Reply | None
    after_seconds: float = 0.0


class FaultyManagement:
    """An API with the faults of a plan. Any thread may ask; `restart` is called when the array goes down."""

    def __init__(
        self, api: ManagementApi, faults: Sequence[Fault], transcript: Transcript, restart: Callable[[], None]
    ) -> None:
        self._api = api
        self._plan = FaultPlan(faults)
        self._transcript = transcript
        self._restart = restart
        self._lock = threading.Lock()
        self._down_until = 0.0

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Let one request meet its fate."""
        if self._transcript.now() < self._down_until:
            return Outcome(None)
        name = self._api.call_name(method, path, body) if self._plan else ""
        with self._lock:
            fault = self._plan.strike(name)
        if fault is None:
            return Outcome(self._api.handle(method, path, headers, body))
        self._transcript.record(Direction.NOTE, f"{fault.failure} injected into {name}")
        return self._struck(fault, method, path, headers, body)

    def refuse(self, path: str, body: bytes) -> Reply:
        """How the API tells that something inside has failed for a moment; nothing is done."""
        return self._api.refusal(Fault(Failure.ERROR_BEFORE), path, body)

    def _struck(self, fault: Fault, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        if fault.failure is Failure.RESTART:
            self._down_until = self._transcript.now() + fault.seconds
            self._restart()
            return Outcome(None)
        if fault.failure in (Failure.ERROR_BEFORE, Failure.THROTTLE, Failure.AUTH_EXPIRY):
            return Outcome(self._api.refusal(fault, path, body))
        reply = self._api.handle(method, path, headers, body)
        return Outcome(None) if fault.failure is Failure.LOST_REPLY else Outcome(reply, fault.seconds)
