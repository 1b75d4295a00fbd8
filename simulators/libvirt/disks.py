"""Disks of a running domain: each holds its own session to the LUN, as QEMU's iSCSI driver does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from xml.etree import ElementTree as ET

import libvirt

from simulators.libvirt.faults import internal, unsupported
from simulators.libvirt.login import ChapLogin, Login, TargetFault, TargetLogin, TargetSession
from simulators.libvirt.pools import Pools
from simulators.libvirt.secrets import Secrets

T = TypeVar("T")

_FROM = libvirt.VIR_FROM_QEMU
_DEFAULT_PORT = "3260"
_DEFAULT_INITIATOR = "iqn.2008-11.org.linux-kvm"


@dataclass(slots=True)
class LiveDisk:
    """An attached disk: its XML as libvirt normalised it, its session and the size QEMU knows."""

    element: ET.Element
    session: TargetSession
    lun_number: int
    size_bytes: int

    @property
    def target_dev(self) -> str:
        """The name in the guest, by which libvirt finds disks."""
        return target_dev(self.element)

    @property
    def is_released_without_guest(self) -> bool:
        """PCI hot-unplug of a virtio disk needs a guest that answers, and there is none; SCSI does not."""
        target = self.element.find("target")
        return target is not None and target.get("bus") != "virtio"

    def resize(self, size_bytes: int) -> None:
        """See a LUN that grew (QEMU's iscsi_co_truncate): a smaller size is accepted and ignored."""
        now_bytes = _qemu(lambda: self.session.unit_size(self.lun_number).size_bytes)
        if size_bytes > now_bytes:
            text = "unable to execute QEMU command 'block_resize': Cannot grow iSCSI devices"
            raise internal(_FROM, text)
        if size_bytes > self.size_bytes:
            self.size_bytes = now_bytes


class DiskOpener:
    """Opens what a disk element names."""

    def __init__(self, pools: Pools, secrets: Secrets, login: Login) -> None:
        self._pools, self._secrets, self._login = pools, secrets, login

    def open(self, element: ET.Element) -> LiveDisk:
        """Log in and look at the LUN, or fail as `blockdev-add` does."""
        address, lun_number = self._resolve(element)
        session = _qemu(lambda: self._login(address))
        try:
            size_bytes = _qemu(lambda: session.unit_size(lun_number).size_bytes)
        except libvirt.libvirtError:
            session.close()
            raise
        return LiveDisk(element, session, lun_number, size_bytes)

    def _resolve(self, element: ET.Element) -> tuple[TargetLogin, int]:
        source = element.find("source")
        if source is not None and element.get("type") == "volume":
            return self._pools.resolve(source.get("pool", ""), source.get("volume", ""))
        if source is not None and element.get("type") == "network" and source.get("protocol") == "iscsi":
            return self._network(element, source)
        raise unsupported("disks that are neither network-iSCSI nor volumes of iscsi-direct pools")

    def _network(self, element: ET.Element, source: ET.Element) -> tuple[TargetLogin, int]:
        target_iqn, _, lun_number = source.get("name", "").rpartition("/")
        host, initiator = source.find("host"), source.find("initiator/iqn")
        address = TargetLogin(
            address="" if host is None else host.get("name", ""),
            port=int(_DEFAULT_PORT if host is None else host.get("port", _DEFAULT_PORT)),
            target_iqn=target_iqn,
            initiator_iqn=_DEFAULT_INITIATOR if initiator is None else initiator.get("name", ""),
            chap=self._chap(element.find("auth") if source.find("auth") is None else source.find("auth")),
        )
        return address, int(lun_number)

    def _chap(self, auth: ET.Element | None) -> ChapLogin | None:
        secret = None if auth is None else auth.find("secret")
        if auth is None or secret is None:
            return None
        value = self._secrets.value_for(secret.get("usage"), secret.get("uuid"))
        return ChapLogin(auth.get("username", ""), value)


def target_dev(element: ET.Element) -> str:
    """The `dev` of a disk element's target."""
    target = element.find("target")
    return "" if target is None else target.get("dev", "")


def _qemu(call: Callable[[], T]) -> T:
    try:
        return call()
    except TargetFault as error:
        text = f"unable to execute QEMU command 'blockdev-add': iSCSI: Failed to connect to LUN : {error}"
        raise internal(_FROM, text) from None
