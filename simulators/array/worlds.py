"""An array that is open, as the kit sees it: called in memory, or behind a server's ports."""

from __future__ import annotations

import time
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from conformance.contract import Endpoint, HttpRequest, HttpResponse, Secret
from simulators.array.adapters import TableWitness
from simulators.array.core import TRANSCRIPT_LINES
from simulators.array.fabric import EmptyFabric
from simulators.array.management import Addresses
from simulators.array.server import HOST
from simulators.iscsi.byte_stream import dial_socket
from simulators.iscsi.errors import ConnectionClosed
from simulators.iscsi.memory import MemoryTarget
from simulators.kernel.clock import MonotonicClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.contract import ArrayWitness, ByteStream
    from simulators.array.core import ArrayCore
    from simulators.array.faulty_management import Outcome
    from simulators.array.management import Reply
    from simulators.array.server import ArrayServer
    from simulators.kernel.transcript import Transcript

MEMORY_ADDRESS: Final = "10.64.0.1"
MEMORY_PORTAL: Final = (MEMORY_ADDRESS, 3260)


class MemoryWorld:
    """An array that lives in its callers' threads."""

    def __init__(self, core: ArrayCore) -> None:
        self._core = core
        self._target = MemoryTarget(core.fabric, MEMORY_PORTAL)
        self._target.let_fail(core.connection_faults)
        addresses = Addresses(f"{MEMORY_ADDRESS}:443", "{}:{}".format(*MEMORY_PORTAL))
        self._management = core.management(addresses, self._target.sessions, self._restart_target)
        self._is_closed = False
        url = f"memory://{core.model.unique_id}{_path(core)}"
        self.endpoints: Sequence[Endpoint] = (Endpoint(url, self._handle, refuse=self._refuse),)
        self.parameters: Mapping[str, str | Secret] = _parameters(core, addresses)
        self.witness: ArrayWitness = TableWitness(core, self._target.sessions)

    @property
    def transcript(self) -> Sequence[str]:
        return _lines(0, self._core.transcript, self._target.transcript)

    def dial(self, address: str, port: int) -> ByteStream:
        if self._is_closed or (address, port) != MEMORY_PORTAL:
            raise ConnectionClosed(f"nothing listens at {address}:{port}")
        return self._target.dial()

    def close(self) -> None:
        self._is_closed = True
        self._target.fabric = EmptyFabric()

    def _handle(self, request: HttpRequest) -> HttpResponse:
        if self._is_closed:
            raise ConnectionRefusedError("the array is gone")
        outcome = self._management.answer(request.method, request.path, request.headers, request.body)
        # As over sockets: whoever lost access meanwhile is cut off now, and not at its next command.
        self._target.sweep()
        return _in_time(outcome)

    def _refuse(self, request: HttpRequest) -> HttpResponse:
        return _response(self._management.refuse(request.path, request.body))

    def _restart_target(self) -> None:
        self._target.fabric = self._target.fabric  # a fabric that is set ends all sessions


class SocketWorld:
    """The array that a server serves now."""

    def __init__(self, core: ArrayCore, server: ArrayServer) -> None:
        self._core = core
        self.administrator, self.api = core.administrator, core.api
        self._server = server
        self._opened_at = MonotonicClock().now()
        server.serve(core)
        url = f"https://{server.addresses.management}{_path(core)}"
        self.endpoints: Sequence[Endpoint] = (Endpoint(url, self._handle, server.certificate.ca_file, self._refuse),)
        self.parameters: Mapping[str, str | Secret] = _parameters(core, server.addresses)
        self.witness: ArrayWitness = TableWitness(core, server.target.sessions)

    @property
    def transcript(self) -> Sequence[str]:
        return _lines(self._opened_at, self._core.transcript, self._server.target.transcript)

    def dial(self, address: str, port: int) -> ByteStream:
        if not self.is_open or address != HOST:
            raise ConnectionClosed(f"nothing listens at {address}:{port}")
        return dial_socket(address, port)

    def login(self) -> Mapping[str, str]:
        """What a client is given, with its secrets as plain text."""
        given = self.parameters
        return {name: each.reveal() if isinstance(each, Secret) else each for name, each in given.items()}

    @property
    def is_open(self) -> bool:
        """Whether this is the array that is served."""
        return self._server.core is self._core

    def close(self) -> None:
        if self.is_open:
            self._server.serve(None)

    def _handle(self, request: HttpRequest) -> HttpResponse:
        # Not by the port of `url`: whoever calls this has taken the request from a socket of his own, and the way over
        # two of them would double what a run costs.
        if not self.is_open:
            raise ConnectionRefusedError("the array is gone")
        return _in_time(self._server.ask(request.method, request.path, request.headers, request.body))

    def _refuse(self, request: HttpRequest) -> HttpResponse:
        return _response(self._server.refuse(request.path, request.body))


def _in_time(outcome: Outcome) -> HttpResponse:
    """What came of a request, for a caller who waits in a thread of its own."""
    if outcome.after_seconds:  # not even a moment: sleeping for none lets others run first
        time.sleep(outcome.after_seconds)
    if outcome.reply is None:
        raise ConnectionResetError("the array has closed the connection without an answer")
    return _response(outcome.reply)


def _response(reply: Reply) -> HttpResponse:
    return HttpResponse(reply.status, reply.headers, reply.body)


def _path(core: ArrayCore) -> str:
    return core.api.path(core.release)


def _parameters(core: ArrayCore, addresses: Addresses) -> Mapping[str, str | Secret]:
    secrets = core.api.secrets(core.administrator)
    plain = core.api.parameters(core.administrator, addresses)
    return {**plain, **{name: Secret(text) for name, text in secrets.items()}}


def _lines(since: float, *transcripts: Transcript) -> Sequence[str]:
    entries = merge(*(each.entries() for each in transcripts), key=attrgetter("time"))
    return [str(each) for each in entries if each.time >= since][-TRANSCRIPT_LINES:]
