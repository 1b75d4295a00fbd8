"""libvirt's XML: what the bridge writes and the little that it reads. No value of a secret is ever in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from .records import Target

_MEMORY_KIB = 65536
_DRIVER = {"name": "qemu", "type": "raw", "cache": "none"}


@dataclass(frozen=True, slots=True)
class DiskXml:
    """A disk of a domain, as far as storage is concerned."""

    xml: str
    dev: str
    serial: str = ""
    pool: str = ""
    volume: str = ""
    target_iqn: str = ""
    lun_number: int | None = None

    @classmethod
    def of(cls, element: ET.Element) -> DiskXml:
        """Read a disk element."""
        source, target = element.find("source"), element.find("target")
        name = "" if source is None else source.get("name", "")
        iqn, _, number = name.rpartition("/")
        return cls(
            xml=_written(element),
            dev="" if target is None else target.get("dev", ""),
            serial=element.findtext("serial") or "",
            pool="" if source is None else source.get("pool", ""),
            volume="" if source is None else source.get("volume", ""),
            target_iqn=iqn,
            lun_number=int(number) if number.isdecimal() and iqn else None,
        )


def secret_xml(uuid: str, usage: str) -> str:
    """A secret that is not private: whoever may connect read-write is root on that host anyway.

    So a bridge that was restarted can log in, and put back what it removed, without keeping secrets of its own.
    """
    root = ET.Element("secret", ephemeral="no", private="no")
    _text(root, "uuid", uuid)
    _text(root, "description", f"CHAP of {usage}")
    _text(ET.SubElement(root, "usage", type="iscsi"), "target", usage)
    return _written(root)


def pool_xml(name: str, uuid: str, target: Target, usage: str | None) -> str:
    """An iscsi-direct pool: a target as one host sees it."""
    root = ET.Element("pool", type="iscsi-direct")
    _text(root, "name", name)
    _text(root, "uuid", uuid)
    source = ET.SubElement(root, "source")
    ET.SubElement(source, "host", name=target.address, port=str(target.port))
    ET.SubElement(source, "device", path=target.iqn)
    ET.SubElement(ET.SubElement(source, "initiator"), "iqn", name=target.initiator_iqn)
    if usage is not None:
        auth = ET.SubElement(source, "auth", type="chap", username=target.chap_username)
        ET.SubElement(auth, "secret", usage=usage)
    return _written(root)


def pool_target(xml: str) -> Target:
    """The target of an iscsi-direct pool that somebody made."""
    root = ET.fromstring(xml)
    auth = root.find("source/auth")
    return Target(
        iqn=_attribute(root, "source/device", "path"),
        address=_attribute(root, "source/host", "name"),
        port=int(_attribute(root, "source/host", "port") or 3260),
        initiator_iqn=_attribute(root, "source/initiator/iqn", "name"),
        chap_username="" if auth is None else auth.get("username", ""),
    )


def volume_disk_xml(dev: str, serial: str, pool: str, volume: str) -> str:
    """A disk that is a volume of a pool. No `mode`: libvirt takes it for kernel iscsi pools only."""
    root = _disk("volume", dev, serial)
    ET.SubElement(root, "source", pool=pool, volume=volume)
    return _written(root)


def lun_disk_xml(dev: str, serial: str, target: Target, lun_number: int, usage: str | None) -> str:
    """A disk that QEMU logs in to by itself."""
    root = _disk("network", dev, serial)
    if usage is not None:
        auth = ET.SubElement(root, "auth", username=target.chap_username)
        ET.SubElement(auth, "secret", type="iscsi", usage=usage)
    source = ET.SubElement(root, "source", protocol="iscsi", name=f"{target.iqn}/{lun_number}")
    ET.SubElement(source, "host", name=target.address, port=str(target.port))
    ET.SubElement(ET.SubElement(source, "initiator"), "iqn", name=target.initiator_iqn)
    return _written(root)


def domain_xml(name: str, uuid: str, capabilities: str) -> str:
    """A small machine with a virtio-scsi controller: SCSI disks leave without the guest's help, virtio disks do not."""
    offered = ET.fromstring(capabilities)
    root = ET.Element("domain", type=offered.findtext("domain") or "qemu")
    _text(root, "name", name)
    _text(root, "uuid", uuid)
    ET.SubElement(root, "memory", unit="KiB").text = str(_MEMORY_KIB)
    _text(ET.SubElement(root, "os"), "type", "hvm")
    ET.SubElement(ET.SubElement(root, "devices"), "controller", type="scsi", index="0", model="virtio-scsi")
    return _written(root)


def disks_of(domain: str) -> list[DiskXml]:
    """The disks in a domain's XML."""
    return [DiskXml.of(each) for each in ET.fromstring(domain).iterfind("devices/disk")]


def with_disk_replaced(domain: str, dev: str, disk: str) -> str:
    """The domain with another disk at that place."""
    root = ET.fromstring(domain)
    for devices in root.iterfind("devices"):
        for place, each in enumerate(list(devices)):
            if each.tag == "disk" and DiskXml.of(each).dev == dev:
                devices[place] = ET.fromstring(disk)
    return _written(root)


def free_dev(disks: Iterable[DiskXml]) -> str:
    """The first of sda … sdz, sdaa … that no disk has."""
    taken = {each.dev for each in disks}
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [*letters, *(first + second for first in letters for second in letters)]
    return next(f"sd{each}" for each in names if f"sd{each}" not in taken)


def _disk(kind: str, dev: str, serial: str) -> ET.Element:
    root = ET.Element("disk", type=kind, device="disk")
    ET.SubElement(root, "driver", _DRIVER)
    ET.SubElement(root, "target", dev=dev, bus="scsi")
    # The guest sees what the LUN is, and the bridge recognises it on every host.
    _text(root, "serial", serial)
    return root


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _attribute(root: ET.Element, path: str, name: str) -> str:
    element = root.find(path)
    return "" if element is None else element.get(name, "")


def _written(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode")
