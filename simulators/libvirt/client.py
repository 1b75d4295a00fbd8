"""libvirt-python's surface: handles that know a name or uuid and send everything else to the host.

As in libvirt's own remote driver a handle holds what cannot change; the rest is a procedure call. A method that libvirt
has and the simulator has not raises code 3, NO_SUPPORT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, cast

import libvirt

from simulators.libvirt.faults import fault, unsupported
from simulators.libvirt.values import Call, Value


def _refuse_unknown(kind: type, name: str) -> Callable[..., NoReturn]:
    if not hasattr(kind, name):
        raise AttributeError(f"{kind.__name__} has no attribute {name!r}")

    def refuse(*_: object, **__: object) -> NoReturn:
        raise unsupported(f"{kind.__name__}.{name}")

    return refuse


def _rows(value: Value) -> list[list[Any]]:
    return cast("list[list[Any]]", value)


class Connection:
    """`libvirt.virConnect` to one simulated host."""

    def __init__(self, call: Call) -> None:
        self._send, self._is_open = call, True
        self.call("virConnectIsAlive")

    def call(self, procedure: str, *arguments: Value) -> Value:
        """Run a procedure of the host."""
        if not self._is_open:
            raise fault(libvirt.VIR_ERR_INVALID_CONN, libvirt.VIR_FROM_NONE, f"in {procedure}")
        return self._send(procedure, arguments)

    def text(self, procedure: str, *arguments: Value) -> str:
        """Run a procedure that answers text."""
        return cast("str", self.call(procedure, *arguments))

    def number(self, procedure: str, *arguments: Value) -> int:
        """Run a procedure that answers a number."""
        return cast("int", self.call(procedure, *arguments))

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return _refuse_unknown(libvirt.virConnect, name)

    def close(self) -> int:
        """Close this connection; the host goes on."""
        self._is_open = False
        return 0

    def isAlive(self) -> int:
        return self.number("virConnectIsAlive") if self._is_open else 0

    def getURI(self) -> str:
        return self.text("virConnectGetURI")

    def getHostname(self) -> str:
        return self.text("virConnectGetHostname")

    def getType(self) -> str:
        return "QEMU"

    def getDomainCapabilities(self) -> str:
        return self.text("virConnectGetDomainCapabilities")

    def listAllStoragePools(self, flags: int = 0) -> list[StoragePool]:
        return [StoragePool(self, *each) for each in _rows(self.call("virConnectListAllStoragePools", flags))]

    def storagePoolLookupByName(self, name: str) -> StoragePool:
        return StoragePool(self, *_strings(self.call("virStoragePoolLookupByName", name)))

    def storagePoolLookupByUUIDString(self, uuid: str) -> StoragePool:
        return StoragePool(self, *_strings(self.call("virStoragePoolLookupByUUIDString", uuid)))

    def storagePoolDefineXML(self, xml: str, flags: int = 0) -> StoragePool:
        return StoragePool(self, *_strings(self.call("virStoragePoolDefineXML", xml, flags)))

    def listAllSecrets(self, flags: int = 0) -> list[Secret]:
        return [Secret(self, *each) for each in _rows(self.call("virConnectListAllSecrets", flags))]

    def secretDefineXML(self, xml: str, flags: int = 0) -> Secret:
        return self._secret("virSecretDefineXML", xml, flags)

    def secretLookupByUUIDString(self, uuid: str) -> Secret:
        return self._secret("virSecretLookupByUUIDString", uuid)

    def secretLookupByUsage(self, usageType: int, usageID: str) -> Secret:
        return self._secret("virSecretLookupByUsage", usageType, usageID)

    def listAllDomains(self, flags: int = 0) -> list[Domain]:
        return [Domain(self, *each) for each in _rows(self.call("virConnectListAllDomains", flags))]

    def lookupByName(self, name: str) -> Domain:
        return Domain(self, *_strings(self.call("virDomainLookupByName", name)))

    def lookupByUUIDString(self, uuid: str) -> Domain:
        return Domain(self, *_strings(self.call("virDomainLookupByUUIDString", uuid)))

    def defineXML(self, xml: str) -> Domain:
        return Domain(self, *_strings(self.call("virDomainDefineXML", xml)))

    def _secret(self, procedure: str, *arguments: Value) -> Secret:
        uuid, usage_type, usage = cast("tuple[str, int, str]", self.call(procedure, *arguments))
        return Secret(self, uuid, usage_type, usage)


class StoragePool:
    """`libvirt.virStoragePool`."""

    def __init__(self, connection: Connection, name: str, uuid: str) -> None:
        self._connection, self._name, self._uuid = connection, name, uuid

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return _refuse_unknown(libvirt.virStoragePool, name)

    def connect(self) -> Connection:
        return self._connection

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:
        return self._uuid

    def XMLDesc(self, flags: int = 0) -> str:
        return self._connection.text("virStoragePoolGetXMLDesc", self._uuid, flags)

    def create(self, flags: int = 0) -> int:
        return self._connection.number("virStoragePoolCreate", self._uuid, flags)

    def refresh(self, flags: int = 0) -> int:
        return self._connection.number("virStoragePoolRefresh", self._uuid, flags)

    def destroy(self) -> int:
        return self._connection.number("virStoragePoolDestroy", self._uuid)

    def undefine(self) -> int:
        return self._connection.number("virStoragePoolUndefine", self._uuid)

    def isActive(self) -> int:
        return self._connection.number("virStoragePoolIsActive", self._uuid)

    def isPersistent(self) -> int:
        return self._connection.number("virStoragePoolIsPersistent", self._uuid)

    def setAutostart(self, autostart: int) -> int:
        return self._connection.number("virStoragePoolSetAutostart", self._uuid, autostart)

    def autostart(self) -> int:
        return self._connection.number("virStoragePoolGetAutostart", self._uuid)

    def info(self) -> list[int]:
        return list(_numbers(self._connection.call("virStoragePoolGetInfo", self._uuid)))

    def listAllVolumes(self, flags: int = 0) -> list[StorageVol]:
        rows = _rows(self._connection.call("virStoragePoolListAllVolumes", self._uuid, flags))
        return [StorageVol(self, *each) for each in rows]

    def storageVolLookupByName(self, name: str) -> StorageVol:
        handle = self._connection.call("virStorageVolLookupByName", self._uuid, name)
        return StorageVol(self, *_strings(handle))


class StorageVol:
    """`libvirt.virStorageVol`; its key is its path."""

    def __init__(self, pool: StoragePool, _pool_name: str, name: str, path: str) -> None:
        self._pool, self._name, self._path = pool, name, path

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return _refuse_unknown(libvirt.virStorageVol, name)

    def name(self) -> str:
        return self._name

    def key(self) -> str:
        return self._path

    def path(self) -> str:
        return self._path

    def info(self) -> list[int]:
        connection = self._pool.connect()
        return list(_numbers(connection.call("virStorageVolGetInfo", self._pool.UUIDString(), self._name)))


class Secret:
    """`libvirt.virSecret`."""

    def __init__(self, connection: Connection, uuid: str, usage_type: int, usage: str) -> None:
        self._connection, self._uuid, self._usage_type, self._usage = connection, uuid, usage_type, usage

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return _refuse_unknown(libvirt.virSecret, name)

    def UUIDString(self) -> str:
        return self._uuid

    def usageType(self) -> int:
        return self._usage_type

    def usageID(self) -> str:
        return self._usage

    def XMLDesc(self, flags: int = 0) -> str:
        return self._connection.text("virSecretGetXMLDesc", self._uuid, flags)

    def setValue(self, value: bytes | str, flags: int = 0) -> int:
        raw = value.encode() if isinstance(value, str) else bytes(value)
        return self._connection.number("virSecretSetValue", self._uuid, raw, flags)

    def value(self, flags: int = 0) -> bytes:
        return cast("bytes", self._connection.call("virSecretGetValue", self._uuid, flags))

    def undefine(self) -> int:
        return self._connection.number("virSecretUndefine", self._uuid)


class Domain:
    """`libvirt.virDomain`."""

    def __init__(self, connection: Connection, name: str, uuid: str) -> None:
        self._connection, self._name, self._uuid = connection, name, uuid

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return _refuse_unknown(libvirt.virDomain, name)

    def connect(self) -> Connection:
        return self._connection

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:
        return self._uuid

    def XMLDesc(self, flags: int = 0) -> str:
        return self._connection.text("virDomainGetXMLDesc", self._uuid, flags)

    def create(self) -> int:
        return self._connection.number("virDomainCreate", self._uuid)

    def destroy(self) -> int:
        return self._connection.number("virDomainDestroy", self._uuid)

    def undefine(self) -> int:
        return self._connection.number("virDomainUndefine", self._uuid)

    def isActive(self) -> int:
        return self._connection.number("virDomainIsActive", self._uuid)

    def isPersistent(self) -> int:
        return self._connection.number("virDomainIsPersistent", self._uuid)

    def attachDeviceFlags(self, xml: str, flags: int = 0) -> int:
        return self._connection.number("virDomainAttachDeviceFlags", self._uuid, xml, flags)

    def detachDeviceFlags(self, xml: str, flags: int = 0) -> int:
        return self._connection.number("virDomainDetachDeviceFlags", self._uuid, xml, flags)

    def blockInfo(self, path: str, flags: int = 0) -> list[int]:
        return list(_numbers(self._connection.call("virDomainGetBlockInfo", self._uuid, path, flags)))

    def blockResize(self, disk: str, size: int, flags: int = 0) -> int:
        return self._connection.number("virDomainBlockResize", self._uuid, disk, size, flags)

    def migrateToURI3(self, dconnuri: str, params: Mapping[str, str], flags: int = 0) -> int:
        unknown = params.keys() - {
            libvirt.VIR_MIGRATE_PARAM_DEST_XML,
            libvirt.VIR_MIGRATE_PARAM_PERSIST_XML,
        }
        if unknown:
            raise unsupported(f"migration with {', '.join(sorted(unknown))}")
        destination = params.get(libvirt.VIR_MIGRATE_PARAM_DEST_XML)
        persistent = params.get(libvirt.VIR_MIGRATE_PARAM_PERSIST_XML)
        arguments = (self._uuid, dconnuri, destination, persistent, flags)
        return self._connection.number("virDomainMigrateToURI3", *arguments)


def _strings(value: Value) -> Sequence[str]:
    return cast("Sequence[str]", value)


def _numbers(value: Value) -> Sequence[int]:
    return cast("Sequence[int]", value)
