"""The `HypervisorBridge` of KVM: one call at a time changes anything; reading goes on beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

from conformance.contract import (
    BlockConnection,
    BridgeInventory,
    BridgeLedger,
    Cluster,
    DatastoreRef,
    DiskLocation,
    Host,
    HostConnection,
    HostEvent,
    HypervisorType,
    NotSupported,
    Progress,
    Template,
    VmRef,
)

from .connection import Connections, Remotes
from .datastore import Datastores
from .disk import Disks
from .errors import HYPERVISOR
from .hookup import HookUp
from .hosts import HostWatch
from .inventory import read_inventory
from .records import Records
from .targets import Targets
from .vm import Vms
from .vm_disks import VmDisks


class KvmBridge:
    """Libvirt hosts with iscsi-direct pools. Each method is documented at `HypervisorBridge`."""

    def __init__(self, cluster: Cluster, connections: Connections, ledger: BridgeLedger) -> None:
        remotes = Remotes(connections)
        records = Records(ledger, cluster.uuid)
        hookup = HookUp(remotes, records)
        self._remotes, self._records = remotes, records
        self._watch = HostWatch(connections)
        self._datastores = Datastores(remotes, records, hookup)
        self._targets = Targets(remotes, records, hookup)
        self._disks = Disks(remotes, records, self._datastores)
        self._vm_disks = VmDisks(remotes, records, hookup, self._disks)
        self._vms = Vms(remotes, records, hookup, self._vm_disks)
        # References are counted by reading the ledger: two calls must not count at once.
        self._one_change = threading.RLock()

    @property
    def hypervisor(self) -> HypervisorType:
        """KVM."""
        return HypervisorType.KVM

    def hosts(self) -> Sequence[Host]:
        return self._remotes.hosts()

    def watch_hosts(self) -> Iterator[HostEvent]:
        return self._watch()

    def lun_bytes_for(self, disk_bytes: int) -> int:
        """The disk is the LUN: nothing is added."""
        return disk_bytes

    def create_datastore(self, name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        with self._one_change:
            return self._datastores.create(name, at)

    def find_datastore(self, name: str) -> DatastoreRef | None:
        return self._datastores.find(name)

    def attach_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        with self._one_change:
            self._datastores.attach(ref, at)

    def resignature_datastore(self, at: Sequence[HostConnection], name: str) -> DatastoreRef:
        """A pool has no signature: a clone is a LUN like any other."""
        host = at[0].host.name if at else "-"
        reason = "a KVM datastore has no signature"
        raise NotSupported(HYPERVISOR, host, "resignature_datastore", reason, "create a datastore on the clone")

    def expand_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        with self._one_change:
            self._datastores.expand(ref, at)

    def detach_datastore(self, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        with self._one_change:
            self._datastores.detach(ref, hosts)

    def delete_datastore(self, ref: DatastoreRef) -> None:
        with self._one_change:
            self._datastores.delete(ref)

    def connect_target(self, at: Sequence[HostConnection]) -> None:
        with self._one_change:
            self._targets.connect(at)

    def disconnect_target(self, at: Sequence[HostConnection]) -> None:
        with self._one_change:
            self._targets.disconnect(at)

    def datastore_bytes(self, ref: DatastoreRef, host: Host) -> int:
        return self._datastores.bytes_on(ref, host)

    def list_disks(self, ref: DatastoreRef) -> Mapping[str, int]:
        return self._disks.list_all(ref)

    def create_disk(self, ref: DatastoreRef, name: str, size_bytes: int) -> DiskLocation:
        with self._one_change:
            return self._disks.create(ref, name, size_bytes)

    def resize_disk(self, disk: DiskLocation, size_bytes: int) -> int:
        with self._one_change:
            return self._disks.resize(disk, size_bytes)

    def delete_disk(self, disk: DiskLocation) -> None:
        with self._one_change:
            self._disks.delete(disk)

    def copy_disk(self, source: DiskLocation, target: DatastoreRef, name: str, progress: Progress) -> DiskLocation:
        return self._disks.copy(source, target, name, progress)

    def import_template(self, ref: DatastoreRef, template: Template, name: str, progress: Progress) -> DiskLocation:
        return self._disks.import_template(ref, template, name, progress)

    def write_template(self, at: HostConnection, template: Template, progress: Progress) -> None:
        self._disks.write_template(at, template, progress)

    def read_disk(self, disk: DiskLocation, offset: int, length: int) -> bytes:
        return self._disks.read(disk, offset, length)

    def write_disk(self, disk: DiskLocation, offset: int, data: bytes) -> None:
        self._disks.write(disk, offset, data)

    def attach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        with self._one_change:
            self._vm_disks.attach_disk(vm, disk)

    def detach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        with self._one_change:
            self._vm_disks.detach_disk(vm, disk)

    def attach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        with self._one_change:
            self._vm_disks.attach_lun(vm, connection)

    def detach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        with self._one_change:
            self._vm_disks.detach_lun(vm, connection)

    def create_vm(self, vm: VmRef, on: Host) -> None:
        with self._one_change:
            self._vms.create(vm, on)

    def start_vm(self, vm: VmRef, on: Host, luns: Sequence[BlockConnection] = ()) -> None:
        with self._one_change:
            self._vms.start(vm, on, luns)

    def stop_vm(self, vm: VmRef) -> None:
        with self._one_change:
            self._vms.stop(vm)

    def migrate_vm(self, vm: VmRef, to: Host, luns: Sequence[BlockConnection] = ()) -> None:
        with self._one_change:
            self._vms.migrate(vm, to, luns)

    def delete_vm(self, vm: VmRef) -> None:
        with self._one_change:
            self._vms.delete(vm)

    def inventory(self) -> BridgeInventory:
        return read_inventory(self._remotes, self._records)
