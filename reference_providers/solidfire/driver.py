"""The data store driver: what the cloud may ask about LUNs. Hypervisors are left to the cloud (FRAMEWORK)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.contract import (
    AccessNotGranted,
    BlockConnection,
    CapabilityNotSupported,
    Created,
    DataStore,
    Host,
    InvalidRequest,
    IscsiPath,
    ObjectKind,
    OwnedObject,
    Placement,
    QosPolicy,
    Resized,
    Snapshot,
    StoreObject,
    Usage,
    Volume,
    VolumeRequest,
)

from . import access, limits, luns, room, snapshots
from .arrays import account_id_of, array_uuid_of
from .clones import CloneMethods
from .element import Element, qos_params
from .objects import AccessGroup, Lun
from .resume import resumable
from .reverts import RevertMethods
from .snapshots import SnapshotMethods


class SolidFireDriver(SnapshotMethods, RevertMethods, CloneMethods):
    """`DataStoreDriver`, `ResizeDriver` and `QosDriver`; the other optional protocols are each in a module."""

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        lun = self.create_lun(store, request, limits.lun_bytes_of_new(request.size_bytes), {})
        return Created(lun.external_id, lun.size_bytes, lun.identity)

    @resumable
    def create_lun(self, store: DataStore, request: VolumeRequest, lun_bytes: int, marks: Mapping[str, str]) -> Lun:
        """Make a volume's LUN, of a size that may differ from the request's; `marks` are kept with it."""
        limits.check_qos(request.qos)
        element = self._arrays.of(store.request)
        account_id = account_id_of(element, store)
        with self._arrays.lock_of_store(store.request):
            return luns.create(element, store, account_id, request, lun_bytes, marks)

    @resumable
    def delete(self, store: DataStore, volume: Volume) -> None:
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_volume(volume.uuid):
            found = luns.candidates(element, store, volume)
            for lun in found:
                access.check_not_granted(element, lun)
                snapshots.check_none(element, lun)
            for lun in found:
                luns.remove(element, lun)

    @resumable
    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        access.iqns_of(host)
        _check_presentable(target)
        element = self._arrays.of(store.request)
        lun = luns.get(element, store, target)
        with self._arrays.lock_of_host(array_uuid_of(element, store), host.uuid):
            access.grant(element, lun, host)

    @resumable
    def revoke_access(self, store: DataStore, target: StoreObject, host: Host, remaining_hosts: Sequence[Host]) -> None:
        self.fence(store, target, [host])

    @resumable
    def connection(self, store: DataStore, target: StoreObject, host: Host) -> BlockConnection:
        _check_presentable(target)
        element = self._arrays.of(store.request)
        lun = luns.get(element, store, target)
        group = _group_of_holder(element, lun, host)
        own = [each for each in access.members(element, group) if each.iqn in map(str, host.iqns)]
        if not own:  # the host has other initiators now, and they were not granted
            raise AccessNotGranted(lun.external_id, host.uuid)
        path = IscsiPath(lun.target_iqn, (element.facts().portal,), 0, own[0].chap)
        return BlockConnection(lun.identity, lun.size_bytes, (path,))

    @resumable
    def fence(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        element = self._arrays.of(store.request)
        lun = luns.find(element, store, target)
        if lun is not None:
            access.cut_off(element, lun, hosts)

    @resumable
    def list_objects(self, store: DataStore) -> Sequence[OwnedObject]:
        element = self._arrays.of(store.request)
        ours = luns.of_store(element, store.request.uuid, account_id_of(element, store))
        kept = snapshots.of_store(element, store.request.uuid)
        return [
            *(OwnedObject(ObjectKind.VOLUME, each.external_id, each.owner_uuid, each.size_bytes) for each in ours),
            *(OwnedObject(ObjectKind.SNAPSHOT, each.external_id, each.owner_uuid, each.size_bytes) for each in kept),
        ]

    @resumable
    def used(self, store: DataStore) -> Usage:
        element = self._arrays.of(store.request)
        return room.usage(element.luns_of(account_id_of(element, store)))

    @resumable
    def resize(self, store: DataStore, volume: Volume, size_bytes: int) -> Resized:
        lun_bytes = limits.lun_bytes(size_bytes)
        element = self._arrays.of(store.request)
        account_id = account_id_of(element, store)
        with self._arrays.lock_of_store(store.request):
            lun = luns.get(element, store, volume)
            if lun_bytes < lun.size_bytes:
                raise InvalidRequest("size_bytes", size_bytes, f"at least the present {lun.size_bytes}")
            if lun_bytes > lun.size_bytes:
                room.check(element, store, account_id, more_bytes=lun_bytes - lun.size_bytes, more_iops=0)
                lun = element.grow_lun(lun.lun_id, lun_bytes)
        return Resized(lun.size_bytes)

    @resumable
    def set_qos(self, store: DataStore, volume: Volume, qos: QosPolicy) -> None:
        limits.check_qos(qos)
        element = self._arrays.of(store.request)
        account_id = account_id_of(element, store)
        with self._arrays.lock_of_store(store.request):
            lun = luns.get(element, store, volume)
            wanted = limits.qos_of_existing(lun.qos, qos)
            more_iops = (wanted.min_iops or 0) - lun.min_iops
            if more_iops > 0:
                room.check(element, store, account_id, more_bytes=0, more_iops=more_iops)
            if wanted != lun.qos:
                element.set_lun_qos(lun.lun_id, qos_params(wanted))

    # what hookup PLUGIN needs to know besides

    @resumable
    def find_lun(self, store: DataStore, target: StoreObject) -> Lun | None:
        """The LUN of a volume, or None."""
        return luns.find(self._arrays.of(store.request), store, target)

    @resumable
    def holders(self, store: DataStore, lun: Lun) -> frozenset[str]:
        """Uuids of the hosts that have access to a LUN."""
        groups = access.holders(self._arrays.of(store.request), lun)
        return frozenset(each.host_uuid for each in groups) - {""}

    @resumable
    def check_removable(self, store: DataStore, lun: Lun) -> None:
        """Refuse to remove a LUN that has snapshots."""
        snapshots.check_none(self._arrays.of(store.request), lun)

    @resumable
    def remove_lun(self, store: DataStore, lun: Lun) -> None:
        """Remove a LUN and whatever access there is to it; with snapshots, it is refused."""
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_volume(lun.owner_uuid):
            snapshots.check_none(element, lun)
            luns.remove(element, lun)


def _check_presentable(target: StoreObject) -> None:
    if isinstance(target, Snapshot):
        reason = "the array shows LUNs, and snapshots are none: grant a clone of it"
        raise CapabilityNotSupported("access to a snapshot", reason)


def _group_of_holder(element: Element, lun: Lun, host: Host) -> AccessGroup:
    for each in access.holders(element, lun):
        if each.host_uuid == host.uuid:
            return each
    raise AccessNotGranted(lun.external_id, host.uuid)
