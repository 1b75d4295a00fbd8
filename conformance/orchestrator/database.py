"""The cloud's SQLite file.

Schema and transactions. Nothing is held open across a call to plugin or bridge.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS stores (
    uuid TEXT PRIMARY KEY, state TEXT NOT NULL, request TEXT NOT NULL, clusters TEXT NOT NULL,
    attached TEXT NOT NULL, details TEXT);
CREATE TABLE IF NOT EXISTS volumes (
    uuid TEXT PRIMARY KEY, store_uuid TEXT NOT NULL, cluster_uuid TEXT NOT NULL, state TEXT NOT NULL,
    way TEXT NOT NULL, asked TEXT NOT NULL, cluster TEXT NOT NULL, disk_bytes INTEGER NOT NULL, volume TEXT
    NOT NULL, datastore_name TEXT, datastore TEXT, source TEXT);
CREATE TABLE IF NOT EXISTS snapshots (
    position INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE, store_uuid TEXT NOT NULL,
    volume_uuid TEXT NOT NULL, state TEXT NOT NULL, disk_bytes INTEGER NOT NULL, is_quiesced INTEGER NOT NULL,
    snapshot TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS grants (
    position INTEGER PRIMARY KEY AUTOINCREMENT, volume_uuid TEXT NOT NULL, host_uuid TEXT NOT NULL, host TEXT
    NOT NULL, is_connected INTEGER NOT NULL, made_by INTEGER NOT NULL, UNIQUE (volume_uuid, host_uuid));
CREATE TABLE IF NOT EXISTS attachments (
    position INTEGER PRIMARY KEY AUTOINCREMENT, volume_uuid TEXT NOT NULL UNIQUE, vm_uuid TEXT NOT NULL,
    vm TEXT NOT NULL, host_uuid TEXT, host TEXT, is_hooked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS templates (
    uuid TEXT PRIMARY KEY, store_uuid TEXT NOT NULL, cluster TEXT NOT NULL, way TEXT NOT NULL, state TEXT NOT NULL,
    cached TEXT NOT NULL, host TEXT, is_connected INTEGER NOT NULL, datastore_name TEXT, datastore TEXT);
CREATE TABLE IF NOT EXISTS vms (
    uuid TEXT PRIMARY KEY, state TEXT NOT NULL, vm TEXT NOT NULL, host_uuid TEXT, host TEXT,
    is_defined INTEGER NOT NULL, destination_uuid TEXT, destination TEXT, may_have_moved INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS hosts (uuid TEXT PRIMARY KEY, state TEXT NOT NULL DEFAULT 'enabled');
CREATE TABLE IF NOT EXISTS operations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, object_uuid TEXT NOT NULL, arguments TEXT NOT
    NULL, is_undoing INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS claims (uuid TEXT PRIMARY KEY, operation INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (
    scope TEXT NOT NULL, key TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (scope, key));
"""
Value = str | int | None
Row = tuple[Value, ...]


class Database:
    """One SQLite database, in a file that only its owner can read, or in memory.

    Safe to share between threads.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        if path is not None:
            # Rows hold store secrets. SQLite gives its -wal and -shm files the mode of the database file.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path, timeout=10.0, isolation_level=None, check_same_thread=False
        )
        self._prepare(in_file=path is not None)

    def _prepare(self, *, in_file: bool) -> None:
        if in_file:
            self._connection.execute("PRAGMA journal_mode = WAL")
            # What survives is the death of the process, not of the machine: no need to wait for the disk.
            self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; a transaction inside another is part of that one."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._depth = 0

    def change(self, statement: str, *values: Value) -> int:
        """Change rows; answers how many."""
        with self._lock:
            return self._connection.execute(statement, values).rowcount

    def insert(self, statement: str, *values: Value) -> int:
        """Insert a row; answers its number."""
        with self._lock:
            return self._connection.execute(statement, values).lastrowid or 0

    def rows(self, statement: str, *values: Value) -> Sequence[Row]:
        """Read rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._connection.close()
