"""What the cloud keeps of stores, volumes with their grants and attachments, and hosts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from conformance.contract import (
    Cluster,
    DataStore,
    DatastoreRef,
    Host,
    HostState,
    StoreRequest,
    VmRef,
    Volume,
    VolumeRequest,
)

from .database import Database, Row
from .records import Attachment, Grant, StoreRecord, VolumeRecord, Way
from .row_text import from_secret_text, from_text, list_from_text, list_to_text, to_text
from .states import StoreState, VolumeState


class StoreTable:
    """Primary storages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, record: StoreRecord) -> None:
        """Keep a new one."""
        self._database.insert(
            "INSERT INTO stores (uuid, state, request, clusters, attached) VALUES (?, ?, ?, ?, ?)",
            record.uuid,
            record.state,
            to_text(record.request),
            list_to_text(record.clusters),
            list_to_text(record.attached),
        )

    def find(self, uuid: str) -> StoreRecord | None:
        """The store of that uuid, or None."""
        found = self._read("WHERE uuid = ?", uuid)
        return found[0] if found else None

    def all(self) -> tuple[StoreRecord, ...]:
        """All stores, oldest first."""
        return self._read("ORDER BY rowid")

    def set_state(self, uuid: str, state: StoreState) -> None:
        """Note what is being done with it."""
        self._database.change("UPDATE stores SET state = ? WHERE uuid = ?", state, uuid)

    def set_details(self, uuid: str, details: Mapping[str, str]) -> None:
        """Note what `initialize` answered."""
        text = json.dumps(dict(details))
        self._database.change("UPDATE stores SET details = ? WHERE uuid = ?", text, uuid)

    def set_request(self, uuid: str, request: StoreRequest) -> None:
        """Note what the administrator asks of it now."""
        self._database.change("UPDATE stores SET request = ? WHERE uuid = ?", to_text(request), uuid)

    def swap_state(self, uuid: str, allowed: Iterable[StoreState], state: StoreState) -> bool:
        """Compare and set: only from one of the allowed states."""
        return any(
            self._database.change("UPDATE stores SET state = ? WHERE uuid = ? AND state = ?", state, uuid, each)
            for each in allowed
        )

    def set_attached(self, uuid: str, clusters: Iterable[Cluster]) -> None:
        """Note which clusters are, or may be, attached."""
        self._database.change("UPDATE stores SET attached = ? WHERE uuid = ?", list_to_text(clusters), uuid)

    def delete(self, uuid: str) -> None:
        """Forget it."""
        self._database.change("DELETE FROM stores WHERE uuid = ?", uuid)

    def _read(self, where: str, *values: str) -> tuple[StoreRecord, ...]:
        columns = "SELECT state, request, clusters, attached, details FROM stores "
        return tuple(_store(each) for each in self._database.rows(columns + where, *values))


def _store(row: Row) -> StoreRecord:
    state, request, clusters, attached, details = row
    asked = from_secret_text(request, StoreRequest)
    return StoreRecord(
        request=asked,
        state=StoreState(str(state)),
        clusters=list_from_text(clusters, Cluster),
        attached=list_from_text(attached, Cluster),
        store=None if details is None else DataStore(asked, json.loads(str(details))),
    )


class VolumeTable:
    """Volumes, with their grants and attachments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, record: VolumeRecord) -> None:
        """Keep a new one; its grants and attachment are noted one by one."""
        self._database.insert(
            "INSERT INTO volumes"
            " (uuid, store_uuid, cluster_uuid, state, way, asked, cluster, disk_bytes, volume, source)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            record.uuid,
            record.store_uuid,
            record.cluster.uuid,
            record.state,
            record.way.name,
            to_text(record.asked),
            to_text(record.cluster),
            record.disk_bytes,
            to_text(record.volume),
            record.source,
        )

    def find(self, uuid: str) -> VolumeRecord | None:
        """The volume of that uuid, or None."""
        found = self._read("WHERE uuid = ?", uuid)
        return found[0] if found else None

    def all(self) -> tuple[VolumeRecord, ...]:
        """All volumes, oldest first."""
        return self._read("ORDER BY rowid")

    def of_cluster(self, cluster_uuid: str) -> tuple[VolumeRecord, ...]:
        """Volumes that are used in a cluster."""
        return self._read("WHERE cluster_uuid = ? ORDER BY rowid", cluster_uuid)

    def uuids_of_store(self, store_uuid: str) -> tuple[str, ...]:
        """Uuids of a store's volumes."""
        rows = self._database.rows("SELECT uuid FROM volumes WHERE store_uuid = ? ORDER BY rowid", store_uuid)
        return tuple(str(each[0]) for each in rows)

    def uuids_cloned_from(self, source_uuid: str) -> tuple[str, ...]:
        """Uuids of volumes that were cloned from a volume or snapshot, in its store; copies in others are not."""
        query = (
            "SELECT uuid FROM volumes WHERE source = ? AND store_uuid ="
            " COALESCE((SELECT store_uuid FROM volumes WHERE uuid = ?), store_uuid) ORDER BY rowid"
        )
        return tuple(str(each[0]) for each in self._database.rows(query, source_uuid, source_uuid))

    def uuids_on_host(self, host_uuid: str) -> tuple[str, ...]:
        """Uuids of volumes that VMs on a host have."""
        rows = self._database.rows(
            "SELECT volume_uuid FROM attachments WHERE host_uuid = ? ORDER BY position", host_uuid
        )
        return tuple(str(each[0]) for each in rows)

    def uuids_of_vm(self, vm_uuid: str) -> tuple[str, ...]:
        """Uuids of volumes that are assigned to a VM, in the order in which they were."""
        rows = self._database.rows("SELECT volume_uuid FROM attachments WHERE vm_uuid = ? ORDER BY position", vm_uuid)
        return tuple(str(each[0]) for each in rows)

    def swap_state(self, uuid: str, allowed: Iterable[VolumeState], state: VolumeState) -> bool:
        """Compare and set: only from one of the allowed states."""
        return any(
            self._database.change("UPDATE volumes SET state = ? WHERE uuid = ? AND state = ?", state, uuid, each)
            for each in allowed
        )

    def set_state(self, uuid: str, state: VolumeState) -> None:
        """Note what is being done with it."""
        self._database.change("UPDATE volumes SET state = ? WHERE uuid = ?", state, uuid)

    def save_volume(self, uuid: str, volume: Volume) -> None:
        """Note what the plugin is told of it."""
        self._database.change("UPDATE volumes SET volume = ? WHERE uuid = ?", to_text(volume), uuid)

    def save_datastore(self, uuid: str, name: str | None, datastore: DatastoreRef | None) -> None:
        """Note the datastore that is being made, or has been."""
        self._database.change(
            "UPDATE volumes SET datastore_name = ?, datastore = ? WHERE uuid = ?",
            name,
            None if datastore is None else to_text(datastore),
            uuid,
        )

    def save_disk_bytes(self, uuid: str, disk_bytes: int) -> None:
        """Note the size the user has."""
        self._database.change("UPDATE volumes SET disk_bytes = ? WHERE uuid = ?", disk_bytes, uuid)

    def delete(self, uuid: str) -> None:
        """Forget it with its grants and its attachment."""
        self._database.change("DELETE FROM attachments WHERE volume_uuid = ?", uuid)
        self._database.change("DELETE FROM grants WHERE volume_uuid = ?", uuid)
        self._database.change("DELETE FROM volumes WHERE uuid = ?", uuid)

    def grant(self, uuid: str, host: Host, made_by: int) -> None:
        """Note that a host may have access from now on; noted already: as before."""
        self._database.change(
            "INSERT OR IGNORE INTO grants (volume_uuid, host_uuid, host, is_connected, made_by) VALUES (?, ?, ?, 0, ?)",
            uuid,
            host.uuid,
            to_text(host),
            made_by,
        )

    def set_connected(self, uuid: str, host_uuid: str, *, is_connected: bool) -> None:
        """Note that the host's datastore or target may be connected, or is not any more."""
        self._database.change(
            "UPDATE grants SET is_connected = ? WHERE volume_uuid = ? AND host_uuid = ?",
            int(is_connected),
            uuid,
            host_uuid,
        )

    def revoke(self, uuid: str, host_uuid: str) -> None:
        """Note that a host has no access any more."""
        self._database.change("DELETE FROM grants WHERE volume_uuid = ? AND host_uuid = ?", uuid, host_uuid)

    def attach(self, uuid: str, attachment: Attachment) -> None:
        """Note which VM has it."""
        self._database.change(
            "INSERT INTO attachments (volume_uuid, vm_uuid, vm, host_uuid, host, is_hooked) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (volume_uuid) DO UPDATE SET vm_uuid = excluded.vm_uuid, vm = excluded.vm,"
            " host_uuid = excluded.host_uuid, host = excluded.host, is_hooked = excluded.is_hooked",
            uuid,
            attachment.vm.uuid,
            to_text(attachment.vm),
            None if attachment.host is None else attachment.host.uuid,
            None if attachment.host is None else to_text(attachment.host),
            int(attachment.is_hooked),
        )

    def detach(self, uuid: str) -> None:
        """Note that no VM has it."""
        self._database.change("DELETE FROM attachments WHERE volume_uuid = ?", uuid)

    def _read(self, where: str, *values: str) -> tuple[VolumeRecord, ...]:
        columns = (
            "SELECT uuid, store_uuid, state, way, asked, cluster, disk_bytes, volume,"
            " datastore_name, datastore, source FROM volumes "
        )
        with self._database.transaction():
            return tuple(self._volume(each) for each in self._database.rows(columns + where, *values))

    def _volume(self, row: Row) -> VolumeRecord:
        uuid, store_uuid, state, way, asked, cluster, disk_bytes, volume, datastore_name, datastore, source = row
        return VolumeRecord(
            asked=from_text(asked, VolumeRequest),
            store_uuid=str(store_uuid),
            cluster=from_text(cluster, Cluster),
            way=Way[str(way)],
            state=VolumeState(str(state)),
            disk_bytes=int(disk_bytes or 0),
            volume=from_text(volume, Volume),
            datastore_name=None if datastore_name is None else str(datastore_name),
            datastore=None if datastore is None else from_text(datastore, DatastoreRef),
            grants=self._grants(str(uuid)),
            attachment=self._attachment(str(uuid)),
            source=None if source is None else str(source),
        )

    def _grants(self, uuid: str) -> tuple[Grant, ...]:
        rows = self._database.rows(
            "SELECT host, is_connected, made_by FROM grants WHERE volume_uuid = ? ORDER BY position", uuid
        )
        return tuple(
            Grant(from_text(host, Host), bool(is_connected), int(made_by or 0)) for host, is_connected, made_by in rows
        )

    def _attachment(self, uuid: str) -> Attachment | None:
        rows = self._database.rows("SELECT vm, host, is_hooked FROM attachments WHERE volume_uuid = ?", uuid)
        found = [
            Attachment(from_text(vm, VmRef), None if host is None else from_text(host, Host), bool(is_hooked))
            for vm, host, is_hooked in rows
        ]
        return found[0] if found else None


class HostTable:
    """Hosts that `add_host` made known."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, uuid: str) -> None:
        """Note a host that can be used now."""
        self.set_state(uuid, HostState.ENABLED)

    def set_state(self, uuid: str, state: HostState) -> None:
        """Note what the cloud does with a host."""
        self._database.change("INSERT OR REPLACE INTO hosts (uuid, state) VALUES (?, ?)", uuid, state)

    def state(self, uuid: str) -> HostState:
        """What the cloud does with a host; of one that it was never told of: enabled."""
        rows = self._database.rows("SELECT state FROM hosts WHERE uuid = ?", uuid)
        return HostState(str(rows[0][0])) if rows else HostState.ENABLED

    def is_known(self, uuid: str) -> bool:
        """Whether it was added, or has had access to a volume since before."""
        known = "SELECT 1 FROM hosts WHERE uuid = ? UNION SELECT 1 FROM grants WHERE host_uuid = ?"
        return bool(self._database.rows(known, uuid, uuid))

    def delete(self, uuid: str) -> None:
        """Forget it."""
        self._database.change("DELETE FROM hosts WHERE uuid = ?", uuid)
