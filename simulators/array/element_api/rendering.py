"""The array's objects in the words of the API.

Both CHAP secrets have to be there, perhaps empty, and what is a UUID has to be one: the vendor's SDK fails
otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.array.qos import BURST_SECONDS, CURVE

if TYPE_CHECKING:
    from datetime import datetime

    from simulators.array.accounts import Account
    from simulators.array.element_api.parameters import Json
    from simulators.array.groups import Group
    from simulators.array.initiators import Initiator
    from simulators.array.model import ArrayModel
    from simulators.array.qos import Qos
    from simulators.array.volumes import Volume

BLOCK_BYTES = 4096


def moment(at: datetime | None) -> str:
    """ISO 8601 in UTC to the second, and empty text for never."""
    return "" if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def curve() -> Json:
    """Cost of an operation by its size; the sizes are text."""
    return {str(size): cost for size, cost in CURVE.items()}


def qos(has: Qos) -> Json:
    """A QoS object."""
    return {
        "minIOPS": has.min_iops,
        "maxIOPS": has.max_iops,
        "burstIOPS": has.burst_iops,
        "burstTime": BURST_SECONDS,
        "curve": curve(),
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


def volume(has: Volume) -> Json:
    """A volume."""
    return {
        "volumeID": has.volume_id,
        "name": has.name,
        "accountID": has.account_id,
        "createTime": moment(has.created_at),
        "volumeUUID": has.uuid,
        "volumeConsistencyGroupUUID": has.uuid,
        "status": "deleted" if has.is_deleted else "active",
        "access": has.access.value,
        "enable512e": has.has_512e,
        "enableSnapMirrorReplication": False,
        "iqn": has.iqn,
        "scsiEUIDeviceID": has.eui,
        "scsiNAADeviceID": has.naa,
        "qos": qos(has.qos),
        "qosPolicyID": None,
        "volumeAccessGroups": list(has.groups),
        "volumePairs": [],
        "deleteTime": moment(has.deleted_at),
        "purgeTime": moment(has.purge_at),
        "lastAccessTime": None,
        "lastAccessTimeIO": None,
        "sliceCount": 1,
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
