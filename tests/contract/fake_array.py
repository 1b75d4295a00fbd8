"""An array that keeps what it is told in dictionaries: LUNs or exports, grants, CHAP accounts."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from conformance.contract import (
    BlockConnection,
    BlockPath,
    ChapCredentials,
    ChapScope,
    Connection,
    FcPath,
    Host,
    Iqn,
    IscsiPath,
    LunIdentity,
    NfsClient,
    NfsExport,
    ObjectKind,
    Portal,
    Secret,
    Tenant,
    Wwpn,
)

PORTALS: Final = (Portal("10.64.0.1"), Portal("10.64.1.1"))
WWPNS: Final = (Wwpn("50:00:00:00:00:00:aa:01"), Wwpn("50:00:00:00:00:00:aa:02"))
SYSTEM: Final = Tenant("system", "system")


class Wire(StrEnum):
    """How hosts reach the array."""

    ISCSI = "iscsi"
    NFS = "nfs"
    FC = "fc"


USABLE: Final = {Wire.ISCSI: Iqn, Wire.NFS: NfsClient, Wire.FC: Wwpn}


class Refused(Exception):
    """A host did not get in; the text is one of target, chap, lun."""


@dataclass
class FakeDisk:
    """A disk inside a file system."""

    size_bytes: int
    content: dict[int, bytes] = field(default_factory=dict)


@dataclass
class FileSystem:
    """What a hypervisor wrote on a LUN; a clone of the LUN carries it, with the signature of the original."""

    name: str
    signature: str
    capacity_bytes: int
    disks: dict[str, FakeDisk] = field(default_factory=dict)


@dataclass
class Lun:
    """A LUN or export. `grants` gives each host its LUN number."""

    id: str
    kind: ObjectKind
    owner_uuid: str
    store_uuid: str
    size_bytes: int
    tenant: Tenant = SYSTEM
    content: dict[int, bytes] = field(default_factory=dict)
    file_system: FileSystem | None = None
    grants: dict[str, int] = field(default_factory=dict)

    @property
    def wwid(self) -> str:
        """Its identity, the same from every host."""
        return f"6{int(self.id):031x}"


class FakeArray:
    """Two portals; one target for each LUN, or one for all of them."""

    def __init__(self, wire: Wire, *, has_one_target: bool = False, chap_scope: ChapScope | None = None) -> None:
        # The ports of a Fibre Channel array are there for all of its LUNs.
        self.wire, self.has_one_target = wire, has_one_target or wire is Wire.FC
        self.chap_scope = chap_scope
        self.luns: dict[str, Lun] = {}
        self._made = 0
        self._rotations: dict[str, int] = {}

    def make(self, kind: ObjectKind, owner: str, store: str, size_bytes: int, tenant: Tenant = SYSTEM) -> Lun:
        """Make an empty LUN."""
        self._made += 1
        lun = Lun(str(self._made), kind, owner, store, size_bytes, tenant)
        self.luns[lun.id] = lun
        return lun

    def copy(self, source: Lun, kind: ObjectKind, owner: str, size_bytes: int, tenant: Tenant) -> Lun:
        """Make a LUN with the bytes of another one."""
        lun = self.make(kind, owner, source.store_uuid, size_bytes, tenant)
        lun.content, lun.file_system = deepcopy(source.content), deepcopy(source.file_system)
        return lun

    def owned_by(self, uuid: str, kind: ObjectKind) -> Lun | None:
        """Look for what was made for an owner."""
        return next((each for each in self.luns.values() if (each.owner_uuid, each.kind) == (uuid, kind)), None)

    def of_store(self, store_uuid: str) -> Iterator[Lun]:
        """All that was made for a store."""
        return iter([each for each in self.luns.values() if each.store_uuid == store_uuid])

    def grant(self, lun: Lun, host: Host) -> None:
        """Let a host see a LUN, under a number that is free on the target, for this host."""
        if host.uuid not in lun.grants:
            taken = {each.grants.get(host.uuid) for each in self.luns.values() if self.has_one_target}
            # Numbers begin elsewhere for each host, so that no two hosts share one by chance.
            start = int(host.uuid[-1]) + 1 if self.has_one_target else 0
            lun.grants[host.uuid] = next(number for number in range(start, 255) if number not in taken)

    def connection(self, lun: Lun, host: Host) -> Connection:
        """Tell how a host reaches a LUN it was granted."""
        if self.wire is Wire.NFS:
            return NfsExport("10.64.0.1", f"/exports/{lun.id}")
        return BlockConnection(LunIdentity(lun.wwid), lun.size_bytes, self._paths(lun, lun.grants[host.uuid], host))

    def _paths(self, lun: Lun, number: int, host: Host) -> tuple[BlockPath, ...]:
        if self.wire is Wire.FC:
            return tuple(FcPath(each, number) for each in WWPNS)
        return (IscsiPath(self.target_of(lun), PORTALS, number, self._account(lun, host.uuid)),)

    def target_of(self, lun: Lun) -> Iqn:
        """The target that a LUN is behind."""
        return Iqn("iqn.2001-05.com.example:" + ("array" if self.has_one_target else f"lun-{lun.id}"))

    def _account_name(self, lun: Lun, host_uuid: str) -> str:
        names = {
            ChapScope.VOLUME: f"volume-{lun.id}",
            ChapScope.HOST: f"host-{host_uuid}",
            ChapScope.TENANT: f"tenant-{lun.tenant.uuid}",
            ChapScope.CONTROLLER: "controller",
        }
        return names[self.chap_scope] if self.chap_scope else ""

    def _account(self, lun: Lun, host_uuid: str) -> ChapCredentials | None:
        name = self._account_name(lun, host_uuid)
        if not name:
            return None
        text = f"{zlib.crc32(name.encode()):010d}{self._rotations.get(name, 0):04d}"
        return ChapCredentials(name, Secret(text))

    def rotate(self, lun: Lun, host: Host) -> None:
        """Replace the secret of the account that this host uses for this LUN."""
        name = self._account_name(lun, host.uuid)
        self._rotations[name] = self._rotations.get(name, 0) + 1

    def login(self, host_uuid: str, connection: Connection) -> Lun:
        """Let a host in over the first path, if everything about it is right."""
        if isinstance(connection, NfsExport):
            return self._mounted(host_uuid, connection)
        path = connection.paths[0]
        if not isinstance(path, IscsiPath | FcPath):
            raise Refused("target")
        behind = [each for each in self.luns.values() if host_uuid in each.grants]
        if isinstance(path, IscsiPath):
            behind = [each for each in behind if self.target_of(each) == path.target_iqn]
        if not behind:
            raise Refused("target")
        if isinstance(path, IscsiPath) and path.chap not in {self._account(each, host_uuid) for each in behind}:
            raise Refused("chap")
        lun = next((each for each in behind if each.grants[host_uuid] == path.lun_number), None)
        if lun is None or lun.wwid != connection.identity.wwid:
            raise Refused("lun")
        return lun

    def _mounted(self, host_uuid: str, export: NfsExport) -> Lun:
        lun = self.luns.get(export.path.rpartition("/")[2])
        if lun is None or host_uuid not in lun.grants:
            raise Refused("target")
        return lun
