"""A plugin for `FakeArray`: any access model, either hookup, no memory of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from conformance.contract import (
    CONTRACT_VERSION,
    AccessGranularity,
    AccessMechanism,
    AccessModel,
    AccessNotGranted,
    Answer,
    Backing,
    BelowMinimum,
    CachedTemplate,
    Capability,
    CapabilityNotSupported,
    Clock,
    Cluster,
    Conflict,
    Connection,
    Created,
    DataStore,
    DataStoreDriver,
    DataStoreLifeCycle,
    DatastoreRef,
    DeleteWhileGranted,
    DeleteWithDependents,
    DiskLocation,
    Hookup,
    Host,
    HostConnection,
    HostListener,
    HypervisorBridge,
    HypervisorType,
    ImageStoreDriver,
    InUse,
    InvalidRequest,
    Limits,
    LunIdentity,
    LunNumberScope,
    NfsExport,
    ObjectKind,
    ObjectNotFound,
    Operation,
    OwnedObject,
    Parameter,
    ParameterKind,
    Placement,
    ProviderContext,
    Resized,
    RevertScope,
    Snapshot,
    SnapshotRequest,
    SpaceAccounting,
    StoreObject,
    StoreRequest,
    Supported,
    Template,
    Traits,
    Unsupported,
    Usage,
    Volume,
    VolumeRequest,
)

from .fake_array import USABLE, FakeArray, Lun, Wire

LARGEST: Final = 1 << 40
ON_LUNS: Final = frozenset(
    {
        Capability.SNAPSHOT,
        Capability.REVERT,
        Capability.VOLUME_FROM_SNAPSHOT,
        Capability.VOLUME_FROM_VOLUME,
        Capability.TEMPLATE_CACHE,
    }
)
"""What this array does with whole LUNs only."""
ANYWHERE: Final = frozenset({Capability.RESIZE, Capability.RESIZE_ONLINE, Capability.THIN})


class FakeOperation:
    """An operation that has all the time it needs."""

    id = "operation-1"
    remaining_seconds = 30.0

    def check(self) -> None:
        """Nobody cancels it."""


class FakeContext:
    """What the cloud gives a plugin instance; instances of one plugin share `locks`."""

    def __init__(self, bridge: HypervisorBridge, clock: Clock, locks: dict[str, threading.Lock]) -> None:
        self._bridge, self._clock, self._locks = bridge, clock, locks

    def hypervisor(self, cluster: Cluster) -> HypervisorBridge:
        return self._bridge

    def hosts(self, cluster: Cluster) -> Sequence[Host]:
        return self._bridge.hosts()

    def operation(self) -> Operation:
        return FakeOperation()

    def lock(self, name: str) -> AbstractContextManager[None]:
        return _Locked(self._locks.setdefault(name, threading.Lock()))

    @property
    def logger(self) -> logging.Logger:
        return logging.getLogger("fake")

    @property
    def clock(self) -> Clock:
        return self._clock


class _Locked(AbstractContextManager[None]):
    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class FakeProvider:
    """The plugin as a whole."""

    name = "fake"
    version = "1.0"
    contract_version = CONTRACT_VERSION
    host_listener: HostListener | None
    image_store_driver: ImageStoreDriver | None = None

    def __init__(self, array: FakeArray, model: AccessModel, hookup: Hookup) -> None:
        self.array, self._model = array, model
        self.hookup = hookup
        # Hookup PLUGIN has no meaning for DIRECT alone.
        self.access_models = frozenset({model, AccessModel.DEDICATED} if hookup is Hookup.PLUGIN else {model})
        self.context: ProviderContext | None = None
        self.driver: DataStoreDriver = FakeDriver(self)
        self.lifecycle: DataStoreLifeCycle = FakeLifeCycle(self)
        self.host_listener = FakeListener(self)
        self.heard: list[str] = []

    def configure(self, context: ProviderContext) -> None:
        self.context = context

    def close(self) -> None:
        self.context = None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        url = Parameter("url", ParameterKind.URL, required=True, description="where the array answers", endpoint=True)
        return (
            url,
            Parameter("password", ParameterKind.TEXT, required=True, description="of the administrator", secret=True),
        )

    @property
    def capabilities(self) -> Mapping[Capability, Answer]:
        here = ANYWHERE | ({Capability.SHARED_GROWTH} if self._model is AccessModel.SHARED else ON_LUNS)
        here |= {Capability.MULTIPATH} if self.array.wire is not Wire.NFS else set()
        here |= {Capability.CHAP, Capability.CHAP_ROTATION} if self.array.chap_scope else set()
        unsupported = Unsupported("this array cannot")
        return {each: Supported() if each in here else unsupported for each in Capability}

    @property
    def traits(self) -> Traits:
        on_luns, chap_scope = self._model is not AccessModel.SHARED, self.array.chap_scope
        return Traits(
            access_granularity=AccessGranularity.HOST,
            access_mechanism=AccessMechanism.BOTH if chap_scope else AccessMechanism.MASK,
            lun_number_scope=LunNumberScope.HOST if self.array.has_one_target else LunNumberScope.TARGET,
            delete_while_granted=DeleteWhileGranted.REFUSED,
            below_minimum=BelowMinimum.ROUNDED_UP,
            space_accounting=SpaceAccounting.PROVISIONED,
            overprovisioning=True,
            name_rule="numbers",
            chap_scope=chap_scope,
            delete_with_snapshots=DeleteWithDependents.INDEPENDENT if on_luns else None,
            source_delete_with_clones=DeleteWithDependents.INDEPENDENT if on_luns else None,
            revert_scope=RevertScope.ONLY_THIS if on_luns else None,
            rotation_drops_sessions=False if chap_scope else None,
        )

    @property
    def limits(self) -> Limits:
        return Limits(1, LARGEST, 1)

    def is_hooked_up_by_plugin(self, store: DataStore) -> bool:
        """DIRECT is FRAMEWORK always."""
        return self.hookup is Hookup.PLUGIN and store.request.access_model is not AccessModel.DIRECT

    @property
    def bridge(self) -> HypervisorBridge:
        """The bridge of the one cluster."""
        if self.context is None:
            raise AssertionError("the plugin was not configured")
        return self.context.hypervisor(Cluster("only", "only", HypervisorType.KVM))

    def backing(self, lun: Lun, cluster: Cluster, store: DataStore) -> Backing:
        """What a shared datastore stands on, as the cloud is told."""
        export = NfsExport("10.64.0.1", f"/exports/{lun.id}")
        identity = export if self.array.wire is Wire.NFS else LunIdentity(lun.wwid)
        is_plugin = self.is_hooked_up_by_plugin(store)
        ref = DatastoreRef(cluster.uuid, store.request.name) if is_plugin else None
        return Backing(lun.owner_uuid, lun.id, lun.size_bytes, identity, ref, {"lun": lun.id})


class FakeDriver:
    """The driver. What an undeclared capability asks for is refused before anything else."""

    def __init__(self, provider: FakeProvider) -> None:
        self._provider, self._array = provider, provider.array

    # The core

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        if not 0 < request.size_bytes <= LARGEST:
            raise InvalidRequest("size_bytes", request.size_bytes, f"1 to {LARGEST}")
        if store.request.access_model is AccessModel.SHARED:
            return self._carve(store, request)
        size_bytes = self._lun_bytes(store, request.size_bytes)
        lun = self._array.owned_by(request.uuid, ObjectKind.VOLUME)
        if lun and lun.size_bytes != size_bytes:
            raise Conflict(request.uuid, "size_bytes", lun.size_bytes, request.size_bytes)
        is_new = lun is None
        lun = lun or self._make(store, ObjectKind.VOLUME, request.uuid, size_bytes, request)
        try:
            return self._created(lun, request, placement, store)
        except Exception:
            if is_new:
                del self._array.luns[lun.id]
            raise

    def _make(self, store: DataStore, kind: ObjectKind, owner: str, size_bytes: int, request: VolumeRequest) -> Lun:
        return self._array.make(kind, owner, store.request.uuid, size_bytes, request.tenant)

    def _lun_bytes(self, store: DataStore, size_bytes: int) -> int:
        is_plugin = self._provider.is_hooked_up_by_plugin(store)
        return self._provider.bridge.lun_bytes_for(size_bytes) if is_plugin else size_bytes

    def _carve(self, store: DataStore, request: VolumeRequest) -> Created:
        if self._provider.hookup is Hookup.FRAMEWORK:
            raise CapabilityNotSupported("create", "the cloud carves disks itself")
        ref = self._provider.bridge.find_datastore(store.request.name)
        if ref is None:
            raise ObjectNotFound("datastore", store.request.name)
        existing = self._provider.bridge.list_disks(ref).get(request.uuid)
        if existing not in {None, request.size_bytes}:
            raise Conflict(request.uuid, "size_bytes", existing, request.size_bytes)
        disk = self._provider.bridge.create_disk(ref, request.uuid, request.size_bytes)
        return Created(f"{ref.name}/{disk.disk}", request.size_bytes, disk=disk)

    def _created(self, lun: Lun, request: VolumeRequest, placement: Placement, store: DataStore) -> Created:
        if not self._provider.is_hooked_up_by_plugin(store):
            return Created(lun.id, lun.size_bytes, self._identity(lun))
        at = self._granted(lun, placement.hosts)
        bridge = self._provider.bridge
        try:
            if lun.file_system is None or lun.file_system.signature == lun.wwid:
                ref = bridge.create_datastore(request.uuid, at)
                disk = bridge.create_disk(ref, request.uuid, request.size_bytes)
            else:
                ref = bridge.resignature_datastore(at, request.uuid)
                bridge.expand_datastore(ref, at)
                disk = DiskLocation(ref, next(iter(bridge.list_disks(ref))))
                bridge.resize_disk(disk, request.size_bytes)
        except Exception:
            lun.grants.clear()
            raise
        return Created(lun.id, request.size_bytes, self._identity(lun), disk)

    def _granted(self, lun: Lun, hosts: Sequence[Host]) -> list[HostConnection]:
        for host in hosts:
            self._array.grant(lun, host)
        return [HostConnection(host, self._array.connection(lun, host)) for host in hosts]

    def _identity(self, lun: Lun) -> LunIdentity | None:
        return None if self._array.wire is Wire.NFS else LunIdentity(lun.wwid)

    def delete(self, store: DataStore, volume: Volume) -> None:
        if store.request.access_model is AccessModel.SHARED:
            if volume.disk:
                self._provider.bridge.delete_disk(volume.disk)
            return
        lun = self._find(volume)
        if lun is None:
            return
        if self._provider.is_hooked_up_by_plugin(store):
            cluster = volume.placement.cluster.uuid if volume.placement else ""
            self._provider.bridge.delete_datastore(DatastoreRef(cluster, volume.uuid))
            lun.grants.clear()
        if lun.grants:
            raise InUse(lun.id, tuple(lun.grants))
        del self._array.luns[lun.id]

    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        if not any(isinstance(each, USABLE[self._array.wire]) for each in host.initiators):
            raise InvalidRequest("host", host.uuid, f"an initiator for {self._array.wire}")
        at = self._granted(self._get(target), [host])
        ref = self._datastore_of(store, target)
        if ref is not None:
            self._provider.bridge.attach_datastore(ref, at)

    def revoke_access(self, store: DataStore, target: StoreObject, host: Host, remaining_hosts: Sequence[Host]) -> None:
        lun = self._find(target)
        if lun is None:
            return
        ref = self._datastore_of(store, target)
        if ref is not None:
            self._provider.bridge.detach_datastore(ref, [host])
        lun.grants.pop(host.uuid, None)

    def _datastore_of(self, store: DataStore, target: StoreObject) -> DatastoreRef | None:
        """What a host is hooked up to when it is granted this, by the plugin."""
        if not self._provider.is_hooked_up_by_plugin(store):
            return None
        if isinstance(target, Volume):
            return target.disk.datastore if target.disk else None
        return target.datastore if isinstance(target, Backing) else None

    def connection(self, store: DataStore, target: StoreObject, host: Host) -> Connection:
        lun = self._get(target)
        if host.uuid not in lun.grants:
            raise AccessNotGranted(lun.id, host.uuid)
        return self._array.connection(lun, host)

    def fence(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        lun = self._get(target)
        for host in hosts:
            lun.grants.pop(host.uuid, None)

    def list_objects(self, store: DataStore) -> Sequence[OwnedObject]:
        mine = self._array.of_store(store.request.uuid)
        return [OwnedObject(each.kind, each.id, each.owner_uuid, each.size_bytes) for each in mine]

    def used(self, store: DataStore) -> Usage:
        return Usage(sum(each.size_bytes for each in self._array.of_store(store.request.uuid)), None)

    def _find(self, target: StoreObject) -> Lun | None:
        kinds = {
            Volume: ObjectKind.VOLUME,
            Snapshot: ObjectKind.SNAPSHOT,
            CachedTemplate: ObjectKind.TEMPLATE,
            Backing: ObjectKind.BACKING,
        }
        if target.external_id is not None:
            return self._array.luns.get(target.external_id)
        return self._array.owned_by(target.uuid, kinds[type(target)])

    def _get(self, target: StoreObject) -> Lun:
        lun = self._find(target)
        if lun is None:
            raise ObjectNotFound(type(target).__name__, target.external_id)
        return lun

    # What may be declared

    def _require(self, capability: Capability) -> None:
        if not self._provider.capabilities[capability]:
            raise CapabilityNotSupported(capability)

    def resize(self, store: DataStore, volume: Volume, size_bytes: int) -> Resized:
        bridge = self._provider.bridge
        if store.request.access_model is not AccessModel.SHARED:
            lun = self._get(volume)
            lun.size_bytes = max(lun.size_bytes, self._lun_bytes(store, size_bytes))
            if not self._provider.is_hooked_up_by_plugin(store):
                return Resized(lun.size_bytes)
            hosts = [each for each in bridge.hosts() if each.uuid in lun.grants]
            if volume.disk:
                bridge.expand_datastore(volume.disk.datastore, self._granted(lun, hosts))
        if volume.disk is None:
            raise InvalidRequest("disk", None, "the disk that create answered")
        return Resized(bridge.resize_disk(volume.disk, size_bytes))

    def take_snapshot(self, store: DataStore, volume: Volume, request: SnapshotRequest, *, quiesced: bool) -> Created:
        self._require(Capability.QUIESCED_SNAPSHOT if quiesced else Capability.SNAPSHOT)
        lun = self._array.owned_by(request.uuid, ObjectKind.SNAPSHOT)
        source = self._get(volume)
        lun = lun or self._array.copy(source, ObjectKind.SNAPSHOT, request.uuid, source.size_bytes, source.tenant)
        return Created(lun.id, lun.size_bytes, self._identity(lun))

    def delete_snapshot(self, store: DataStore, snapshot: Snapshot) -> None:
        lun = self._find(snapshot)
        if lun:
            del self._array.luns[lun.id]

    def revert(self, store: DataStore, volume: Volume, snapshot: Snapshot) -> None:
        self._require(Capability.REVERT)
        lun, kept = self._get(volume), self._get(snapshot)
        copy = self._array.copy(kept, ObjectKind.VOLUME, "temporary", kept.size_bytes, kept.tenant)
        lun.content, lun.file_system = copy.content, copy.file_system
        del self._array.luns[copy.id]

    def clone(
        self,
        store: DataStore,
        request: VolumeRequest,
        placement: Placement,
        source: Snapshot | Volume | CachedTemplate,
    ) -> Created:
        is_snapshot = isinstance(source, Snapshot)
        self._require(Capability.VOLUME_FROM_SNAPSHOT if is_snapshot else Capability.VOLUME_FROM_VOLUME)
        lun = self._array.owned_by(request.uuid, ObjectKind.VOLUME)
        if lun is None:
            size_bytes = self._lun_bytes(store, request.size_bytes)
            original = self._get(source)
            lun = self._array.copy(original, ObjectKind.VOLUME, request.uuid, size_bytes, request.tenant)
        return self._created(lun, request, placement, store)

    def rotate_chap(self, store: DataStore, target: StoreObject, host: Host) -> None:
        self._require(Capability.CHAP_ROTATION)
        self._array.rotate(self._get(target), host)

    def seed_template(self, store: DataStore, uuid: str, template: Template, size_bytes: int) -> Created:
        self._require(Capability.TEMPLATE_CACHE)
        lun = self._array.owned_by(uuid, ObjectKind.TEMPLATE)
        lun = lun or self._array.make(ObjectKind.TEMPLATE, uuid, store.request.uuid, size_bytes)
        return Created(lun.id, lun.size_bytes, self._identity(lun))

    def delete_template(self, store: DataStore, cached: CachedTemplate) -> None:
        lun = self._find(cached)
        if lun:
            del self._array.luns[lun.id]

    def grow_store(self, store: DataStore, uuid: str, needed_bytes: int, cluster: Cluster) -> Sequence[Backing]:
        self._require(Capability.SHARED_GROWTH)
        lun = self._array.owned_by(store.request.uuid, ObjectKind.BACKING)
        if lun is None:
            raise ObjectNotFound("backing", store.request.uuid)
        lun.size_bytes += needed_bytes
        backing = self._provider.backing(lun, cluster, store)
        if backing.datastore:
            hosts = [each for each in self._provider.bridge.hosts() if each.uuid in lun.grants]
            self._provider.bridge.expand_datastore(backing.datastore, self._granted(lun, hosts))
        return [backing]


class FakeLifeCycle:
    """Adding and removing a store."""

    def __init__(self, provider: FakeProvider) -> None:
        self._provider, self._array = provider, provider.array

    def initialize(self, request: StoreRequest) -> DataStore:
        if request.access_model is AccessModel.DIRECT and self._array.wire is Wire.NFS:
            raise InvalidRequest("access_model", request.access_model, "a model with a datastore: NFS has no LUN")
        return DataStore(request, {"array": "fake"})

    def attach_cluster(self, store: DataStore, cluster: Cluster) -> Sequence[Backing]:
        request = store.request
        if request.access_model is not AccessModel.SHARED:
            return ()
        lun = self._array.owned_by(request.uuid, ObjectKind.BACKING)
        lun = lun or self._array.make(ObjectKind.BACKING, request.uuid, request.uuid, request.capacity_bytes)
        if self._provider.is_hooked_up_by_plugin(store):
            hosts = self._provider.bridge.hosts()
            for host in hosts:
                self._array.grant(lun, host)
            at = [HostConnection(each, self._array.connection(lun, each)) for each in hosts]
            self._provider.bridge.create_datastore(request.name, at)
        return [self._provider.backing(lun, cluster, store)]

    def detach_cluster(self, store: DataStore, cluster: Cluster) -> None:
        if self._provider.is_hooked_up_by_plugin(store):
            self._provider.bridge.delete_datastore(DatastoreRef(cluster.uuid, store.request.name))

    def delete_datastore(self, request: StoreRequest) -> None:
        for lun in self._array.of_store(request.uuid):
            del self._array.luns[lun.id]


class FakeListener:
    """Keeps what it hears."""

    def __init__(self, provider: FakeProvider) -> None:
        self._provider = provider

    def host_added(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._provider.heard.append(f"added {host.name}")

    def host_connected(self, host: Host, store: DataStore) -> None:
        self._provider.heard.append(f"connected {host.name}")

    def host_disconnected(self, host: Host, store: DataStore) -> None:
        self._provider.heard.append(f"disconnected {host.name}")

    def host_about_to_be_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._provider.heard.append(f"about to be removed {host.name}")

    def host_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._provider.heard.append(f"removed {host.name}")

    def host_enabled(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._provider.heard.append(f"enabled {host.name}")
