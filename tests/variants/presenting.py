"""A plugin that shows snapshots to hosts: by a LUN of each that nobody else sees, made at the first grant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from conformance.contract import AccessNotGranted, DataStore, ObjectNotFound, Snapshot, Volume, VolumeRequest
from reference_providers import solidfire
from reference_providers.solidfire import access, luns, snapshots
from tests.variants.own_calls import OwnCalls
from tests.variants.wrapping import Variant, everywhere

_SHOWN: Final = "shown-"


class _Shown(OwnCalls):
    """The LUNs that snapshots are shown by."""

    def __init__(self, plugin: Any) -> None:
        super().__init__(plugin._arrays)
        self._driver = plugin.driver

    def granted(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, target, host = arguments
        if not isinstance(target, Snapshot):
            return method(*arguments)
        kept = snapshots.get(self.element(store), store, target)
        volume = _volume_of(replace(target, size_bytes=kept.size_bytes))
        self._driver.clone(store, volume.request, None, target)
        return method(store, volume, host)

    def reached(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, target, host = arguments
        if not isinstance(target, Snapshot):
            return method(*arguments)
        snapshots.get(self.element(store), store, target)
        try:
            return method(store, _volume_of(target), host)
        except ObjectNotFound:
            raise AccessNotGranted(target.external_id or target.uuid, host.uuid) from None

    def taken_away(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, target, *others = arguments
        if not isinstance(target, Snapshot):
            return method(*arguments)
        volume = _volume_of(target)
        method(store, volume, *others)
        lun = luns.find(self.element(store), store, volume)
        if lun is not None and not access.holders(self.element(store), lun):
            self._driver.delete(store, volume)
        return None

    def deleted(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, snapshot = arguments
        self._drop(store, _volume_of(snapshot))
        return method(*arguments)

    def _drop(self, store: DataStore, volume: Volume) -> None:
        lun = luns.find(self.element(store), store, volume)
        if lun is not None:
            access.check_not_granted(self.element(store), lun)
            self._driver.delete(store, volume)


def _volume_of(snapshot: Snapshot) -> Volume:
    request = VolumeRequest(f"{_SHOWN}{snapshot.uuid}", "shown", snapshot.size_bytes)
    return Volume(request, None, snapshot.size_bytes)


def _listed(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return [each for each in method(*arguments) if not each.owner_uuid.startswith(_SHOWN)]


def presenting_snapshots(connect: Any) -> Variant:
    """Shows snapshots, too."""
    plugin = solidfire.PROVIDER(connect=connect)
    shown = _Shown(plugin)
    around = {
        "grant_access": shown.granted,
        "connection": shown.reached,
        **everywhere(shown.taken_away, "revoke_access", "fence"),
        "delete_snapshot": shown.deleted,
        "list_objects": _listed,
    }
    return Variant(plugin, {"name": "presenting-snapshots"}, driver=shown.resumed(around))
