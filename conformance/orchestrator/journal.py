"""Which operation works on what, and what has not ended well; and a bridge's own notes beside it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from .database import Database
from .errors import ObjectBusy
from .records import JournalRow


class Journal:
    """Operations that have not ended well, and what each of them has claimed for itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, kind: str, object_uuid: str) -> int:
        """Note that an operation begins; answers its number."""
        return self._database.insert(
            "INSERT INTO operations (kind, object_uuid, arguments, is_undoing) VALUES (?, ?, '', 0)",
            kind,
            object_uuid,
        )

    def set_arguments(self, operation: int, arguments: str) -> None:
        """Note what the operation must be told when it is carried on."""
        self._database.change("UPDATE operations SET arguments = ? WHERE id = ?", arguments, operation)

    def claim(self, operation: int, uuids: Iterable[str]) -> None:
        """Let nobody else work on these objects; claimed by another operation: `ObjectBusy`."""
        for uuid in dict.fromkeys(uuids):
            try:
                self._database.insert("INSERT INTO claims (uuid, operation) VALUES (?, ?)", uuid, operation)
            except sqlite3.IntegrityError:
                raise ObjectBusy(uuid) from None

    def is_claimed(self, uuid: str) -> bool:
        """Whether an operation works on the object."""
        return bool(self._database.rows("SELECT 1 FROM claims WHERE uuid = ?", uuid))

    def release(self, operation: int) -> None:
        """Let others work on what the operation had claimed."""
        self._database.change("DELETE FROM claims WHERE operation = ?", operation)

    def turn(self, operation: int) -> None:
        """Note that the operation failed and is being undone."""
        self._database.change("UPDATE operations SET is_undoing = 1 WHERE id = ?", operation)

    def close(self, operation: int) -> None:
        """Note that the operation has ended."""
        self.release(operation)
        self._database.change("DELETE FROM operations WHERE id = ?", operation)

    def supersede(self, operation: int, object_uuid: str) -> None:
        """Drop what earlier operations left to be finished on the object: this operation finishes it."""
        self._database.change("DELETE FROM operations WHERE object_uuid = ? AND id <> ?", object_uuid, operation)

    def rows(self) -> tuple[JournalRow, ...]:
        """All of them, oldest first."""
        columns = "SELECT id, kind, object_uuid, arguments, is_undoing FROM operations ORDER BY id"
        return tuple(
            JournalRow(int(number or 0), str(kind), str(uuid), str(arguments), bool(is_undoing))
            for number, kind, uuid, arguments, is_undoing in self._database.rows(columns)
        )


class SqliteLedger:
    """A bridge's ledger in the cloud's database.

    `scope` keeps bridges apart, such as by their cluster's uuid.
    """

    def __init__(self, database: Database, scope: str) -> None:
        self._database, self._scope = database, scope

    def record(self, key: str, entry: Mapping[str, str]) -> None:
        """Keep an entry under a key; replaces an older one."""
        self._database.change(
            "INSERT OR REPLACE INTO ledger (scope, key, entry) VALUES (?, ?, ?)",
            self._scope,
            key,
            json.dumps(dict(entry)),
        )

    def forget(self, key: str) -> None:
        """Drop an entry; absent is success."""
        self._database.change("DELETE FROM ledger WHERE scope = ? AND key = ?", self._scope, key)

    def entries(self, prefix: str = "") -> Mapping[str, Mapping[str, str]]:
        """All entries whose key begins with `prefix`."""
        # substr, not LIKE: a prefix may hold % or _, and letter case counts.
        rows = self._database.rows(
            "SELECT key, entry FROM ledger WHERE scope = ? AND substr(key, 1, ?) = ? ORDER BY rowid",
            self._scope,
            len(prefix),
            prefix,
        )
        return {str(key): json.loads(str(entry)) for key, entry in rows}
