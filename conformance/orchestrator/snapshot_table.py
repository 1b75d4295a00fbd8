"""What the cloud keeps of snapshots."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.contract import Snapshot

from .database import Database, Row
from .records import SnapshotRecord
from .row_text import from_text, to_text
from .states import SnapshotState


class SnapshotTable:
    """Snapshots, in the order in which they were asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, record: SnapshotRecord) -> None:
        """Keep a new one."""
        self._database.insert(
            "INSERT INTO snapshots (uuid, store_uuid, volume_uuid, state, disk_bytes, is_quiesced, snapshot)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            record.uuid,
            record.store_uuid,
            record.volume_uuid,
            record.state,
            record.disk_bytes,
            int(record.is_quiesced),
            to_text(record.snapshot),
        )

    def find(self, uuid: str) -> SnapshotRecord | None:
        """The snapshot of that uuid, or None."""
        found = self._read("WHERE uuid = ?", uuid)
        return found[0] if found else None

    def all(self) -> tuple[SnapshotRecord, ...]:
        """All snapshots, oldest first."""
        return self._read("ORDER BY position")

    def of_volume(self, volume_uuid: str) -> tuple[SnapshotRecord, ...]:
        """A volume's snapshots, oldest first."""
        return self._read("WHERE volume_uuid = ? ORDER BY position", volume_uuid)

    def of_store(self, store_uuid: str) -> tuple[SnapshotRecord, ...]:
        """A store's snapshots, oldest first."""
        return self._read("WHERE store_uuid = ? ORDER BY position", store_uuid)

    def swap_state(self, uuid: str, allowed: Iterable[SnapshotState], state: SnapshotState) -> bool:
        """Compare and set: only from one of the allowed states."""
        return any(
            self._database.change("UPDATE snapshots SET state = ? WHERE uuid = ? AND state = ?", state, uuid, each)
            for each in allowed
        )

    def set_state(self, uuid: str, state: SnapshotState) -> None:
        """Note what is being done with it."""
        self._database.change("UPDATE snapshots SET state = ? WHERE uuid = ?", state, uuid)

    def save_snapshot(self, uuid: str, snapshot: Snapshot) -> None:
        """Note what the plugin is told of it."""
        self._database.change("UPDATE snapshots SET snapshot = ? WHERE uuid = ?", to_text(snapshot), uuid)

    def delete(self, uuid: str) -> None:
        """Forget it."""
        self._database.change("DELETE FROM snapshots WHERE uuid = ?", uuid)

    def _read(self, where: str, *values: str) -> tuple[SnapshotRecord, ...]:
        columns = "SELECT store_uuid, state, disk_bytes, is_quiesced, snapshot FROM snapshots "
        return tuple(_snapshot(each) for each in self._database.rows(columns + where, *values))


def _snapshot(row: Row) -> SnapshotRecord:
    store_uuid, state, disk_bytes, is_quiesced, snapshot = row
    return SnapshotRecord(
        store_uuid=str(store_uuid),
        state=SnapshotState(str(state)),
        disk_bytes=int(disk_bytes or 0),
        is_quiesced=bool(is_quiesced),
        snapshot=from_text(snapshot, Snapshot),
    )
