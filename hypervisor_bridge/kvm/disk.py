"""Disks: a datastore's LUN *is* its one disk, so that making one is writing down its name.

What was on the LUN stays on it; deleting a disk wipes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.contract import (
    DatastoreConflict,
    DatastoreRef,
    DiskInUse,
    DiskLocation,
    DiskNotFound,
    HostConnection,
    HypervisorFault,
    NoSpaceInDatastore,
    ProbeSession,
    Progress,
    Template,
)
from hypervisor_bridge import templates

from .connection import Remotes
from .datastore import Datastores
from .domains import lun_places, read_domains, tell_qemu, users
from .errors import HYPERVISOR
from .lun import look_everywhere, opened
from .records import DatastoreRecord, Records, datastore_entry, with_disk
from .secrets import secret_value


@dataclass(frozen=True, slots=True)
class OpenDisk:
    """A disk as bytes; the LUN beneath takes whole blocks only."""

    session: ProbeSession
    host: str

    def read(self, offset: int, length: int, call: str) -> bytes:
        """Any bytes within the disk."""
        self._check(offset, length, call)
        start, end = self._blocks(offset, length)
        return self.session.read(start, end - start)[offset - start : offset - start + length] if length else b""

    def write(self, offset: int, data: bytes, call: str) -> None:
        """Any bytes within the disk; what stands beside them in a block stays."""
        self._check(offset, len(data), call)
        start, end = self._blocks(offset, len(data))
        if (start, end) != (offset, offset + len(data)):
            around = self.session.read(start, end - start)
            data = around[: offset - start] + data + around[offset - start + len(data) :]
        if data:
            self.session.write(start, data)

    def _blocks(self, offset: int, length: int) -> tuple[int, int]:
        block = self.session.block_bytes
        return offset - offset % block, -(-(offset + length) // block) * block

    def _check(self, offset: int, length: int, call: str) -> None:
        if offset < 0 or length < 0 or offset + length > self.session.size_bytes:
            reason = f"bytes {offset} to {offset + length} are outside the disk's {self.session.size_bytes}"
            raise HypervisorFault(HYPERVISOR, self.host, call, reason, "stay within the disk")


class Disks:
    """The disk operations of one cluster."""

    def __init__(self, remotes: Remotes, records: Records, datastores: Datastores) -> None:
        self._remotes, self._records, self._datastores = remotes, records, datastores

    def list_all(self, ref: DatastoreRef) -> Mapping[str, int]:
        """See `HypervisorBridge.list_disks`; a disk is as large as its LUN."""
        record = self._datastores.get(ref, "list_disks")
        return {record.disk: self._bytes(ref, "list_disks")} if record.disk else {}

    def create(self, ref: DatastoreRef, name: str, size_bytes: int) -> DiskLocation:
        """See `HypervisorBridge.create_disk`."""
        call = "create_disk"
        record = self._datastores.get(ref, call)
        if record.disk == name and record.disk_bytes != size_bytes:
            reason = f"disk {name} was made with {record.disk_bytes} bytes; asked for {size_bytes}"
            raise DatastoreConflict(HYPERVISOR, "-", call, reason, "resize it, or take another name")
        if record.disk not in ("", name):
            reason = f"datastore {ref.name} is one LUN and has disk {record.disk} already"
            raise NoSpaceInDatastore(HYPERVISOR, "-", call, reason, "make another datastore")
        self._check_fits(ref, size_bytes, call)
        self._write_down(with_disk(record, name, size_bytes))
        return DiskLocation(self._datastores.ref(record), name)

    def resize(self, disk: DiskLocation, size_bytes: int) -> int:
        """See `HypervisorBridge.resize_disk`: never shrinks; QEMU must be told, or the guest sees the old size."""
        record = self.get(disk, "resize_disk")
        available = self._check_fits(disk.datastore, size_bytes, "resize_disk")
        places = lun_places(self._records, record.wwid)
        for view, each in users(read_domains(self._remotes), places):
            tell_qemu(view, each.dev, available)
        if size_bytes > record.disk_bytes:
            self._write_down(with_disk(record, record.disk, size_bytes))
        return available

    def delete(self, disk: DiskLocation) -> None:
        """See `HypervisorBridge.delete_disk`."""
        record = self._records.datastore(disk.datastore.name)
        if record is None or record.disk != disk.disk:
            return
        for view, each in users(read_domains(self._remotes), lun_places(self._records, record.wwid)):
            reason = f"VM {view.name} has disk {disk.disk} as {each.dev}"
            raise DiskInUse(HYPERVISOR, view.remote.host.name, "delete_disk", reason, "detach the disk first")
        self._write_down(with_disk(record, "", 0))

    def read(self, disk: DiskLocation, offset: int, length: int) -> bytes:
        """See `HypervisorBridge.read_disk`."""
        with self._open(disk, "read_disk") as opened_disk:
            return opened_disk.read(offset, length, "read_disk")

    def write(self, disk: DiskLocation, offset: int, data: bytes) -> None:
        """See `HypervisorBridge.write_disk`."""
        with self._open(disk, "write_disk") as opened_disk:
            opened_disk.write(offset, data, "write_disk")

    def copy(self, source: DiskLocation, target: DatastoreRef, name: str, progress: Progress) -> DiskLocation:
        """See `HypervisorBridge.copy_disk`; a copy that failed is no disk."""
        size_bytes = self.get(source, "copy_disk").disk_bytes
        with (
            self._open(source, "copy_disk") as from_disk,
            self._filling(target, name, size_bytes) as made,
            self._open(made, "copy_disk") as to_disk,
        ):
            for start in range(0, size_bytes, templates.PIECE_BYTES):
                length = min(templates.PIECE_BYTES, size_bytes - start)
                to_disk.write(start, from_disk.read(start, length, "copy_disk"), "copy_disk")
                progress(start + length, size_bytes)
        return made

    def import_template(self, ref: DatastoreRef, template: Template, name: str, progress: Progress) -> DiskLocation:
        """See `HypervisorBridge.import_template`; raw images only."""
        with (
            self._filling(ref, name, template.size_bytes) as made,
            self._open(made, "import_template") as to_disk,
        ):
            _fill(to_disk, template, progress, "import_template")
        return made

    def write_template(self, at: HostConnection, template: Template, progress: Progress) -> None:
        """See `HypervisorBridge.write_template`."""
        (seen,) = look_everywhere(self._remotes, [at], "write_template")
        with opened(self._remotes, seen.host, seen.path, "write_template") as session:
            _fill(OpenDisk(session, seen.host.name), template, progress, "write_template")

    def get(self, disk: DiskLocation, call: str) -> DatastoreRecord:
        """The record of the datastore that has this disk, or `DiskNotFound`."""
        record = self._datastores.get(disk.datastore, call)
        if record.disk != disk.disk:
            reason = f"datastore {disk.datastore.name} has no disk {disk.disk}"
            raise DiskNotFound(HYPERVISOR, "-", call, reason, "create the disk first")
        return record

    @contextmanager
    def _open(self, disk: DiskLocation, call: str) -> Iterator[OpenDisk]:
        """As the first host that answers, with the secret that this host's libvirt keeps."""
        self.get(disk, call)
        remote, attachment = self._datastores.first_reachable(disk.datastore, call)
        path = attachment.target.path(attachment.lun_number, secret_value(remote, attachment.secret_uuid))
        with opened(self._remotes, remote.host, path, call) as session:
            yield OpenDisk(session, remote.host.name)

    @contextmanager
    def _filling(self, ref: DatastoreRef, name: str, size_bytes: int) -> Iterator[DiskLocation]:
        was_there = self._datastores.get(ref, "create_disk").disk == name
        made = self.create(ref, name, size_bytes)
        try:
            yield made
        except Exception:
            if not was_there:
                self.delete(made)
            raise

    def _bytes(self, ref: DatastoreRef, call: str) -> int:
        return self._datastores.attachment_bytes(*self._datastores.first_reachable(ref, call))

    def _check_fits(self, ref: DatastoreRef, size_bytes: int, call: str) -> int:
        available = self._bytes(ref, call)
        if size_bytes > available:
            reason = f"{size_bytes} bytes asked, datastore {ref.name} has {available}"
            raise NoSpaceInDatastore(HYPERVISOR, "-", call, reason, "grow the LUN and expand the datastore")
        return available

    def _write_down(self, record: DatastoreRecord) -> None:
        self._records.record(self._records.datastore_key(record.name), datastore_entry(record))


def _fill(disk: OpenDisk, template: Template, progress: Progress, call: str) -> None:
    done = 0
    try:
        for piece in templates.pieces(template):
            disk.write(done, piece, call)
            done += len(piece)
            progress(done, template.size_bytes)
    except templates.TemplateUnusable as error:
        raise HypervisorFault(HYPERVISOR, disk.host, call, str(error), "give a raw image") from error
