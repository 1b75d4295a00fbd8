"""What the cloud keeps of VMs that it starts and stops."""

from __future__ import annotations

from conformance.contract import Host, VmRef

from .database import Database, Row
from .records import VmRecord
from .row_text import from_text, to_text
from .states import VmState


class VmTable:
    """VMs; their volumes are in the attachments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, record: VmRecord) -> None:
        """Keep it as it is now."""
        self._database.change(
            "INSERT OR REPLACE INTO vms (uuid, state, vm, host_uuid, host, is_defined, destination_uuid, destination,"
            " may_have_moved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            record.uuid,
            record.state,
            to_text(record.vm),
            *_host(record.host),
            int(record.is_defined),
            *_host(record.destination),
            int(record.may_have_moved),
        )

    def find(self, uuid: str) -> VmRecord | None:
        """The VM of that uuid, or None."""
        found = self._read("WHERE uuid = ?", uuid)
        return found[0] if found else None

    def all(self) -> tuple[VmRecord, ...]:
        """All VMs."""
        return self._read("ORDER BY uuid")

    def on_host(self, host_uuid: str) -> tuple[VmRecord, ...]:
        """VMs that run on a host, or may, or are to."""
        return self._read("WHERE host_uuid = ? OR destination_uuid = ? ORDER BY uuid", host_uuid, host_uuid)

    def delete(self, uuid: str) -> None:
        """Forget it."""
        self._database.change("DELETE FROM vms WHERE uuid = ?", uuid)

    def _read(self, where: str, *values: str) -> tuple[VmRecord, ...]:
        columns = "SELECT state, vm, host, is_defined, destination, may_have_moved FROM vms "
        return tuple(_vm(each) for each in self._database.rows(columns + where, *values))


def _vm(row: Row) -> VmRecord:
    state, vm, host, is_defined, destination, may_have_moved = row
    return VmRecord(
        vm=from_text(vm, VmRef),
        state=VmState(str(state)),
        host=None if host is None else from_text(host, Host),
        is_defined=bool(is_defined),
        destination=None if destination is None else from_text(destination, Host),
        may_have_moved=bool(may_have_moved),
    )


def _host(host: Host | None) -> tuple[str | None, str | None]:
    return (None, None) if host is None else (host.uuid, to_text(host))
