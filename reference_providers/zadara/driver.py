"""The data store driver: what the cloud may ask about LUNs. Hypervisors are left to the cloud."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import (
    BlockConnection,
    CachedTemplate,
    CapabilityNotSupported,
    Created,
    DataStore,
    Host,
    InvalidRequest,
    OwnedObject,
    Placement,
    Resized,
    Snapshot,
    StoreObject,
    Template,
    Usage,
    Volume,
    VolumeRequest,
)

from . import access, copies, limits, luns, names
from .arrays import pool_of
from .resume import resumable


class ZadaraDriver(copies.CopyMethods):
    """`DataStoreDriver`, `ResizeDriver` and `TemplateDriver`."""

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        copies.check_no_qos(request)
        gigabytes = limits.gigabytes_of_new(request.size_bytes)
        return self._made(store, luns.Wanted(names.VOLUME, request.uuid, request.size_bytes, gigabytes))

    def delete(self, store: DataStore, volume: Volume) -> None:
        self._remove(store, volume, names.VOLUME)

    @resumable
    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        access.iqns_of(host)
        _check_presentable(target)
        vpsa = self._arrays.of(store.request)
        with self._arrays.locks_of_hosts([host.uuid]):
            access.grant(vpsa, luns.get(vpsa, store, target), host)

    @resumable
    def revoke_access(self, store: DataStore, target: StoreObject, host: Host, remaining_hosts: Sequence[Host]) -> None:
        self.fence(store, target, [host])

    @resumable
    def connection(self, store: DataStore, target: StoreObject, host: Host) -> BlockConnection:
        _check_presentable(target)
        vpsa = self._arrays.of(store.request)
        return access.connection(vpsa, store, luns.get(vpsa, store, target), host)

    @resumable
    def fence(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        vpsa = self._arrays.of(store.request)
        with self._arrays.locks_of_hosts(each.uuid for each in hosts):
            lun = luns.find(vpsa, store, target)
            if lun is not None:
                access.cut_off(vpsa, lun, hosts)

    @resumable
    def list_objects(self, store: DataStore) -> Sequence[OwnedObject]:
        vpsa, uuid = self._arrays.of(store.request), store.request.uuid
        found = [(each.external_id, each.size_bytes, owner) for each, owner in luns.of_store(vpsa, uuid)]
        found += [(each.external_id, each.size_bytes, owner) for each, owner in copies.snapshots_of_store(vpsa, uuid)]
        return [OwnedObject(names.KINDS[owner.kind], known, owner.uuid, size) for known, size, owner in found]

    @resumable
    def used(self, store: DataStore) -> Usage:
        return Usage(luns.used_bytes(self._arrays.of(store.request), store.request.uuid), None)

    @resumable
    def resize(self, store: DataStore, volume: Volume, size_bytes: int) -> Resized:
        gigabytes = limits.gigabytes_of_new(size_bytes)
        vpsa = self._arrays.of(store.request)
        with self._arrays.lock_of_store(store.request):
            lun = luns.get(vpsa, store, volume)
            if gigabytes < lun.gigabytes:
                raise InvalidRequest("size_bytes", size_bytes, f"at least the present {lun.size_bytes}")
            luns.check_room(vpsa, store.request, gigabytes - lun.gigabytes)
            return Resized(luns.grown(vpsa, lun, gigabytes).size_bytes)

    def seed_template(self, store: DataStore, uuid: str, template: Template, size_bytes: int) -> Created:
        gigabytes = limits.gigabytes_of_new(size_bytes)
        told = f"nothing, for template {template.checksum}"
        return self._made(store, luns.Wanted(names.TEMPLATE, uuid, size_bytes, gigabytes, told))

    def delete_template(self, store: DataStore, cached: CachedTemplate) -> None:
        self._remove(store, cached, names.TEMPLATE)

    @resumable
    def _made(self, store: DataStore, wanted: luns.Wanted) -> Created:
        vpsa, pool = self._arrays.of(store.request), pool_of(store.request)
        with self._arrays.lock_of_store(store.request):
            lun = luns.made(
                vpsa,
                store,
                wanted,
                lambda name: vpsa.create_lun(name, pool, wanted.gigabytes),
                lambda: luns.check_room(vpsa, store.request, wanted.gigabytes),
            )
        return Created(lun.external_id, lun.size_bytes)

    @resumable
    def _remove(self, store: DataStore, target: Volume | CachedTemplate, kind: str) -> None:
        vpsa = self._arrays.of(store.request)
        with self._arrays.lock_of_store(store.request), self._arrays.lock_of_volume(target.uuid):
            lun = luns.find(vpsa, store, target)
            if lun is not None:
                luns.check_removable(lun)
                vpsa.delete_lun(lun, with_snapshots=False)
            luns.discard_unfinished(vpsa, names.of(kind, store.request.uuid, target.uuid))


def _check_presentable(target: StoreObject) -> None:
    """Refuse access to what is no LUN."""
    if isinstance(target, Snapshot):
        reason = "the array shows volumes, and snapshots are none: grant a clone of it"
        raise CapabilityNotSupported("access to a snapshot", reason)
