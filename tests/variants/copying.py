"""Plugins for arrays that clone snapshots only: a volume is cloned by way of one that is taken for that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from conformance.contract import (
    CachedTemplate,
    Created,
    DataStore,
    ObjectKind,
    OwnedObject,
    Placement,
    ProviderError,
    Snapshot,
    SnapshotRequest,
    StoreObject,
    Volume,
    VolumeRequest,
)
from reference_providers import solidfire
from reference_providers.solidfire import luns, snapshots
from reference_providers.solidfire.copies import LunSnapshot
from tests.variants.own_calls import OwnCalls
from tests.variants.wrapping import Variant

_OWN: Final = "own-"
"""Before the owner of a snapshot that the plugin has for itself."""


class OwnSnapshots(OwnCalls):
    """Snapshots that the plugin takes for itself."""

    def taken(self, store: DataStore, source: StoreObject, uuid: str) -> Snapshot:
        """The snapshot of the source by that uuid, taken unless it is there."""
        request = SnapshotRequest(f"{_OWN}{uuid}", "the plugin's own")
        element = self.element(store)
        with self.arrays.lock_of_volume(source.uuid):
            lun = luns.get(element, store, source)
            kept = snapshots._take(element, store, lun, request, {})
        return Snapshot(request, source.uuid, str(lun.lun_id), kept.external_id, kept.size_bytes)

    def has(self, store: DataStore, uuid: str) -> bool:
        """Whether there is a snapshot by that uuid."""
        kept = snapshots.of_store(self.element(store), store.request.uuid)
        return any(each.owner_uuid == f"{_OWN}{uuid}" for each in kept)

    def dropped(self, store: DataStore, is_meant: Callable[[LunSnapshot], bool]) -> None:
        """Remove those that are meant."""
        for each in snapshots.of_store(self.element(store), store.request.uuid):
            if each.owner_uuid.startswith(_OWN) and is_meant(each):
                self.element(store).copies.delete_snapshot(each.snapshot_id)


def by_way_of_snapshots(connect: Any) -> Variant:
    """Clones a volume in three steps: take a snapshot, copy it, remove it."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnSnapshots(plugin._arrays)

    def cloned(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return _cloned(own, method, *arguments)

    def deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, volume = arguments
        lun = luns.find(own.element(store), store, volume)
        lun_id = lun.lun_id if lun is not None else None
        # What a clone left that was cut off: of this volume, or for it.
        own.dropped(store, lambda each: each.lun_id == lun_id or each.owner_uuid.startswith(f"{_OWN}{volume.uuid} of "))
        return method(*arguments)

    around = {"clone": cloned, "delete": deleted, "list_objects": _without_own}
    return Variant(plugin, {"name": "by-way-of-snapshots"}, driver=own.resumed(around))


def _cloned(
    own: OwnSnapshots,
    method: Callable[..., Created],
    store: DataStore,
    request: VolumeRequest,
    placement: Placement,
    source: StoreObject,
) -> Created:
    if not isinstance(source, Volume):
        return method(store, request, placement, source)
    uuid = f"{request.uuid} of {source.uuid}"
    made = luns.find(own.element(store), store, Volume(request, None, request.size_bytes))
    if made is not None:
        # What is there needs no source any more.
        gone = Snapshot(SnapshotRequest(f"{_OWN}{uuid}", "gone"), source.uuid, "", None, source.size_bytes)
        return method(store, request, placement, gone)
    taken = own.taken(store, source, uuid)
    try:
        return method(store, request, placement, taken)
    finally:
        with suppress(ProviderError):
            own.dropped(store, lambda each: each.owner_uuid == taken.uuid)


def templates_as_snapshots(connect: Any) -> Variant:
    """Keeps a template as a snapshot of the LUN that the cloud filled, and clones that."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnSnapshots(plugin._arrays)

    def cloned(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, request, placement, source = arguments
        if not isinstance(source, CachedTemplate):
            return method(*arguments)
        if _is_there(own, store, request):
            kept = SnapshotRequest(f"{_OWN}{source.uuid}", "kept")
            return method(store, request, placement, Snapshot(kept, source.uuid, "", None, source.size_bytes))
        was_there = own.has(store, source.uuid)
        try:
            return method(store, request, placement, own.taken(store, source, source.uuid))
        except ProviderError:
            if not was_there:
                own.dropped(store, lambda each: each.owner_uuid == f"{_OWN}{source.uuid}")
            raise

    def deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, cached = arguments
        own.dropped(store, lambda each: each.owner_uuid == f"{_OWN}{cached.uuid}")
        return method(*arguments)

    around = {"clone": cloned, "delete_template": deleted, "list_objects": _without_own}
    return Variant(plugin, {"name": "templates-as-snapshots"}, driver=own.resumed(around))


def _is_there(own: OwnSnapshots, store: DataStore, request: VolumeRequest) -> bool:
    return luns.find(own.element(store), store, Volume(request, None, request.size_bytes)) is not None


def _without_own(method: Callable[..., Any], arguments: tuple[Any, ...]) -> list[OwnedObject]:
    return [
        each
        for each in method(*arguments)
        if each.kind is not ObjectKind.SNAPSHOT or not each.owner_uuid.startswith(_OWN)
    ]
