"""Hookup PLUGIN: where a LUN stands in a cluster, and the steps that every call takes there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from conformance.contract import (
    Cluster,
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
    Placement,
    ProviderContext,
    StoreObject,
    Tenant,
    Volume,
    VolumeRequest,
)

from . import limits, names
from .arrays import Arrays
from .driver import SolidFireDriver
from .objects import Lun

_Result = TypeVar("_Result")


class Hooking:
    """The array's side and the cluster's side of a LUN."""

    def __init__(self, array: SolidFireDriver, unhook: Callable[[Lun], None]) -> None:
        self._array = array
        self._unhook = unhook

    def _granted(
        self, store: DataStore, request: VolumeRequest, placement: Placement, lun: Lun
    ) -> list[HostConnection]:
        """Let the hosts of the placement in, and tell how they get there."""
        volume = Volume(request, lun.external_id, request.size_bytes)
        for host in placement.hosts:
            self._array.grant_access(store, volume, host)
        return [HostConnection(each, self._array.connection(store, volume, each)) for each in placement.hosts]

    def _take_down(self, store: DataStore, lun: Lun, tenant: Tenant) -> None:
        self._array.check_removable(store, lun)
        self._unhook(lun)
        self._array.remove_lun(store, lun, tenant)

    def _hosts_of(self, store: DataStore, lun: Lun) -> list[Host]:
        """Those of the cluster that have access."""
        holders = self._array.holders(store, lun)
        return [each for each in self._array.context.hosts(cluster_of(lun)) if each.uuid in holders]

    def _connections(self, store: DataStore, volume: Volume, lun: Lun) -> list[HostConnection]:
        hosts = self._hosts_of(store, lun)
        return [HostConnection(each, self._array.connection(store, volume, each)) for each in hosts]

    def _bridge_of(self, lun: Lun) -> HypervisorBridge:
        return self._array.context.hypervisor(cluster_of(lun))

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
        if not is_hooked_up(lun):
            return
        context: ProviderContext = arrays.context
        bridge = context.hypervisor(cluster_of(lun))
        found = bridge.find_datastore(names.of_volume(lun.owner_uuid))
        disk = only_disk(bridge, found) if found is not None else None
        if disk is not None:
            bridge.delete_disk(disk)
        # Also when none is found: a create or delete that was killed may have left half of one.
        bridge.delete_datastore(ref_of(bridge, lun))

    return unhook


def check(request: VolumeRequest, placement: Placement) -> None:
    """Refuse what cannot be hooked up before anything is made."""
    limits.lun_bytes(request.size_bytes)
    if not placement.hosts:
        raise InvalidRequest("placement.hosts", (), "at least one host to make the datastore on")


def cluster_marks(cluster: Cluster) -> dict[str, str]:
    """`attributes` of a LUN that stands in a cluster."""
    return {"cluster": cluster.uuid, "hypervisor": str(cluster.hypervisor)}


def is_hooked_up(lun: Lun) -> bool:
    """Whether it was made for a cluster: templates are not, the cloud looks after them."""
    return bool(lun.attributes.get("cluster"))


def cluster_of(lun: Lun) -> Cluster:
    """The cluster that a LUN was made for."""
    uuid, hypervisor = lun.attributes.get("cluster"), lun.attributes.get("hypervisor")
    if not isinstance(uuid, str) or not uuid:
        raise ObjectNotFound("datastore of volume", lun.external_id)
    # The cloud knows clusters by uuid; the name on the array would only be out of date.
    return Cluster(uuid, uuid, HypervisorType(str(hypervisor)))


def ref_of(bridge: HypervisorBridge, lun: Lun) -> DatastoreRef:
    """The datastore on a LUN, found or not."""
    name = names.of_volume(lun.owner_uuid)
    return bridge.find_datastore(name) or DatastoreRef(cluster_of(lun).uuid, name)


def disk_of(bridge: HypervisorBridge, lun: Lun) -> DiskLocation:
    """The disk on a LUN; an absent one is `ObjectNotFound`."""
    disk = only_disk(bridge, ref_of(bridge, lun))
    if disk is None:
        raise ObjectNotFound("disk of volume", lun.external_id)
    return disk


def only_disk(bridge: HypervisorBridge, ref: DatastoreRef) -> DiskLocation | None:
    """The disk in a datastore: a dedicated one has one, or none yet."""
    try:
        return next((DiskLocation(ref, each) for each in bridge.list_disks(ref)), None)
    except DatastoreNotFound:  # no host is left that could tell, nor one that could use it
        return None
