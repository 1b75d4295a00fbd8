"""What the bridge takes from outside, and the little of libvirt-python that it calls.

`Connections` is the factory of `open_bridge`. Besides libvirt connections it offers a second capability:
`open_lun`, an initiator in user space that is a given host. libvirt cannot read or write iscsi-direct volumes
(virStorageVolUpload and Download are NO_SUPPORT there), does not tell a LUN's identity, and has one code for
every failed login; the bridge needs all three. On real hosts it is an initiator library such as libiscsi with
the host's IQN; on simulated ones, our initiator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from conformance.contract import (
    BridgeError,
    Host,
    HostEvent,
    HostUnavailable,
    IscsiPath,
    ProbeSession,
)

from .errors import HYPERVISOR, from_libvirt

T = TypeVar("T")


class VirSecret(Protocol):
    """`libvirt.virSecret`."""

    def UUIDString(self) -> str: ...
    def usageType(self) -> int: ...
    def usageID(self) -> str: ...
    def setValue(self, value: bytes, flags: int = 0, /) -> int: ...
    def value(self, flags: int = 0, /) -> bytes: ...
    def XMLDesc(self, flags: int = 0, /) -> str: ...
    def undefine(self) -> int: ...


class VirStorageVol(Protocol):
    """`libvirt.virStorageVol`."""

    def name(self) -> str: ...
    def info(self) -> Sequence[int]: ...


class VirStoragePool(Protocol):
    """`libvirt.virStoragePool`."""

    def name(self) -> str: ...
    def UUIDString(self) -> str: ...
    def XMLDesc(self, flags: int = 0, /) -> str: ...
    def create(self, flags: int = 0, /) -> int: ...
    def refresh(self, flags: int = 0, /) -> int: ...
    def destroy(self) -> int: ...
    def undefine(self) -> int: ...
    def isActive(self) -> int: ...
    def setAutostart(self, autostart: int, /) -> int: ...
    def storageVolLookupByName(self, name: str, /) -> VirStorageVol: ...


class VirDomain(Protocol):
    """`libvirt.virDomain`."""

    def name(self) -> str: ...
    def UUIDString(self) -> str: ...
    def XMLDesc(self, flags: int = 0, /) -> str: ...
    def isPersistent(self) -> int: ...
    def create(self) -> int: ...
    def destroy(self) -> int: ...
    def undefine(self) -> int: ...
    def attachDeviceFlags(self, xml: str, flags: int = 0, /) -> int: ...
    def detachDeviceFlags(self, xml: str, flags: int = 0, /) -> int: ...
    def blockInfo(self, path: str, flags: int = 0, /) -> Sequence[int]: ...
    def blockResize(self, disk: str, size: int, flags: int = 0, /) -> int: ...
    def migrateToURI3(self, dconnuri: str, params: Mapping[str, str], flags: int = 0, /) -> int: ...


class VirConnect(Protocol):
    """`libvirt.virConnect`."""

    def getURI(self) -> str: ...
    def getDomainCapabilities(self) -> str: ...
    def listAllStoragePools(self, flags: int = 0, /) -> Sequence[VirStoragePool]: ...
    def storagePoolLookupByUUIDString(self, uuid: str, /) -> VirStoragePool: ...
    def storagePoolDefineXML(self, xml: str, flags: int = 0, /) -> VirStoragePool: ...
    def listAllSecrets(self, flags: int = 0, /) -> Sequence[VirSecret]: ...
    def secretLookupByUUIDString(self, uuid: str, /) -> VirSecret: ...
    def secretDefineXML(self, xml: str, flags: int = 0, /) -> VirSecret: ...
    def listAllDomains(self, flags: int = 0, /) -> Sequence[VirDomain]: ...
    def lookupByUUIDString(self, uuid: str, /) -> VirDomain: ...
    def defineXML(self, xml: str, /) -> VirDomain: ...


class Connections(Protocol):
    """The connection factory. A bridge keeps no other way to the outside."""

    @property
    def parallel_hosts(self) -> int:
        """How many hosts may be called at once; 1 where calls must stay in the caller's thread."""

    def hosts(self) -> Sequence[Host]:
        """The cluster's hosts and their initiators as of now; libvirt itself knows no cluster."""

    def events(self, after: int) -> Sequence[HostEvent]:
        """Host events since the factory was made, without the first `after`."""

    def connect(self, host: Host) -> VirConnect:
        """A read-write connection to the host's libvirtd; raises libvirtError."""

    def open_lun(self, host: Host, path: IscsiPath) -> ProbeSession:
        """Log in as that host; raises ProbeRefused."""


class RemoteHost:
    """One host and its connection; every call to it says what failed, where."""

    def __init__(self, host: Host, connect: Callable[[], VirConnect], drop: Callable[[], None]) -> None:
        self.host, self._connect, self._drop = host, connect, drop

    @property
    def connection(self) -> VirConnect:
        """The open connection, or `HostUnavailable`."""
        return self.do("virConnectOpen", self._connect)

    def do(self, call: str, function: Callable[[], T]) -> T:
        """Run a libvirt call; its error becomes one of the contract's kinds."""
        try:
            return function()
        except BridgeError:
            raise
        except Exception as error:
            translated = from_libvirt(self.host.name, call, error)
            if translated is None:
                raise
            if isinstance(translated, HostUnavailable):
                self._drop()
            raise translated from error


class Remotes:
    """Connections to all hosts, each opened at its first use and again after it was lost."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self._open: dict[str, VirConnect] = {}

    def hosts(self) -> Sequence[Host]:
        """The cluster's hosts."""
        return self.connections.hosts()

    def by_uuid(self, uuid: str) -> RemoteHost | None:
        """A host of the cluster, or None when it is not in it any more."""
        known = next((each for each in self.hosts() if each.uuid == uuid), None)
        return None if known is None else self._remote(known)

    def get(self, host: Host, call: str) -> RemoteHost:
        """A host that must be in the cluster."""
        found = self.by_uuid(host.uuid)
        if found is None:
            reason = "the host is not in this cluster"
            raise HostUnavailable(HYPERVISOR, host.name, call, reason, "add the host to the cluster first")
        return found

    def all(self) -> list[RemoteHost]:
        """Every host."""
        return [self._remote(each) for each in self.hosts()]

    def _remote(self, host: Host) -> RemoteHost:
        def connect() -> VirConnect:
            if host.uuid not in self._open:
                self._open[host.uuid] = self.connections.connect(host)
            return self._open[host.uuid]

        def drop() -> None:
            self._open.pop(host.uuid, None)

        return RemoteHost(host, connect, drop)
