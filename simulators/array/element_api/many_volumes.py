"""Methods that change several volumes at once: all of them or none."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.errors import ApiError
from simulators.array.element_api.method import Method
from simulators.array.element_api.parameters import Arguments, Json, integer, list_of, optional, required
from simulators.array.element_api.volumes import CHANGE, change_of
from simulators.array.limits import check_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulators.array.element_api.method import Scene
    from simulators.array.volume import Volume

_VOLUMES = required("volumeIDs", list_of(integer))
_BY_ID = optional("volumeIDs", list_of(integer))
_BY_ACCOUNT = optional("accountIDs", list_of(integer))
_BY_GROUP = optional("volumeAccessGroupIDs", list_of(integer))
_SELECTORS: Final = (_BY_ID, _BY_ACCOUNT, _BY_GROUP)


def _delete(scene: Scene, given: Arguments) -> Json:
    return _listed(scene.model.delete_volumes(_selected(scene, given, are_deleted=False)))


def _purge(scene: Scene, given: Arguments) -> Json:
    scene.model.purge_volumes(_selected(scene, given, are_deleted=True))
    return {}


def _modify(scene: Scene, given: Arguments) -> Json:
    _check(scene, given[_VOLUMES])
    return _listed(scene.model.volumes.modify_all(given[_VOLUMES], change_of(given)))


def _selected(scene: Scene, given: Arguments, *, are_deleted: bool) -> Sequence[int]:
    """Volumes named by exactly one selector. Of accounts and groups, those are meant that are in the right state."""
    if sum(given[each] is not None for each in _SELECTORS) != 1:
        names = ", ".join(each.name for each in _SELECTORS)
        raise ApiError("xInvalidParameter", f"expected exactly one of {names}")
    ids = given[_BY_ID]
    if ids is None:
        volumes = map(scene.model.volumes.get, dict.fromkeys(_of_owners(scene, given)))
        ids = [each.volume_id for each in volumes if each.is_deleted is are_deleted]
    _check(scene, ids)
    return ids


def _of_owners(scene: Scene, given: Arguments) -> Iterable[int]:
    accounts = [scene.model.accounts.get(each).volumes for each in given[_BY_ACCOUNT] or ()]
    groups = [scene.model.groups.get(each).volumes for each in given[_BY_GROUP] or ()]
    return chain.from_iterable([*accounts, *groups])


def _check(scene: Scene, ids: Sequence[int]) -> None:
    check_count(len(ids), scene.model.limits.volumes_per_call, "volumes per call.")


def _listed(volumes: Iterable[Volume]) -> Json:
    return {"volumes": [rendering.volume(each) for each in volumes]}


METHODS: Final = (
    Method("DeleteVolumes", _delete, _SELECTORS),
    Method("PurgeDeletedVolumes", _purge, _SELECTORS),
    Method("ModifyVolumes", _modify, (_VOLUMES, *CHANGE)),
)
