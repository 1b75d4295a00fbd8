"""Domains of one host: definitions kept by libvirt's test driver; running ones' disks by the overlay."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from simulators.libvirt.disks import DiskOpener, LiveDisk, target_dev
from simulators.libvirt.driver import Driver
from simulators.libvirt.faults import check_flags, fault, invalid_operation, unsupported
from simulators.libvirt.values import Procedures, Value

_FROM = libvirt.VIR_FROM_QEMU
_LIVE, _CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
_INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE


class Domains:
    """All domains of a host."""

    def __init__(self, driver: Driver, opener: DiskOpener) -> None:
        self._driver, self._opener = driver, opener
        self._live: dict[str, list[LiveDisk]] = {}

    def procedures(self) -> Procedures:
        """What clients may call."""
        return {
            "virConnectListAllDomains": self.list_all,
            "virDomainLookupByName": lambda name: _handle(self._driver.connection.lookupByName(name)),
            "virDomainLookupByUUIDString": lambda uuid: _handle(self._driver.domain(uuid)),
            "virDomainDefineXML": self.define,
            "virDomainCreate": self.create,
            "virDomainDestroy": self.destroy,
            "virDomainUndefine": self.undefine,
            "virDomainIsActive": lambda uuid: int(self._driver.domain(uuid).isActive()),
            "virDomainIsPersistent": lambda uuid: int(self._driver.domain(uuid).isPersistent()),
            "virDomainGetXMLDesc": self.xml_desc,
            "virDomainAttachDeviceFlags": self.attach_device,
            "virDomainDetachDeviceFlags": self.detach_device,
            "virDomainGetBlockInfo": self.block_info,
            "virDomainBlockResize": self.block_resize,
        }

    def list_all(self, flags: int) -> Value:
        """Handles of the domains that the flags select."""
        return [_handle(each) for each in self._driver.connection.listAllDomains(flags)]

    def xml_texts(self) -> list[str]:
        """The XML of all domains, stopped and running."""
        uuids_now = [str(each.UUIDString()) for each in self._driver.connection.listAllDomains(0)]
        return [self.xml_desc(each, flags) for each in uuids_now for flags in (0, _INACTIVE)]

    def define(self, xml: str) -> Value:
        """Define or redefine; what runs is not touched."""
        return _handle(self._driver.connection.defineXML(xml))

    def create(self, uuid: str) -> Value:
        """Start with every disk of the definition logged in, or not at all."""
        domain = self._driver.domain(uuid)
        if domain.isActive():
            raise invalid_operation(_FROM, "domain is already running")
        disks = self._open_all(ET.fromstring(domain.XMLDesc(_INACTIVE)))
        domain.create()
        self._live[uuid] = disks
        return 0

    def destroy(self, uuid: str) -> Value:
        """Power off; the sessions go."""
        self._running(uuid).destroy()
        _close_all(self._live.pop(uuid, []))
        return 0

    def undefine(self, uuid: str) -> Value:
        """Forget the definition; a running domain becomes transient."""
        return int(self._driver.domain(uuid).undefine())

    def xml_desc(self, uuid: str, flags: int) -> str:
        """The definition, or what runs with the disks it has now."""
        check_flags(flags, libvirt.VIR_DOMAIN_XML_SECURE | _INACTIVE, "virDomainGetXMLDesc")
        domain = self._driver.domain(uuid)
        if flags & _INACTIVE or not domain.isActive():
            return str(domain.XMLDesc(flags & _INACTIVE))
        disks = [each.element for each in self._live.get(uuid, [])]
        return _with_disks(str(domain.XMLDesc(0)), lambda _: disks)

    def attach_device(self, uuid: str, xml: str, flags: int) -> Value:
        """Hot-plug a disk; both definitions are checked before anything is changed, as qemuDriver does."""
        domain, affects = self._affected(uuid, flags, "virDomainAttachDeviceFlags")
        new = _disk_element(xml)
        config = self._plus(uuid, new, _INACTIVE) if affects & _CONFIG else None
        if affects & _LIVE:
            self._attach_live(uuid, new)
        if config is not None:
            self.define(_renamed(config, domain.name(), uuid))
        return 0

    def detach_device(self, uuid: str, xml: str, flags: int) -> Value:
        """Hot-unplug the disk with that target. A virtio disk stays: no guest acknowledges its removal."""
        domain, affects = self._affected(uuid, flags, "virDomainDetachDeviceFlags")
        dev = target_dev(_disk_element(xml))
        live = self._live_disk(uuid, dev) if affects & _LIVE else None
        config = self._minus(uuid, dev) if affects & _CONFIG else None
        if live is not None and live.is_released_without_guest:
            self._live[uuid].remove(live)
            live.session.close()
        if config is not None:
            self.define(_renamed(config, domain.name(), uuid))
        return 0

    def block_info(self, uuid: str, dev: str, flags: int) -> Value:
        """Capacity, allocation and physical size as QEMU knows them: old until `block_resize`."""
        check_flags(flags, 0, "qemuDomainGetBlockInfo")
        self._running(uuid)
        size_bytes = self._named_disk(uuid, dev).size_bytes
        return [size_bytes, size_bytes, size_bytes]

    def block_resize(self, uuid: str, dev: str, size: int, flags: int) -> Value:
        """Let QEMU look at the LUN again; `size` is KiB without the BYTES flag."""
        check_flags(flags, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES, "qemuDomainBlockResize")
        self._running(uuid)
        self._named_disk(uuid, dev).resize(size if flags else size * 1024)
        return 0

    def check_running(self, uuid: str) -> None:
        """Raise when this host has no such domain (42) or does not run it (55)."""
        self._running(uuid)

    def close(self) -> None:
        """Log out everywhere."""
        for disks in self._live.values():
            _close_all(disks)
        self._live.clear()

    def _running(self, uuid: str) -> Any:
        domain = self._driver.domain(uuid)
        if not domain.isActive():
            raise invalid_operation(_FROM, "domain is not running")
        return domain

    def _affected(self, uuid: str, flags: int, function: str) -> tuple[Any, int]:
        check_flags(flags, _LIVE | _CONFIG, function)
        domain = self._running(uuid) if flags & _LIVE else self._driver.domain(uuid)
        if flags & _CONFIG and not domain.isPersistent():
            text = "transient domains do not have any persistent config"
            raise invalid_operation(_FROM, text)
        return domain, flags or (_LIVE if domain.isActive() else _CONFIG)

    def _open_all(self, root: ET.Element) -> list[LiveDisk]:
        opened: list[LiveDisk] = []
        try:
            for element in root.iterfind("devices/disk"):
                opened.append(self._opener.open(element))  # noqa: PERF401 - what is open must be known
        except libvirt.libvirtError:
            _close_all(opened)
            raise
        return opened

    def _attach_live(self, uuid: str, new: ET.Element) -> None:
        devices = ET.fromstring(self._plus(uuid, new, 0)).iterfind("devices/disk")
        wanted = target_dev(new)
        element = next(each for each in devices if target_dev(each) == wanted)
        self._live[uuid].append(self._opener.open(element))

    def _plus(self, uuid: str, new: ET.Element, flags: int) -> str:
        """The domain with one disk more, through libvirt's parser: code 27 when the target is taken."""
        xml = _with_disks(self.xml_desc(uuid, flags), lambda disks: [*disks, new])
        return self._driver.normalised(_renamed(xml, "scratch", str(uuids.uuid4())))

    def _minus(self, uuid: str, dev: str) -> str:
        before = self.xml_desc(uuid, _INACTIVE)
        if dev not in {target_dev(each) for each in ET.fromstring(before).iterfind("devices/disk")}:
            raise _missing(dev)
        return _with_disks(before, lambda disks: [each for each in disks if target_dev(each) != dev])

    def _live_disk(self, uuid: str, dev: str) -> LiveDisk:
        for each in self._live.get(uuid, []):
            if each.target_dev == dev:
                return each
        raise _missing(dev)

    def _named_disk(self, uuid: str, dev: str) -> LiveDisk:
        try:
            return self._live_disk(uuid, dev)
        except libvirt.libvirtError:
            text = f"invalid path '{dev}' not assigned to domain"
            raise fault(libvirt.VIR_ERR_INVALID_ARG, _FROM, text) from None


def _with_disks(xml: str, change: Callable[[list[ET.Element]], list[ET.Element]]) -> str:
    root = ET.fromstring(xml)
    devices = root.find("devices")
    if devices is None:
        devices = ET.SubElement(root, "devices")
    before = devices.findall("disk")
    for each in before:
        devices.remove(each)
    for place, each in enumerate(change(before)):
        devices.insert(place, each)
    return ET.tostring(root, encoding="unicode")


def _renamed(xml: str, name: str, uuid: str) -> str:
    root = ET.fromstring(xml)
    for tag, text in (("name", name), ("uuid", uuid)):
        element = root.find(tag)
        if element is not None:
            element.text = text
    return ET.tostring(root, encoding="unicode")


def _disk_element(xml: str) -> ET.Element:
    try:
        element = ET.fromstring(xml)
    except ET.ParseError as error:
        raise fault(libvirt.VIR_ERR_XML_DETAIL, _FROM, f"(device_definition): {error}") from None
    if element.tag != "disk":
        raise unsupported(f"hot-plug of <{element.tag}>")
    return element


def _missing(dev: str) -> libvirt.libvirtError:
    return fault(libvirt.VIR_ERR_DEVICE_MISSING, _FROM, f"disk {dev} not found")


def _close_all(disks: list[LiveDisk]) -> None:
    for each in disks:
        each.session.close()


def _handle(domain: Any) -> Value:
    return [str(domain.name()), str(domain.UUIDString())]
