"""What the array has, as far as this plugin looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from conformance.contract import ChapCredentials, Iqn, LunIdentity, ObjectKind, Portal, QosPolicy, Secret

from . import names

ISCSI_PORT: Final = 3260
BLOCK_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ArrayFacts:
    """The cluster as a whole; `uuid` stays when its addresses change."""

    uuid: str
    portal: Portal


@dataclass(frozen=True, slots=True)
class Space:
    """What volumes may add up to, and do: deleted ones count until they are purged."""

    most_bytes: int
    provisioned_bytes: int


@dataclass(frozen=True, slots=True)
class Most:
    """What this array allows at most: releases differ."""

    initiators_per_group: int
    groups_per_lun: int
    max_iops: int
    burst_iops: int


@dataclass(frozen=True, slots=True)
class Account:
    """Whose LUNs are a store's; deleted ones too, until they are purged."""

    account_id: int
    lun_ids: tuple[int, ...]
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Lun:
    """A volume of the array: one target, its only LUN at number 0."""

    lun_id: int
    account_id: int
    size_bytes: int
    target_iqn: Iqn
    identity: LunIdentity
    qos: QosPolicy
    is_deleted: bool
    is_ready: bool
    is_locked: bool
    group_ids: tuple[int, ...]
    attributes: Mapping[str, object]

    @property
    def external_id(self) -> str:
        """The id as the cloud keeps it."""
        return str(self.lun_id)

    @property
    def owner_uuid(self) -> str:
        """The volume's uuid; empty when this plugin did not make it."""
        return str(self.attributes.get("owner", ""))

    @property
    def kind(self) -> ObjectKind:
        """What it was made for."""
        return ObjectKind.TEMPLATE if self.attributes.get("kind") == ObjectKind.TEMPLATE else ObjectKind.VOLUME

    @property
    def min_iops(self) -> int:
        """What the array guarantees it."""
        return self.qos.min_iops or 0


@dataclass(frozen=True, slots=True)
class AccessGroup:
    """Initiators on one side, LUNs on the other."""

    group_id: int
    iqns: frozenset[str]
    initiator_ids: tuple[int, ...]
    lun_ids: frozenset[int]
    attributes: Mapping[str, object]

    @property
    def host_uuid(self) -> str:
        """The host it stands for; empty when this plugin did not make it."""
        return str(self.attributes.get("host", ""))


@dataclass(frozen=True, slots=True)
class HostInitiator:
    """An initiator object: a name, the group it is in, and the CHAP it has to pass if this plugin made it."""

    initiator_id: int
    iqn: str
    group_ids: tuple[int, ...]
    chap: ChapCredentials | None
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session at the array's targets."""

    initiator_iqn: str
    lun_id: int


def read_facts(result: Mapping[str, Any]) -> ArrayFacts:
    """Of GetClusterInfo."""
    info = result["clusterInfo"]
    return ArrayFacts(str(info["uuid"]), read_portal(str(info["svip"])))


def read_portal(svip: str) -> Portal:
    """``address``, ``address:port``, ``[IPv6]``, ``[IPv6]:port`` or bare IPv6; without a port it is 3260."""
    address, bracket, after = svip.removeprefix("[").partition("]")
    if bracket:
        return Portal(address, int(after.removeprefix(":") or ISCSI_PORT))
    if svip.count(":") == 1:
        address, _, port = svip.partition(":")
        return Portal(address, int(port))
    return Portal(svip, ISCSI_PORT)


def read_space(result: Mapping[str, Any]) -> Space:
    """Of GetClusterCapacity."""
    capacity = result["clusterCapacity"]
    return Space(int(capacity["maxProvisionedSpace"]), int(capacity["provisionedSpace"]))


def read_most(result: Mapping[str, Any]) -> Most:
    """Of GetLimits."""
    return Most(
        initiators_per_group=int(result["initiatorsPerVolumeAccessGroupCountMax"]),
        groups_per_lun=int(result["volumeAccessGroupsPerVolumeCountMax"]),
        max_iops=int(result["volumeMaxIOPSMax"]),
        burst_iops=int(result["volumeBurstIOPSMax"]),
    )


def read_written(result: Mapping[str, Any]) -> int | None:
    """Bytes that a volume holds, of GetVolumeStats."""
    blocks = result["volumeStats"].get("nonZeroBlocks")
    return None if blocks is None else int(blocks) * BLOCK_BYTES


def read_account(entry: Mapping[str, Any]) -> Account:
    """One account."""
    return Account(int(entry["accountID"]), tuple(entry.get("volumes") or ()), _attributes(entry))


def read_lun(entry: Mapping[str, Any]) -> Lun:
    """One volume."""
    qos = entry["qos"]
    return Lun(
        lun_id=int(entry["volumeID"]),
        account_id=int(entry["accountID"]),
        size_bytes=int(entry["totalSize"]),
        target_iqn=Iqn(entry["iqn"]),
        identity=LunIdentity(str(entry["scsiNAADeviceID"]).lower()),
        qos=QosPolicy(int(qos["minIOPS"]), int(qos["maxIOPS"]), int(qos["burstIOPS"])),
        is_deleted=entry["status"] == "deleted",
        # A clone is listed before it holds its bytes.
        is_ready=entry["status"] == "active",
        is_locked=entry.get("access") == "locked",
        group_ids=tuple(entry.get("volumeAccessGroups") or ()),
        attributes=_attributes(entry),
    )


def read_group(entry: Mapping[str, Any]) -> AccessGroup:
    """One volume access group."""
    return AccessGroup(
        group_id=int(entry["volumeAccessGroupID"]),
        iqns=frozenset(each.lower() for each in entry["initiators"]),
        initiator_ids=tuple(entry.get("initiatorIDs") or ()),
        lun_ids=frozenset(entry["volumes"]),
        attributes=_attributes(entry),
    )


def read_initiator(entry: Mapping[str, Any]) -> HostInitiator:
    """One initiator object."""
    return HostInitiator(
        initiator_id=int(entry["initiatorID"]),
        iqn=str(entry["initiatorName"]).lower(),
        group_ids=tuple(entry.get("volumeAccessGroups") or ()),
        chap=_chap(entry),
        attributes=_attributes(entry),
    )


def read_session(entry: Mapping[str, Any]) -> LoggedIn:
    """One iSCSI session; a discovery session has no volume."""
    return LoggedIn(str(entry["initiatorName"]).lower(), int(entry.get("volumeID") or 0))


def _chap(entry: Mapping[str, Any]) -> ChapCredentials | None:
    # What other administrators keep in their own objects is none of our business.
    if not entry.get("requireChap") or not names.is_ours(_attributes(entry)):
        return None
    return ChapCredentials(str(entry["chapUsername"]), Secret(str(entry["initiatorSecret"])))


def _attributes(entry: Mapping[str, Any]) -> Mapping[str, object]:
    return dict(entry.get("attributes") or {})
