"""Hookup PLUGIN: the same LUNs, and this plugin calls the hypervisor bridge itself.

`create` makes LUN, access, datastore and disk; `delete` takes them away in reverse. Sizes of volumes are
sizes of disks here, and the bridge knows how much larger the LUN has to be. The cluster is noted with the
LUN, so that a volume whose create was never answered can still be taken off its hosts.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import (
    BlockConnection,
    CachedTemplate,
    Created,
    DataStore,
    Host,
    HostConnection,
    HypervisorBridge,
    InvalidRequest,
    OwnedObject,
    Placement,
    Resized,
    Snapshot,
    StoreObject,
    Usage,
    Volume,
    VolumeRequest,
)

from . import limits, names
from .array_alone import ArrayAlone
from .bridged_copies import BridgedCopies
from .hooking import check, cluster_marks, cluster_of, disk_of, is_hooked_up, only_disk, ref_of
from .objects import Lun


class BridgedDriver(BridgedCopies, ArrayAlone):
    """`DataStoreDriver`, `ResizeDriver` and `ChapDriver`; the array's side is left to `SolidFireDriver`."""

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        check(request, placement)
        bridge = self._array.context.hypervisor(placement.cluster)
        unanswered = Volume(request, None, request.size_bytes)
        is_new = self._array.find_lun(store, unanswered) is None
        lun_bytes = limits.lun_bytes_of_new(bridge.lun_bytes_for(request.size_bytes))
        lun = self._array.create_lun(store, request, lun_bytes, cluster_marks(placement.cluster))
        return self._undone_if_failed(
            lambda: self._hook_up(bridge, store, request, placement, lun),
            # What was there before may hold data by now.
            lambda: self._take_down(store, lun, request.tenant) if is_new else None,
        )

    def delete(self, store: DataStore, volume: Volume) -> None:
        lun = self._array.find_lun(store, volume)
        if lun is not None:
            self._take_down(store, lun, volume.request.tenant)
        # And what is in the trash already.
        self._array.delete(store, volume)

    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        if isinstance(target, Snapshot | CachedTemplate):
            self._array.grant_access(store, target, host)
            return
        lun = self._get(store, target)
        cluster = cluster_of(lun)
        if host.cluster_uuid != cluster.uuid:
            raise InvalidRequest("host.cluster_uuid", host.cluster_uuid, f"{cluster.uuid}: the datastore's")
        had_access = host.uuid in self._array.holders(store, lun)
        self._array.grant_access(store, target, host)
        self._undone_if_failed(
            lambda: self._attach(store, target, host, lun),
            lambda: None if had_access else self._array.revoke_access(store, target, host, ()),
        )

    def revoke_access(self, store: DataStore, target: StoreObject, host: Host, remaining_hosts: Sequence[Host]) -> None:
        lun = self._array.find_lun(store, target)
        if lun is not None and is_hooked_up(lun) and host.uuid in self._array.holders(store, lun):
            self._detach(lun, host)
        self._array.revoke_access(store, target, host, remaining_hosts)

    def connection(self, store: DataStore, target: StoreObject, host: Host) -> BlockConnection:
        return self._array.connection(store, target, host)

    def fence(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        # A host that has to be fenced does not answer its bridge: the array alone must do.
        self._array.fence(store, target, hosts)

    def list_objects(self, store: DataStore) -> Sequence[OwnedObject]:
        return self._array.list_objects(store)

    def used(self, store: DataStore) -> Usage:
        return self._array.used(store)

    def resize(self, store: DataStore, volume: Volume, size_bytes: int) -> Resized:
        lun = self._get(store, volume)
        bridge = self._bridge_of(lun)
        disk = disk_of(bridge, lun)
        present = bridge.list_disks(disk.datastore)[disk.disk]
        # Where a disk is its LUN, it is larger than asked by what the LUN was rounded up.
        if limits.lun_bytes(size_bytes) < present:
            raise InvalidRequest("size_bytes", size_bytes, f"at least the present {present}")
        # All steps even where the size is right already: an earlier attempt may not have reached every host.
        self._array.resize(store, volume, max(lun.size_bytes, bridge.lun_bytes_for(size_bytes)))
        bridge.expand_datastore(disk.datastore, self._connections(store, volume, lun))
        return Resized(bridge.resize_disk(disk, size_bytes))

    def rotate_chap(self, store: DataStore, target: StoreObject, host: Host) -> None:
        self._array.rotate_chap(store, target, host)
        # One secret opens all that the host sees of the array, and its bridge keeps it with every datastore.
        for lun, connection in self._array.connections_of(store, host):
            if is_hooked_up(lun) and host in self._array.context.hosts(cluster_of(lun)):
                bridge = self._bridge_of(lun)
                bridge.attach_datastore(ref_of(bridge, lun), [HostConnection(host, connection)])

    def _hook_up(
        self,
        bridge: HypervisorBridge,
        store: DataStore,
        request: VolumeRequest,
        placement: Placement,
        lun: Lun,
    ) -> Created:
        at = self._granted(store, request, placement, lun)
        ref = bridge.create_datastore(names.of_volume(request.uuid), at)
        # The datastore is dedicated: a disk in it is this one, from an earlier call, and may have grown since.
        disk = only_disk(bridge, ref) or bridge.create_disk(ref, names.of_volume(request.uuid), request.size_bytes)
        size_bytes = bridge.list_disks(ref).get(disk.disk, request.size_bytes)
        return Created(lun.external_id, size_bytes, lun.identity, disk)

    def _attach(self, store: DataStore, target: StoreObject, host: Host, lun: Lun) -> None:
        bridge = self._bridge_of(lun)
        bridge.attach_datastore(ref_of(bridge, lun), [HostConnection(host, self.connection(store, target, host))])

    def _detach(self, lun: Lun, host: Host) -> None:
        if host not in self._array.context.hosts(cluster_of(lun)):
            return  # it has left: there is nobody to ask
        bridge = self._bridge_of(lun)
        bridge.detach_datastore(ref_of(bridge, lun), [host])
