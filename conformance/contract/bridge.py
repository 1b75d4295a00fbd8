"""The hypervisor bridge: the library that turns a LUN into a datastore, and what it is built from.

One implementation per hypervisor; plugins of hookup PLUGIN and the orchestrator call the same one. Forward
and reverse are mirror images: a failure at step k undoes steps k-1 … 1 and raises the first error with every
undo error attached. Every operation can be repeated and resumes after a kill. Nothing is touched that the
bridge did not make or was not handed. Errors are the `BridgeError` kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .connection import BlockConnection, Connection
from .values import DatastoreRef, DiskLocation, Host, HypervisorType, Template, VmRef


@dataclass(frozen=True, slots=True)
class HostConnection:
    """A host and how it reaches the LUN or export."""

    host: Host
    connection: Connection
    since = "0.1"


class HostEventKind(StrEnum):
    """What can happen to a host."""

    ADDED = "added"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REMOVED = "removed"
    ENABLED = "enabled"


@dataclass(frozen=True, slots=True)
class HostEvent:
    """Something that happened to a host; feeds `HostListener`."""

    kind: HostEventKind
    host: Host
    since = "0.1"


class InventoryKind(StrEnum):
    """Kinds of things a hypervisor keeps because of storage."""

    TARGET = "target"
    SESSION = "session"
    DATASTORE = "datastore"
    DISK = "disk"
    SECRET = "secret"
    VM = "vm"
    VM_DISK = "vm_disk"


@dataclass(frozen=True, slots=True, order=True)
class InventoryItem:
    """One thing on one host; `ours`: made through this bridge, by its ledger."""

    kind: InventoryKind
    host_uuid: str
    name: str
    ours: bool = True
    since = "0.1"


@dataclass(frozen=True, slots=True)
class BridgeInventory:
    """All that the hypervisor holds because of storage: the leak audit compares two of these."""

    items: frozenset[InventoryItem]
    since = "0.1"

    def of(self, kind: InventoryKind) -> frozenset[InventoryItem]:
        """Pick the items of one kind."""
        return frozenset(each for each in self.items if each.kind is kind)


class BridgeLedger(Protocol):
    """Durable notes of what a bridge made and found, written before each change; injected."""

    def record(self, key: str, entry: Mapping[str, str]) -> None:
        """Keep an entry under a key; replaces an older one."""
        ...

    def forget(self, key: str) -> None:
        """Drop an entry; absent is success."""
        ...

    def entries(self, prefix: str = "") -> Mapping[str, Mapping[str, str]]:
        """All entries whose key begins with `prefix`."""
        ...


Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


class HypervisorBridge(Protocol):
    """What a hypervisor does with LUNs. `since` 0.1."""

    @property
    def hypervisor(self) -> HypervisorType:
        """Which one."""
        ...

    def hosts(self) -> Sequence[Host]:
        """List the cluster's hosts, with each host's initiators, as of now."""
        ...

    def watch_hosts(self) -> Iterator[HostEvent]:
        """Host events not yet given to this bridge; ends when there are no more for now."""
        ...

    def lun_bytes_for(self, disk_bytes: int) -> int:
        """Size in bytes a LUN must have so that a disk of `disk_bytes` fits (VMFS, LVM … overhead)."""
        ...

    def create_datastore(self, name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        """Connect the hosts and make a datastore on an empty LUN. Made already on this LUN: the same answer.

        A name that stands on something else: `DatastoreConflict`.
        """
        ...

    def find_datastore(self, name: str) -> DatastoreRef | None:
        """Look for the datastore of that name; None when there is none."""
        ...

    def attach_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        """Make an existing datastore usable on hosts that joined later; introduces, never formats."""
        ...

    def resignature_datastore(self, at: Sequence[HostConnection], name: str) -> DatastoreRef:
        """Make a datastore of an array clone, which keeps the clone's disks.

        `NotSupported` where datastores have no signature (KVM): `create_datastore` formats nothing there. A clone
        of an NFS export has no signature and is only mounted.
        """
        ...

    def expand_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        """Let every host and the datastore see that the LUN grew."""
        ...

    def detach_datastore(self, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        """Unmount and disconnect these hosts; the datastore and its data stay.

        When no host is left, nothing of it remains on the hypervisor; `attach_datastore` introduces it again.
        """
        ...

    def delete_datastore(self, ref: DatastoreRef) -> None:
        """Unmount everywhere, remove the datastore, disconnect; absent is success.

        Disks in VMs: `DatastoreInUse`.
        """
        ...

    def connect_target(self, at: Sequence[HostConnection]) -> None:
        """Connect hosts to a LUN that has no datastore.

        Connected already: the hosts look again at its size.
        """
        ...

    def disconnect_target(self, at: Sequence[HostConnection]) -> None:
        """Undo `connect_target`; a target another LUN still uses stays."""
        ...

    def datastore_bytes(self, ref: DatastoreRef, host: Host) -> int:
        """Capacity of the datastore in bytes as this host sees it."""
        ...

    def list_disks(self, ref: DatastoreRef) -> Mapping[str, int]:
        """Disks in the datastore with their sizes in bytes."""
        ...

    def create_disk(self, ref: DatastoreRef, name: str, size_bytes: int) -> DiskLocation:
        """Make a disk; it fits whole or `NoSpaceInDatastore`.

        The same name and size again: the same answer.
        """
        ...

    def resize_disk(self, disk: DiskLocation, size_bytes: int) -> int:
        """Grow a disk to at least `size_bytes`, online where it is attached; answers its size in bytes."""
        ...

    def delete_disk(self, disk: DiskLocation) -> None:
        """Remove a disk; absent is success; attached: `DiskInUse`."""
        ...

    def copy_disk(self, source: DiskLocation, target: DatastoreRef, name: str, progress: Progress) -> DiskLocation:
        """Copy a disk into another datastore."""
        ...

    def import_template(self, ref: DatastoreRef, template: Template, name: str, progress: Progress) -> DiskLocation:
        """Make a disk from a template.

        A disk of that name that is there, made by a plugin or by an earlier attempt, is filled anew and keeps
        its size; the template does not fit: `NoSpaceInDatastore`.
        """
        ...

    def write_template(self, at: HostConnection, template: Template, progress: Progress) -> None:
        """Write a template onto a raw LUN."""
        ...

    def read_disk(self, disk: DiskLocation, offset: int, length: int) -> bytes:
        """Read bytes of a disk: the data witness through a datastore."""
        ...

    def write_disk(self, disk: DiskLocation, offset: int, data: bytes) -> None:
        """Write bytes of a disk."""
        ...

    def attach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        """Give a VM a disk. Attached to this VM already: success; to another: `DiskInUse`."""
        ...

    def detach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        """Take the disk from the VM; not attached is success."""
        ...

    def attach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        """Give a VM a LUN without a datastore; its host is connected.

        Attached already: success, and a LUN that grew has its new size in the VM.
        """
        ...

    def detach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        """Take the LUN from the VM; not attached is success."""
        ...

    def create_vm(self, vm: VmRef, on: Host) -> None:
        """Define a VM on a host; defined already is success."""
        ...

    def start_vm(self, vm: VmRef, on: Host, luns: Sequence[BlockConnection] = ()) -> None:
        """Start a VM; LUN numbers may differ on each host, so they are told each time.

        `luns` come in the order in which they were attached: an array may not report a WWID to know them by.
        """
        ...

    def stop_vm(self, vm: VmRef) -> None:
        """Stop a VM; stopped is success."""
        ...

    def migrate_vm(self, vm: VmRef, to: Host, luns: Sequence[BlockConnection] = ()) -> None:
        """Move a running VM; there already: success. `luns` as in `start_vm`, each as the new host reaches it."""
        ...

    def delete_vm(self, vm: VmRef) -> None:
        """Remove a VM; its disks stay; absent is success."""
        ...

    def inventory(self) -> BridgeInventory:
        """All that the hypervisor holds because of storage, in one bulk read."""
        ...
