"""A file in which an array writes down what it is asked before it does it, and from which it does it all again.

A real array keeps what it has acknowledged, whatever becomes of its processes; so does one with a journal, even
when it is killed. What it was is not written down but what happened to it: requests to the management API and writes to
its volumes, in their order and with their times. Whoever does the same things at the same times with the same chance
becomes the same array. Sessions end with the process. The file has all secrets of the array, and is its owner's alone.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from simulators.array.surroundings import Now

FORMAT: Final = 1
_TABLES: Final = f"""
PRAGMA user_version = {FORMAT};
CREATE TABLE array (seed TEXT, settings TEXT);
CREATE TABLE happened (
    number INTEGER PRIMARY KEY, at TEXT, volume INTEGER, offset INTEGER, length INTEGER, data BLOB, request TEXT
);
"""
# Killed processes lose nothing that was handed to the system; a crash of the machine is not what this is for.
_PRAGMAS: Final = ("PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF")
_INSERT: Final = "INSERT INTO happened (at, volume, offset, length, data, request) VALUES (?, ?, ?, ?, ?, ?)"
_SELECT: Final = "SELECT at, volume, offset, length, data, request FROM happened ORDER BY number"


class Request(NamedTuple):
    """A request to the management API."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Write(NamedTuple):
    """Bytes written to a volume; without `data` a range was unmapped."""

    volume_id: int
    offset: int
    length: int
    data: bytes | None


class JournalUnusable(Exception):
    """The file is none of ours, or of another version, or in use."""


class Journal:
    """An open file. Whoever writes holds the array's lock, so that things stand in it in the order they happen."""

    def __init__(self, path: Path, now: Now) -> None:
        self.path = path
        self._now = now
        self._frozen: datetime | None = None
        self._file = _opened(path)

    def close(self) -> None:
        """Leave one file, which can be copied; none if no array has begun in it."""
        has_begun = self.begun_with() is not None
        self._file.close()
        if not has_begun:
            self.path.unlink()

    def now(self) -> datetime:
        """The time; while something happens, it stands still at the moment that is written down."""
        return self._frozen or self._now()

    @property
    def seed(self) -> str:
        """What the array's secrets are drawn from: as secret as they are."""
        return str(self._file.execute("SELECT seed FROM array").fetchone()[0])

    def begun_with(self) -> Mapping[str, object] | None:
        """What the array in the file was made with; None if it has not begun."""
        (settings,) = self._file.execute("SELECT settings FROM array").fetchone()
        return None if settings is None else dict(json.loads(settings))

    def begin(self, settings: Mapping[str, object]) -> None:
        """Note what the array is made with."""
        self._file.execute("UPDATE array SET settings = ?", (json.dumps(settings),))

    @contextmanager
    def noted(self, what: Request | Write) -> Iterator[None]:
        """Write down what happens next."""
        with self._at(self._now()) as at:
            self._file.execute(_INSERT, (at.isoformat(), *_row(what)))
            yield

    def replay(self, do: Callable[[Request | Write], None]) -> None:
        """Let everything happen again, each thing at its time."""
        for at, *row in self._file.execute(_SELECT):
            with self._at(datetime.fromisoformat(at)):
                do(_what(*row))

    @contextmanager
    def _at(self, moment: datetime) -> Iterator[datetime]:
        before, self._frozen = self._frozen, moment
        try:
            yield moment
        finally:
            self._frozen = before


def _opened(path: Path) -> sqlite3.Connection:
    try:
        path.touch(mode=0o600)
        file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in _PRAGMAS:
            file.execute(statement)
        (found,) = file.execute("PRAGMA user_version").fetchone()
        is_new = not found and file.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        if is_new:
            file.executescript(_TABLES)
            file.execute("INSERT INTO array (seed) VALUES (?)", (secrets.token_hex(16),))
    except OSError as error:
        raise JournalUnusable(f"cannot open {path}: {error.strerror}") from None
    except sqlite3.Error as error:
        why = "in use by another process" if "locked" in str(error) else "no state of an array"
        raise JournalUnusable(f"{path} is {why}") from None
    if not is_new and found != FORMAT:
        file.close()
        raise JournalUnusable(f"{path} is no state of an array, or of another version")
    return file


def _row(what: Request | Write) -> tuple[object, ...]:
    if isinstance(what, Write):
        return (what.volume_id, what.offset, what.length, what.data, None)
    return (None, None, None, what.body, json.dumps([what.method, what.path, dict(what.headers)]))


def _what(volume_id: int, offset: int, length: int, data: bytes | None, request: str | None) -> Request | Write:
    if request is None:
        return Write(volume_id, offset, length, data)
    method, path, headers = json.loads(request)
    return Request(method, path, headers, data or b"")
