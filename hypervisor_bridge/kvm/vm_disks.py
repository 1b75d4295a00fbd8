"""Disks come and go while a VM runs; libvirt has no lock on a LUN, so the bridge sees to it that one VM has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from conformance.contract import (
    BlockConnection,
    DatastoreNotFound,
    DiskInUse,
    DiskLocation,
    Host,
    HypervisorFault,
    IscsiPath,
    VmRef,
)
from hypervisor_bridge.saga import Saga

from . import constants as c
from .connection import RemoteHost, Remotes
from .disk import Disks
from .domains import (
    DomainView,
    LunPlaces,
    lun_places,
    of_vm,
    read_domains,
    read_host_domains,
    tell_qemu,
    the_vm,
    users,
)
from .errors import HYPERVISOR
from .hookup import HookUp
from .lun import SeenLun, look
from .records import Attachment, LunUse, Records, vm_uuid
from .xml import DiskXml, disks_of, free_dev, lun_disk_xml, volume_disk_xml, with_disk_replaced

DiskWriter = Callable[[str], str]
"""Writes a disk's XML for the place it will have."""


class VmDisks:
    """Attaching and detaching, of datastores' disks and of LUNs without one."""

    def __init__(self, remotes: Remotes, records: Records, hookup: HookUp, disks: Disks) -> None:
        self._remotes, self._records, self._hookup, self._disks = remotes, records, hookup, disks

    def attach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        """See `HypervisorBridge.attach_disk`."""
        record = self._disks.get(disk, "attach_disk")
        views = read_domains(self._remotes)
        view = the_vm(views, vm, "attach_disk")
        if _held(views, view, lun_places(self._records, record.wwid), "attach_disk"):
            return
        attachment = self._attachment(record.name, view.remote.host)
        with self._hookup.saga() as saga:
            self._plug(saga, view, record.wwid, lambda dev: _volume_xml(dev, record.wwid, attachment))

    def detach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        """See `HypervisorBridge.detach_disk`."""
        record = self._records.datastore(disk.datastore.name)
        if record is not None and record.disk == disk.disk:
            self._unplug(vm, record.wwid, "detach_disk")

    def attach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        """See `HypervisorBridge.attach_lun`."""
        views = read_domains(self._remotes)
        view = the_vm(views, vm, "attach_lun")
        seen = look(self._remotes, view.remote.host, connection, "attach_lun")
        held = _held(views, view, self._places(seen), "attach_lun")
        for each, disk in held:
            tell_qemu(each, disk.dev, seen.size_bytes)
        if held:
            return
        with self._hookup.saga() as saga:
            usage = self._hookup.use_lun(saga, seen, view.uuid)
            self._plug(saga, view, seen.wwid, lambda dev: _lun_xml(dev, seen, usage))

    def detach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        """See `HypervisorBridge.detach_lun`; by what the ledger knows, for the LUN may be gone."""
        uses = [each for each in self.uses_of(vm_uuid(vm.uuid)) if _is_meant(each, connection)]
        for wwid in {each.wwid for each in uses}:
            self._unplug(vm, wwid, "detach_lun")
        with self._hookup.saga() as saga:
            for use in uses:
                self._hookup.leave_lun(saga, use)

    def for_host(
        self, saga: Saga, view: DomainView, remote: RemoteHost, luns: Sequence[BlockConnection], call: str
    ) -> str:
        """The VM's XML with every disk as another host sees it: pools, units and LUN numbers may differ."""
        xml = view.remote.do("virDomainGetXMLDesc", lambda: view.domain.XMLDesc(c.DOMAIN_XML_INACTIVE))
        seen = {each.wwid: each for each in (look(self._remotes, remote.host, lun, call) for lun in luns)}
        for disk in disks_of(xml):
            write = self._writer(saga, view, remote.host, disk, seen)
            xml = with_disk_replaced(xml, disk.dev, write(disk.dev))
        return xml

    def uses_of(self, uuid: str) -> list[LunUse]:
        """LUNs without a datastore that a VM has, on whichever host."""
        return [each for each in self._records.uses() if each.vm_uuid == uuid]

    def leave_uses(self, saga: Saga, uuid: str, *, stays_on: Host | None = None) -> None:
        """Give up what a VM needed on hosts where it is not any more."""
        for use in self.uses_of(uuid):
            if stays_on is None or use.host_uuid != stays_on.uuid:
                self._hookup.leave_lun(saga, use)

    def _writer(
        self, saga: Saga, view: DomainView, host: Host, disk: DiskXml, seen: Mapping[str, SeenLun]
    ) -> DiskWriter:
        if disk.volume:
            names = [each.name for each in self._records.datastores() if each.wwid == disk.serial]
            attachment = self._attachment(names[0] if names else disk.pool, host)
            return lambda dev: _volume_xml(dev, disk.serial, attachment)
        if disk.serial not in seen:
            reason = f"{disk.dev} of VM {view.name} is LUN naa.{disk.serial}, whose connection was not given"
            raise HypervisorFault(HYPERVISOR, host.name, "start_vm", reason, "give the LUN's connection")
        lun = seen[disk.serial]
        usage = self._hookup.use_lun(saga, lun, view.uuid)
        return lambda dev: _lun_xml(dev, lun, usage)

    def _plug(self, saga: Saga, view: DomainView, wwid: str, write: DiskWriter) -> None:
        dev = free_dev(view.disks)
        xml = write(dev)
        saga.make(
            self._records.key("vm_disk", view.uuid, wwid),
            {"dev": dev},
            lambda: view.remote.do(
                "virDomainAttachDeviceFlags", lambda: view.domain.attachDeviceFlags(xml, view.affects)
            ),
            lambda: _unplug_everywhere(view, dev),
        )

    def _unplug(self, vm: VmRef, wwid: str, call: str) -> None:
        places = lun_places(self._records, wwid)
        for view in of_vm(read_domains(self._remotes), vm):
            for disk in view.disks:
                if places.has(view.remote.host.uuid, disk):
                    _unplug_everywhere(view, disk.dev)
            _check_gone(view, places, call)
        self._records.forget(self._records.key("vm_disk", vm_uuid(vm.uuid), wwid))

    def _attachment(self, datastore: str, host: Host) -> Attachment:
        for each in self._records.attachments(datastore):
            if each.host_uuid == host.uuid:
                return each
        reason = f"datastore {datastore} is not attached to this host"
        raise DatastoreNotFound(HYPERVISOR, host.name, "attach_disk", reason, "attach the datastore first")

    def _places(self, seen: SeenLun) -> LunPlaces:
        known = lun_places(self._records, seen.wwid)
        unit = (seen.host.uuid, seen.target.iqn, seen.path.lun_number)
        return LunPlaces(seen.wwid, known.volumes, known.units | {unit})


def _held(
    views: Sequence[DomainView], view: DomainView, places: LunPlaces, call: str
) -> list[tuple[DomainView, DiskXml]]:
    """Where this VM has the LUN; when another one has it, `DiskInUse`."""
    holders = list(users(views, places))
    for each, disk in holders:
        if each.uuid != view.uuid:
            reason = f"VM {each.name} has LUN naa.{places.wwid} as {disk.dev}"
            raise DiskInUse(HYPERVISOR, each.remote.host.name, call, reason, "detach it there first")
    return holders


def _unplug_everywhere(view: DomainView, dev: str) -> None:
    """From what runs and from the definition, where each has the disk now."""
    for now in _again(view):
        for disks, flag in ((now.live, c.DOMAIN_AFFECT_LIVE), (now.config, c.DOMAIN_AFFECT_CONFIG)):
            for disk in disks:
                if disk.dev == dev:
                    _unplug_one(now, disk, flag)


def _unplug_one(view: DomainView, disk: DiskXml, flag: int) -> None:
    view.remote.do("virDomainDetachDeviceFlags", lambda: view.domain.detachDeviceFlags(disk.xml, flag))


def _check_gone(view: DomainView, places: LunPlaces, call: str) -> None:
    """Libvirt answers success when the guest did not let go within its five seconds."""
    for now in _again(view):
        for disk in now.disks:
            if places.has(now.remote.host.uuid, disk):
                reason = f"the guest of VM {now.name} still has {disk.dev}"
                next_step = "repeat when the guest has released it, or stop the VM"
                raise DiskInUse(HYPERVISOR, now.remote.host.name, call, reason, next_step)


def _again(view: DomainView) -> list[DomainView]:
    """The same domain on the same host, read again."""
    return [each for each in read_host_domains(view.remote) if each.uuid == view.uuid]


def _volume_xml(dev: str, wwid: str, attachment: Attachment) -> str:
    return volume_disk_xml(dev, wwid, attachment.pool_name, attachment.unit)


def _lun_xml(dev: str, seen: SeenLun, usage: str | None) -> str:
    return lun_disk_xml(dev, seen.wwid, seen.target, seen.path.lun_number, usage)


def _is_meant(use: LunUse, connection: BlockConnection) -> bool:
    if connection.identity.wwid is not None:
        return use.wwid == connection.identity.wwid
    return any(
        isinstance(each, IscsiPath) and (str(each.target_iqn), each.lun_number) == (use.target_iqn, use.lun_number)
        for each in connection.paths
    )
