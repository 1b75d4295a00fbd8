"""Storage pools of one host: kept by libvirt's test driver; the LUNs in them found by logging in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from simulators.libvirt.driver import Driver
from simulators.libvirt.faults import check_flags, fault, internal, invalid_operation
from simulators.libvirt.login import ChapLogin, Login, TargetFault, TargetLogin, TargetSession, UnitSize
from simulators.libvirt.secrets import Secrets
from simulators.libvirt.values import Procedures, Value

_FROM = libvirt.VIR_FROM_STORAGE
_DEFAULT_PORT = 3260
_POOL_TYPE = "iscsi-direct"


@dataclass(frozen=True, slots=True)
class Unit:
    """One LUN of a pool as the last refresh saw it."""

    lun_number: int
    path: str
    size: UnitSize

    @property
    def name(self) -> str:
        """Libvirt's name of the volume."""
        return f"unit:0:0:{self.lun_number}"

    @property
    def capacity_bytes(self) -> int:
        """One block short: the real driver multiplies the block size by the *last* block's number.

        storage_backend_iscsi_direct.c, virISCSIDirectGetVolumeCapacity, uses `returned_lba`.
        """
        return max(self.size.size_bytes - self.size.block_bytes, 0)


class Pools:
    """All pools of a host."""

    def __init__(self, driver: Driver, secrets: Secrets, login: Login) -> None:
        self._driver, self._secrets, self._login = driver, secrets, login
        self._units: dict[str, dict[str, Unit]] = {}

    def procedures(self) -> Procedures:
        """What clients may call."""
        return {
            "virConnectListAllStoragePools": self.list_all,
            "virStoragePoolLookupByName": self.lookup_by_name,
            "virStoragePoolLookupByUUIDString": lambda uuid: _handle(self._driver.pool(uuid)),
            "virStoragePoolDefineXML": self.define,
            "virStoragePoolCreate": self.create,
            "virStoragePoolRefresh": self.refresh,
            "virStoragePoolDestroy": self.destroy,
            "virStoragePoolUndefine": self.undefine,
            "virStoragePoolIsActive": lambda uuid: int(self._driver.pool(uuid).isActive()),
            "virStoragePoolIsPersistent": lambda uuid: int(self._driver.pool(uuid).isPersistent()),
            "virStoragePoolSetAutostart": lambda uuid, on: int(self._driver.pool(uuid).setAutostart(on)),
            "virStoragePoolGetAutostart": lambda uuid: int(self._driver.pool(uuid).autostart()),
            "virStoragePoolGetInfo": self.info,
            "virStoragePoolGetXMLDesc": self.xml_desc,
            "virStoragePoolListAllVolumes": self.list_volumes,
            "virStorageVolLookupByName": lambda uuid, name: self._volume_handle(uuid, name),
            "virStorageVolGetInfo": self.volume_info,
        }

    def list_all(self, flags: int) -> Value:
        """Handles of the pools that the flags select; the driver itself filters."""
        return [_handle(each) for each in self._driver.connection.listAllStoragePools(flags)]

    def xml_texts(self) -> list[str]:
        """The XML of all pools."""
        return [str(each.XMLDesc(0)) for each in self._driver.connection.listAllStoragePools(0)]

    def plant(self, xml: str, *, is_active: bool) -> None:
        """A pool that somebody else made; active without a login: its target answered then, and does not any more.

        An active one is not started with the host, a stopped one is: whoever changes either is seen.
        """
        pool = self._driver.connection.storagePoolDefineXML(xml, 0)
        if is_active:
            pool.create(0)
            self._units[pool.UUIDString()] = {}
        pool.setAutostart(int(not is_active))

    def states(self) -> list[Value]:
        """Of every pool: uuid, name, XML, whether it is active, whether it starts with the host."""
        pools = self._driver.connection.listAllStoragePools(0)
        return [self._state(each) for each in pools]

    def lookup_by_name(self, name: str) -> Value:
        """One pool's handle."""
        return _handle(self._driver.connection.storagePoolLookupByName(name))

    def define(self, xml: str, flags: int) -> Value:
        """Define an iscsi-direct pool; other back ends are as if their packages were not installed."""
        check_flags(flags, 0, "storagePoolDefineXML")
        kind = _pool_type(xml)
        if kind not in (None, _POOL_TYPE):
            raise internal(_FROM, f"missing backend for pool type ({kind})")
        return _handle(self._driver.connection.storagePoolDefineXML(xml, 0))

    def create(self, uuid: str, flags: int) -> Value:
        """Start: the real driver refreshes at once, and a refresh that fails leaves the pool stopped."""
        check_flags(flags, 0, "storagePoolCreate")
        pool = self._driver.pool(uuid)
        if pool.isActive():
            raise invalid_operation(_FROM, f"storage pool '{pool.name()}' is already active")
        units = self._enumerate(pool)
        pool.create(0)
        self._units[uuid] = units
        return 0

    def refresh(self, uuid: str, flags: int) -> Value:
        """Log in again and look; when that fails the real driver stops the pool (storagePoolRefresh)."""
        check_flags(flags, 0, "storagePoolRefresh")
        pool = self._active(uuid)
        try:
            self._units[uuid] = self._enumerate(pool)
        except libvirt.libvirtError:
            self.destroy(uuid)
            raise
        return 0

    def destroy(self, uuid: str) -> Value:
        """Stop; domains keep their own sessions."""
        self._active(uuid).destroy()
        self._units.pop(uuid, None)
        return 0

    def undefine(self, uuid: str) -> Value:
        """Forget a stopped pool."""
        return int(self._driver.pool(uuid).undefine())

    def info(self, uuid: str) -> Value:
        """State and sizes: all of an iscsi-direct pool is allocated, nothing available."""
        pool = self._driver.pool(uuid)
        total = sum(each.capacity_bytes for each in self._units.get(uuid, {}).values())
        return [int(pool.info()[0]), total, total, 0]

    def xml_desc(self, uuid: str, flags: int) -> Value:
        """The definition with the sizes of now instead of the test driver's 100 GiB."""
        root = ET.fromstring(self._driver.pool(uuid).XMLDesc(flags))
        total = sum(each.capacity_bytes for each in self._units.get(uuid, {}).values())
        for tag, size_bytes in (("capacity", total), ("allocation", total), ("available", 0)):
            element = root.find(tag)
            if element is not None:
                element.text = str(size_bytes)
        return ET.tostring(root, encoding="unicode") + "\n"

    def list_volumes(self, uuid: str, flags: int) -> Value:
        """Handles of the LUNs of the last refresh."""
        check_flags(flags, 0, "storagePoolListAllVolumes")
        pool = self._active(uuid)
        return [[pool.name(), each.name, each.path] for each in self._units[uuid].values()]

    def volume_info(self, uuid: str, name: str) -> Value:
        """Type (network), capacity, allocation."""
        unit = self._unit(uuid, name)
        return [libvirt.VIR_STORAGE_VOL_NETWORK, unit.capacity_bytes, unit.capacity_bytes]

    def resolve(self, pool_name: str, volume_name: str) -> tuple[TargetLogin, int]:
        """Where a disk of type volume leads (virDomainDiskTranslateSourcePool)."""
        pool = self._driver.connection.storagePoolLookupByName(pool_name)
        unit = self._unit(pool.UUIDString(), volume_name)
        return self._address(pool), unit.lun_number

    def _state(self, pool: Any) -> Value:
        uuid = str(pool.UUIDString())
        return [uuid, str(pool.name()), self.xml_desc(uuid, 0), int(pool.isActive()), int(pool.autostart())]

    def _volume_handle(self, uuid: str, name: str) -> Value:
        unit = self._unit(uuid, name)
        return [self._driver.pool(uuid).name(), unit.name, unit.path]

    def _unit(self, uuid: str, name: str) -> Unit:
        self._active(uuid)
        if name not in self._units[uuid]:
            text = f"no storage vol with matching name '{name}'"
            raise fault(libvirt.VIR_ERR_NO_STORAGE_VOL, _FROM, text)
        return self._units[uuid][name]

    def _active(self, uuid: str) -> Any:
        pool = self._driver.pool(uuid)
        if not pool.isActive():
            raise invalid_operation(_FROM, f"storage pool '{pool.name()}' is not active")
        return pool

    def _enumerate(self, pool: Any) -> dict[str, Unit]:
        address = self._address(pool)
        try:
            session = self._login(address)
        except TargetFault as error:
            raise internal(_FROM, f"Failed to connect to LUN : {error}") from None
        try:
            return {each.name: each for each in _units(session, address)}
        except TargetFault as error:
            raise internal(_FROM, f"Failed to enumerate LUNs : {error}") from None
        finally:
            session.close()

    def _address(self, pool: Any) -> TargetLogin:
        source = ET.fromstring(pool.XMLDesc(0)).find("source")
        if source is None:
            raise internal(_FROM, "pool has no source")
        host = _attributes(source, "host")
        return TargetLogin(
            address=host["name"],
            port=int(host.get("port") or _DEFAULT_PORT),
            target_iqn=_attributes(source, "device")["path"],
            initiator_iqn=_attributes(source, "initiator/iqn")["name"],
            chap=self._chap(source),
        )

    def _chap(self, source: ET.Element) -> ChapLogin | None:
        auth = source.find("auth")
        if auth is None:
            return None
        secret = _attributes(auth, "secret")
        value = self._secrets.value_for(secret.get("usage"), secret.get("uuid"))
        return ChapLogin(auth.get("username", ""), value)


def _units(session: TargetSession, address: TargetLogin) -> Sequence[Unit]:
    place = f"ip-{address.address}:{address.port}-iscsi-{address.target_iqn}"
    return [Unit(number, f"{place}-lun-{number}", session.unit_size(number)) for number in session.lun_numbers()]


def _attributes(parent: ET.Element, path: str) -> dict[str, str]:
    element = parent.find(path)
    return {} if element is None else dict(element.attrib)


def _pool_type(xml: str) -> str | None:
    try:
        return ET.fromstring(xml).get("type")
    except ET.ParseError:
        return None  # libvirt's own parser will say it better


def _handle(pool: Any) -> Value:
    return [str(pool.name()), str(pool.UUIDString())]
