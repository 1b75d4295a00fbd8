"""Hookup PLUGIN: snapshots, reverts and clones of LUNs that carry datastores.

The array copies a LUN with whatever is on it. So a clone carries its source's datastore already, and making
one on it would destroy what was to be copied: it is introduced under its own name, with a new signature where
the hypervisor has signatures. And what a revert puts back is a datastore in a former state, which no host may
have open meanwhile: it is taken off its hosts first, their grants stay, and the grants tell a repeated call
which hosts get it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import (
    CachedTemplate,
    Created,
    DataStore,
    DatastoreInUse,
    DatastoreRef,
    DiskLocation,
    Host,
    HostConnection,
    HypervisorBridge,
    HypervisorType,
    InUse,
    ObjectNotFound,
    Placement,
    Snapshot,
    SnapshotRequest,
    Volume,
    VolumeRequest,
)

from . import limits, names
from .hooking import Hooking, check, cluster_marks, only_disk, ref_of
from .objects import Lun

_DISK_BYTES = "disk_bytes"


class BridgedCopies(Hooking):
    """`SnapshotDriver`, `RevertDriver` and `CloneDriver`."""

    def take_snapshot(self, store: DataStore, volume: Volume, request: SnapshotRequest, *, quiesced: bool) -> Created:
        # The array knows the LUN's size; the cloud speaks of disks here.
        marks = {_DISK_BYTES: str(volume.size_bytes)}
        made = self._array.keep_lun(store, volume, request, marks, quiesced=quiesced)
        return Created(made.external_id, int(str(made.attributes.get(_DISK_BYTES, made.size_bytes))))

    def delete_snapshot(self, store: DataStore, snapshot: Snapshot) -> None:
        self._array.delete_snapshot(store, snapshot)

    def clone(
        self,
        store: DataStore,
        request: VolumeRequest,
        placement: Placement,
        source: Snapshot | Volume | CachedTemplate,
    ) -> Created:
        check(request, placement)
        bridge = self._array.context.hypervisor(placement.cluster)
        is_new = self._array.find_lun(store, Volume(request, None, request.size_bytes)) is None
        lun_bytes = limits.lun_bytes_of_new(bridge.lun_bytes_for(request.size_bytes))
        lun = self._array.clone_lun(store, request, lun_bytes, cluster_marks(placement.cluster), source)
        return self._undone_if_failed(
            lambda: self._introduce(bridge, store, request, placement, lun),
            lambda: self._take_down(store, lun, request.tenant) if is_new else None,
        )

    def revert(self, store: DataStore, volume: Volume, snapshot: Snapshot) -> None:
        lun = self._get(store, volume)
        bridge = self._bridge_of(lun)
        hosts = self._hosts_of(store, lun)
        _take_off(bridge, lun, hosts)
        try:
            self._array.revert_lun(store, volume, snapshot, despite_grants=True)
        finally:
            if hosts:
                bridge.attach_datastore(ref_of(bridge, lun), self._connections(store, volume, lun))

    def _introduce(
        self,
        bridge: HypervisorBridge,
        store: DataStore,
        request: VolumeRequest,
        placement: Placement,
        lun: Lun,
    ) -> Created:
        at = self._granted(store, request, placement, lun)
        name = names.of_volume(request.uuid)
        ref = _introduced(bridge, placement, name, at)
        disk = only_disk(bridge, ref)
        if disk is None and _is_disk_its_lun(placement):
            disk = bridge.create_disk(ref, name, request.size_bytes)
        if disk is None:
            raise ObjectNotFound("disk of the source of volume", lun.external_id)
        return Created(lun.external_id, _grown(bridge, disk, at, request.size_bytes), lun.identity, disk)


def _introduced(
    bridge: HypervisorBridge, placement: Placement, name: str, at: Sequence[HostConnection]
) -> DatastoreRef:
    """The datastore that came with the clone; never a new one, which would be empty."""
    found = bridge.find_datastore(name)
    if found is not None:
        bridge.attach_datastore(found, at)
        return found
    if _is_disk_its_lun(placement):
        return bridge.create_datastore(name, at)
    return bridge.resignature_datastore(at, name)


def _is_disk_its_lun(placement: Placement) -> bool:
    """KVM formats nothing: a datastore is a name for a LUN, and so is the disk in it."""
    return placement.cluster.hypervisor is HypervisorType.KVM


def _grown(bridge: HypervisorBridge, disk: DiskLocation, at: Sequence[HostConnection], size_bytes: int) -> int:
    """The disk's size once it has at least this much."""
    present = bridge.list_disks(disk.datastore)[disk.disk]
    if present >= size_bytes:
        return present
    bridge.expand_datastore(disk.datastore, at)
    return bridge.resize_disk(disk, size_bytes)


def _take_off(bridge: HypervisorBridge, lun: Lun, hosts: Sequence[Host]) -> None:
    if not hosts:
        return
    try:
        bridge.detach_datastore(ref_of(bridge, lun), hosts)
    except DatastoreInUse as in_use:
        raise InUse(lun.external_id, (str(in_use),)) from in_use
