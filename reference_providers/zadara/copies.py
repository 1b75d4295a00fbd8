"""Snapshots and clones, which the array makes by consistency group: each volume has one of its own.

Nobody sees a clone until it has its size: it is made like any other LUN, and a larger one is expanded before it gets
its name. Afterwards nothing binds it to its source.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conformance.contract import (
    CachedTemplate,
    Capability,
    CapabilityNotSupported,
    Created,
    DataStore,
    InvalidRequest,
    ObjectNotFound,
    Placement,
    QosPolicy,
    Snapshot,
    SnapshotRequest,
    Unsupported,
    Volume,
    VolumeRequest,
)

from . import limits, luns, names
from .arrays import OnArrays
from .resume import resumable
from .vpsa import GB, LunSnapshot, Vpsa

QUIESCED: Final = Unsupported("the array knows nothing of file systems")
NO_QOS: Final = Unsupported("the API has no limits for a volume")


class CopyMethods(OnArrays):
    """`SnapshotDriver` and `CloneDriver`."""

    @resumable
    def take_snapshot(self, store: DataStore, volume: Volume, request: SnapshotRequest, *, quiesced: bool) -> Created:
        if quiesced:
            raise CapabilityNotSupported(Capability.QUIESCED_SNAPSHOT, QUIESCED.reason)
        name = names.of(names.SNAPSHOT, store.request.uuid, request.uuid)
        vpsa = self._arrays.of(store.request)
        with self._arrays.lock_of_volume(volume.uuid):
            lun = luns.get(vpsa, store, volume)
            kept = _named(vpsa.snapshots_of(lun), name)
            if kept is None:
                vpsa.take_snapshot(lun, name)
                kept = _named(vpsa.snapshots_of(lun), name)
        if kept is None:
            raise ObjectNotFound("snapshot", name)
        return Created(kept.external_id, kept.size_bytes)

    @resumable
    def delete_snapshot(self, store: DataStore, snapshot: Snapshot) -> None:
        vpsa = self._arrays.of(store.request)
        with self._arrays.lock_of_volume(snapshot.volume_uuid):
            found = find_snapshot(vpsa, store, snapshot)
            if found is not None:
                vpsa.delete_snapshot(found)

    @resumable
    def clone(
        self, store: DataStore, request: VolumeRequest, placement: Placement, source: Snapshot | Volume | CachedTemplate
    ) -> Created:
        check_no_qos(request)
        gigabytes = limits.gigabytes_of_new(request.size_bytes)
        vpsa = self._arrays.of(store.request)
        told = f"{type(source).__name__.lower()} {source.uuid}"
        wanted = luns.Wanted(names.VOLUME, request.uuid, request.size_bytes, gigabytes, told)

        def check() -> None:
            size_bytes = _Source(vpsa, store, source).size_bytes
            if gigabytes * GB < size_bytes:
                raise InvalidRequest("size_bytes", request.size_bytes, f"at least the source's {size_bytes}")
            luns.check_room(vpsa, store.request, gigabytes)

        with self._arrays.lock_of_store(store.request):
            lun = luns.made(vpsa, store, wanted, lambda name: _Source(vpsa, store, source).clone(name), check)
        return Created(lun.external_id, lun.size_bytes)


class _Source:
    """What is cloned, as the array has it now."""

    def __init__(self, vpsa: Vpsa, store: DataStore, source: Snapshot | Volume | CachedTemplate) -> None:
        self._vpsa = vpsa
        if isinstance(source, Snapshot):
            kept = find_snapshot(vpsa, store, source)
            if kept is None:
                raise ObjectNotFound("snapshot", source.external_id or source.uuid)
            self._group, self._snapshot_id, self.size_bytes = kept.group, kept.external_id, kept.size_bytes
        else:
            lun = luns.get(vpsa, store, source)
            self._group, self._snapshot_id, self.size_bytes = lun.group, "", lun.size_bytes

    def clone(self, name: str) -> None:
        """Make a volume of this name that holds the same."""
        self._vpsa.clone(self._group, name, self._snapshot_id or None)


def check_no_qos(request: VolumeRequest) -> None:
    """Refuse what the array has not."""
    if request.qos != QosPolicy():
        raise CapabilityNotSupported(Capability.QOS, NO_QOS.reason)


def find_snapshot(vpsa: Vpsa, store: DataStore, snapshot: Snapshot) -> LunSnapshot | None:
    """The snapshot on the array, if it is there."""
    found = _named(vpsa.snapshots(), names.of(names.SNAPSHOT, store.request.uuid, snapshot.uuid))
    return found if found is not None and snapshot.external_id in (None, found.external_id) else None


def snapshots_of_store(vpsa: Vpsa, store_uuid: str) -> Sequence[tuple[LunSnapshot, names.Owner]]:
    """All that this plugin took for a store."""
    owned = ((each, names.owner_in(each.name, store_uuid)) for each in vpsa.snapshots())
    return [(each, owner) for each, owner in owned if owner is not None]


def _named(found: Sequence[LunSnapshot], name: str) -> LunSnapshot | None:
    return next((each for each in found if each.name == name), None)
