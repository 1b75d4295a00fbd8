"""Methods for volume access groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.errors import ApiError
from simulators.array.element_api.method import LIMIT, Method, page, start_at
from simulators.array.element_api.parameters import (
    Arguments,
    Json,
    boolean,
    integer,
    list_of,
    mapping,
    optional,
    required,
    text,
)
from simulators.array.element_api.values import attributes, initiator_reference, no_networks
from simulators.array.groups import GroupChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.array.element_api.method import Scene
    from simulators.array.groups import Group

_GROUP = required("volumeAccessGroupID", integer)
_NAME = required("name", text)
_NEW_NAME = optional("name", text)
_INITIATORS = required("initiators", list_of(initiator_reference))
_ANY_INITIATORS = optional("initiators", list_of(initiator_reference))
_VOLUMES = required("volumes", list_of(integer))
_ANY_VOLUMES = optional("volumes", list_of(integer))
_ATTRIBUTES = optional("attributes", attributes)
_DELETE_ORPHANS = optional("deleteOrphanInitiators", boolean)
_START_GROUP = start_at("startVolumeAccessGroupID")
_NETWORKS = optional("virtualNetworkID", no_networks)
_VOLUME = required("volumeID", integer)
_LUN = required("lun", integer)


def _lun_assignment(given: object) -> Arguments:
    return Arguments(mapping(given), (_VOLUME, _LUN))


_LUNS = required("lunAssignments", list_of(_lun_assignment))
_GROUPS = optional("volumeAccessGroups", list_of(integer))


def _create(scene: Scene, given: Arguments) -> Json:
    wanted = GroupChange(
        name=given[_NAME],
        initiators=given[_ANY_INITIATORS],
        volumes=given[_ANY_VOLUMES],
        attributes=given[_ATTRIBUTES],
    )
    group = scene.model.groups.create(wanted)
    return {"volumeAccessGroupID": group.group_id, **_shown(scene, group)}


def _modify(scene: Scene, given: Arguments) -> Json:
    change = GroupChange(
        name=given[_NEW_NAME],
        initiators=given[_ANY_INITIATORS],
        volumes=given[_ANY_VOLUMES],
        attributes=given[_ATTRIBUTES],
        deletes_orphans=given[_DELETE_ORPHANS] or False,
    )
    return _shown(scene, scene.model.groups.modify(given[_GROUP], change))


def _delete(scene: Scene, given: Arguments) -> Json:
    scene.model.groups.delete(given[_GROUP], deletes_orphans=given[_DELETE_ORPHANS] or False)
    return {}


def _list(scene: Scene, given: Arguments) -> Json:
    asked = given[_GROUPS]
    missing = [each for each in asked or () if scene.model.groups.rows.find(each) is None]
    groups = page(_asked_groups(scene, given), given)
    return {
        "volumeAccessGroups": [rendering.group(scene.model, each) for each in groups],
        "volumeAccessGroupsNotFound": missing,
    }


def _asked_groups(scene: Scene, given: Arguments) -> Iterator[Group]:
    asked, start = given[_GROUPS], given[_START_GROUP] or 0
    if asked is None:
        return scene.model.groups.rows.starting_at(start)
    found = map(scene.model.groups.rows.find, sorted(set(asked)))
    return (each for each in found if each is not None and each.group_id >= start)


def _add_initiators(scene: Scene, given: Arguments) -> Json:
    return _shown(scene, scene.model.groups.add_initiators(given[_GROUP], given[_INITIATORS]))


def _remove_initiators(scene: Scene, given: Arguments) -> Json:
    group = scene.model.groups.remove_initiators(
        given[_GROUP], given[_INITIATORS], deletes_orphans=given[_DELETE_ORPHANS] or False
    )
    return _shown(scene, group)


def _add_volumes(scene: Scene, given: Arguments) -> Json:
    return _shown(scene, scene.model.groups.add_volumes(given[_GROUP], given[_VOLUMES]))


def _remove_volumes(scene: Scene, given: Arguments) -> Json:
    return _shown(scene, scene.model.groups.remove_volumes(given[_GROUP], given[_VOLUMES]))


def _shown(scene: Scene, group: Group) -> Json:
    return {"volumeAccessGroup": rendering.group(scene.model, group)}


def _get_luns(scene: Scene, given: Arguments) -> Json:
    return _luns(scene, scene.model.groups.get(given[_GROUP]))


def _modify_luns(scene: Scene, given: Arguments) -> Json:
    numbers = {each[_VOLUME]: each[_LUN] for each in given[_LUNS]}
    if len(numbers) < len(given[_LUNS]):
        raise ApiError("xInvalidParameter", "member=[lunAssignments]: expected each volumeID once")
    return _luns(scene, scene.model.groups.number_luns(given[_GROUP], numbers))


def _luns(scene: Scene, group: Group) -> Json:
    numbers: dict[bool, list[Json]] = {False: [], True: []}
    for volume_id, number in group.volumes.items():
        numbers[scene.model.volumes.get(volume_id).is_deleted].append({"volumeID": volume_id, "lun": number})
    return {
        "volumeAccessGroupLunAssignments": {
            "volumeAccessGroupID": group.group_id,
            "lunAssignments": numbers[False],
            "deletedLunAssignments": numbers[True],
        }
    }


_CONTENT: Final = (_ANY_INITIATORS, _ANY_VOLUMES, _ATTRIBUTES, _NETWORKS)

METHODS: Final = (
    Method("CreateVolumeAccessGroup", _create, (_NAME, *_CONTENT)),
    Method("ListVolumeAccessGroups", _list, (_START_GROUP, LIMIT, _GROUPS)),
    Method("ModifyVolumeAccessGroup", _modify, (_GROUP, _NEW_NAME, *_CONTENT, _DELETE_ORPHANS)),
    Method("DeleteVolumeAccessGroup", _delete, (_GROUP, _DELETE_ORPHANS)),
    Method("AddInitiatorsToVolumeAccessGroup", _add_initiators, (_GROUP, _INITIATORS)),
    Method("RemoveInitiatorsFromVolumeAccessGroup", _remove_initiators, (_GROUP, _INITIATORS, _DELETE_ORPHANS)),
    Method("AddVolumesToVolumeAccessGroup", _add_volumes, (_GROUP, _VOLUMES)),
    Method("RemoveVolumesFromVolumeAccessGroup", _remove_volumes, (_GROUP, _VOLUMES)),
    Method("GetVolumeAccessGroupLunAssignments", _get_luns, (_GROUP,)),
    Method("ModifyVolumeAccessGroupLunAssignments", _modify_luns, (_GROUP, _LUNS)),
)
