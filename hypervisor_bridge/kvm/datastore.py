"""Datastores: one LUN each, on a pool of every host that is meant to use it.

KVM formats nothing: a datastore on a LUN that holds data is the same LUN with its data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from conformance.contract import (
    BlockConnection,
    DatastoreConflict,
    DatastoreInUse,
    DatastoreNotFound,
    DatastoreRef,
    Host,
    HostConnection,
    HostUnavailable,
    HypervisorFault,
    LunNotVisible,
)

from .connection import RemoteHost, Remotes
from .domains import lun_places, read_domains, users
from .errors import HYPERVISOR
from .hookup import HookUp
from .lun import SeenLun, look_everywhere
from .pools import pool_by_uuid, unit_bytes
from .records import Attachment, DatastoreRecord, Records, datastore_entry


class Datastores:
    """The datastore operations of one cluster."""

    def __init__(self, remotes: Remotes, records: Records, hookup: HookUp) -> None:
        self._remotes, self._records, self._hookup = remotes, records, hookup

    def create(self, name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        """See `HypervisorBridge.create_datastore`."""
        seen = look_everywhere(self._remotes, at, "create_datastore")
        record = self._begin(DatastoreRecord(name, seen[0].wwid, seen[0].target.iqn, "making"), seen[0].host)
        key = self._records.datastore_key(name)
        with self._hookup.saga() as saga:
            if record.state != "made":
                saga.note(key, datastore_entry(replace(record, state="making")))
            self._hookup.attach(saga, name, seen)
            if record.state != "made":
                saga.note(key, datastore_entry(replace(record, state="made")))
        return self.ref(record)

    def find(self, name: str) -> DatastoreRef | None:
        """See `HypervisorBridge.find_datastore`: known to the ledger and, where it is attached, to a host."""
        record = self._records.datastore(name)
        if record is None or record.state != "made":
            return None
        attached = self.attached(name)
        if attached and not self._any_pool_exists(attached):
            return None
        return self.ref(record)

    def attach(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        """See `HypervisorBridge.attach_datastore`."""
        self._attach(ref, at, "attach_datastore")

    def expand(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        """See `HypervisorBridge.expand_datastore`: every host must show the size that the array says."""
        sizes = {
            each.host.uuid: each.connection.size_bytes for each in at if isinstance(each.connection, BlockConnection)
        }
        for each in self._attach(ref, at, "expand_datastore"):
            if each.size_bytes < sizes[each.host.uuid]:
                reason = f"the LUN has {each.size_bytes} bytes here; expected {sizes[each.host.uuid]}"
                next_step = "repeat once the array has grown it"
                raise HypervisorFault(HYPERVISOR, each.host.name, "expand_datastore", reason, next_step)

    def detach(self, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        """See `HypervisorBridge.detach_datastore`."""
        leaving = {each.uuid for each in hosts}
        attachments = [each for each in self._records.attachments(ref.name) if each.host_uuid in leaving]
        self._check_unused(ref.name, leaving, "detach_datastore")
        with self._hookup.saga() as saga:
            self._hookup.detach(saga, attachments)

    def delete(self, ref: DatastoreRef) -> None:
        """See `HypervisorBridge.delete_datastore`."""
        record = self._records.datastore(ref.name)
        if record is None or ref.locator not in ("", record.locator):
            return
        attachments = self._records.attachments(ref.name)
        self._check_unused(ref.name, {each.host_uuid for each in attachments}, "delete_datastore")
        key = self._records.datastore_key(ref.name)
        with self._hookup.saga() as saga:
            saga.note(key, datastore_entry(replace(record, state="deleting")))
            self._hookup.detach(saga, attachments)
            saga.forget(key)

    def bytes_on(self, ref: DatastoreRef, host: Host) -> int:
        """See `HypervisorBridge.datastore_bytes`."""
        remote = self._remotes.get(host, "datastore_bytes")
        for each in self.attached(self.get(ref, "datastore_bytes").name):
            if each.host_uuid == host.uuid:
                return self.attachment_bytes(remote, each)
        reason = f"datastore {ref.name} is not attached to this host"
        raise DatastoreNotFound(HYPERVISOR, host.name, "datastore_bytes", reason, "attach the datastore first")

    def attachment_bytes(self, remote: RemoteHost, attachment: Attachment) -> int:
        """The LUN's size as one host's pool shows it."""
        pool = pool_by_uuid(remote, attachment.pool_uuid)
        size = None if pool is None else unit_bytes(remote, pool, attachment.unit, attachment.block_bytes)
        if size is None:
            reason = f"pool {attachment.pool_name} does not show {attachment.unit}"
            next_step = "attach the datastore again"
            raise LunNotVisible(HYPERVISOR, remote.host.name, "virStorageVolLookupByName", reason, next_step)
        return size

    def get(self, ref: DatastoreRef, call: str) -> DatastoreRecord:
        """The record of a datastore that is there, or `DatastoreNotFound`."""
        record = self._records.datastore(ref.name)
        if record is None or record.state != "made":
            reason = f"there is no datastore {ref.name}"
            raise DatastoreNotFound(HYPERVISOR, "-", call, reason, "create the datastore first")
        if ref.locator not in ("", record.locator):
            reason = f"datastore {ref.name} stands on {record.locator}; asked for {ref.locator}"
            raise DatastoreConflict(HYPERVISOR, "-", call, reason, "find the datastore again")
        return record

    def ref(self, record: DatastoreRecord) -> DatastoreRef:
        """The value that callers keep."""
        return DatastoreRef(self._records.cluster_uuid, record.name, record.locator)

    def attached(self, name: str) -> list[Attachment]:
        """The attachments to hosts that are still in the cluster, in the cluster's order."""
        order = {each.uuid: place for place, each in enumerate(self._remotes.hosts())}
        present = [each for each in self._records.attachments(name) if each.host_uuid in order]
        return sorted(present, key=lambda each: order[each.host_uuid])

    def first_reachable(self, ref: DatastoreRef, call: str) -> tuple[RemoteHost, Attachment]:
        """The first host that has the datastore and answers."""
        unavailable: HostUnavailable | None = None
        for each in self.attached(self.get(ref, call).name):
            remote = self._remotes.by_uuid(each.host_uuid)
            try:
                if remote is not None and remote.do("virConnectGetURI", remote.connection.getURI):
                    return remote, each
            except HostUnavailable as error:
                unavailable = unavailable or error
        reason = f"no host has datastore {ref.name}"
        raise unavailable or DatastoreNotFound(HYPERVISOR, "-", call, reason, "attach the datastore first")

    def _attach(self, ref: DatastoreRef, at: Sequence[HostConnection], call: str) -> list[SeenLun]:
        record = self.get(ref, call)
        seen = look_everywhere(self._remotes, at, call)
        for each in seen:
            if each.wwid != record.wwid:
                reason = f"this host sees LUN naa.{each.wwid}; datastore {ref.name} is {record.locator}"
                next_step = "ask the array for this host's LUN number"
                raise LunNotVisible(HYPERVISOR, each.host.name, call, reason, next_step)
        with self._hookup.saga() as saga:
            self._hookup.attach(saga, ref.name, seen)
        return seen

    def _begin(self, wanted: DatastoreRecord, host: Host) -> DatastoreRecord:
        """The record to go on with: a half-made one of an interrupted call, a made one, or a new one."""
        self._check_names(wanted, host)
        known = self._records.datastore(wanted.name)
        if known is not None and known.wwid != wanted.wwid:
            self.delete(self.ref(known))  # half-made, on another LUN
            known = None
        return known or wanted

    def _check_names(self, wanted: DatastoreRecord, host: Host) -> None:
        for each in self._records.datastores():
            if each.name == wanted.name and each.wwid != wanted.wwid and each.state == "made":
                reason = f"datastore {each.name} stands on {each.locator}; asked for {wanted.locator}"
            elif each.name != wanted.name and each.wwid == wanted.wwid:
                reason = f"LUN naa.{each.wwid} is datastore {each.name}; asked for {wanted.name}"
            else:
                continue
            raise DatastoreConflict(HYPERVISOR, host.name, "create_datastore", reason, "delete that one first")

    def _check_unused(self, name: str, host_uuids: Collection[str], call: str) -> None:
        record = self._records.datastore(name)
        if record is None:
            return
        views = read_domains(self._remotes, host_uuids)
        for view, disk in users(views, lun_places(self._records, record.wwid)):
            reason = f"VM {view.name} has datastore {name} as {disk.dev}"
            raise DatastoreInUse(HYPERVISOR, view.remote.host.name, call, reason, "detach the disk first")

    def _any_pool_exists(self, attached: Iterable[Attachment]) -> bool:
        unavailable: HostUnavailable | None = None
        for each in attached:
            remote = self._remotes.by_uuid(each.host_uuid)
            try:
                if remote is not None and pool_by_uuid(remote, each.pool_uuid) is not None:
                    return True
            except HostUnavailable as error:
                unavailable = unavailable or error
        if unavailable is not None:
            raise unavailable
        return False
