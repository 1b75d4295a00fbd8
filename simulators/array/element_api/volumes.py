"""Methods for volumes. Lists ascend by volumeID, with deleted volumes unless their name says otherwise."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.errors import ApiError
from simulators.array.element_api.method import LIMIT, Method, page, start_at
from simulators.array.element_api.parameters import (
    Arguments,
    Json,
    boolean,
    identifier,
    integer,
    list_of,
    optional,
    or_nothing,
    required,
    text,
)
from simulators.array.element_api.values import attributes, none_is_empty, qos, word_of
from simulators.array.qos import QosChange
from simulators.array.volume import Access, VolumeChange, VolumeWish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulators.array.element_api.method import Scene
    from simulators.array.volume import Volume


class VolumeStatus(StrEnum):
    """What a list can be asked for; the first two never last here."""

    CREATING = "creating"
    SNAPSHOTTING = "snapshotting"
    ACTIVE = "active"
    DELETED = "deleted"


_VOLUME = required("volumeID", integer)
_NAME = required("name", text)
_OWNER = required("accountID", integer)
_SIZE = required("totalSize", integer)
_512E = optional("enable512e", boolean)
_QOS = optional("qos", qos)
_ATTRIBUTES = optional("attributes", attributes)
_NEW_OWNER = optional("accountID", identifier)
_NEW_SIZE = optional("totalSize", or_nothing(integer))
_ACCESS = optional("access", word_of(Access))
_START = start_at("startVolumeID")
_STATUS = optional("volumeStatus", word_of(VolumeStatus))
_OWNERS = optional("accounts", list_of(integer))
_IDS = optional("volumeIDs", list_of(integer))
_WITH_NAME = optional("volumeName", text)
_IS_PAIRED = optional("isPaired", boolean)
_POLICY = optional("qosPolicyID", identifier)
_USE_POLICY = optional("associateWithQoSPolicy", boolean)
_QOS_POLICY: Final = (_POLICY, _USE_POLICY)
CHANGE: Final = (_NEW_OWNER, _NEW_SIZE, _QOS, _ACCESS, _ATTRIBUTES, *_QOS_POLICY)
"""What can be changed of volumes."""


def _create(scene: Scene, given: Arguments) -> Json:
    wish = VolumeWish(
        name=given[_NAME],
        account_id=given[_OWNER],
        size_bytes=given[_SIZE],
        has_512e=given[_512E] or False,
        qos=given[_QOS] or QosChange(),
        attributes=none_is_empty(given[_ATTRIBUTES]),
        qos_policy_id=_policy(given),
    )
    volume = scene.model.volumes.create(wish)
    return {
        "volumeID": volume.volume_id,
        "volume": rendering.volume(volume),
        "curve": rendering.curve(),
    }


def _modify(scene: Scene, given: Arguments) -> Json:
    return {"volume": rendering.volume(scene.model.volumes.modify(given[_VOLUME], change_of(given)))}


def change_of(given: Arguments) -> VolumeChange:
    """What is to be changed."""
    return VolumeChange(
        account_id=given[_NEW_OWNER],
        size_bytes=given[_NEW_SIZE],
        qos=_values(given),
        access=given[_ACCESS],
        attributes=given[_ATTRIBUTES],
        qos_policy_id=_policy(given),
        leaves_qos_policy=given[_USE_POLICY] is False,
    )


def _values(given: Arguments) -> QosChange | None:
    """QoS values that are wanted: an object that is empty, or all 0, as some clients send it, wants none."""
    return None if given[_QOS] == QosChange() else given[_QOS]


def _policy(given: Arguments) -> int | None:
    """The policy that is wanted; values and a policy contradict each other."""
    policy_id, uses = given[_POLICY], given[_USE_POLICY]
    if uses and policy_id is None:
        raise ApiError("xMissingParameter", "Missing member=[qosPolicyID]")
    if policy_id is not None and uses is not False and _values(given) is not None:
        raise ApiError("xInvalidParameter", "member=[qos]: expected qos or qosPolicyID, not both")
    return None if uses is False else policy_id


def _delete(scene: Scene, given: Arguments) -> Json:
    return {"volume": rendering.volume(scene.model.volumes.delete(given[_VOLUME]))}


def _purge(scene: Scene, given: Arguments) -> Json:
    scene.model.purge_volume(given[_VOLUME])
    return {}


def _restore(scene: Scene, given: Arguments) -> Json:
    scene.model.volumes.restore(given[_VOLUME])
    return {}


def _list(scene: Scene, given: Arguments) -> Json:
    return _listed(page(_matching(_candidates(scene, given), given), given))


def _list_active(scene: Scene, given: Arguments) -> Json:
    rows = scene.model.volumes.rows.starting_at(given[_START] or 0)
    return _listed(page((each for each in rows if rendering.status(each) == VolumeStatus.ACTIVE), given))


def _list_deleted(scene: Scene, _given: Arguments) -> Json:
    return _listed(scene.model.volumes.deleted())


def _list_for_account(scene: Scene, given: Arguments) -> Json:
    account = scene.model.accounts.get(given[_OWNER])
    start = given[_START] or 0
    return _listed(page((each for each in _found(scene, account.volumes) if each.volume_id >= start), given))


def _count(scene: Scene, _given: Arguments) -> Json:
    return {"count": len(scene.model.volumes.rows)}


def _listed(volumes: Iterable[Volume]) -> Json:
    return {"volumes": [rendering.volume(each) for each in volumes]}


def _candidates(scene: Scene, given: Arguments) -> Iterator[Volume]:
    """The smallest indexed set that holds all volumes asked for."""
    volumes = scene.model.volumes
    name, ids, owners = given[_WITH_NAME], given[_IDS], given[_OWNERS]
    if name is not None:
        return iter(volumes.named(name))
    if ids is not None:
        return _found(scene, ids)
    if owners is not None:
        accounts = [each for each in map(scene.model.accounts.rows.find, owners) if each is not None]
        return _found(scene, (volume_id for each in accounts for volume_id in each.volumes))
    return volumes.rows.starting_at(given[_START] or 0)


def _found(scene: Scene, volume_ids: Iterable[int]) -> Iterator[Volume]:
    found = map(scene.model.volumes.rows.find, sorted(set(volume_ids)))
    return (each for each in found if each is not None)


def _matching(volumes: Iterator[Volume], given: Arguments) -> Iterator[Volume]:
    start, status, owners, ids = given[_START] or 0, given[_STATUS], given[_OWNERS], given[_IDS]
    for each in volumes:
        if (
            each.volume_id >= start
            and (status is None or status == rendering.status(each))
            and (owners is None or each.account_id in owners)
            and (ids is None or each.volume_id in ids)
            and given[_IS_PAIRED] is not True
        ):
            yield each


METHODS: Final = (
    Method("CreateVolume", _create, (_NAME, _OWNER, _SIZE, _512E, _QOS, _ATTRIBUTES, *_QOS_POLICY)),
    Method("ModifyVolume", _modify, (_VOLUME, *CHANGE)),
    Method("DeleteVolume", _delete, (_VOLUME,)),
    Method("PurgeDeletedVolume", _purge, (_VOLUME,)),
    Method("RestoreDeletedVolume", _restore, (_VOLUME,)),
    Method("ListVolumes", _list, (_START, LIMIT, _STATUS, _OWNERS, _IDS, _WITH_NAME, _IS_PAIRED)),
    Method("ListActiveVolumes", _list_active, (_START, LIMIT)),
    Method("ListDeletedVolumes", _list_deleted),
    Method("ListVolumesForAccount", _list_for_account, (_OWNER, _START, LIMIT)),
    Method("GetVolumeCount", _count),
)
