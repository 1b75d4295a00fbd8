"""Simulated SolidFire arrays for environments (`element`) and for the command line (`simulate`)."""

from __future__ import annotations

import itertools
import threading
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from conformance.contract import (
    Endpoint,
    HttpRequest,
    HttpResponse,
    LaunchFailed,
    LaunchOptions,
    Secret,
    Transport,
)
from simulators.array.adapters import TableWitness
from simulators.array.chance import SeededChance
from simulators.array.core import TRANSCRIPT_LINES, ArrayCore
from simulators.array.data_plane import EMBEDDED, open_plane
from simulators.array.element_api.method import Addresses
from simulators.array.fabric import EmptyFabric
from simulators.array.server import HOST, ArrayServer, PortUnavailable
from simulators.array.settings import ArraySettings, read_settings
from simulators.iscsi.byte_stream import dial_socket
from simulators.iscsi.errors import ConnectionClosed
from simulators.iscsi.memory import MemoryTarget
from simulators.kernel.clock import MonotonicClock
from simulators.lio.errors import LioError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.contract import ArrayEntry, ArrayWitness, ByteStream
    from simulators.array.lio_store import LioStore
    from simulators.kernel.transcript import Transcript

MEMORY_ADDRESS: Final = "10.64.0.1"
MEMORY_PORTAL: Final = (MEMORY_ADDRESS, 3260)


class MemoryWorld:
    """An array that lives in its callers' threads."""

    def __init__(self, core: ArrayCore) -> None:
        self._core = core
        self._target = MemoryTarget(core.fabric, MEMORY_PORTAL)
        addresses = Addresses(f"{MEMORY_ADDRESS}:443", "{}:{}".format(*MEMORY_PORTAL))
        self._api = core.management(addresses, self._target.sessions)
        self._is_closed = False
        self.endpoints: Sequence[Endpoint] = (Endpoint(f"memory://{core.model.unique_id}{_path(core)}", self._handle),)
        self.parameters: Mapping[str, str | Secret] = _parameters(core)
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
        reply = self._api.handle(request.method, request.path, request.headers, request.body)
        # As over sockets: whoever lost access meanwhile is cut off now, and not at its next command.
        self._target.sweep()
        return HttpResponse(reply.status, reply.headers, reply.body)


class SocketWorld:
    """The array that a server serves now."""

    def __init__(self, core: ArrayCore, server: ArrayServer) -> None:
        self._core = core
        self._server = server
        self._opened_at = MonotonicClock().now()
        server.serve(core)
        url = f"https://{server.addresses.management}{_path(core)}"
        self.endpoints: Sequence[Endpoint] = (Endpoint(url, self._handle, server.certificate.ca_file),)
        self.parameters: Mapping[str, str | Secret] = _parameters(core)
        self.witness: ArrayWitness = TableWitness(core, server.target.sessions)

    @property
    def transcript(self) -> Sequence[str]:
        return _lines(self._opened_at, self._core.transcript, self._server.target.transcript)

    def dial(self, address: str, port: int) -> ByteStream:
        if not self.is_open or address != HOST:
            raise ConnectionClosed(f"nothing listens at {address}:{port}")
        return dial_socket(address, port)

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
        reply = self._server.ask(request.method, request.path, request.headers, request.body)
        return HttpResponse(reply.status, reply.headers, reply.body)


class MemoryEntry:
    """Makes arrays in memory; several may be open."""

    def __init__(self, name: str, settings: ArraySettings) -> None:
        self._cores = _Cores(name, settings)

    def open_world(self) -> MemoryWorld:
        return MemoryWorld(self._cores.make())

    def close(self) -> None:
        """There is nothing to stop."""


class SocketEntry:
    """Makes arrays behind one set of ports; one at a time."""

    def __init__(self, name: str, settings: ArraySettings) -> None:
        self._cores = _Cores(name, settings)
        self.is_exported = settings.data_plane != EMBEDDED
        self.server = ArrayServer(settings.ports, open_plane(settings.data_plane, HOST, settings.ports.iscsi))
        self._lock = threading.Lock()

    def open_world(self) -> SocketWorld:
        with self._lock:
            if self.server.core is not None:
                raise RuntimeError("an array of this entry is open; close it before opening the next")
            return SocketWorld(self._cores.make(self.server.target.new_store()), self.server)

    def close(self) -> None:
        self.server.close()


class RunningArray:
    """An array on its own, for whoever wants to try a client on it."""

    def __init__(self, entry: SocketEntry) -> None:
        self._entry = entry
        self._world = entry.open_world()

    def describe(self) -> list[tuple[str, str]]:
        """What a person needs to know; with the password, because the person has to type it."""
        endpoint, server = self._world.endpoints[0], self._entry.server
        username, password = self._world.parameters["username"], self._world.parameters["password"]
        return [
            ("endpoint", endpoint.url),
            ("username", str(username)),
            ("password", password.reveal() if isinstance(password, Secret) else password),
            ("CA file", server.certificate.ca_file),
            ("iSCSI portal", server.addresses.storage),
            ("witness", f"https://{HOST}:{server.witness_port}/"),
            *([("exports", f"https://{HOST}:{server.witness_port}/exports")] if self._entry.is_exported else []),
        ]

    def close(self) -> None:
        """Stop it and drop what is on it."""
        self._world.close()
        self._entry.close()


def element(options: LaunchOptions) -> ArrayEntry:
    """Launch an entry with the settings of `settings.KNOWN`, all of which may be left out."""
    settings = _settings(options)
    # LIO is reached over sockets whatever the caller would like.
    if options.transport is Transport.MEMORY and settings.data_plane == EMBEDDED:
        return MemoryEntry(options.name, settings)
    return _on_sockets(options.name, settings)


def simulate(options: LaunchOptions) -> RunningArray:
    """Launch one array with its ports open."""
    return RunningArray(_on_sockets(options.name, _settings(options)))


class _Cores:
    """Makes arrays that differ from each other, and are the same in every run but for their secrets."""

    def __init__(self, name: str, settings: ArraySettings) -> None:
        self._name = name
        self._settings = settings
        self._serial = itertools.count(1)

    def make(self, store: LioStore | None = None) -> ArrayCore:
        return ArrayCore(
            size=self._settings.size,
            administrator=self._settings.administrator,
            chance=SeededChance(f"{self._name}/{next(self._serial)}"),
            store=store,
        )


def _settings(options: LaunchOptions) -> ArraySettings:
    try:
        return read_settings(options.settings)
    except ValueError as error:
        raise LaunchFailed(f"{options.name}: {error}") from None


def _on_sockets(name: str, settings: ArraySettings) -> SocketEntry:
    try:
        return SocketEntry(name, settings)
    except PortUnavailable as error:
        raise LaunchFailed(
            f"{name}: setting {error.purpose!r} asks for port {error.port} of {HOST}, which cannot be opened "
            f"({error.cause.strerror}): stop what uses it, or set 0 for any free port"
        ) from error
    except LioError as error:
        raise LaunchFailed(f"{name}: {error}") from error


def _path(core: ArrayCore) -> str:
    return f"/json-rpc/{core.release.api_version}"


def _parameters(core: ArrayCore) -> Mapping[str, str | Secret]:
    administrator = core.administrator
    return {"username": administrator.username, "password": Secret(administrator.password)}


def _lines(since: float, *transcripts: Transcript) -> Sequence[str]:
    entries = merge(*(each.entries() for each in transcripts), key=attrgetter("time"))
    return [str(each) for each in entries if each.time >= since][-TRANSCRIPT_LINES:]
