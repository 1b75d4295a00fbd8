"""Simulated arrays for environments (`array`, `element`) and for the command line (`simulate`)."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.contract import LaunchFailed, LaunchOptions, Transport
from simulators.array.core import utc_now
from simulators.array.data_plane import EMBEDDED
from simulators.array.entries import MemoryEntry, SocketEntry
from simulators.array.journal import JournalUnusable
from simulators.array.kept import kept_in
from simulators.array.running import KeptArray, RunningArray
from simulators.array.server import HOST, PortUnavailable
from simulators.array.settings import ArraySettings, read_settings
from simulators.lio.errors import LioError

if TYPE_CHECKING:
    from conformance.contract import ArrayEntry
    from simulators.array.journal import Journal


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


def _settings(options: LaunchOptions, journal: Journal | None = None) -> ArraySettings:
    try:
        return read_settings(options.settings, journal)
    except ValueError as error:
        raise LaunchFailed(f"{options.name}: {error}") from None


def _with_page(options: LaunchOptions, journal: Journal | None) -> SocketEntry:
    settings = {"page_port": 0, **options.settings}
    # Two arrays side by side are two: hosts know LUNs by names that are made of this, and clients clusters.
    identity = secrets.token_hex(8) if journal is None else journal.seed
    return _on_sockets(options.name, _settings(replace(options, settings=settings), journal), identity)


def _on_sockets(name: str, settings: ArraySettings, identity: str = "") -> SocketEntry:
    try:
        return SocketEntry(identity or name, settings)
    except PortUnavailable as error:
        raise LaunchFailed(
            f"{name}: setting {error.purpose!r} asks for port {error.port} of {HOST}, which cannot be opened "
            f"({error.cause.strerror}): stop what uses it, or set 0 for any free port"
        ) from error
    except LioError as error:
        raise LaunchFailed(f"{name}: {error}") from error
