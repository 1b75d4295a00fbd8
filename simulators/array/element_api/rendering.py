"""The array's objects in the words of the API.

Both CHAP secrets have to be there, perhaps empty, and what is a UUID has to be one: the vendor's SDK fails
otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.moment import text
from simulators.array.qos import BURST_SECONDS, CURVE

if TYPE_CHECKING:
    from datetime import datetime

    from simulators.array.accounts import Account
    from simulators.array.element_api.parameters import Json
    from simulators.array.groups import Group
    from simulators.array.initiators import Initiator
    from simulators.array.model import ArrayModel
    from simulators.array.qos import Qos
    from simulators.array.qos_policies import QosPolicy
    from simulators.array.snapshots import GroupSnapshot, Snapshot
    from simulators.array.volume import Volume

BLOCK_BYTES = 4096
NO_UUID = "00000000-0000-0000-0000-000000000000"
CHECKSUM = "0x0"
"""Of a snapshot that has never been replicated."""
_CURVE: Final = {str(size): cost for size, cost in CURVE.items()}


def moment(at: datetime | None) -> str:
    """ISO 8601 in UTC to the second, and empty text for never."""
    return "" if at is None else text(at)


def cluster_name(model: ArrayModel) -> str:
    """What the administrator called the cluster."""
    return f"array-{model.unique_id}"


def curve() -> Json:
    """Cost of an operation by its size; the sizes are text."""
    return dict(_CURVE)


def qos(has: Qos) -> Json:
    """A QoS object."""
    return {
        "minIOPS": has.min_iops,
        "maxIOPS": has.max_iops,
        "burstIOPS": has.burst_iops,
        "burstTime": BURST_SECONDS,
        "curve": curve(),
    }


def qos_policy(has: QosPolicy) -> Json:
    """A QoS policy."""
    return {
        "qosPolicyID": has.policy_id,
        "name": has.name,
        "qos": qos(has.qos),
        "volumeIDs": sorted(has.volumes),
    }


def account(has: Account) -> Json:
    """An account, with its secrets, as the administrator sees it."""
    return {
        "accountID": has.account_id,
        "username": has.username,
        "status": has.status.value,
        "initiatorSecret": has.initiator_secret,
        "targetSecret": has.target_secret,
        "attributes": has.attributes,
        "enableChap": has.uses_chap,
        "volumes": list(has.volumes),
        "storageContainerID": None,
    }


def status(has: Volume) -> str:
    """A volume's state in a word; `init` is a clone that cannot be used yet."""
    if has.is_deleted:
        return "deleted"
    return "init" if has.is_copying else "active"


def volume(has: Volume) -> Json:
    """A volume."""
    return {
        "volumeID": has.volume_id,
        "name": has.name,
        "accountID": has.account_id,
        "createTime": moment(has.created_at),
        "volumeUUID": has.uuid,
        "volumeConsistencyGroupUUID": has.uuid,
        "status": status(has),
        "access": has.access.value,
        "enable512e": has.has_512e,
        "enableSnapMirrorReplication": False,
        "iqn": has.iqn,
        "scsiEUIDeviceID": has.eui,
        "scsiNAADeviceID": has.naa,
        "qos": qos(has.qos),
        "qosPolicyID": has.qos_policy_id,
        "volumeAccessGroups": list(has.groups),
        "volumePairs": [],
        "deleteTime": moment(has.deleted_at),
        "purgeTime": moment(has.purge_at),
        "lastAccessTime": moment(has.traffic.last_at) or None,
        "lastAccessTimeIO": moment(has.traffic.last_at) or None,
        "sliceCount": 0 if has.is_copying else 1,
        "totalSize": has.size_bytes,
        "blockSize": BLOCK_BYTES,
        "virtualVolumeID": None,
        "attributes": has.attributes,
        "currentProtectionScheme": "doubleHelix",
        "previousProtectionScheme": None,
        "fifoSize": 24,
        "minFifoSize": 0,
    }


def group(model: ArrayModel, has: Group) -> Json:
    """An access group; deleted volumes are listed apart."""
    volumes = [each for each in map(model.volumes.rows.find, has.volumes) if each is not None]
    return {
        "volumeAccessGroupID": has.group_id,
        "name": has.name,
        "initiatorIDs": list(has.initiators),
        "initiators": [model.initiators.get(each).name for each in has.initiators],
        "volumes": [each.volume_id for each in volumes if not each.is_deleted],
        "deletedVolumes": [each.volume_id for each in volumes if each.is_deleted],
        "attributes": has.attributes,
    }


def initiator(has: Initiator) -> Json:
    """An initiator, with its secrets, as the administrator sees it."""
    return {
        "initiatorID": has.initiator_id,
        "initiatorName": has.name,
        "alias": has.alias,
        "attributes": has.attributes,
        "volumeAccessGroups": [] if has.group_id is None else [has.group_id],
        "requireChap": has.requires_chap,
        "chapUsername": has.chap_username,
        "initiatorSecret": has.initiator_secret,
        "targetSecret": has.target_secret,
        "virtualNetworkIDs": [],
    }


def snapshot(model: ArrayModel, has: Snapshot) -> Json:
    """A snapshot; without a group its group's number is 0.

    There is no `remoteStatuses`, which only snapshots of paired volumes have: not even empty, as there are clients
    that cannot read a list there.
    """
    group = None if has.group_id is None else model.snapshots.get_group(has.group_id)
    made = moment(has.created_at)
    return {
        "snapshotID": has.snapshot_id,
        "volumeID": has.volume_id,
        "volumeName": model.volumes.get(has.volume_id).name,
        "name": has.name,
        "status": "done",
        "checksum": CHECKSUM,
        "createTime": made,
        "instanceCreateTime": made,
        "totalSize": has.size_bytes,
        "snapshotUUID": has.uuid,
        "instanceSnapshotUUID": has.uuid,
        "groupID": 0 if group is None else group.group_id,
        "groupSnapshotUUID": NO_UUID if group is None else group.uuid,
        "attributes": has.attributes,
        "expirationTime": None if has.expires_at is None else moment(has.expires_at),
        "expirationReason": "None" if has.expires_at is None else "Api",
        "enableRemoteReplication": False,
        "snapMirrorLabel": has.label,
        "virtualVolumeID": None,
    }


def group_snapshot(model: ArrayModel, has: GroupSnapshot) -> Json:
    """A group snapshot with its members."""
    return {
        "groupSnapshotID": has.group_id,
        "groupSnapshotUUID": has.uuid,
        "name": has.name,
        "status": "done",
        "createTime": moment(has.created_at),
        "members": [snapshot(model, each) for each in model.snapshots.members(has)],
        "attributes": has.attributes,
        "enableRemoteReplication": False,
    }
