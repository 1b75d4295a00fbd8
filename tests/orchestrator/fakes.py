"""An array, a hypervisor and their plugin and bridge in memory, strict about order: they refuse what must not happen.

What is remembered lives in `FakeArray` and `FakeHypervisor`; plugins and bridges are made anew after each restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from conformance.contract import (
    AccessGranularity,
    AccessMechanism,
    AccessModel,
    AccessNotGranted,
    Answer,
    Backing,
    BelowMinimum,
    BlockConnection,
    BridgeInventory,
    CachedTemplate,
    Capability,
    ChapCredentials,
    ChapScope,
    Cluster,
    Conflict,
    Created,
    DataStore,
    DatastoreConflict,
    DatastoreInUse,
    DatastoreNotFound,
    DatastoreRef,
    DeleteWhileGranted,
    DeleteWithDependents,
    DiskInUse,
    DiskLocation,
    DiskNotFound,
    Hookup,
    Host,
    HostConnection,
    HostEvent,
    HypervisorType,
    InUse,
    InvalidRequest,
    Iqn,
    IscsiPath,
    Limits,
    LunIdentity,
    LunNumberScope,
    ObjectNotFound,
    OwnedObject,
    Parameter,
    Placement,
    Portal,
    Progress,
    ProviderContext,
    QosPolicy,
    Resized,
    RevertScope,
    Secret,
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
    VmNotFound,
    VmRef,
    Volume,
    VolumeRequest,
)
from conformance.orchestrator import Database, Orchestrator, OrchestratorKilled, StepHooks
from conformance.orchestrator.calls import Party

T = TypeVar("T")
OVERHEAD = 1000
GRANULE = 512

CLUSTER = Cluster("cluster-1", "kvm", HypervisorType.KVM)
STORE = StoreRequest(
    "store-1",
    "gold",
    CLUSTER,
    AccessModel.DEDICATED,
    1 << 40,
    parameters={"url": "https://array.test/"},
    secrets={"password": Secret("very secret words")},
)
VOLUME = VolumeRequest("volume-1", "data", 10_000)
OTHER_STORE = "store-2"
SECOND = VolumeRequest("volume-2", "logs", 5_000)
SNAPSHOT = SnapshotRequest("snapshot-1", "before the update")
CLONE = VolumeRequest("volume-9", "clone", 10_000)
IMAGE = b"an operating system" * 200
TEMPLATE = Template("file:debian.raw", "raw", len(IMAGE), "sha256:" + hashlib.sha256(IMAGE).hexdigest())
TEMPLATE_UUID = "template-1"
VM = VmRef("vm-1", "web")
OTHER_VM = VmRef("vm-2", "db")


def host(number: int) -> Host:
    """Host number so and so of the cluster."""
    name = f"host-{number}"
    return Host(name, name, HypervisorType.KVM, CLUSTER.uuid, (Iqn(f"iqn.2024-01.test:{name}"),))


HOSTS = (host(1), host(2))


@dataclass
class Lun:
    uuid: str
    number: int
    size_bytes: int
    qos: QosPolicy
    hosts: set[str] = field(default_factory=set)
    content: str = "zeros"

    @property
    def wwid(self) -> str:
        return f"{self.number:032x}"


@dataclass
class Kept:
    """A snapshot: what a LUN was."""

    uuid: str
    volume_uuid: str
    number: int
    size_bytes: int
    content: str
    quiesced: bool
    disks: dict[str, int]


@dataclass
class FakeArray:
    luns: dict[str, Lun] = field(default_factory=dict)
    snapshots: dict[str, Kept] = field(default_factory=dict)
    templates: dict[str, Lun] = field(default_factory=dict)
    stores: set[str] = field(default_factory=set)
    maintained: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)
    capacity: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    rotations: dict[str, int] = field(default_factory=dict)
    lifted: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    made: int = 0
    told: list[str] = field(default_factory=list)


@dataclass
class Pool:
    wwid: str
    hosts: set[str]
    disks: dict[str, int] = field(default_factory=dict)


@dataclass
class FakeVm:
    host: str
    is_running: bool = False


@dataclass
class FakeHypervisor:
    """`written` are the disks of the datastore on each LUN, where datastores have signatures and are written.

    `secrets` are the CHAP secrets that each host was last told for a LUN, `images` the templates written onto LUNs.

    `vm_disks` tells the VM that has the disk of a datastore, `vm_luns` the VM that has a LUN.
    """

    kind: HypervisorType = HypervisorType.KVM
    written: dict[str, dict[str, int]] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    targets: set[tuple[str, str]] = field(default_factory=set)
    vm_disks: dict[str, str] = field(default_factory=dict)
    vm_luns: dict[str, str] = field(default_factory=dict)
    vms: dict[str, FakeVm] = field(default_factory=dict)
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)

    def uses(self, wwid: str, host_uuid: str | None = None) -> bool:
        """Whether a host, or any, has the LUN mounted or connected."""
        mounted = {(each.wwid, one) for each in self.pools.values() for one in each.hosts}
        return any(
            lun == wwid and host_uuid in {None, one} for lun, one in mounted | {(lun, one) for one, lun in self.targets}
        )


class FakeBridge:
    """The bridge; `HypervisorBridge`."""

    def __init__(self, state: FakeHypervisor) -> None:
        self.state = state
        self.hypervisor = state.kind

    def hosts(self) -> Sequence[Host]:
        return HOSTS

    def watch_hosts(self) -> Iterator[HostEvent]:
        return iter(())

    def lun_bytes_for(self, disk_bytes: int) -> int:
        return disk_bytes + OVERHEAD

    def create_datastore(self, name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        self._learn_secrets(at)
        wwid = _wwid(at[0])
        if self.state.kind is not HypervisorType.KVM and name not in self.state.pools:
            assert wwid not in self.state.written, "formatted a LUN that holds a datastore"
        pool = self.state.pools.setdefault(name, Pool(wwid, set()))
        self.state.written[wwid] = pool.disks
        if pool.wwid != wwid:
            raise DatastoreConflict("kvm", at[0].host.uuid, "create_datastore", "stands on another LUN")
        pool.hosts |= {each.host.uuid for each in at}
        return DatastoreRef(CLUSTER.uuid, name)

    def find_datastore(self, name: str) -> DatastoreRef | None:
        return DatastoreRef(CLUSTER.uuid, name) if name in self.state.pools else None

    def attach_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        self._learn_secrets(at)
        self._pool(ref).hosts |= {each.host.uuid for each in at}

    def resignature_datastore(self, at: Sequence[HostConnection], name: str) -> DatastoreRef:
        wwid = _wwid(at[0])
        assert self.state.kind is not HypervisorType.KVM, "a KVM pool has no signature"
        self.state.pools[name] = Pool(wwid, {each.host.uuid for each in at}, self.state.written[wwid])
        return DatastoreRef(CLUSTER.uuid, name)

    def expand_datastore(self, ref: DatastoreRef, at: Sequence[HostConnection]) -> None:
        assert {each.host.uuid for each in at} == self._pool(ref).hosts

    def detach_datastore(self, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        leaving = {each.uuid for each in hosts}
        vm = self.state.vms.get(self.state.vm_disks.get(ref.name, ""))
        assert vm is None or vm.host not in leaving, "unmounted under a VM"
        if ref.name in self.state.pools:
            self._pool(ref).hosts -= leaving

    def delete_datastore(self, ref: DatastoreRef) -> None:
        if ref.name in self.state.vm_disks:
            raise DatastoreInUse("kvm", "any", "delete_datastore", "a VM has a disk in it")
        self.state.pools.pop(ref.name, None)

    def connect_target(self, at: Sequence[HostConnection]) -> None:
        self._learn_secrets(at)
        self.state.targets |= {(each.host.uuid, _wwid(each)) for each in at}

    def disconnect_target(self, at: Sequence[HostConnection]) -> None:
        for each in at:
            vm = self.state.vms.get(self.state.vm_luns.get(_wwid(each), ""))
            assert vm is None or vm.host != each.host.uuid, "disconnected under a VM"
        self.state.targets -= {(each.host.uuid, _wwid(each)) for each in at}

    def datastore_bytes(self, ref: DatastoreRef, host: Host) -> int:
        raise NotImplementedError

    def list_disks(self, ref: DatastoreRef) -> Mapping[str, int]:
        return dict(self._pool(ref).disks)

    def create_disk(self, ref: DatastoreRef, name: str, size_bytes: int) -> DiskLocation:
        self._pool(ref).disks[name] = size_bytes
        return DiskLocation(ref, name)

    def resize_disk(self, disk: DiskLocation, size_bytes: int) -> int:
        pool = self._pool(disk.datastore)
        if disk.disk not in pool.disks:
            raise DiskNotFound("kvm", "any", "resize_disk", "no such disk")
        pool.disks[disk.disk] = max(size_bytes, pool.disks[disk.disk])
        return pool.disks[disk.disk]

    def delete_disk(self, disk: DiskLocation) -> None:
        if disk.datastore.name in self.state.pools:
            self._pool(disk.datastore).disks.pop(disk.disk, None)

    def copy_disk(self, source: DiskLocation, target: DatastoreRef, name: str, progress: Progress) -> DiskLocation:
        raise NotImplementedError

    def import_template(self, ref: DatastoreRef, template: Template, name: str, progress: Progress) -> DiskLocation:
        assert self._pool(ref).hosts
        self._pool(ref).disks[name] = template.size_bytes
        self.state.images[self._pool(ref).wwid] = IMAGE
        progress(template.size_bytes, template.size_bytes)
        return DiskLocation(ref, name)

    def write_template(self, at: HostConnection, template: Template, progress: Progress) -> None:
        assert (at.host.uuid, _wwid(at)) in self.state.targets
        self.state.images[_wwid(at)] = IMAGE
        progress(template.size_bytes, template.size_bytes)

    def read_disk(self, disk: DiskLocation, offset: int, length: int) -> bytes:
        assert disk.disk in self._pool(disk.datastore).disks
        return self.state.images[self._pool(disk.datastore).wwid][offset : offset + length]

    def write_disk(self, disk: DiskLocation, offset: int, data: bytes) -> None:
        raise NotImplementedError

    def attach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        holder = self.state.vm_disks.setdefault(disk.datastore.name, vm.uuid)
        if holder != vm.uuid:
            raise DiskInUse("kvm", "any", "attach_disk", f"VM {holder} has it")
        if vm.uuid in self.state.vms:
            assert self.state.vms[vm.uuid].host in self._pool(disk.datastore).hosts

    def detach_disk(self, vm: VmRef, disk: DiskLocation) -> None:
        self.state.vm_disks.pop(disk.datastore.name, None)

    def attach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        wwid = str(connection.identity.wwid)
        known = self.state.vms.get(vm.uuid)
        assert self.state.uses(wwid, known.host if known else None)
        assert self.state.vm_luns.setdefault(wwid, vm.uuid) == vm.uuid

    def detach_lun(self, vm: VmRef, connection: BlockConnection) -> None:
        self.state.vm_luns.pop(str(connection.identity.wwid), None)

    def create_vm(self, vm: VmRef, on: Host) -> None:
        self.state.vms.setdefault(vm.uuid, FakeVm(on.uuid))

    def start_vm(self, vm: VmRef, on: Host, luns: Sequence[BlockConnection] = ()) -> None:
        self._check_reached(vm, on, luns)
        self._vm(vm, "start_vm").host = on.uuid
        self._vm(vm, "start_vm").is_running = True

    def stop_vm(self, vm: VmRef) -> None:
        self._vm(vm, "stop_vm").is_running = False

    def migrate_vm(self, vm: VmRef, to: Host, luns: Sequence[BlockConnection] = ()) -> None:
        known = self._vm(vm, "migrate_vm")
        assert known.is_running
        if known.host != to.uuid:
            self._check_reached(vm, to, luns)
        known.host = to.uuid

    def delete_vm(self, vm: VmRef) -> None:
        assert vm.uuid not in self.state.vm_disks.values(), "removed with its disks"
        assert vm.uuid not in self.state.vm_luns.values(), "removed with its LUNs"
        self.state.vms.pop(vm.uuid, None)

    def _vm(self, vm: VmRef, call: str) -> FakeVm:
        if vm.uuid not in self.state.vms:
            raise VmNotFound("kvm", "any", call, f"no VM {vm.name}")
        return self.state.vms[vm.uuid]

    def _check_reached(self, vm: VmRef, on: Host, luns: Sequence[BlockConnection]) -> None:
        has = [each for each, holder in self.state.vm_luns.items() if holder == vm.uuid]
        assert [str(each.identity.wwid) for each in luns] == has, "LUNs in the order in which they were attached"
        assert all(self.state.uses(each, on.uuid) for each in has)
        disks = [each for each, holder in self.state.vm_disks.items() if holder == vm.uuid]
        assert all(on.uuid in self.state.pools[each].hosts for each in disks)

    def inventory(self) -> BridgeInventory:
        raise NotImplementedError

    def _learn_secrets(self, at: Sequence[HostConnection]) -> None:
        for each in at:
            assert isinstance(each.connection, BlockConnection)
            path = each.connection.paths[0]
            if isinstance(path, IscsiPath) and path.chap is not None:
                self.state.secrets[_wwid(each), each.host.uuid] = path.chap.secret.reveal()

    def _pool(self, ref: DatastoreRef) -> Pool:
        if ref.name not in self.state.pools:
            raise DatastoreNotFound("kvm", "any", "find", f"no pool {ref.name}")
        return self.state.pools[ref.name]


def _wwid(at: HostConnection) -> str:
    assert isinstance(at.connection, BlockConnection)
    return str(at.connection.identity.wwid)


class FakePlugin:
    """Provider, driver, life cycle and listener in one; `DataStoreProvider` and the rest."""

    def __init__(
        self,
        array: FakeArray,
        hypervisor: FakeHypervisor,
        hookup: Hookup = Hookup.FRAMEWORK,
        lacks: frozenset[Capability] = frozenset(),
        traits: Mapping[str, object] | None = None,
    ) -> None:
        self.array, self.hypervisor, self.hookup = array, hypervisor, hookup
        self.name, self.version, self.contract_version = "fake", "1", "0.1"
        self.parameters: tuple[Parameter, ...] = ()
        self.access_models = frozenset(AccessModel)
        self.capabilities: Mapping[Capability, Answer] = {
            each: Unsupported("not here") if each in lacks else Supported() for each in Capability
        }
        self.limits = Limits(GRANULE, 1 << 50, GRANULE)
        self.traits = Traits(
            access_granularity=AccessGranularity.HOST,
            access_mechanism=AccessMechanism.MASK,
            lun_number_scope=LunNumberScope.TARGET,
            delete_while_granted=DeleteWhileGranted.REFUSED,
            below_minimum=BelowMinimum.ROUNDED_UP,
            space_accounting=SpaceAccounting.PROVISIONED,
            overprovisioning=False,
            name_rule="the uuid",
            delete_with_snapshots=DeleteWithDependents.REFUSED,
            source_delete_with_clones=DeleteWithDependents.INDEPENDENT,
            revert_scope=RevertScope.DISCARDS_NEWER,
        )
        for name, value in (traits or {}).items():
            object.__setattr__(self.traits, name, value)
        self.image_store_driver = None

    @property
    def driver(self) -> FakePlugin:
        return self

    @property
    def lifecycle(self) -> FakePlugin:
        return self

    @property
    def host_listener(self) -> FakePlugin:
        return self

    def configure(self, context: ProviderContext) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    # life cycle

    def initialize(self, request: StoreRequest) -> DataStore:
        self.array.told.append(request.parameters["url"])
        assert request.secrets["password"].reveal() == "very secret words"
        self.array.stores.add(request.uuid)
        return DataStore(request, {"pool": "7"})

    def attach_cluster(self, store: DataStore, cluster: Cluster) -> Sequence[Backing]:
        assert store.details == {"pool": "7"}
        return []

    def detach_cluster(self, store: DataStore, cluster: Cluster) -> None:
        assert store.request.uuid in self.array.stores

    def delete_datastore(self, request: StoreRequest) -> None:
        self.array.stores.discard(request.uuid)

    def maintain(self, store: DataStore) -> None:
        for each in self.array.luns.values():
            assert not self.hypervisor.uses(each.wwid), "taken out of use while it is used"
        self.array.maintained.add(store.request.uuid)

    def cancel_maintain(self, store: DataStore) -> None:
        self.array.maintained.discard(store.request.uuid)

    def disable(self, store: DataStore) -> None:
        self.array.disabled.add(store.request.uuid)

    def enable(self, store: DataStore) -> None:
        self.array.disabled.discard(store.request.uuid)

    def update(self, store: DataStore, request: StoreRequest) -> DataStore:
        used = sum(each.size_bytes for each in self.array.luns.values())
        if request.capacity_bytes < used:
            raise InvalidRequest("capacity_bytes", request.capacity_bytes, f"at least {used}")
        self.array.capacity[request.uuid] = (request.capacity_bytes, request.capacity_iops)
        return DataStore(request, store.details)

    # driver

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        return self._made(store, request, placement, "zeros")

    def clone(self, store: DataStore, request: VolumeRequest, placement: Placement, source: StoreObject) -> Created:
        size_bytes, content, disks = self._held(source)
        if request.size_bytes < size_bytes:
            raise InvalidRequest("size_bytes", request.size_bytes, f"at least {size_bytes}")
        is_new = request.uuid not in self.array.luns
        created = self._made(store, request, placement, content)
        if is_new and disks:
            self.hypervisor.written[self.array.luns[request.uuid].wwid] = disks
        return created

    def _held(self, source: StoreObject) -> tuple[int, str, dict[str, int]]:
        if isinstance(source, Snapshot):
            assert source.external_id is not None
            kept = self.array.snapshots[source.uuid]
            return kept.size_bytes, kept.content, dict(kept.disks)
        lun = self._lun(source)
        if isinstance(source, CachedTemplate):
            assert not lun.hosts, "cloned before it was revoked"
            assert self.hypervisor.images[lun.wwid] == IMAGE, "cloned before it was filled"
            return lun.size_bytes, "template", dict(self.hypervisor.written.get(lun.wwid, {}))
        return lun.size_bytes, lun.content, dict(self.hypervisor.written.get(lun.wwid, {}))

    def _in_use(self, store: DataStore) -> None:
        assert store.request.uuid not in self.array.maintained, "called in maintenance"

    def _made(self, store: DataStore, request: VolumeRequest, placement: Placement, content: str) -> Created:
        self._in_use(store)
        assert store.request.uuid not in self.array.disabled, "made in a store that takes no new volumes"
        if request.uuid not in self.array.luns:
            self.array.made += 1
            size_bytes = -(-request.size_bytes // GRANULE) * GRANULE
            lun = Lun(request.uuid, self.array.made, size_bytes, request.qos, content=content)
            self.array.luns[request.uuid] = lun
        lun = self.array.luns[request.uuid]
        if lun.size_bytes < request.size_bytes:
            raise Conflict(request.uuid, "size_bytes", lun.size_bytes, request.size_bytes)
        disk = None
        if self.hookup is Hookup.PLUGIN and store.request.access_model is AccessModel.DEDICATED:
            lun.hosts |= {each.uuid for each in placement.hosts}
            self.hypervisor.pools[f"plugin-{request.uuid}"] = Pool(
                lun.wwid, set(lun.hosts), {"disk": request.size_bytes}
            )
            disk = DiskLocation(DatastoreRef(CLUSTER.uuid, f"plugin-{request.uuid}"), "disk")
        return Created(f"lun-{lun.number}", lun.size_bytes, LunIdentity(lun.wwid), disk)

    def delete(self, store: DataStore, volume: Volume) -> None:
        lun = self.array.luns.get(volume.uuid)
        if lun is None:
            return
        if self.hookup is Hookup.PLUGIN:
            self.hypervisor.pools.pop(f"plugin-{volume.uuid}", None)
        elif lun.hosts:
            raise InUse(f"lun-{lun.number}", tuple(lun.hosts))
        self._delete_dependents(volume.uuid)
        self.hypervisor.written.pop(lun.wwid, None)
        del self.array.luns[volume.uuid]

    def _delete_dependents(self, uuid: str) -> None:
        snapshots = [each.uuid for each in self.array.snapshots.values() if each.volume_uuid == uuid]
        if snapshots and self.traits.delete_with_snapshots is DeleteWithDependents.REFUSED:
            raise InUse(uuid, tuple(snapshots))
        if self.traits.delete_with_snapshots is DeleteWithDependents.CASCADES:
            for each in snapshots:
                del self.array.snapshots[each]

    def take_snapshot(self, store: DataStore, volume: Volume, request: SnapshotRequest, *, quiesced: bool) -> Created:
        self._in_use(store)
        lun = self._lun(volume)
        if request.uuid not in self.array.snapshots:
            self.array.made += 1
            disks = dict(self.hypervisor.written.get(lun.wwid, {}))
            self.array.snapshots[request.uuid] = Kept(
                request.uuid, lun.uuid, self.array.made, lun.size_bytes, lun.content, quiesced, disks
            )
        kept = self.array.snapshots[request.uuid]
        return Created(f"snapshot-{kept.number}", kept.size_bytes, details={"of": str(lun.number)})

    def delete_snapshot(self, store: DataStore, snapshot: Snapshot) -> None:
        self._in_use(store)
        self.array.snapshots.pop(snapshot.uuid, None)

    def revert(self, store: DataStore, volume: Volume, snapshot: Snapshot) -> None:
        self._in_use(store)
        lun, kept = self._lun(volume), self.array.snapshots[snapshot.uuid]
        if lun.hosts:
            raise InUse(f"lun-{lun.number}", tuple(lun.hosts))
        assert not self.hypervisor.uses(lun.wwid), "bytes changed under a datastore"
        lun.size_bytes, lun.content = kept.size_bytes, kept.content
        if self.traits.revert_scope is RevertScope.DISCARDS_NEWER:
            newer = [each.uuid for each in self.array.snapshots.values() if each.number > kept.number]
            for each in newer:
                if self.array.snapshots[each].volume_uuid == lun.uuid:
                    del self.array.snapshots[each]

    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        self._in_use(store)
        lun = self._lun(target)
        lun.hosts.add(host.uuid)
        if self.hookup is Hookup.PLUGIN and isinstance(target, Volume):
            self.hypervisor.pools[f"plugin-{lun.uuid}"].hosts.add(host.uuid)

    def revoke_access(self, store: DataStore, target: StoreObject, host: Host, remaining_hosts: Sequence[Host]) -> None:
        lun = self.array.luns.get(_uuid(target)) or self.array.templates.get(_uuid(target))
        if lun is None:
            return
        if self.hookup is Hookup.PLUGIN and isinstance(target, Volume):
            self.hypervisor.pools[f"plugin-{lun.uuid}"].hosts.discard(host.uuid)
        assert not self.hypervisor.uses(lun.wwid, host.uuid), "unmapped before it was unmounted"
        lun.hosts.discard(host.uuid)
        assert {each.uuid for each in remaining_hosts} == lun.hosts

    def connection(self, store: DataStore, target: StoreObject, host: Host) -> BlockConnection:
        self._in_use(store)
        lun = self._lun(target)
        if host.uuid not in lun.hosts:
            raise AccessNotGranted(f"lun-{lun.number}", host.uuid)
        chap = None if self.traits.chap_scope is None else ChapCredentials("user", Secret(self.secret(target, host)))
        path = IscsiPath(Iqn("iqn.2024-01.test:array"), (Portal("10.0.0.1"),), lun.number, chap)
        return BlockConnection(LunIdentity(lun.wwid), lun.size_bytes, (path,))

    def account(self, target: StoreObject, host: Host) -> str:
        """Whose secret it is that a host logs in with."""
        tenant = target.request.tenant.uuid if isinstance(target, Volume) else ""
        names = {ChapScope.VOLUME: _uuid(target), ChapScope.HOST: host.uuid, ChapScope.TENANT: tenant}
        return names.get(self.traits.chap_scope or ChapScope.CONTROLLER, "controller")

    def secret(self, target: StoreObject, host: Host) -> str:
        """The secret that holds now."""
        return f"secret of {self.array.rotations.get(self.account(target, host), 0):04}"

    def rotate_chap(self, store: DataStore, target: StoreObject, host: Host) -> None:
        lun = self._lun(target)
        if host.uuid not in lun.hosts:
            raise AccessNotGranted(f"lun-{lun.number}", host.uuid)
        if self.traits.rotation_drops_sessions and self.hookup is Hookup.FRAMEWORK:
            assert not self.hypervisor.uses(lun.wwid, host.uuid), "dropped under a datastore"
        account = self.account(target, host)
        self.array.rotations[account] = self.array.rotations.get(account, 0) + 1

    def begin_migration(self, store: DataStore, volume: Volume) -> None:
        self.array.lifted.add(self._lun(volume).uuid)

    def end_migration(self, store: DataStore, volume: Volume) -> None:
        self.array.lifted.discard(volume.uuid)

    def can_copy(self, source: DataStore, destination: DataStore) -> bool:
        return "far" not in destination.request.tags

    def copy(self, source: DataStore, volume: Volume, destination: DataStore, request: VolumeRequest) -> Created:
        assert self.array.lifted == {volume.uuid} or not self.capabilities[Capability.MIGRATION_QOS]
        size_bytes, content, disks = self._held(volume)
        assert request.size_bytes >= size_bytes
        assert volume.placement is not None
        is_new = request.uuid not in self.array.luns
        created = self._made(destination, request, volume.placement, content)
        if is_new and disks:
            self.hypervisor.written[self.array.luns[request.uuid].wwid] = disks
        return created

    def fence(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        raise NotImplementedError

    def list_objects(self, store: DataStore) -> Sequence[OwnedObject]:
        raise NotImplementedError

    def used(self, store: DataStore) -> Usage:
        raise NotImplementedError

    def resize(self, store: DataStore, volume: Volume, size_bytes: int) -> Resized:
        self._in_use(store)
        lun = self._lun(volume)
        if lun.hosts and not self.capabilities[Capability.RESIZE_ONLINE]:
            raise InUse(f"lun-{lun.number}", tuple(lun.hosts))
        lun.size_bytes = -(-size_bytes // GRANULE) * GRANULE
        return Resized(lun.size_bytes)

    def set_qos(self, store: DataStore, volume: Volume, qos: QosPolicy) -> None:
        self._in_use(store)
        self._lun(volume).qos = qos

    # host listener

    def host_added(self, host: Host, stores: Sequence[DataStore]) -> None:
        self.array.hosts.add(host.uuid)

    def host_connected(self, host: Host, store: DataStore) -> None:
        self.array.hosts.add(host.uuid)

    def host_disconnected(self, host: Host, store: DataStore) -> None:
        self.array.heard.append(f"{host.uuid} is gone from {store.request.uuid}")

    def host_about_to_be_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        assert not any(host.uuid in each.hosts for each in self.array.luns.values())
        self.array.hosts.discard(host.uuid)

    def host_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        assert host.uuid not in self.array.hosts

    def host_enabled(self, host: Host, stores: Sequence[DataStore]) -> None:
        self.array.heard.append(f"{host.uuid} is back at {' '.join(each.request.uuid for each in stores)}")

    # templates

    def seed_template(self, store: DataStore, uuid: str, template: Template, size_bytes: int) -> Created:
        self._in_use(store)
        if uuid not in self.array.templates:
            self.array.made += 1
            lun_bytes = -(-size_bytes // GRANULE) * GRANULE
            self.array.templates[uuid] = Lun(uuid, self.array.made, lun_bytes, QosPolicy())
        lun = self.array.templates[uuid]
        return Created(f"template-{lun.number}", lun.size_bytes, LunIdentity(lun.wwid))

    def delete_template(self, store: DataStore, cached: CachedTemplate) -> None:
        lun = self.array.templates.get(cached.uuid)
        if lun is None:
            return
        if lun.hosts:
            raise InUse(f"template-{lun.number}", tuple(lun.hosts))
        self.hypervisor.written.pop(lun.wwid, None)
        self.hypervisor.images.pop(lun.wwid, None)
        del self.array.templates[cached.uuid]

    def _lun(self, target: StoreObject) -> Lun:
        luns = self.array.templates if isinstance(target, CachedTemplate) else self.array.luns
        if _uuid(target) not in luns:
            raise ObjectNotFound("volume", _uuid(target))
        return luns[_uuid(target)]


def _uuid(target: StoreObject) -> str:
    assert isinstance(target, Volume | CachedTemplate)
    return target.uuid


class Script:
    """A call runner that records names, and fails or dies where it is told to; `CallRunner`."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.failures: dict[str, list[Exception]] = {}
        self.fails_after = False
        self.dies_after: int | None = None
        self.during: Callable[[str], None] = lambda _: None

    def fail(self, name: str, *errors: Exception) -> None:
        """Let the next calls of that name fail, once for each error."""
        self.failures.setdefault(name, []).extend(errors)

    def call(self, party: Party, name: str, function: Callable[[], T]) -> T:
        called = f"{party}.{name}"
        self.names.append(called)
        self.during(called)
        errors = self.failures.get(called)
        if errors and not self.fails_after:
            raise errors.pop(0)
        answer = function()
        if errors:
            raise errors.pop(0)
        if self.dies_after is not None and len(self.names) > self.dies_after:
            raise OrchestratorKilled(called)
        return answer


class StillClock:
    """A clock that notes how long it was asked to wait."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class KillAt(StepHooks):
    """Dies before the step number so and so, counted over operations."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0

    def before_step(self, operation: str, step: str, index: int) -> None:
        self.seen += 1
        if self.seen > self.at:
            raise OrchestratorKilled(f"{operation} {step}")


@dataclass
class World:
    """An array and a hypervisor that outlive the clouds that work on them."""

    hookup: Hookup = Hookup.FRAMEWORK
    lacks: frozenset[Capability] = frozenset()
    traits: Mapping[str, object] = field(default_factory=dict)
    hosts: list[Host] = field(default_factory=lambda: list(HOSTS))
    array: FakeArray = field(default_factory=FakeArray)
    hypervisor: FakeHypervisor = field(default_factory=FakeHypervisor)
    database: Database = field(default_factory=lambda: Database(None))
    script: Script = field(default_factory=Script)
    clock: StillClock = field(default_factory=StillClock)

    def cloud(self, hooks: StepHooks | None = None) -> Orchestrator:
        """A cloud on this database, as after a restart."""
        return Orchestrator(
            database=self.database,
            provider=FakePlugin(self.array, self.hypervisor, self.hookup, self.lacks, self.traits),
            bridges=lambda _: FakeBridge(self.hypervisor),
            hosts=lambda _: self.hosts,
            calls=self.script,
            hooks=hooks,
            clock=self.clock,
        )

    def calls(self, action: Callable[[], object]) -> list[str]:
        """The calls that an action makes."""
        self.script.names.clear()
        action()
        return list(self.script.names)

    def assert_empty(self) -> None:
        """Nothing is left of any volume."""
        assert self.array.luns == {}
        assert self.array.snapshots == {}
        assert self.array.templates == {}
        assert self.hypervisor.pools == {}
        assert self.hypervisor.targets == set()
        assert self.hypervisor.vm_disks == {}
        assert self.hypervisor.vm_luns == {}
        assert self.hypervisor.vms == {}
        for table in ("volumes", "snapshots", "templates", "grants", "attachments", "vms", "operations", "claims"):
            assert self.database.rows(f"SELECT * FROM {table}") == []  # noqa: S608
