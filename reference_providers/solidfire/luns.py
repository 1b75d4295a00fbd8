"""LUNs of a store: finding, making, growing and removing them.

Element has no unique names, keeps deleted volumes until they are purged, and answers "the next volume" where
a client asks for one that is gone. So every LUN carries its store and its owner in `attributes`, and nothing
is touched that does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conformance.contract import (
    CachedTemplate,
    Conflict,
    DataStore,
    ObjectKind,
    ObjectNotFound,
    Snapshot,
    StoreObject,
    VolumeRequest,
)

from . import limits, names, room, tenants
from .element import Element, qos_params
from .objects import Lun


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new LUN is for: a volume, or a template; `source` is what it holds from the start, or is to hold."""

    request: VolumeRequest
    kind: ObjectKind = ObjectKind.VOLUME
    source: str = ""

    @property
    def name(self) -> str:
        """The LUN's."""
        return _name(self.request.uuid, self.kind)


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
    if isinstance(target, Snapshot):
        return ()
    kind = ObjectKind.TEMPLATE if isinstance(target, CachedTemplate) else ObjectKind.VOLUME
    if target.external_id is None:
        return namesakes(element, store, target.uuid, kind)
    number = names.number_in(target.external_id)
    lun = None if number is None else element.find_lun(number)
    return (lun,) if lun is not None and is_of(lun, store, target.uuid, kind) else ()


def namesakes(element: Element, store: DataStore, uuid: str, kind: ObjectKind = ObjectKind.VOLUME) -> Sequence[Lun]:
    """LUNs of that owner in this store, oldest first."""
    named = element.luns_named(_name(uuid, kind))
    return sorted((each for each in named if is_of(each, store, uuid, kind)), key=lambda each: each.lun_id)


def is_of(lun: Lun, store: DataStore, uuid: str, kind: ObjectKind) -> bool:
    """Whether this plugin made it for that volume or template of that store."""
    return names.is_of_store(lun.attributes, store.request.uuid) and (lun.owner_uuid, lun.kind) == (uuid, kind)


def of_store(element: Element, store_uuid: str) -> Sequence[Lun]:
    """All LUNs that this plugin made for a store, deleted ones too."""
    found = element.luns_of(tenants.ids_of(element, store_uuid))
    return [each for each in found if names.is_of_store(each.attributes, store_uuid)]


def create(
    element: Element,
    store: DataStore,
    wanted: Wanted,
    lun_bytes: int,
    more_marks: Mapping[str, str],
) -> Lun:
    """The LUN that is wanted; one that is there already must be the same. Call this under the store's lock."""
    found = kept(element, store, wanted)
    if found is not None:
        check_same(found, wanted)
        return found
    qos = limits.qos_of_new(wanted.request.qos)
    room.check(element, store, more_bytes=lun_bytes, more_iops=qos.min_iops or 0)
    attributes = {**marks(store, wanted), **more_marks}
    with tenants.account_of(element, store, wanted.request.tenant) as account_id:
        element.create_lun(wanted.name, account_id, lun_bytes, qos_params(qos), attributes)
    # Not simply what the call answered: networks deliver a request twice, and each time it makes a LUN.
    made = kept(element, store, wanted)
    if made is None:
        raise ObjectNotFound(wanted.kind, wanted.request.uuid)
    return made


def remove(element: Element, lun: Lun) -> None:
    """Delete and purge; either may have happened before."""
    if not lun.is_deleted:
        element.delete_lun(lun.lun_id)
    element.purge_lun(lun.lun_id)


def kept(element: Element, store: DataStore, wanted: Wanted) -> Lun | None:
    """The LUN of that owner, after clearing away all others of the same owner."""
    found = namesakes(element, store, wanted.request.uuid, wanted.kind)
    active = [each for each in found if not each.is_deleted]
    # What is left over: deletes that did not get to the purge, and creates that were overtaken by their
    # repetition.
    for each in found:
        if each.is_deleted or each not in active[:1]:
            remove(element, each)
    return active[0] if active else None


def check_same(lun: Lun, wanted: Wanted) -> None:
    """Refuse what is asked under the uuid of a LUN that was made for another request."""
    for field, asked in _asked(wanted).items():
        existing = lun.attributes.get(field, "")
        if existing != asked:
            raise Conflict(wanted.request.uuid, field.removeprefix("asked_"), existing, asked)


def marks(store: DataStore, wanted: Wanted) -> dict[str, object]:
    """`attributes` of the LUN."""
    given = {name: value for name, value in _asked(wanted).items() if value}
    kind = {} if wanted.kind is ObjectKind.VOLUME else {"kind": str(wanted.kind)}
    return {**names.store_mark(store.request.uuid), "owner": wanted.request.uuid, **kind, **given}


def _asked(wanted: Wanted) -> dict[str, str]:
    # What was asked, not what came of it: sizes are rounded, and both change later.
    qos = wanted.request.qos
    return {
        "asked_size_bytes": str(wanted.request.size_bytes),
        "asked_qos": f"{qos.min_iops}/{qos.max_iops}/{qos.burst_iops}",
        "source": wanted.source,
    }


def _name(uuid: str, kind: ObjectKind) -> str:
    return names.of_template(uuid) if kind is ObjectKind.TEMPLATE else names.of_volume(uuid)
