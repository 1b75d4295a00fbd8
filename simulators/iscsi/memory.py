"""A target without sockets: the initiator's bytes are handled in the thread that sends them."""

from __future__ import annotations

import os
import threading
import time
from operator import itemgetter
from typing import TYPE_CHECKING

from simulators.iscsi.errors import ConnectionClosed, Timeout
from simulators.iscsi.target_core import TargetCore
from simulators.iscsi.target_machine import TargetConnection
from simulators.kernel.clock import MonotonicClock
from simulators.kernel.faults import FaultPlan
from simulators.kernel.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.iscsi.backend import Fabric, SessionInfo
    from simulators.iscsi.byte_stream import ByteStream
    from simulators.iscsi.negotiation import OperationalSettings
    from simulators.iscsi.portal import Portal
    from simulators.iscsi.write_task import WriteTask
    from simulators.kernel.clock import Clock
    from simulators.kernel.faults import Fault


class MemoryTarget:
    """A target core behind a lock. Several threads may each use a stream of their own."""

    def __init__(
        self,
        fabric: Fabric,
        portal: tuple[str, int] = ("127.0.0.1", 3260),
        *,
        portals: Sequence[tuple[str, int] | Portal] = (),
        settings: OperationalSettings | None = None,
        power_on_attention: bool = False,
        clock: Clock | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.lock = threading.RLock()
        self.transcript = Transcript(clock or MonotonicClock())
        self.core = TargetCore(
            fabric,
            portals=portals or (portal,),
            entropy=entropy,
            transcript=self.transcript,
            settings=settings,
            power_on_attention=power_on_attention,
        )

    @property
    def portal(self) -> tuple[str, int]:
        """Address and port that SendTargets advertises (first)."""
        return self.core.portals[0][:2]

    @property
    def fabric(self) -> Fabric:
        """The fabric that is served."""
        return self.core.fabric

    @fabric.setter
    def fabric(self, fabric: Fabric) -> None:
        with self.lock:
            self.core.replace_fabric(fabric)

    def let_fail(self, faults: Sequence[Fault]) -> None:
        """Let these faults befall connections from now on, and no others."""
        with self.lock:
            self.core.faults = FaultPlan(faults)

    def sessions(self) -> list[SessionInfo]:
        """List the sessions that are logged in and still admitted.

        Takes no lock of ours: an array may ask while it holds the lock that its fabric takes.
        """
        return self.core.sessions()

    def sweep(self) -> None:
        """Close the sessions that are no longer admitted, without waiting for their next command."""
        with self.lock:
            self.core.sweep()

    def dial(self, initiator_address: str = "memory", portal_group_tag: int = 1) -> ByteStream:
        """Open a connection."""
        with self.lock:
            return MemoryStream(self.lock, TargetConnection(self.core, initiator_address, portal_group_tag))


class MemoryStream:
    """The initiator's end of a connection inside this process."""

    def __init__(self, lock: threading.RLock, connection: TargetConnection) -> None:
        self._lock = lock
        self._connection = connection
        self._answer = b""
        self._position = 0
        self._late: list[tuple[float, WriteTask]] = []

    def send(self, data: bytes) -> None:
        """Hand bytes to the target; its answer is ready when this returns."""
        with self._lock:
            if self._connection.is_closed:
                raise ConnectionClosed("the target has closed the connection")
            answer = self._connection.receive(data)
            now = time.monotonic()
            self._late += [(now + late.seconds, late.task) for late in self._connection.take_late()]
        rest = self._answer[self._position :]
        self._answer, self._position = (rest + answer if rest else answer), 0

    def receive(self, limit: int) -> bytes:
        """Return what the target answered; when there is nothing and never will be, time out at once."""
        if self._position >= len(self._answer):
            self._wait_for_news()
        if self._position >= len(self._answer):
            if self._connection.is_closed:
                return b""
            raise Timeout("the target has nothing to say")
        start = self._position
        self._position = min(start + limit, len(self._answer))
        if start == 0 and self._position == len(self._answer):
            return self._answer
        return self._answer[start : self._position]

    def _wait_for_news(self) -> None:
        self._position = 0
        with self._lock:
            self._answer = self._connection.tell_window()
        self._late.sort(key=itemgetter(0))
        while self._late and not self._answer:
            due, task = self._late.pop(0)
            time.sleep(max(0.0, due - time.monotonic()))
            with self._lock:
                self._answer = self._connection.ask_late(task)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            if not self._connection.is_closed:
                self._connection.hang_up()
