"""Hookup PLUGIN: the same LUNs, and this plugin calls the hypervisor bridge itself.

`create` makes LUN, access, datastore and disk; `delete` takes them away in reverse. Sizes of volumes are
sizes of disks here, and the bridge knows how much larger the LUN has to be. The cluster is noted with the
LUN, so that a volume whose create was never answered can still be taken off its hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from conformance.contract import (
    BlockConnection,
    Cluster,
    Created,
    DataStore,
    DatastoreNotFound,
    DatastoreRef,
    DiskLocation,
    Host,
    HostConnection,
    HypervisorBridge,
    HypervisorType,
    InvalidRequest,
    ObjectNotFound,
    OwnedObject,
    Placement,
    ProviderContext,
    QosPolicy,
    Resized,
    StoreObject,
    Usage,
    Volume,
    VolumeRequest,
)

from . import limits, names
from .arrays import Arrays
from .driver import SolidFireDriver
from .objects import Lun

_Result = TypeVar("_Result")


class BridgedDriver:
    """`DataStoreDriver`, `ResizeDriver` and `QosDriver`; the array's side is left to `SolidFireDriver`."""

    def __init__(self, array: SolidFireDriver, unhook: Callable[[Lun], None]) -> None:
        self._array = array
        self._unhook = unhook

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        _check(request, placement)
        bridge = self._array.context.hypervisor(placement.cluster)
        unanswered = Volume(request, None, request.size_bytes)
        is_new = self._array.find_lun(store, unanswered) is None
        lun_bytes = limits.lun_bytes_of_new(bridge.lun_bytes_for(request.size_bytes))
        lun = self._array.create_lun(store, request, lun_bytes, _cluster_marks(placement.cluster))
        return self._undone_if_failed(
            lambda: self._hook_up(bridge, store, request, placement, lun),
            # What was there before may hold data by now.
            lambda: self._take_down(store, lun) if is_new else None,
        )

    def delete(self, store: DataStore, volume: Volume) -> None:
        lun = self._array.find_lun(store, volume)
        if lun is not None:
            self._take_down(store, lun)
        # And what is in the trash already.
        self._array.delete(store, volume)

    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        lun = self._get(store, target)
        cluster = _cluster_of(lun)
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
        if lun is not None and host.uuid in self._array.holders(store, lun):
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
        disk = _disk_of(bridge, lun)
        present = bridge.list_disks(disk.datastore)[disk.disk]
        # Where a disk is its LUN, it is larger than asked by what the LUN was rounded up.
        if limits.lun_bytes(size_bytes) < present:
            raise InvalidRequest("size_bytes", size_bytes, f"at least the present {present}")
        # All steps even where the size is right already: an earlier attempt may not have reached every host.
        self._array.resize(store, volume, max(lun.size_bytes, bridge.lun_bytes_for(size_bytes)))
        bridge.expand_datastore(disk.datastore, self._connections(store, volume, lun))
        return Resized(bridge.resize_disk(disk, size_bytes))

    def set_qos(self, store: DataStore, volume: Volume, qos: QosPolicy) -> None:
        self._array.set_qos(store, volume, qos)

    def _hook_up(
        self,
        bridge: HypervisorBridge,
        store: DataStore,
        request: VolumeRequest,
        placement: Placement,
        lun: Lun,
    ) -> Created:
        volume = Volume(request, lun.external_id, request.size_bytes)
        for host in placement.hosts:
            self._array.grant_access(store, volume, host)
        at = [HostConnection(each, self.connection(store, volume, each)) for each in placement.hosts]
        ref = bridge.create_datastore(names.of_volume(request.uuid), at)
        # The datastore is dedicated: a disk in it is this one, from an earlier call, and may have grown since.
        disk = _only_disk(bridge, ref) or bridge.create_disk(ref, names.of_volume(request.uuid), request.size_bytes)
        size_bytes = bridge.list_disks(ref).get(disk.disk, request.size_bytes)
        return Created(lun.external_id, size_bytes, lun.identity, disk)

    def _take_down(self, store: DataStore, lun: Lun) -> None:
        self._unhook(lun)
        self._array.remove_lun(store, lun)

    def _attach(self, store: DataStore, target: StoreObject, host: Host, lun: Lun) -> None:
        bridge = self._bridge_of(lun)
        bridge.attach_datastore(_ref_of(bridge, lun), [HostConnection(host, self.connection(store, target, host))])

    def _detach(self, lun: Lun, host: Host) -> None:
        if host not in self._array.context.hosts(_cluster_of(lun)):
            return  # it has left: there is nobody to ask
        bridge = self._bridge_of(lun)
        bridge.detach_datastore(_ref_of(bridge, lun), [host])

    def _connections(self, store: DataStore, volume: Volume, lun: Lun) -> list[HostConnection]:
        holders = self._array.holders(store, lun)
        hosts = [each for each in self._array.context.hosts(_cluster_of(lun)) if each.uuid in holders]
        return [HostConnection(each, self.connection(store, volume, each)) for each in hosts]

    def _bridge_of(self, lun: Lun) -> HypervisorBridge:
        return self._array.context.hypervisor(_cluster_of(lun))

    def _get(self, store: DataStore, target: StoreObject) -> Lun:
        lun = self._array.find_lun(store, target)
        if lun is None:
            raise ObjectNotFound("volume", target.external_id or target.uuid)
        return lun

    @staticmethod
    def _undone_if_failed(action: Callable[[], _Result], undo: Callable[[], object]) -> _Result:
        try:
            return action()
        except Exception as first:
            try:
                undo()
            except Exception as second:  # the first error is the one that matters
                first.add_note(f"undo also failed: {second}")
            raise


def unhooking(arrays: Arrays) -> Callable[[Lun], None]:
    """What takes a LUN's datastore, with all that is in it, off its cluster; nothing there is success."""

    def unhook(lun: Lun) -> None:
        context: ProviderContext = arrays.context
        bridge = context.hypervisor(_cluster_of(lun))
        found = bridge.find_datastore(names.of_volume(lun.owner_uuid))
        disk = _only_disk(bridge, found) if found is not None else None
        if disk is not None:
            bridge.delete_disk(disk)
        # Also when none is found: a create or delete that was killed may have left half of one.
        bridge.delete_datastore(_ref_of(bridge, lun))

    return unhook


def _check(request: VolumeRequest, placement: Placement) -> None:
    limits.lun_bytes(request.size_bytes)
    if not placement.hosts:
        raise InvalidRequest("placement.hosts", (), "at least one host to make the datastore on")


def _cluster_marks(cluster: Cluster) -> dict[str, str]:
    return {"cluster": cluster.uuid, "hypervisor": str(cluster.hypervisor)}


def _cluster_of(lun: Lun) -> Cluster:
    uuid, hypervisor = lun.attributes.get("cluster"), lun.attributes.get("hypervisor")
    if not isinstance(uuid, str) or not uuid:
        raise ObjectNotFound("datastore of volume", lun.external_id)
    # The cloud knows clusters by uuid; the name on the array would only be out of date.
    return Cluster(uuid, uuid, HypervisorType(str(hypervisor)))


def _ref_of(bridge: HypervisorBridge, lun: Lun) -> DatastoreRef:
    name = names.of_volume(lun.owner_uuid)
    return bridge.find_datastore(name) or DatastoreRef(_cluster_of(lun).uuid, name)


def _disk_of(bridge: HypervisorBridge, lun: Lun) -> DiskLocation:
    disk = _only_disk(bridge, _ref_of(bridge, lun))
    if disk is None:
        raise ObjectNotFound("disk of volume", lun.external_id)
    return disk


def _only_disk(bridge: HypervisorBridge, ref: DatastoreRef) -> DiskLocation | None:
    try:
        return next((DiskLocation(ref, each) for each in bridge.list_disks(ref)), None)
    except DatastoreNotFound:  # no host is left that could tell, nor one that could use it
        return None
