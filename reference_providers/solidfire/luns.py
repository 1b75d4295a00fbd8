"""LUNs of a store: finding, making, growing and removing them.

Element has no unique names, keeps deleted volumes until they are purged, and answers "the next volume" where
a client asks for one that is gone. So every LUN carries its store and its owner in `attributes`, and nothing
is touched that does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.contract import Conflict, DataStore, ObjectNotFound, StoreObject, VolumeRequest

from . import limits, names, room
from .element import Element, qos_params
from .objects import Lun


def find(element: Element, store: DataStore, target: StoreObject) -> Lun | None:
    """The target's LUN, if the array has it and it is not deleted."""
    found = [each for each in candidates(element, store, target) if not each.is_deleted]
    return found[0] if found else None


def get(element: Element, store: DataStore, target: StoreObject) -> Lun:
    """As `find`; an absent one is `ObjectNotFound`."""
    lun = find(element, store, target)
    if lun is None:
        raise ObjectNotFound("volume", target.external_id or target.uuid)
    return lun


def candidates(element: Element, store: DataStore, target: StoreObject) -> Sequence[Lun]:
    """The LUN of that id, or those of that owner: one, unless a create was overtaken. Deleted ones too."""
    if target.external_id is None:
        return namesakes(element, store, target.uuid)
    if not (target.external_id.isascii() and target.external_id.isdecimal()):
        return ()
    lun = element.find_lun(int(target.external_id))
    return (lun,) if lun is not None and is_of(lun, store, target.uuid) else ()


def namesakes(element: Element, store: DataStore, uuid: str) -> Sequence[Lun]:
    """LUNs of that owner in this store, oldest first."""
    named = element.luns_named(names.of_volume(uuid))
    return sorted((each for each in named if is_of(each, store, uuid)), key=lambda each: each.lun_id)


def is_of(lun: Lun, store: DataStore, uuid: str) -> bool:
    """Whether this plugin made it for that volume of that store."""
    return _is_of_store(lun, store.request.uuid) and lun.owner_uuid == uuid


def of_store(element: Element, store_uuid: str, account_id: int) -> Sequence[Lun]:
    """All LUNs that this plugin made for a store, deleted ones too."""
    return [each for each in element.luns_of(account_id) if _is_of_store(each, store_uuid)]


def create(
    element: Element,
    store: DataStore,
    account_id: int,
    request: VolumeRequest,
    lun_bytes: int,
    more_marks: Mapping[str, str],
) -> Lun:
    """The volume's LUN; one that is there already must be what is asked. Call this under the store's lock."""
    kept = _kept(element, store, request)
    if kept is not None:
        _check_same(kept, request)
        return kept
    qos = limits.qos_of_new(request.qos)
    room.check(element, store, account_id, more_bytes=lun_bytes, more_iops=qos.min_iops or 0)
    marks = {**_marks(store, request), **more_marks}
    element.create_lun(names.of_volume(request.uuid), account_id, lun_bytes, qos_params(qos), marks)
    # Not simply what the call answered: networks deliver a request twice, and each time it makes a LUN.
    made = _kept(element, store, request)
    if made is None:
        raise ObjectNotFound("volume", request.uuid)
    return made


def remove(element: Element, lun: Lun) -> None:
    """Delete and purge; either may have happened before."""
    if not lun.is_deleted:
        element.delete_lun(lun.lun_id)
    element.purge_lun(lun.lun_id)


def _kept(element: Element, store: DataStore, request: VolumeRequest) -> Lun | None:
    found = namesakes(element, store, request.uuid)
    active = [each for each in found if not each.is_deleted]
    # What is left over: deletes that did not get to the purge, and creates that were overtaken by their
    # repetition.
    for each in found:
        if each.is_deleted or each not in active[:1]:
            remove(element, each)
    return active[0] if active else None


def _check_same(lun: Lun, request: VolumeRequest) -> None:
    for field, asked in _asked(request).items():
        existing = lun.attributes.get(field)
        if existing != asked:
            raise Conflict(request.uuid, field.removeprefix("asked_"), existing, asked)


def _marks(store: DataStore, request: VolumeRequest) -> dict[str, object]:
    return {**names.store_mark(store.request.uuid), "owner": request.uuid, **_asked(request)}


def _asked(request: VolumeRequest) -> dict[str, str]:
    # What was asked, not what came of it: sizes are rounded, and both change later.
    qos = request.qos
    return {
        "asked_size_bytes": str(request.size_bytes),
        "asked_qos": f"{qos.min_iops}/{qos.max_iops}/{qos.burst_iops}",
    }


def _is_of_store(lun: Lun, store_uuid: str) -> bool:
    return names.is_ours(lun.attributes) and lun.attributes.get("store") == store_uuid
