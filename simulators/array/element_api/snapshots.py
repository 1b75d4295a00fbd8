"""Methods for snapshots and group snapshots. Replicating them is not simulated, and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.errors import ApiError
from simulators.array.element_api.method import Method
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
from simulators.array.element_api.values import attributes, instant, none_is_empty, span
from simulators.array.snapshots import SnapshotChange, SnapshotWish

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from simulators.array.element_api.method import Scene
    from simulators.array.snapshots import GroupSnapshot, Snapshot

_VOLUME = required("volumeID", integer)
_OF_VOLUME = optional("volumeID", identifier)
_SNAPSHOT = required("snapshotID", integer)
_ANY_SNAPSHOT = optional("snapshotID", identifier)
_GROUP = required("groupSnapshotID", integer)
_ANY_GROUP = optional("groupSnapshotID", identifier)
_VOLUMES = required("volumes", list_of(integer))
_OF_VOLUMES = optional("volumes", list_of(integer))
_NAME = optional("name", text)
_ATTRIBUTES = optional("attributes", attributes)
_LABEL = optional("snapMirrorLabel", text)
_REPLICATE = optional("enableRemoteReplication", boolean)
# Nothing is replicated, so a snapshot never comes while another is on its way.
_IN_TURN = optional("ensureSerialCreation", boolean)
_EXPIRATION = optional("expirationTime", or_nothing(instant))
_RETENTION = optional("retention", or_nothing(span))
_SAVE_STATE = optional("saveCurrentState", boolean)
_SAVE_MEMBERS = optional("saveMembers", boolean)
_WISH: Final = (_NAME, _ATTRIBUTES, _LABEL, _REPLICATE, _IN_TURN, _EXPIRATION, _RETENTION)
_CHANGE: Final = (_NAME, _LABEL, _REPLICATE, _EXPIRATION, _RETENTION)
_ROLLBACK: Final = (_SAVE_STATE, _NAME, _ATTRIBUTES)


def _create(scene: Scene, given: Arguments) -> Json:
    snapshot = scene.model.snapshots.create(given[_VOLUME], _wish(scene, given), from_snapshot=given[_ANY_SNAPSHOT])
    return _made(scene, snapshot)


def _list(scene: Scene, given: Arguments) -> Json:
    snapshots = _asked(scene, given[_OF_VOLUME], given[_ANY_SNAPSHOT])
    return {"snapshots": [rendering.snapshot(scene.model, each) for each in snapshots]}


def _asked(scene: Scene, volume_id: int | None, snapshot_id: int | None) -> Iterable[Snapshot]:
    snapshots = scene.model.snapshots
    volume = None if volume_id is None else scene.model.volumes.get(volume_id)
    if snapshot_id is not None:
        return [snapshots.get(snapshot_id) if volume is None else snapshots.get_of(volume, snapshot_id)]
    return snapshots.rows if volume is None else snapshots.of(volume)


def _modify(scene: Scene, given: Arguments) -> Json:
    snapshot = scene.model.snapshots.get(given[_SNAPSHOT])
    scene.model.snapshots.modify([snapshot], _change(scene, given))
    return {"snapshot": rendering.snapshot(scene.model, snapshot)}


def _delete(scene: Scene, given: Arguments) -> Json:
    scene.model.snapshots.delete(scene.model.snapshots.get(given[_SNAPSHOT]))
    return {}


def _roll_back(scene: Scene, given: Arguments) -> Json:
    saved = scene.model.snapshots.roll_back(given[_VOLUME], given[_SNAPSHOT], _saved_as(given))
    return {} if saved is None else _made(scene, saved)


def _create_group(scene: Scene, given: Arguments) -> Json:
    return _made_group(scene, scene.model.snapshots.create_group(given[_VOLUMES], _wish(scene, given)))


def _list_groups(scene: Scene, given: Arguments) -> Json:
    snapshots, wanted = scene.model.snapshots, given[_OF_VOLUMES]
    one = given[_ANY_GROUP]
    groups = snapshots.groups if one is None else [snapshots.get_group(one)]
    return {
        "groupSnapshots": [
            rendering.group_snapshot(scene.model, each)
            for each in groups
            if wanted is None or any(member.volume_id in wanted for member in snapshots.members(each))
        ]
    }


def _modify_group(scene: Scene, given: Arguments) -> Json:
    snapshots = scene.model.snapshots
    group = snapshots.get_group(given[_GROUP])
    snapshots.modify_group(group, _change(scene, given))
    return {"groupSnapshot": rendering.group_snapshot(scene.model, group)}


def _delete_group(scene: Scene, given: Arguments) -> Json:
    snapshots = scene.model.snapshots
    snapshots.delete_group(snapshots.get_group(given[_GROUP]), keeps_members=given[_SAVE_MEMBERS] or False)
    return {}


def _roll_back_group(scene: Scene, given: Arguments) -> Json:
    snapshots = scene.model.snapshots
    saved = snapshots.roll_back_group(snapshots.get_group(given[_GROUP]), _saved_as(given))
    return {} if saved is None else _made_group(scene, saved)


def _wish(scene: Scene, given: Arguments) -> SnapshotWish:
    _refuse_replication(given)
    return SnapshotWish(
        name=given[_NAME],
        attributes=none_is_empty(given[_ATTRIBUTES]),
        expires_at=_expiry(scene, given),
        label=given[_LABEL],
    )


def _change(scene: Scene, given: Arguments) -> SnapshotChange:
    _refuse_replication(given)
    return SnapshotChange(name=given[_NAME], expires_at=_expiry(scene, given), label=given[_LABEL])


def _saved_as(given: Arguments) -> SnapshotWish | None:
    """What the present state is kept as; clients that leave the choice out do not want it kept."""
    return SnapshotWish(given[_NAME], none_is_empty(given[_ATTRIBUTES])) if given[_SAVE_STATE] else None


def _expiry(scene: Scene, given: Arguments) -> datetime | None:
    moment, lasts = given[_EXPIRATION], given[_RETENTION]
    if moment is not None and lasts is not None:
        raise ApiError("xInvalidParameter", "member=[retention]: expected retention or expirationTime, not both")
    return moment if lasts is None else scene.model.now() + lasts


def _refuse_replication(given: Arguments) -> None:
    if given[_REPLICATE]:
        raise ApiError(
            "xVolumeNotPaired", "enableRemoteReplication: the volume is not paired with one on another array"
        )


def _made(scene: Scene, snapshot: Snapshot) -> Json:
    return {
        "snapshotID": snapshot.snapshot_id,
        "checksum": rendering.CHECKSUM,
        "snapshot": rendering.snapshot(scene.model, snapshot),
    }


def _made_group(scene: Scene, group: GroupSnapshot) -> Json:
    members = scene.model.snapshots.members(group)
    return {
        "groupSnapshotID": group.group_id,
        "groupSnapshot": rendering.group_snapshot(scene.model, group),
        "members": [
            {"snapshotID": each.snapshot_id, "volumeID": each.volume_id, "checksum": rendering.CHECKSUM}
            for each in members
        ],
    }


METHODS: Final = (
    Method("CreateSnapshot", _create, (_VOLUME, _ANY_SNAPSHOT, *_WISH)),
    Method("ListSnapshots", _list, (_OF_VOLUME, _ANY_SNAPSHOT)),
    Method("ModifySnapshot", _modify, (_SNAPSHOT, *_CHANGE)),
    Method("DeleteSnapshot", _delete, (_SNAPSHOT,)),
    Method("RollbackToSnapshot", _roll_back, (_VOLUME, _SNAPSHOT, *_ROLLBACK)),
    Method("CreateGroupSnapshot", _create_group, (_VOLUMES, *_WISH)),
    Method("ListGroupSnapshots", _list_groups, (_OF_VOLUMES, _ANY_GROUP)),
    Method("ModifyGroupSnapshot", _modify_group, (_GROUP, *_CHANGE)),
    Method("DeleteGroupSnapshot", _delete_group, (_GROUP, _SAVE_MEMBERS)),
    Method("RollbackToGroupSnapshot", _roll_back_group, (_GROUP, *_ROLLBACK)),
)
