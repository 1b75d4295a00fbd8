"""Datastores: one LUN each, on a pool of every host that is meant to use it; all hosts or none.

KVM formats nothing: a datastore on a LUN that holds data is the same LUN with its data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from conformance.contract import (
    DatastoreConflict,
    DatastoreInUse,
    DatastoreNotFound,
    DatastoreRef,
    DiskInUse,
    Host,
    HostConnection,
    HostUnavailable,
    HypervisorFault,
    LunNotVisible,
    NotSupported,
)

from ..saga import Saga
from .connection import Remotes, RemoteHost
from .domains import LunPlaces, lun_places, read_domains, users
from .errors import HYPERVISOR
from .lun import SeenLun, look_everywhere
from .pools import choose_pool, ensure_pool, find_unit, pool_by_uuid, release_pool, unit_bytes
from .records import (
    Attachment,
    DatastoreRecord,
    LunUse,
    Records,
    attachment_entry,
    datastore_entry,
    use_entry,
)
from .secrets import ensure_secret, release_secret


class Datastores:
    """The datastore operations of one cluster."""

    def __init__(self, remotes: Remotes, records: Records, new_saga: type[Saga] | None = None) -> None:
        self._remotes, self._records = remotes, records

    def create(self, name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        """See `HypervisorBridge.create_datastore`."""
        seen = look_everywhere(self._remotes, at, "create_datastore")
        wanted = DatastoreRecord(name, seen[0].wwid, seen[0].target.iqn, "making")
        known = self._records.datastore(name)
        self._check_names(wanted, seen[0].host)
        if known is not None and known.wwid != wanted.wwid:
            self._clear_leftover(known, seen[0].host)
            known = None
        record = known or wanted
        with self._saga() as saga:
            key = self._records.datastore_key(name)
            if record.state != "made":
                saga.note(key, datastore_entry(replace(record, state="making")))
            self._hook_up(saga, record, seen)
            if record.state != "made":
                saga.note(key, datastore_entry(replace(record, state="made")))
        return self.ref(record)

    def find(self, name: str) -> DatastoreRef | None:
        """See `HypervisorBridge.find_datastore`: known to the ledger and, where it is attached, to a host."""
        record = self._records.datastore(name)
        if record is None or record.state != "made":
            return None
        attached = self._attached(name)
        if attached and not self._any_pool_exists(attached):
            return None
        return self.ref(record)

    def attach(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        """See `HypervisorBridge.attach_datastore`."""
        record = self.get(ref, "attach_datastore")
        seen = self._same_lun(record, look_everywhere(self._remotes, at, "attach_datastore"))
        with self._saga() as saga:
            self._hook_up(saga, record, seen)

    def expand(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        """See `HypervisorBridge.expand_datastore`: every host must show the size that the array says."""
        record = self.get(ref, "expand_datastore")
        seen = self._same_lun(record, look_everywhere(self._remotes, at, "expand_datastore"))
        sizes = {each.host.uuid: getattr(each.connection, "size_bytes", 0) for each in at}
        for each in seen:
            if each.size_bytes < sizes[each.host.uuid]:
                reason = f"the LUN has {each.size_bytes} bytes here; expected {sizes[each.host.uuid]}"
                raise HypervisorFault(
                    HYPERVISOR, each.host.name, "expand_datastore", reason, "repeat once the array has grown it"
                )
        with self._saga() as saga:
            self._hook_up(saga, record, seen)

    def detach(self, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        """See `HypervisorBridge.detach_datastore`."""
        wanted = {each.uuid for each in hosts}
        attachments = [each for each in self._records.attachments(ref.name) if each.host_uuid in wanted]
        if not attachments:
            return
        self._check_unused(ref.name, attachments, wanted, "detach_datastore")
        with self._saga() as saga:
            self._unhook(saga, attachments)

    def delete(self, ref: DatastoreRef) -> None:
        """See `HypervisorBridge.delete_datastore`."""
        record = self._records.datastore(ref.name)
        if record is None:
            return
        attachments = self._records.attachments(ref.name)
        self._check_unused(ref.name, attachments, {each.uuid for each in self._remotes.hosts()}, "delete_datastore")
        key = self._records.datastore_key(ref.name)
        with self._saga() as saga:
            saga.note(key, datastore_entry(replace(record, state="deleting")))
            self._unhook(saga, attachments)
            saga.forget(key)

    def connect_target(self, at: Sequence[HostConnection]) -> None:
        """See `HypervisorBridge.connect_target`: QEMU logs in by itself, so all that a host needs is the secret."""
        seen = look_everywhere(self._remotes, at, "connect_target")
        with self._saga() as saga:
            saga.branch(seen, self._connect_one, self._limit)

    def disconnect_target(self, at: Sequence[HostConnection]) -> None:
        """See `HypervisorBridge.disconnect_target`; needs no login, for the LUN may be gone."""
        hosts = {each.host.uuid for each in at}
        wwids = {wwid for each in at if (wwid := self._wwid_of(each)) is not None}
        uses = [
            each
            for each in self._records.uses()
            if each.host_uuid in hosts and each.wwid in wwids and not each.vm_uuid
        ]
        for each in uses:
            self._check_lun_unused(each)
        with self._saga() as saga:
            saga.branch(uses, self._disconnect_one, self._limit)

    def bytes_on(self, ref: DatastoreRef, host: Host) -> int:
        """See `HypervisorBridge.datastore_bytes`."""
        remote = self._remotes.get(host, "datastore_bytes")
        for each in self._attached(self.get(ref, "datastore_bytes").name):
            if each.host_uuid == host.uuid:
                pool = pool_by_uuid(remote, each.pool_uuid)
                size = None if pool is None else unit_bytes(remote, pool, each.unit, each.block_bytes)
                if size is not None:
                    return size
        reason = f"datastore {ref.name} is not attached to this host"
        raise DatastoreNotFound(HYPERVISOR, host.name, "datastore_bytes", reason, "attach the datastore first")

    def get(self, ref: DatastoreRef, call: str) -> DatastoreRecord:
        """The record of a datastore that is there, or `DatastoreNotFound`."""
        record = self._records.datastore(ref.name)
        if record is None or record.state != "made":
            reason = f"there is no datastore {ref.name}"
            raise DatastoreNotFound(HYPERVISOR, "-", call, reason, "create the datastore first")
        if ref.locator and ref.locator != record.locator:
            reason = f"datastore {ref.name} stands on {record.locator}; asked for {ref.locator}"
            raise DatastoreConflict(HYPERVISOR, "-", call, reason, "find the datastore again")
        return record

    def ref(self, record: DatastoreRecord) -> DatastoreRef:
        """The value that callers keep."""
        return DatastoreRef(self._records.cluster_uuid, record.name, record.locator)

    def first_reachable(self, ref: DatastoreRef, call: str) -> tuple[RemoteHost, Attachment]:
        """The first host that has the datastore and answers."""
        self.get(ref, call)
        unavailable: HostUnavailable | None = None
        for each in self._attached(ref.name):
            remote = self._remotes.by_uuid(each.host_uuid)
            try:
                if remote is not None and remote.do("virConnectGetURI", remote.connection.getURI):
                    return remote, each
            except HostUnavailable as error:
                unavailable = unavailable or error
        reason = f"no host has datastore {ref.name}"
        raise unavailable or DatastoreNotFound(HYPERVISOR, "-", call, reason, "attach the datastore first")

    @property
    def _limit(self) -> int:
        return self._remotes.connections.parallel_hosts

    def _saga(self) -> Saga:
        return Saga(self._records.ledger)

    def _attached(self, name: str) -> list[Attachment]:
        """The attachments to hosts that are still in the cluster, in the cluster's order."""
        order = {each.uuid: place for place, each in enumerate(self._remotes.hosts())}
        present = [each for each in self._records.attachments(name) if each.host_uuid in order]
        return sorted(present, key=lambda each: order[each.host_uuid])

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

    def _check_names(self, wanted: DatastoreRecord, host: Host) -> None:
        for each in self._records.datastores():
            is_made = each.state == "made"
            if is_made and each.name == wanted.name and each.wwid != wanted.wwid:
                reason = f"datastore {each.name} stands on {each.locator}; asked for {wanted.locator}"
            elif each.name != wanted.name and each.wwid == wanted.wwid:
                reason = f"LUN naa.{each.wwid} is datastore {each.name}; asked for {wanted.name}"
            else:
                continue
            raise DatastoreConflict(HYPERVISOR, host.name, "create_datastore", reason, "delete that one first")

    def _clear_leftover(self, record: DatastoreRecord, host: Host) -> None:
        """A half-made datastore of that name on another LUN, from a call that was interrupted."""
        self.delete(self.ref(record))

    def _same_lun(self, record: DatastoreRecord, seen: list[SeenLun]) -> list[SeenLun]:
        for each in seen:
            if each.wwid != record.wwid:
                reason = f"this host sees LUN naa.{each.wwid}; datastore {record.name} is {record.locator}"
                next_step = "ask the array for this host's LUN number"
                raise LunNotVisible(HYPERVISOR, each.host.name, "attach_datastore", reason, next_step)
        return seen

    # ---- forward and reverse, per host ------------------------------------------------------------------------------

    def _hook_up(self, saga: Saga, record: DatastoreRecord, seen: Sequence[SeenLun]) -> None:
        saga.branch(seen, lambda each, branch: self._hook_up_one(branch, record.name, each), self._limit)

    def _hook_up_one(self, saga: Saga, name: str, seen: SeenLun) -> None:
        remote = self._remotes.get(seen.host, "create_datastore")
        target, chap = seen.target, seen.path.chap
        choice = choose_pool(remote, self._records, target, name)
        attachment = Attachment(
            name,
            seen.host.uuid,
            choice.uuid,
            choice.name,
            target.secret_uuid(self._records.cluster_uuid),
            target,
            seen.path.lun_number,
            seen.block_bytes,
        )
        stale = [
            each
            for each in self._records.attachments(name)
            if each.host_uuid == seen.host.uuid and each.pool_uuid != choice.uuid
        ]
        # Before the pool and the secret: what they are for must be known while they are being made.
        saga.note(self._records.attachment_key(attachment), attachment_entry(attachment))
        usage, _ = ensure_secret(remote, self._records, saga, target, None if chap is None else chap.secret)
        pool = ensure_pool(remote, self._records, saga, choice, target, usage)
        find_unit(self._remotes, remote, saga, pool, seen, attachment.unit)
        self._unhook(saga, stale)

    def _unhook(self, saga: Saga, attachments: Sequence[Attachment]) -> None:
        """Pools everywhere first, then secrets: a pool can only be put back while its secret is there."""
        present = [
            (remote, each)
            for each in attachments
            if (remote := self._remotes.by_uuid(each.host_uuid)) is not None
        ]
        leaving = set(attachments)
        saga.branch(present, lambda pair, branch: self._leave_pool(branch, *pair, leaving), self._limit)
        saga.branch(present, lambda pair, branch: self._leave_secret(branch, *pair, leaving), self._limit)
        for each in attachments:
            saga.forget(self._records.attachment_key(each))

    def _leave_pool(
        self, saga: Saga, remote: RemoteHost, attachment: Attachment, leaving: set[Attachment]
    ) -> None:
        if not self._others(attachment.host_uuid, leaving, pool_uuid=attachment.pool_uuid):
            release_pool(remote, self._records, saga, attachment.pool_uuid)

    def _leave_secret(
        self, saga: Saga, remote: RemoteHost, attachment: Attachment, leaving: set[Attachment]
    ) -> None:
        self._release_secret(saga, remote, attachment.secret_uuid, leaving)

    def _release_secret(
        self, saga: Saga, remote: RemoteHost, secret_uuid: str, leaving: set[Attachment]
    ) -> None:
        uses = self._records.uses(remote.host.uuid)
        is_used = any(each.secret_uuid == secret_uuid for each in uses)
        if not is_used and not self._others(remote.host.uuid, leaving, secret_uuid=secret_uuid):
            release_secret(remote, self._records, saga, secret_uuid)

    def _others(
        self, host_uuid: str, leaving: set[Attachment], *, pool_uuid: str = "", secret_uuid: str = ""
    ) -> bool:
        return any(
            each.host_uuid == host_uuid
            and each not in leaving
            and (each.pool_uuid == pool_uuid or (secret_uuid and each.secret_uuid == secret_uuid))
            for each in self._records.attachments()
        )
