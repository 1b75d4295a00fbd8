"""Methods for initiators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.method import LIMIT, Method, page, start_at
from simulators.array.element_api.parameters import Arguments, Json, integer, list_of, optional, required
from simulators.array.element_api.values import changed_initiator, new_initiator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.array.element_api.method import Scene
    from simulators.array.initiators import Initiator

_NEW = required("initiators", list_of(new_initiator))
_CHANGED = required("initiators", list_of(changed_initiator))
_START = start_at("startInitiatorID")
_IDS = required("initiators", list_of(integer))
_ANY_IDS = optional("initiators", list_of(integer))


def _list(scene: Scene, given: Arguments) -> Json:
    return {"initiators": [rendering.initiator(each) for each in page(_asked(scene, given), given)]}


def _asked(scene: Scene, given: Arguments) -> Iterator[Initiator]:
    asked, start = given[_ANY_IDS], given[_START] or 0
    if asked is None:
        return scene.model.initiators.rows.starting_at(start)
    found = map(scene.model.initiators.rows.find, sorted(set(asked)))
    return (each for each in found if each is not None and each.initiator_id >= start)


def _create(scene: Scene, given: Arguments) -> Json:
    made = scene.model.groups.create_initiators(given[_NEW])
    return {"initiators": [rendering.initiator(each) for each in made]}


def _modify(scene: Scene, given: Arguments) -> Json:
    changed = scene.model.groups.modify_initiators(given[_CHANGED])
    return {"initiators": [rendering.initiator(each) for each in changed]}


def _delete(scene: Scene, given: Arguments) -> Json:
    scene.model.groups.delete_initiators(given[_IDS])
    return {}


METHODS: Final = (
    Method("ListInitiators", _list, (_START, LIMIT, _ANY_IDS)),
    Method("CreateInitiators", _create, (_NEW,)),
    Method("ModifyInitiators", _modify, (_CHANGED,)),
    Method("DeleteInitiators", _delete, (_IDS,)),
)
