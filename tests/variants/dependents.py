"""Plugins for arrays on which snapshots and clones hang together with their sources otherwise.

Element's snapshots go with their volume and its clones stand alone; what these arrays do of themselves, the plugins
here do by calls of their own, and remember in the attributes of the LUNs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    DataStore,
    DeleteWithDependents,
    InUse,
    ObjectKind,
    OwnedObject,
    RevertScope,
    Snapshot,
    Tenant,
    Traits,
    Volume,
)
from reference_providers import solidfire
from reference_providers.solidfire import access, luns, names, snapshots, tenants
from reference_providers.solidfire.copies import LunSnapshot, Origin
from reference_providers.solidfire.element import qos_params
from reference_providers.solidfire.objects import Lun
from tests.variants.own_calls import OwnCalls
from tests.variants.wrapping import Around, Variant

_PARKED: Final = "parked-"
"""Before the owner of a LUN that is deleted for the cloud and kept for its dependents."""


_DROPPED: Final = "dropped"


def _dropped(lun: Lun) -> list[str]:
    return str(lun.attributes.get(_DROPPED, "")).split()


class Dependents(OwnCalls):
    """What hangs on the LUNs of a store."""

    def luns_of(self, store: DataStore) -> Sequence[Lun]:
        """The store's LUNs, those that are deleted and purged not among them."""
        return [each for each in luns.of_store(self.element(store), store.request.uuid) if not each.is_deleted]

    def clones_of(self, store: DataStore, kind: str, uuid: str) -> Sequence[Lun]:
        """LUNs that were cloned from it."""
        return [each for each in self.luns_of(store) if each.attributes.get("source") == f"{kind} {uuid}"]

    def parked(self, store: DataStore) -> Sequence[Lun]:
        """LUNs that the cloud deleted."""
        return [each for each in self.luns_of(store) if each.owner_uuid.startswith(_PARKED)]

    def park(self, store: DataStore, lun: Lun, tenant: Tenant) -> None:
        """Delete a LUN for the cloud only."""
        noted = {**lun.attributes, "owner": f"{_PARKED}{lun.owner_uuid}", "tenant": tenant.uuid}
        self.element(store).set_lun_qos(lun.lun_id, qos_params(lun.qos), noted)

    def drop_later(self, store: DataStore, uuid: str) -> None:
        """Delete a snapshot for the cloud only: that is noted with its LUN."""
        element = self.element(store)
        for each in snapshots.of_store(element, store.request.uuid):
            lun = element.find_lun(each.lun_id) if each.owner_uuid == uuid else None
            if lun is not None:
                noted = {**lun.attributes, _DROPPED: " ".join({*_dropped(lun), uuid})}
                element.set_lun_qos(lun.lun_id, qos_params(lun.qos), noted)

    def dropped(self, store: DataStore) -> set[str]:
        """Uuids of the snapshots that the cloud deleted and that are there."""
        return {uuid for each in self.luns_of(store) for uuid in _dropped(each)}

    def sweep(self, store: DataStore) -> None:
        """Remove what is dropped or parked and has nothing any more that needs it; that may free another."""
        copies = self.element(store).copies
        free_snapshots = {uuid for uuid in self.dropped(store) if not self.clones_of(store, "snapshot", uuid)}
        for each in snapshots.of_store(self.element(store), store.request.uuid) if free_snapshots else ():
            if each.owner_uuid in free_snapshots:
                copies.delete_snapshot(each.snapshot_id)
        while free := [each for each in self.parked(store) if not self._is_needed(store, each)]:
            for lun in free:
                luns.remove(self.element(store), lun)
                tenant = Tenant(str(lun.attributes["tenant"]), "whoever it was")
                with self._arrays.lock_of_store(store.request):
                    tenants.drop_unused(self.element(store), store, tenant)

    def _is_needed(self, store: DataStore, lun: Lun) -> bool:
        uuid = lun.owner_uuid.removeprefix(_PARKED)
        kept = self.element(store).copies.snapshots_of(lun.lun_id)
        return bool(kept or self.clones_of(store, "volume", uuid))

    def lun_of(self, store: DataStore, volume: Volume) -> Lun | None:
        """The volume's LUN, which no host has; `InUse` while one has."""
        lun = luns.find(self.element(store), store, volume)
        if lun is not None:
            access.check_not_granted(self.element(store), lun)
        return lun


def _made(connect: Any, name: str, around: Callable[[Dependents], dict[str, Around]], **traits: Any) -> Variant:
    plugin = solidfire.PROVIDER(connect=connect)
    declared: Traits = replace(plugin.traits, **traits)
    dependents = Dependents(plugin._arrays)
    return Variant(plugin, {"name": name, "traits": declared}, driver=dependents.resumed(around(dependents)))


def refusing(connect: Any) -> Variant:
    """Nothing goes while something was made of it: neither a volume nor a snapshot that has clones."""

    def around(dependents: Dependents) -> dict[str, Around]:
        def kept(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            store, source = arguments
            clones = dependents.clones_of(store, type(source).__name__.lower(), source.uuid)
            if clones:
                raise InUse(source.external_id or source.uuid, tuple(f"volume {each.owner_uuid}" for each in clones))
            return method(*arguments)

        return {"delete": kept, "delete_snapshot": kept}

    return _made(connect, "refusing", around, source_delete_with_clones=DeleteWithDependents.REFUSED)


def cascading(connect: Any) -> Variant:
    """A volume's snapshots go with it."""

    def around(dependents: Dependents) -> dict[str, Around]:
        def deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            store, volume = arguments
            lun = dependents.lun_of(store, volume)
            copies = dependents.element(store).copies
            for each in copies.snapshots_of(lun.lun_id) if lun is not None else ():
                copies.delete_snapshot(each.snapshot_id)
            return method(*arguments)

        return {"delete": deleted}

    return _made(connect, "cascading", around, delete_with_snapshots=DeleteWithDependents.CASCADES)


def deferring(connect: Any) -> Variant:
    """What has snapshots or clones is gone for the cloud, and on the array when the last of them is."""

    def around(dependents: Dependents) -> dict[str, Around]:
        def deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            store, volume = arguments
            lun = dependents.lun_of(store, volume)
            if lun is not None and _has_dependents(dependents, store, lun):
                dependents.park(store, lun, volume.request.tenant)
            else:
                method(*arguments)
            dependents.sweep(store)

        def snapshot_deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            store, snapshot = arguments
            if dependents.clones_of(store, "snapshot", snapshot.uuid):
                dependents.drop_later(store, snapshot.uuid)
            else:
                method(*arguments)
            dependents.sweep(store)

        def told(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            dropped = dependents.dropped(arguments[0])
            return [each for each in _without_parked(method, arguments) if each.owner_uuid not in dropped]

        return {"delete": deleted, "delete_snapshot": snapshot_deleted, "list_objects": told}

    deferred = DeleteWithDependents.DEFERRED
    return _made(connect, "deferring", around, delete_with_snapshots=deferred, source_delete_with_clones=deferred)


def _has_dependents(dependents: Dependents, store: DataStore, lun: Lun) -> bool:
    kept = dependents.element(store).copies.snapshots_of(lun.lun_id)
    return bool(kept or dependents.clones_of(store, "volume", lun.owner_uuid))


def _without_parked(method: Callable[..., Any], arguments: tuple[Any, ...]) -> list[OwnedObject]:
    return [each for each in method(*arguments) if not each.owner_uuid.startswith(_PARKED)]


def independent(connect: Any) -> Variant:
    """Snapshots stand alone once their volume goes: each moves to a LUN of its own, and keeps its id for the cloud."""

    def around(dependents: Dependents) -> dict[str, Around]:
        def deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            store, volume = arguments
            lun = dependents.lun_of(store, volume)
            for each in dependents.element(store).copies.snapshots_of(lun.lun_id) if lun is not None else ():
                _moved(dependents, store, each)
            return method(*arguments)

        def snapshot_deleted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            method(*arguments)
            dependents.sweep(arguments[0])

        def by_uuid(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            return method(*(_nameless(each) for each in arguments))

        return {
            "delete": deleted,
            "delete_snapshot": lambda method, arguments: snapshot_deleted(
                method, tuple(_nameless(each) for each in arguments)
            ),
            "clone": by_uuid,
            "revert": by_uuid,
            "list_objects": lambda method, arguments: [_named(each) for each in _without_parked(method, arguments)],
            "take_snapshot": lambda method, arguments: replace(method(*arguments), external_id=arguments[2].uuid),
        }

    return _made(connect, "independent", around, delete_with_snapshots=DeleteWithDependents.INDEPENDENT)


def _nameless(each: Any) -> Any:
    """Snapshots are found by their owner, wherever they are by now."""
    return replace(each, external_id=None, volume_external_id="") if isinstance(each, Snapshot) else each


def _named(each: OwnedObject) -> OwnedObject:
    return replace(each, external_id=each.owner_uuid) if each.kind is ObjectKind.SNAPSHOT else each


def _moved(dependents: Dependents, store: DataStore, kept: LunSnapshot) -> None:
    """Copy a snapshot to a parked LUN, and drop it where it was; what is done of that is not done again."""
    element = dependents.element(store)
    name, marks = names.of_volume(f"{_PARKED}{kept.owner_uuid}"), names.store_mark(store.request.uuid)
    holder = {**marks, "owner": f"{_PARKED}{kept.owner_uuid}", "tenant": tenants.NO_TENANT}
    if not element.luns_named(name):
        origin = Origin(kept.lun_id, kept.snapshot_id, kept.size_bytes)
        element.copies.clone(origin, name, int(store.details["account_id"]), kept.size_bytes, holder)
    lun = element.luns_named(name)[0]
    while not lun.is_ready:
        lun = element.luns_named(name)[0]
    if not element.copies.snapshots_of(lun.lun_id):
        element.copies.take_snapshot(lun.lun_id, names.of_snapshot(kept.owner_uuid), kept.attributes)
    element.copies.delete_snapshot(kept.snapshot_id)


def discarding_newer(connect: Any) -> Variant:
    """What came after the snapshot that a volume is reverted to is gone with the revert."""

    def around(dependents: Dependents) -> dict[str, Around]:
        def reverted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            method(*arguments)
            store, volume, snapshot = arguments
            element = dependents.element(store)
            kept = snapshots.get(element, store, snapshot)
            for each in element.copies.snapshots_of(luns.get(element, store, volume).lun_id):
                if each.snapshot_id > kept.snapshot_id:
                    element.copies.delete_snapshot(each.snapshot_id)

        return {"revert": reverted}

    return _made(connect, "discarding-newer", around, revert_scope=RevertScope.DISCARDS_NEWER)
