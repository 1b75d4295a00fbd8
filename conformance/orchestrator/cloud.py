"""What operations work with: the database's tables, and the other parties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from conformance.contract import (
    Capability,
    CapabilityNotSupported,
    Cluster,
    DataStore,
    DataStoreDriver,
    DataStoreLifeCycle,
    DataStoreProvider,
    Host,
    HostListener,
    HostState,
    HypervisorBridge,
    StoreRequest,
    Unsupported,
)

from .calls import Caller
from .database import Database
from .errors import NoUsableHost, UnknownObject, WrongState
from .journal import Journal
from .records import SnapshotRecord, StoreRecord, TemplateRecord, VmRecord, VolumeRecord, Way
from .snapshot_table import SnapshotTable
from .states import SERVING
from .store import HostTable, StoreTable, VolumeTable
from .template_table import TemplateTable
from .vm_table import VmTable

_AWAY: Final = frozenset({HostState.MAINTENANCE, HostState.DISCONNECTED})
Told = Callable[[StoreRequest], StoreRequest]


class Cloud:
    """The tables, the plugin, the bridges and the caller: one object that operations are handed.

    `told` is applied to every store request on its way to the plugin: an instance may have endpoints of its
    own.
    """

    def __init__(
        self,
        *,
        database: Database,
        provider: DataStoreProvider,
        bridges: Callable[[Cluster], HypervisorBridge],
        hosts: Callable[[Cluster], Sequence[Host]],
        caller: Caller,
        told: Told,
    ) -> None:
        self.database = database
        self.stores, self.volumes = StoreTable(database), VolumeTable(database)
        self.snapshots, self.vms = SnapshotTable(database), VmTable(database)
        self.templates = TemplateTable(database)
        self.hosts, self.journal = HostTable(database), Journal(database)
        self.caller = caller
        self._provider, self._told = provider, told
        self._open_bridge, self._hosts_of = bridges, hosts
        self._bridges: dict[str, HypervisorBridge] = {}

    @property
    def driver(self) -> DataStoreDriver:
        """The plugin's driver."""
        return self._provider.driver

    @property
    def lifecycle(self) -> DataStoreLifeCycle:
        """The plugin's life cycle."""
        return self._provider.lifecycle

    @property
    def listener(self) -> HostListener | None:
        """The plugin's host listener, if it has one."""
        return self._provider.host_listener

    @property
    def provider(self) -> DataStoreProvider:
        """The plugin's declarations."""
        return self._provider

    def bridge(self, cluster: Cluster) -> HypervisorBridge:
        """The bridge of a cluster; opened once."""
        if cluster.uuid not in self._bridges:
            self._bridges[cluster.uuid] = self._open_bridge(cluster)
        return self._bridges[cluster.uuid]

    def usable_hosts(self, cluster: Cluster) -> tuple[Host, ...]:
        """Hosts that can use storage now; none: `NoUsableHost`.

        A disabled host takes no new VMs but is connected, and must not miss a datastore (apache/cloudstack
        876, 8393). One that the cloud maintains may be off: it catches up when that ends.
        """
        found = tuple(
            each
            for each in self._hosts_of(cluster)
            if each.state is not HostState.DISCONNECTED and self.hosts.state(each.uuid) not in _AWAY
        )
        if not found:
            raise NoUsableHost(cluster.uuid)
        return found

    def told(self, request: StoreRequest) -> StoreRequest:
        """The request as this plugin instance must be told of it."""
        return self._told(request)

    def told_store(self, uuid: str) -> DataStore:
        """The store as this plugin instance must be told of it."""
        record = self.store(uuid)
        if record.store is None:
            raise UnknownObject("initialized primary storage", uuid)
        return replace(record.store, request=self._told(record.request))

    def store(self, uuid: str) -> StoreRecord:
        """The store of that uuid; absent: `UnknownObject`."""
        record = self.stores.find(uuid)
        if record is None:
            raise UnknownObject("primary storage", uuid)
        return record

    def stores_of(self, cluster_uuid: str) -> tuple[StoreRecord, ...]:
        """Stores in use that serve a cluster."""
        return tuple(
            each
            for each in self.stores.all()
            if each.state in SERVING and any(one.uuid == cluster_uuid for one in each.clusters)
        )

    def refuse_store(self, uuid: str, operation: str) -> None:
        """Refuse while the store's volumes cannot be used."""
        found = self.store(uuid)
        if found.state not in SERVING:
            raise WrongState(uuid, found.state, operation)

    def refuse_host(self, host: Host, operation: str) -> None:
        """Refuse a host that the cloud maintains, or that is not connected."""
        if self.hosts.state(host.uuid) in _AWAY:
            raise WrongState(host.uuid, self.hosts.state(host.uuid), operation)

    def require_life_cycle(self, method: str) -> None:
        """Refuse what the plugin's life cycle does not have; it is not one of the capabilities."""
        if not callable(getattr(self.lifecycle, method, None)):
            raise CapabilityNotSupported(method, "the plugin's life cycle does not have it")

    def volume(self, uuid: str) -> VolumeRecord:
        """The volume of that uuid; absent: `UnknownObject`."""
        record = self.volumes.find(uuid)
        if record is None:
            raise UnknownObject("volume", uuid)
        return record

    def snapshot(self, uuid: str) -> SnapshotRecord:
        """The snapshot of that uuid; absent: `UnknownObject`."""
        record = self.snapshots.find(uuid)
        if record is None:
            raise UnknownObject("snapshot", uuid)
        return record

    def forget_snapshot(self, uuid: str, operation: int) -> None:
        """Forget a snapshot that went with another object, and what an earlier operation left to be finished on it."""
        self.journal.supersede(operation, uuid)
        self.snapshots.delete(uuid)

    def template(self, uuid: str) -> TemplateRecord:
        """The template of that uuid on the array; absent: `UnknownObject`."""
        record = self.templates.find(uuid)
        if record is None:
            raise UnknownObject("template", uuid)
        return record

    def vm(self, uuid: str) -> VmRecord:
        """The VM of that uuid; one that the cloud never started: `UnknownObject`."""
        record = self.vms.find(uuid)
        if record is None:
            raise UnknownObject("VM", uuid)
        return record

    def cluster_of(self, host: Host) -> Cluster:
        """The host's cluster; one that no primary storage serves: `UnknownObject`."""
        known = {each.uuid: each for store in self.stores.all() for each in store.clusters}
        if host.cluster_uuid not in known:
            raise UnknownObject("primary storage for cluster", host.cluster_uuid)
        return known[host.cluster_uuid]

    def objects_of_store(self, uuid: str) -> tuple[str, ...]:
        """Uuids of all that stands in a store."""
        snapshots = tuple(each.uuid for each in self.snapshots.of_store(uuid))
        templates = tuple(each.uuid for each in self.templates.all() if each.store_uuid == uuid)
        return (*self.volumes.uuids_of_store(uuid), *snapshots, *templates)

    def way(self, request: StoreRequest) -> Way:
        """How volumes of a store reach hosts."""
        return Way.of(request.access_model, self._provider.hookup)

    def supports(self, capability: Capability) -> bool:
        """Whether the plugin declares it."""
        return bool(self._provider.capabilities.get(capability))

    def require(self, capability: Capability) -> None:
        """Refuse what the plugin does not declare, before it is called."""
        answer = self._provider.capabilities.get(capability)
        if not answer:
            reason = answer.reason if isinstance(answer, Unsupported) else "the plugin does not answer for it"
            raise CapabilityNotSupported(capability, reason)
