"""The life cycle: a store is a pool, and what in it carries the store's mark. Nothing is made for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from conformance.contract import (
    AccessModel,
    Backing,
    Cluster,
    DataStore,
    InvalidRequest,
    StoreRequest,
    Zone,
)

from . import access, luns, names
from .arrays import Arrays, pool_of, port_of
from .resume import resumable


class ZadaraLifeCycle:
    """`DataStoreLifeCycle`, `ZoneAttachment` and `StoreUpdate`."""

    def __init__(self, arrays: Arrays, access_models: Collection[AccessModel]) -> None:
        self._arrays = arrays
        self._access_models = access_models

    @resumable
    def initialize(self, request: StoreRequest) -> DataStore:
        if request.access_model not in self._access_models:
            expected = " or ".join(sorted(self._access_models))
            raise InvalidRequest("access_model", str(request.access_model), expected)
        name = pool_of(request)
        port_of(request)
        names.of(names.VOLUME, request.uuid, request.uuid)
        pools = {each.name: each for each in self._arrays.of(request).pools()}
        if name not in pools:
            raise InvalidRequest("pool", name, f"one of {', '.join(sorted(pools))}")
        most = pools[name].capacity_bytes
        if not 0 < request.capacity_bytes <= most:
            raise InvalidRequest("capacity_bytes", request.capacity_bytes, f"1 to the pool's {most}")
        return DataStore(request)

    def attach_cluster(self, store: DataStore, cluster: Cluster) -> Sequence[Backing]:
        return ()

    def detach_cluster(self, store: DataStore, cluster: Cluster) -> None:
        """Nothing was made by `attach_cluster`."""

    def attach_zone(self, store: DataStore, zone: Zone) -> Sequence[Backing]:
        return ()

    @resumable
    def update(self, store: DataStore, request: StoreRequest) -> DataStore:
        if request.uuid != store.request.uuid:
            raise InvalidRequest("uuid", request.uuid, f"the store's own: {store.request.uuid}")
        used = luns.used_bytes(self._arrays.of(store.request), request.uuid)
        if request.capacity_bytes < used:
            raise InvalidRequest("capacity_bytes", request.capacity_bytes, f"at least the used {used}")
        return self.initialize(request)

    @resumable
    def delete_datastore(self, request: StoreRequest) -> None:
        vpsa = self._arrays.of(request)
        with self._arrays.lock_of_store(request):
            for lun, _ in luns.of_store(vpsa, request.uuid):
                for server in vpsa.servers_of(lun):
                    vpsa.detach(lun, server)
                vpsa.delete_lun(lun, with_snapshots=True)
        hosts = {uuid for each in vpsa.servers() if (uuid := access.host_of(each)) is not None}
        with self._arrays.locks_of_hosts(hosts):
            access.drop_unused(vpsa, hosts)
