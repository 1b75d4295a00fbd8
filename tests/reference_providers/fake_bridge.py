"""A hypervisor in a few lines: it logs in to what it is handed, and remembers what stands on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from conformance.contract import (
    BlockConnection,
    DatastoreInUse,
    DatastoreNotFound,
    DatastoreRef,
    DiskInUse,
    DiskLocation,
    Host,
    HostConnection,
    HypervisorBridge,
    HypervisorFault,
)

OVERHEAD_BYTES = 10 << 20


@dataclass
class Datastore:
    ref: DatastoreRef
    wwid: str | None
    lun_bytes: int
    hosts: set[str]
    disks: dict[str, int] = field(default_factory=dict)


class FakeBridge:
    """The calls that hookup PLUGIN makes, counted; one of them can be made to fail, before or after its effect."""

    def __init__(self, login: Callable[[BlockConnection, Host], Any]) -> None:
        self._login = login
        self.datastores: dict[str, Datastore] = {}
        self.calls: list[str] = []
        self.fails_at: tuple[str, bool] | None = None
        self.attached: set[str] = set()
        self.carried: dict[str, int] = {}

    def as_bridge(self) -> HypervisorBridge:
        return cast("HypervisorBridge", self)

    def lun_bytes_for(self, disk_bytes: int) -> int:
        return disk_bytes + OVERHEAD_BYTES

    def create_datastore(self, name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        with _Step(self, "create_datastore"):
            first = self._connect(at)
            ref = DatastoreRef("cluster-1", name, f"locator-of-{name}")
            known = self.datastores.setdefault(name, Datastore(ref, first.identity.wwid, first.size_bytes, set()))
            known.hosts |= {each.host.uuid for each in at}
        return known.ref

    def find_datastore(self, name: str) -> DatastoreRef | None:
        return self.datastores[name].ref if name in self.datastores else None

    def attach_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        with _Step(self, "attach_datastore"):
            self._connect(at)
            self._at(ref).hosts |= {each.host.uuid for each in at}

    def resignature_datastore(self, at: Sequence[HostConnection], name: str) -> DatastoreRef:
        with _Step(self, "resignature_datastore"):
            first = self._connect(at)
            ref = DatastoreRef("cluster-1", name, f"new-locator-of-{name}")
            made = Datastore(ref, first.identity.wwid, first.size_bytes, {each.host.uuid for each in at})
            made.disks.update(self.carried)
            self.datastores[name] = made
        return ref

    def expand_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        with _Step(self, "expand_datastore"):
            assert {each.host.uuid for each in at} == self._at(ref).hosts
            self._at(ref).lun_bytes = self._connect(at).size_bytes

    def detach_datastore(self, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        with _Step(self, "detach_datastore"):
            if self.attached & set(self._at(ref).disks):
                raise DatastoreInUse("kvm", "kvm1", "detach_datastore", "attached to a VM")
            self._at(ref).hosts -= {each.uuid for each in hosts}

    def delete_datastore(self, ref: DatastoreRef) -> None:
        with _Step(self, "delete_datastore"):
            self.datastores.pop(ref.name, None)

    def list_disks(self, ref: DatastoreRef) -> Mapping[str, int]:
        if not self._at(ref).hosts:
            raise DatastoreNotFound("kvm", "-", "list_disks", "attached nowhere")
        return dict(self._at(ref).disks)

    def create_disk(self, ref: DatastoreRef, name: str, size_bytes: int) -> DiskLocation:
        with _Step(self, "create_disk"):
            assert size_bytes + OVERHEAD_BYTES <= self._at(ref).lun_bytes
            self._at(ref).disks.setdefault(f"{name}.raw", size_bytes)
        return DiskLocation(ref, f"{name}.raw")

    def resize_disk(self, disk: DiskLocation, size_bytes: int) -> int:
        with _Step(self, "resize_disk"):
            assert size_bytes + OVERHEAD_BYTES <= self._at(disk.datastore).lun_bytes
            self._at(disk.datastore).disks[disk.disk] = size_bytes
        return size_bytes

    def delete_disk(self, disk: DiskLocation) -> None:
        with _Step(self, "delete_disk"):
            if disk.disk in self.attached:
                raise DiskInUse("kvm", "kvm1", "delete_disk", "attached to a VM")
            self._at(disk.datastore).disks.pop(disk.disk, None)

    def _at(self, ref: DatastoreRef) -> Datastore:
        if ref.name not in self.datastores:
            raise DatastoreNotFound("kvm", "kvm1", "find", ref.name)
        return self.datastores[ref.name]

    def _connect(self, at: Sequence[HostConnection]) -> BlockConnection:
        for each in at:
            assert isinstance(each.connection, BlockConnection)
            self._login(each.connection, each.host).close()
        return cast("BlockConnection", at[0].connection)


class _Step:
    """Notes a call, and fails it before or after its effect when that was asked for."""

    def __init__(self, bridge: FakeBridge, name: str) -> None:
        self._bridge, self._name = bridge, name

    def __enter__(self) -> None:
        self._bridge.calls.append(self._name)
        if self._bridge.fails_at == (self._name, False):
            self._fail()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None and self._bridge.fails_at == (self._name, True):
            self._fail()

    def _fail(self) -> None:
        self._bridge.fails_at = None
        raise HypervisorFault("kvm", "kvm1", self._name, "broken for a test")
