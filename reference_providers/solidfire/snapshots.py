"""Snapshots: taken, found again, removed; and what a volume's snapshots mean for deleting it.

Snapshots have no unique names either, so each carries its store and its owner in `attributes`, and a request
that was delivered twice is found by looking again. The array lists snapshots by LUN or all together: a
snapshot is looked for on its own volume.

Purging a LUN takes its snapshots with it. A cloud that deletes a volume still offers its snapshots to its
users, so a volume that has any is not deleted (`delete_with_snapshots` refused): whoever wants them gone says
so. Snapshots that others have made, by hand or on a schedule, are somebody's data just as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from conformance.contract import (
    Capability,
    CapabilityNotSupported,
    Created,
    DataStore,
    InUse,
    ObjectNotFound,
    Snapshot,
    SnapshotRequest,
    Unsupported,
    Volume,
)

from . import luns, names
from .arrays import OnArrays
from .copies import LunSnapshot
from .element import Element
from .objects import Lun
from .resume import resumable

QUIESCED: Final = Unsupported("the array knows nothing of file systems")


class SnapshotMethods(OnArrays):
    """`SnapshotDriver`."""

    def take_snapshot(self, store: DataStore, volume: Volume, request: SnapshotRequest, *, quiesced: bool) -> Created:
        made = self.keep_lun(store, volume, request, {}, quiesced=quiesced)
        return Created(made.external_id, made.size_bytes)

    @resumable
    def keep_lun(
        self,
        store: DataStore,
        volume: Volume,
        request: SnapshotRequest,
        marks: Mapping[str, str],
        *,
        quiesced: bool,
    ) -> LunSnapshot:
        """Take a snapshot; `marks` are kept with it."""
        if quiesced:
            raise CapabilityNotSupported(Capability.QUIESCED_SNAPSHOT, QUIESCED.reason)
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_volume(volume.uuid):
            return _take(element, store, luns.get(element, store, volume), request, marks)

    @resumable
    def delete_snapshot(self, store: DataStore, snapshot: Snapshot) -> None:
        element = self._arrays.of(store.request)
        for each in _candidates(element, store, snapshot):
            element.copies.delete_snapshot(each.snapshot_id)


def get(element: Element, store: DataStore, snapshot: Snapshot) -> LunSnapshot:
    """The snapshot on the array; an absent one is `ObjectNotFound`."""
    found = _candidates(element, store, snapshot)
    if not found:
        raise ObjectNotFound("snapshot", snapshot.external_id or snapshot.uuid)
    return found[0]


def of_store(element: Element, store_uuid: str) -> Sequence[LunSnapshot]:
    """All that this plugin took for a store."""
    return [each for each in element.copies.snapshots() if names.is_of_store(each.attributes, store_uuid)]


def check_none(element: Element, lun: Lun) -> None:
    """Refuse to delete a LUN that has snapshots, whoever took them."""
    kept = element.copies.snapshots_of(lun.lun_id)
    if kept:
        users = (f"snapshot {each.owner_uuid or each.external_id}" for each in kept)
        raise InUse(lun.external_id, tuple(users))


def _take(
    element: Element, store: DataStore, lun: Lun, request: SnapshotRequest, more_marks: Mapping[str, str]
) -> LunSnapshot:
    kept = _kept(element, store, lun, request)
    if kept is not None:
        return kept
    marks = {**names.store_mark(store.request.uuid), "owner": request.uuid, **more_marks}
    element.copies.take_snapshot(lun.lun_id, names.of_snapshot(request.uuid), marks)
    # Not simply what the call answered: one that was delivered twice has taken two.
    made = _kept(element, store, lun, request)
    if made is None:
        raise ObjectNotFound("snapshot", request.uuid)
    return made


def _kept(element: Element, store: DataStore, lun: Lun, request: SnapshotRequest) -> LunSnapshot | None:
    found = [each for each in element.copies.snapshots_of(lun.lun_id) if _is_of(each, store, request.uuid)]
    for each in found[1:]:
        element.copies.delete_snapshot(each.snapshot_id)
    return found[0] if found else None


def _candidates(element: Element, store: DataStore, snapshot: Snapshot) -> Sequence[LunSnapshot]:
    """The snapshot of that id, or those of that owner: one, unless a request was delivered twice."""
    if snapshot.external_id is None:
        found = _where_it_was_taken(element, snapshot)
    else:
        number = names.number_in(snapshot.external_id)
        by_id = None if number is None else element.copies.snapshot(number)
        found = () if by_id is None else (by_id,)
    return [each for each in found if _is_of(each, store, snapshot.uuid)]


def _where_it_was_taken(element: Element, snapshot: Snapshot) -> Sequence[LunSnapshot]:
    lun_id = names.number_in(snapshot.volume_external_id)
    return element.copies.snapshots() if lun_id is None else element.copies.snapshots_of(lun_id)


def _is_of(each: LunSnapshot, store: DataStore, uuid: str) -> bool:
    return names.is_of_store(each.attributes, store.request.uuid) and each.owner_uuid == uuid
