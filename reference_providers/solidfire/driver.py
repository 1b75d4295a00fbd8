"""The data store driver: what the cloud may ask about LUNs. Hypervisors are left to the cloud (FRAMEWORK)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.contract import (
    Created,
    DataStore,
    Host,
    InvalidRequest,
    ObjectKind,
    OwnedObject,
    Placement,
    Resized,
    StoreObject,
    Tenant,
    Usage,
    Volume,
    VolumeRequest,
)

from . import access, limits, luns, room, snapshots, tenants
from .arrays import array_uuid_of
from .chap import ChapMethods
from .clones import CloneMethods
from .element import Element
from .initiators import iqns_of
from .objects import Lun
from .paths import PathMethods, check_presentable
from .qos import QosMethods
from .resume import resumable
from .reverts import RevertMethods
from .snapshots import SnapshotMethods
from .stats import StatsMethods
from .templates import TemplateMethods


class SolidFireDriver(
    PathMethods, SnapshotMethods, RevertMethods, CloneMethods, TemplateMethods, QosMethods, ChapMethods, StatsMethods
):
    """`DataStoreDriver` and `ResizeDriver`; the other optional protocols have a module each."""

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        lun = self.create_lun(store, request, limits.lun_bytes_of_new(request.size_bytes), {})
        return Created(lun.external_id, lun.size_bytes, lun.identity)

    @resumable
    def create_lun(self, store: DataStore, request: VolumeRequest, lun_bytes: int, marks: Mapping[str, str]) -> Lun:
        """Make a volume's LUN, of a size that may differ from the request's; `marks` are kept with it."""
        limits.check_qos(request.qos)
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_store(store.request):
            return luns.create(element, store, luns.Wanted(request), lun_bytes, marks)

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
            # Also when there was nothing left to remove: an earlier call may have come to an end before this.
            self._drop_unused_account(element, store, volume.request.tenant)

    @resumable
    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        iqns_of(host)
        check_presentable(target)
        element = self._arrays.of(store.request)
        lun = luns.get(element, store, target)
        with self._arrays.lock_of_host(array_uuid_of(element, store), host.uuid):
            access.grant(element, lun, host)

    @resumable
    def revoke_access(self, store: DataStore, target: StoreObject, host: Host, remaining_hosts: Sequence[Host]) -> None:
        self.fence(store, target, [host])

    @resumable
    def fence(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        element = self._arrays.of(store.request)
        lun = luns.find(element, store, target)
        if lun is not None:
            access.cut_off(element, lun, hosts)

    @resumable
    def list_objects(self, store: DataStore) -> Sequence[OwnedObject]:
        element = self._arrays.of(store.request)
        ours = luns.of_store(element, store.request.uuid)
        kept = snapshots.of_store(element, store.request.uuid)
        return [
            *(OwnedObject(each.kind, each.external_id, each.owner_uuid, each.size_bytes) for each in ours),
            *(OwnedObject(ObjectKind.SNAPSHOT, each.external_id, each.owner_uuid, each.size_bytes) for each in kept),
        ]

    @resumable
    def used(self, store: DataStore) -> Usage:
        element = self._arrays.of(store.request)
        return room.of_store(element, store.request.uuid)

    @resumable
    def resize(self, store: DataStore, volume: Volume, size_bytes: int) -> Resized:
        lun_bytes = limits.lun_bytes(size_bytes)
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_store(store.request):
            lun = luns.get(element, store, volume)
            if lun_bytes < lun.size_bytes:
                raise InvalidRequest("size_bytes", size_bytes, f"at least the present {lun.size_bytes}")
            if lun_bytes > lun.size_bytes:
                room.check(element, store, more_bytes=lun_bytes - lun.size_bytes, more_iops=0)
                lun = element.grow_lun(lun.lun_id, lun_bytes)
        return Resized(lun.size_bytes)

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
    def remove_lun(self, store: DataStore, lun: Lun, tenant: Tenant) -> None:
        """Remove a LUN and whatever access there is to it; with snapshots, it is refused."""
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_volume(lun.owner_uuid):
            snapshots.check_none(element, lun)
            luns.remove(element, lun)
            self._drop_unused_account(element, store, tenant)

    def _drop_unused_account(self, element: Element, store: DataStore, tenant: Tenant) -> None:
        with self._arrays.lock_of_store(store.request):
            tenants.drop_unused(element, store, tenant)
