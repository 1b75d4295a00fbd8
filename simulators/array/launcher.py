"""Simulated arrays for environments (`array`, `element`) and for the command line (`simulate`)."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from heapq import merge
from operator import attrgetter
from pathlib import Path
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
from simulators.array.core import TRANSCRIPT_LINES, ArrayCore, utc_now
from simulators.array.data_plane import EMBEDDED, open_plane
from simulators.array.fabric import EmptyFabric
from simulators.array.journal import JournalUnusable
from simulators.array.kept import ADDRESSES, kept_in
from simulators.array.management import Addresses
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
    from simulators.array.faulty_management import Outcome
    from simulators.array.journal import Journal
    from simulators.array.lio_store import LioStore
    from simulators.array.management import Reply
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
        self.world = entry.open_world()

    def describe(self) -> list[tuple[str, str]]:
        """What a person needs to know; with the secrets, because the person has to type them."""
        endpoint, server = self.world.endpoints[0], self._entry.server
        given = {name: _revealed(value) for name, value in self.world.parameters.items()}
        # Whatever the API wants: the witness wants name and password.
        administrator = self.world.administrator
        told = {"username": administrator.username, "password": administrator.password, **given}
        return [
            ("endpoint", endpoint.url),
            *told.items(),
            ("CA file", server.certificate.ca_file),
            ("iSCSI portal", server.addresses.storage),
            ("witness", f"https://{HOST}:{server.witness_port}/"),
            ("page", f"http://{HOST}:{server.page_port}/"),
            *([("exports", f"https://{HOST}:{server.witness_port}/exports")] if self._entry.is_exported else []),
        ]

    def close(self) -> None:
        """Stop it and drop what is on it."""
        self.world.close()
        self._entry.close()


class KeptArray(RunningArray):
    """An array whose file outlives it; it goes on at the same addresses."""

    def __init__(self, entry: SocketEntry, journal: Journal, settings: Mapping[str, object]) -> None:
        super().__init__(entry)
        self._journal = journal
        server = entry.server
        ports = (server.target.portal[1], server.management_port, server.witness_port, server.page_port)
        administrator, api = self.world.administrator, self.world.api
        secrets = {"password": administrator.password, **api.secrets(administrator)}
        lasting = {name: value for name, value in settings.items() if name != "faults"}
        journal.begin({**lasting, **secrets, **dict(zip(ADDRESSES, ports, strict=True))})

    def describe(self) -> list[tuple[str, str]]:
        """What a person needs to know, and where it is kept."""
        return [*super().describe(), ("state", str(self._journal.path))]

    def close(self) -> None:
        """Stop it; what is on it stays in its file."""
        super().close()
        self._journal.close()


def array(options: LaunchOptions) -> ArrayEntry:
    """Launch an entry with the settings that `settings` knows, all of which may be left out; `api` says which API."""
    settings = _settings(options)
    # LIO is reached over sockets whatever the caller would like.
    if options.transport is Transport.MEMORY and settings.data_plane == EMBEDDED:
        return MemoryEntry(options.name, settings)
    return _on_sockets(options.name, settings)


element = array
"""The name from when arrays had one API, which still is the one they have unless told otherwise."""


def simulate(options: LaunchOptions) -> RunningArray:
    """Launch one array with its ports open, and a page that shows it.

    With a setting `state` beside those that `settings` knows, it is kept in the file of that name.
    """
    given = dict(options.settings)
    path = given.pop("state", None)
    if path is None:
        return RunningArray(_with_page(replace(options, settings=given), None))
    try:
        journal, settings = kept_in(Path(str(path)), given, utc_now)
    except (JournalUnusable, ValueError) as error:
        raise LaunchFailed(f"{options.name}: {error}") from None
    with ExitStack() as if_it_fails:
        if_it_fails.callback(journal.close)
        entry = _with_page(replace(options, settings=settings), journal)
        running = KeptArray(entry, journal, settings)
        if_it_fails.pop_all()
    return running


class _Cores:
    """Makes arrays that differ from each other, and are the same in every run but for their secrets."""

    def __init__(self, name: str, settings: ArraySettings) -> None:
        self._name = name
        self._settings = settings
        self._serial = itertools.count(1)

    def make(self, store: LioStore | None = None) -> ArrayCore:
        settings, journal = self._settings, self._settings.journal
        core = ArrayCore(
            size=settings.size,
            administrator=settings.administrator,
            chance=SeededChance(f"{self._name}/{next(self._serial)}", None if journal is None else journal.seed),
            faults=settings.faults,
            journal=journal,
            store=store,
        )
        core.replay()
        return core


def _settings(options: LaunchOptions, journal: Journal | None = None) -> ArraySettings:
    try:
        return read_settings(options.settings, journal)
    except ValueError as error:
        raise LaunchFailed(f"{options.name}: {error}") from None


def _with_page(options: LaunchOptions, journal: Journal | None) -> SocketEntry:
    settings = {"page_port": 0, **options.settings}
    return _on_sockets(options.name, _settings(replace(options, settings=settings), journal))


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


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _lines(since: float, *transcripts: Transcript) -> Sequence[str]:
    entries = merge(*(each.entries() for each in transcripts), key=attrgetter("time"))
    return [str(each) for each in entries if each.time >= since][-TRANSCRIPT_LINES:]
