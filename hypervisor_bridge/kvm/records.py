"""The ledger's entries: what the bridge made and which datastore uses what, so that it is known after a restart.

Keys are ``kvm/<cluster>/<kind>/…``. Libvirt keeps no text with a pool, so that a datastore's name and its
disk's name live here alone; the LUN itself is recognised by its WWID.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final
from urllib.parse import quote

from conformance.contract import BridgeLedger, Host, Iqn, IscsiPath, Portal, Secret
from conformance.contract import ChapCredentials as Chap

_NAMESPACE: Final = uuids.UUID("6b1f6f0e-5d0c-5c0e-9d6b-0b5a3b6f7c11")


@dataclass(frozen=True, slots=True)
class Target:
    """A target as one host logs in to it; what differs in any field needs a pool of its own."""

    iqn: str
    address: str
    port: int
    initiator_iqn: str
    chap_username: str

    @classmethod
    def of(cls, host: Host, path: IscsiPath) -> Target:
        """The target of a path, at its first portal."""
        username = "" if path.chap is None else path.chap.username
        portal = path.portals[0]
        return cls(str(path.target_iqn), portal.address, portal.port, str(host.iqns[0]), username)

    def path(self, lun_number: int, secret: Secret | None) -> IscsiPath:
        """The path to a LUN of it."""
        chap = None if secret is None else Chap(self.chap_username, secret)
        return IscsiPath(Iqn(self.iqn), (Portal(self.address, self.port),), lun_number, chap)

    @property
    def usage(self) -> str:
        """The usage of its libvirt secret."""
        return f"{self.iqn} {self.chap_username} {self.address}:{self.port} {self.initiator_iqn}"

    def pool_uuid(self, scope: str) -> str:
        """The same uuid each time, so that a repeated call finds what an interrupted one has made."""
        return str(uuids.uuid5(_NAMESPACE, f"pool {scope} {self.usage}"))

    def secret_uuid(self, scope: str) -> str:
        """As `pool_uuid`; empty without CHAP."""
        return str(uuids.uuid5(_NAMESPACE, f"secret {scope} {self.usage}")) if self.chap_username else ""


@dataclass(frozen=True, slots=True)
class DatastoreRecord:
    """A datastore: one LUN. `state` is making, made or deleting; `disk` is empty while it has none."""

    name: str
    wwid: str
    target_iqn: str
    state: str
    disk: str = ""
    disk_bytes: int = 0

    @property
    def locator(self) -> str:
        """The handle that goes into a `DatastoreRef`."""
        return f"{self.target_iqn} naa.{self.wwid}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A datastore on one host: a unit of a pool."""

    datastore: str
    host_uuid: str
    pool_uuid: str
    pool_name: str
    secret_uuid: str
    target: Target
    lun_number: int
    block_bytes: int

    @property
    def unit(self) -> str:
        """Libvirt's name of the LUN in the pool."""
        return f"unit:0:0:{self.lun_number}"


@dataclass(frozen=True, slots=True)
class LunUse:
    """A host's use of a LUN without a datastore: connected (`vm_uuid` empty), or given to a VM as a disk."""

    wwid: str
    host_uuid: str
    vm_uuid: str
    secret_uuid: str
    target_iqn: str
    lun_number: int


def vm_uuid(uuid: str) -> str:
    """A uuid that libvirt accepts: the cloud's own if it is one."""
    try:
        return str(uuids.UUID(uuid))
    except ValueError:
        return str(uuids.uuid5(_NAMESPACE, f"vm {uuid}"))


class Records:
    """Typed reading of a ledger, for one cluster."""

    def __init__(self, ledger: BridgeLedger, cluster_uuid: str) -> None:
        self.ledger, self._root = ledger, f"kvm/{quote(cluster_uuid, safe='')}"
        self.cluster_uuid = cluster_uuid

    def key(self, kind: str, *parts: str) -> str:
        """The key of one entry; a trailing empty part makes it a prefix."""
        return "/".join((self._root, kind, *(quote(each, safe="") for each in parts)))

    def datastore_key(self, name: str) -> str:
        """Where a datastore is recorded."""
        return self.key("datastore", name)

    def attachment_key(self, item: Attachment) -> str:
        """Where a datastore's use of a pool is recorded."""
        return self.key("attachment", item.datastore, item.host_uuid, item.pool_uuid)

    def use_key(self, use: LunUse) -> str:
        """Where the use of a LUN is recorded."""
        return self.key("lun", use.host_uuid, use.wwid, use.vm_uuid or "-")

    def pool_key(self, host_uuid: str, pool_uuid: str) -> str:
        """Where a pool that we made is recorded."""
        return self.key("pool", host_uuid, pool_uuid)

    def secret_key(self, host_uuid: str, secret_uuid: str) -> str:
        """Where a secret that we made is recorded."""
        return self.key("secret", host_uuid, secret_uuid)

    def has(self, key: str) -> bool:
        """Whether this very key is in the ledger."""
        return key in self.ledger.entries(key)

    def entry(self, key: str) -> Mapping[str, str] | None:
        """One entry."""
        return self.ledger.entries(key).get(key)

    def entries(self, kind: str, *parts: str) -> list[Mapping[str, str]]:
        """All entries below."""
        return list(self.ledger.entries(self.key(kind, *parts, "")).values())

    def keys(self, kind: str, *parts: str) -> list[str]:
        """The keys of all entries below."""
        return list(self.ledger.entries(self.key(kind, *parts, "")))

    def record(self, key: str, entry: Mapping[str, str]) -> None:
        """Write one entry."""
        self.ledger.record(key, entry)

    def forget(self, key: str) -> None:
        """Drop one entry."""
        self.ledger.forget(key)

    def datastores(self) -> list[DatastoreRecord]:
        """Every datastore, also half-made ones."""
        return [_datastore(each) for each in self.entries("datastore")]

    def datastore(self, name: str) -> DatastoreRecord | None:
        """One datastore."""
        entry = self.entry(self.datastore_key(name))
        return None if entry is None else _datastore(entry)

    def attachments(self, datastore: str | None = None) -> list[Attachment]:
        """Who uses which pool; of one datastore or of all."""
        parts = () if datastore is None else (datastore,)
        return [_attachment(each) for each in self.entries("attachment", *parts)]

    def uses(self, host_uuid: str | None = None) -> list[LunUse]:
        """LUNs in use without a datastore."""
        parts = () if host_uuid is None else (host_uuid,)
        return [_use(each) for each in self.entries("lun", *parts)]


def datastore_entry(record: DatastoreRecord) -> dict[str, str]:
    """A datastore as the ledger keeps it."""
    return {name: str(value) for name, value in asdict(record).items()}


def attachment_entry(item: Attachment) -> dict[str, str]:
    """An attachment as the ledger keeps it."""
    flat = {**asdict(item), **asdict(item.target)}
    del flat["target"]
    return {name: str(value) for name, value in flat.items()}


def use_entry(use: LunUse) -> dict[str, str]:
    """A use as the ledger keeps it."""
    return {name: str(value) for name, value in asdict(use).items()}


def with_disk(record: DatastoreRecord, disk: str, disk_bytes: int) -> DatastoreRecord:
    """The datastore with that disk in it; an empty name takes it out."""
    return replace(record, disk=disk, disk_bytes=disk_bytes)


def _datastore(entry: Mapping[str, str]) -> DatastoreRecord:
    return DatastoreRecord(
        entry["name"],
        entry["wwid"],
        entry["target_iqn"],
        entry["state"],
        entry["disk"],
        int(entry["disk_bytes"]),
    )


def _use(entry: Mapping[str, str]) -> LunUse:
    return LunUse(
        entry["wwid"],
        entry["host_uuid"],
        entry["vm_uuid"],
        entry["secret_uuid"],
        entry["target_iqn"],
        int(entry["lun_number"]),
    )


def _attachment(entry: Mapping[str, str]) -> Attachment:
    target = Target(entry["iqn"], entry["address"], int(entry["port"]), entry["initiator_iqn"], entry["chap_username"])
    return Attachment(
        entry["datastore"],
        entry["host_uuid"],
        entry["pool_uuid"],
        entry["pool_name"],
        entry["secret_uuid"],
        target,
        int(entry["lun_number"]),
        int(entry["block_bytes"]),
    )
