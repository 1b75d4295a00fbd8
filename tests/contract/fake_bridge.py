"""A hypervisor cluster whose hosts log in to a `FakeArray`; its file systems lie on the array's LUNs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from conformance.contract import (
    BlockConnection,
    BridgeError,
    BridgeInventory,
    ChapRejected,
    DatastoreConflict,
    DatastoreInUse,
    DatastoreNotFound,
    DatastoreRef,
    DiskInUse,
    DiskLocation,
    DiskNotFound,
    Host,
    HostConnection,
    HostEvent,
    HostUnavailable,
    HypervisorType,
    InventoryItem,
    InventoryKind,
    LunNotVisible,
    NoSpaceInDatastore,
    Progress,
    TargetNotFound,
    Template,
    VmNotFound,
    VmRef,
)

from .fake_array import FakeArray, FakeDisk, FileSystem, Lun, Refused

OVERHEAD_BYTES: Final = 1 << 20
_REFUSALS: Final[Mapping[str, type[BridgeError]]] = {
    "target": TargetNotFound,
    "chap": ChapRejected,
    "lun": LunNotVisible,
}


class CutOff(Exception):
    """A guest's write or read went nowhere."""


@dataclass
class Datastore:
    """A datastore that the hypervisor knows."""

    ref: DatastoreRef
    lun: Lun
    mounted_on: set[str] = field(default_factory=set)

    @property
    def file_system(self) -> FileSystem:
        """What is on the LUN."""
        if self.lun.file_system is None:
            raise AssertionError("a datastore without a file system")
        return self.lun.file_system


@dataclass
class FakeVm:
    """A VM; `luns` are WWIDs in the order of attachment."""

    host_uuid: str
    is_running: bool = False
    disks: list[DiskLocation] = field(default_factory=list)
    luns: list[str] = field(default_factory=list)


class FakeBridge:
    """One cluster. `unreachable`: hosts that do not answer."""

    def __init__(self, array: FakeArray, hosts: Sequence[Host]) -> None:
        self._array = array
        self.members = list(hosts)
        self.unreachable: set[str] = set()
        self.sessions: set[tuple[str, str]] = set()
        self.datastores: dict[str, Datastore] = {}
        self.vms: dict[str, FakeVm] = {}

    @property
    def hypervisor(self) -> HypervisorType:
        return HypervisorType.KVM

    def hosts(self) -> Sequence[Host]:
        return tuple(self.members)

    def watch_hosts(self) -> Iterator[HostEvent]:
        return iter(())

    def lun_bytes_for(self, disk_bytes: int) -> int:
        return disk_bytes + OVERHEAD_BYTES

    def _fail(self, kind: type[BridgeError], host: str, call: str, reason: str) -> NoReturn:
        raise kind(self.hypervisor, host, call, reason)

    # Paths

    def _login(self, at: HostConnection) -> Lun:
        host = at.host.uuid
        if host in self.unreachable:
            self._fail(HostUnavailable, host, "login", "the host does not answer")
        try:
            lun = self._array.login(host, at.connection)
        except Refused as refused:
            self._fail(_REFUSALS[str(refused)], host, "login", str(refused))
        self.sessions.add((host, lun.id))
        return lun

    def _connect(self, at: Sequence[HostConnection]) -> Lun:
        before = set(self.sessions)
        try:
            luns = [self._login(each) for each in at]
        except BridgeError:
            self.sessions = before
            raise
        if len({each.id for each in luns}) != 1:
            raise AssertionError("several LUNs where one was meant")
        return luns[0]

    def connect_target(self, at: Sequence[HostConnection]) -> None:
        self._connect(at)

    def disconnect_target(self, at: Sequence[HostConnection]) -> None:
        for each in at:
            if isinstance(each.connection, BlockConnection):
                wwid = each.connection.identity.wwid
                gone = {lun.id for lun in self._array.luns.values() if lun.wwid == wwid}
                self.sessions -= {(each.host.uuid, lun_id) for lun_id in gone}

    # Datastores

    def _datastore(self, ref: DatastoreRef) -> Datastore:
        known = self.datastores.get(ref.name)
        if known is None:
            self._fail(DatastoreNotFound, "", "find", f"no datastore {ref.name}")
        return known

    def create_datastore(self, name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        lun = self._connect(at)
        if lun.file_system is None:
            lun.file_system = FileSystem(name, lun.wwid, lun.size_bytes - OVERHEAD_BYTES)
        known = self.datastores.get(name)
        if (known and known.lun is not lun) or (lun.file_system.name, lun.file_system.signature) != (
            name,
            lun.wwid,
        ):
            self._fail(DatastoreConflict, "", "create_datastore", f"{name} stands on something else")
        return self._introduce(DatastoreRef(at[0].host.cluster_uuid, name), lun, at)

    def _introduce(self, ref: DatastoreRef, lun: Lun, at: Sequence[HostConnection]) -> DatastoreRef:
        known = self.datastores.setdefault(ref.name, Datastore(ref, lun))
        known.mounted_on |= {each.host.uuid for each in at}
        return known.ref

    def find_datastore(self, name: str) -> DatastoreRef | None:
        known = self.datastores.get(name)
        return known.ref if known else None

    def attach_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        lun = self._connect(at)
        if lun.file_system is None or lun.file_system.name != ref.name:
            self._fail(DatastoreNotFound, "", "attach_datastore", f"{ref.name} is not on this LUN")
        self._introduce(ref, lun, at)

    def resignature_datastore(self, at: Sequence[HostConnection], name: str) -> DatastoreRef:
        lun = self._connect(at)
        if lun.file_system is None:
            self._fail(DatastoreNotFound, "", "resignature_datastore", "there is nothing on this LUN")
        lun.file_system.name, lun.file_system.signature = name, lun.wwid
        return self._introduce(DatastoreRef(at[0].host.cluster_uuid, name), lun, at)

    def expand_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        lun = self._connect(at)
        self._datastore(ref).file_system.capacity_bytes = lun.size_bytes - OVERHEAD_BYTES

    def detach_datastore(self, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        known = self.datastores.get(ref.name)
        if known is None:
            return
        leaving = {each.uuid for each in hosts}
        if leaving & self.unreachable:
            self._fail(HostUnavailable, min(leaving), "detach_datastore", "the host does not answer")
        known.mounted_on -= leaving
        self.sessions -= {(host, known.lun.id) for host in leaving}
        if not known.mounted_on:
            del self.datastores[ref.name]

    def delete_datastore(self, ref: DatastoreRef) -> None:
        known = self.datastores.get(ref.name)
        if known is None:
            return
        if any(disk.datastore == ref for vm in self.vms.values() for disk in vm.disks):
            self._fail(DatastoreInUse, "", "delete_datastore", f"disks of {ref.name} are in VMs")
        self.sessions -= {(host, known.lun.id) for host in known.mounted_on}
        known.lun.file_system = None
        del self.datastores[ref.name]

    def datastore_bytes(self, ref: DatastoreRef, host: Host) -> int:
        return self._datastore(ref).file_system.capacity_bytes

    # Disks

    def _disk(self, location: DiskLocation) -> FakeDisk:
        disk = self._datastore(location.datastore).file_system.disks.get(location.disk)
        if disk is None:
            self._fail(DiskNotFound, "", "find", f"no disk {location.disk}")
        return disk

    def _fit(self, ref: DatastoreRef, name: str, size_bytes: int) -> None:
        file_system = self._datastore(ref).file_system
        others = sum(disk.size_bytes for other, disk in file_system.disks.items() if other != name)
        if others + size_bytes > file_system.capacity_bytes:
            self._fail(NoSpaceInDatastore, "", "disk", f"{size_bytes} bytes do not fit into {ref.name}")

    def list_disks(self, ref: DatastoreRef) -> Mapping[str, int]:
        return {name: disk.size_bytes for name, disk in self._datastore(ref).file_system.disks.items()}

    def create_disk(self, ref: DatastoreRef, name: str, size_bytes: int) -> DiskLocation:
        self._fit(ref, name, size_bytes)
        self._datastore(ref).file_system.disks.setdefault(name, FakeDisk(size_bytes))
        return DiskLocation(ref, name)

    def resize_disk(self, disk: DiskLocation, size_bytes: int) -> int:
        found = self._disk(disk)
        self._fit(disk.datastore, disk.disk, size_bytes)
        found.size_bytes = max(found.size_bytes, size_bytes)
        return found.size_bytes

    def delete_disk(self, disk: DiskLocation) -> None:
        if any(disk in vm.disks for vm in self.vms.values()):
            self._fail(DiskInUse, "", "delete_disk", f"{disk.disk} is in a VM")
        if disk.datastore.name in self.datastores:
            self._datastore(disk.datastore).file_system.disks.pop(disk.disk, None)

    def copy_disk(self, source: DiskLocation, target: DatastoreRef, name: str, progress: Progress) -> DiskLocation:
        original = self._disk(source)
        copy = self.create_disk(target, name, original.size_bytes)
        self._disk(copy).content = dict(original.content)
        return copy

    def import_template(self, ref: DatastoreRef, template: Template, name: str, progress: Progress) -> DiskLocation:
        there = self.list_disks(ref).get(name, template.size_bytes)
        if there < template.size_bytes:
            self._fail(NoSpaceInDatastore, "", "import_template", f"{name} is smaller than the template")
        location = self.create_disk(ref, name, template.size_bytes)
        self._disk(location).content = {0: template.source.encode()}
        progress(template.size_bytes, template.size_bytes)
        return location

    def write_template(self, at: HostConnection, template: Template, progress: Progress) -> None:
        self._login(at).content = {0: template.source.encode()}
        progress(template.size_bytes, template.size_bytes)

    def read_disk(self, disk: DiskLocation, offset: int, length: int) -> bytes:
        return self._disk(disk).content.get(offset, bytes(length))[:length]

    def write_disk(self, disk: DiskLocation, offset: int, data: bytes) -> None:
        self._disk(disk).content[offset] = data

    # VMs

    def _vm(self, vm: VmRef) -> FakeVm:
        known = self.vms.get(vm.name)
        if known is None:
            self._fail(VmNotFound, "", "find", f"no VM {vm.name}")
        return known

    def attach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        mine = self._vm(vm)
        if any(disk in other.disks for other in self.vms.values() if other is not mine):
            self._fail(DiskInUse, mine.host_uuid, "attach_disk", f"{disk.disk} is in another VM")
        mine.disks += [] if disk in mine.disks else [disk]

    def detach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        mine = self._vm(vm)
        mine.disks = [each for each in mine.disks if each != disk]

    def attach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        mine, wwid = self._vm(vm), str(connection.identity.wwid)
        lun = self._array.login(mine.host_uuid, connection)
        if (mine.host_uuid, lun.id) not in self.sessions:
            self._fail(LunNotVisible, mine.host_uuid, "attach_lun", "the host is not connected")
        mine.luns += [] if wwid in mine.luns else [wwid]

    def detach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        mine = self._vm(vm)
        mine.luns = [each for each in mine.luns if each != connection.identity.wwid]

    def create_vm(self, vm: VmRef, on: Host) -> None:
        self.vms.setdefault(vm.name, FakeVm(on.uuid))

    def start_vm(self, vm: VmRef, on: Host, luns: Sequence[BlockConnection] = ()) -> None:
        mine = self._vm(vm)
        if [each.identity.wwid for each in luns] != mine.luns:
            self._fail(LunNotVisible, on.uuid, "start_vm", "the VM has other LUNs")
        mine.host_uuid, mine.is_running = on.uuid, True

    def stop_vm(self, vm: VmRef) -> None:
        self._vm(vm).is_running = False

    def migrate_vm(self, vm: VmRef, to: Host, luns: Sequence[BlockConnection] = ()) -> None:
        self.start_vm(vm, to, luns)

    def delete_vm(self, vm: VmRef) -> None:
        self.vms.pop(vm.name, None)

    def inventory(self) -> BridgeInventory:
        sessions = {InventoryItem(InventoryKind.SESSION, *session) for session in self.sessions}
        mounts = {
            InventoryItem(InventoryKind.DATASTORE, host, name)
            for name, known in self.datastores.items()
            for host in known.mounted_on
        }
        return BridgeInventory(frozenset(sessions | mounts))

    # What a guest does

    def guest_write(self, vm: VmRef, host_uuid: str, data: bytes) -> None:
        """Write to the first disk or LUN of a VM as it runs on a host, if that host still gets through."""
        self._guest_content(vm, host_uuid)[0] = data

    def guest_read(self, vm: VmRef, host_uuid: str) -> bytes:
        """Read what was written there."""
        return self._guest_content(vm, host_uuid).get(0, b"")

    def _guest_content(self, vm: VmRef, host_uuid: str) -> dict[int, bytes]:
        mine = self._vm(vm)
        lun = self._lun_under(mine, host_uuid)
        if host_uuid not in lun.grants:
            raise CutOff(f"{host_uuid} has no access to LUN {lun.id}")
        return lun.content if mine.luns else self._disk(mine.disks[0]).content

    def _lun_under(self, vm: FakeVm, host_uuid: str) -> Lun:
        if vm.luns:
            lun = next(each for each in self._array.luns.values() if each.wwid == vm.luns[0])
            is_there = (host_uuid, lun.id) in self.sessions
        else:
            datastore = self._datastore(vm.disks[0].datastore)
            lun, is_there = datastore.lun, host_uuid in datastore.mounted_on
        if not is_there:
            raise CutOff(f"{host_uuid} is not connected to LUN {lun.id}")
        return lun
