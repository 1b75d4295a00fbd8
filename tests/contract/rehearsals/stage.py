"""The cloud's side of every rehearsal: which calls make up a user's operation, by access model and hookup.

Everything here is said with the contract alone. `way` decides: the three columns of the contract's table "who
does what, when", and DIRECT, which is FRAMEWORK whatever the plugin's hookup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, cast

from conformance.contract import (
    AccessModel,
    Backing,
    BlockConnection,
    BridgeError,
    CachedTemplate,
    CloneDriver,
    Created,
    DatastoreRef,
    GrowthDriver,
    Hookup,
    Host,
    HostConnection,
    NoSpaceInDatastore,
    Placement,
    ProviderError,
    QosPolicy,
    ResizeDriver,
    RevertDriver,
    Secret,
    Snapshot,
    SnapshotDriver,
    SnapshotRequest,
    StoreObject,
    StoreRequest,
    Template,
    TemplateDriver,
    Tenant,
    VmRef,
    Volume,
    VolumeRequest,
)
from tests.contract.fakes import CLUSTER, Combination, FakeWorld, host

MIB: Final = 1 << 20
ALICE: Final = Tenant("tenant-a", "alice")


class Way(Enum):
    """Who hooks up, and what a volume is."""

    FRAMEWORK_DEDICATED = auto()
    FRAMEWORK_SHARED = auto()
    PLUGIN = auto()
    DIRECT = auto()


def way_of(combination: Combination) -> Way:
    """Read the contract's table."""
    if combination.model is AccessModel.DIRECT:
        return Way.DIRECT
    if combination.hookup is Hookup.PLUGIN:
        return Way.PLUGIN
    is_shared = combination.model is AccessModel.SHARED
    return Way.FRAMEWORK_SHARED if is_shared else Way.FRAMEWORK_DEDICATED


@dataclass(frozen=True)
class Kept:
    """What the cloud keeps of a LUN given to a VM, to undo it when the array will not say any more."""

    host: Host
    connection: BlockConnection


class Stage:
    """One store on one cluster, and the cloud that works on them."""

    def __init__(self, combination: Combination) -> None:
        self.world = FakeWorld(combination)
        self.model, self.way = combination.model, way_of(combination)
        self.array, self.bridge = self.world.array, self.world.bridge
        self.provider = self.world.new_instance()
        self.hosts = list(self.bridge.hosts())
        self.backings: Sequence[Backing] = ()
        self.datastore: DatastoreRef | None = None
        self.volumes: dict[str, Volume] = {}
        self.kept: dict[str, Kept] = {}
        secrets = {"password": Secret("administrator")}
        self.request = StoreRequest("store-1", "primary", CLUSTER, self.model, 64 * MIB, secrets=secrets)

    @property
    def placement(self) -> Placement:
        return Placement(CLUSTER, tuple(self.hosts))

    # Storage

    def add_storage(self) -> None:
        self.store = self.provider.lifecycle.initialize(self.request)
        try:
            self._attach_cluster()
        except (ProviderError, BridgeError):
            self.provider.lifecycle.delete_datastore(self.request)
            raise

    def _attach_cluster(self) -> None:
        self.backings = self.provider.lifecycle.attach_cluster(self.store, CLUSTER)
        for backing in self.backings:
            self.datastore = backing.datastore
            if self.way is Way.FRAMEWORK_SHARED:
                self.datastore = self._new_datastore(self.request.name, backing)

    def remove_storage(self) -> None:
        if self.way is Way.FRAMEWORK_SHARED and self.datastore:
            self.bridge.delete_datastore(self.datastore)
            for backing in self.backings:
                self.revoke_all(backing)
        self.provider.lifecycle.detach_cluster(self.store, CLUSTER)
        self.provider.lifecycle.delete_datastore(self.request)

    def _new_datastore(self, name: str, target: StoreObject) -> DatastoreRef:
        """Grant each host, then make the datastore; a failure leaves neither."""
        try:
            return self.bridge.create_datastore(name, self.granted(target))
        except (ProviderError, BridgeError):
            self.revoke_all(target)
            raise

    # Access

    def granted(self, target: StoreObject, hosts: Sequence[Host] | None = None) -> list[HostConnection]:
        """Grant hosts and ask how each reaches the LUN now."""
        for each in hosts or self.hosts:
            self.provider.driver.grant_access(self.store, target, each)
        return self.connections(target, hosts)

    def connections(self, target: StoreObject, hosts: Sequence[Host] | None = None) -> list[HostConnection]:
        driver = self.provider.driver
        asked = hosts or self.hosts
        return [HostConnection(each, driver.connection(self.store, target, each)) for each in asked]

    def revoke_all(self, target: StoreObject) -> None:
        self.revoke(target, self.hosts, [])

    def revoke(self, target: StoreObject, hosts: Sequence[Host], others: Sequence[Host]) -> None:
        """Take the access of hosts away, the last first; others keep theirs throughout."""
        leaving = list(hosts)
        while leaving:
            last = leaving.pop()
            self.provider.driver.revoke_access(self.store, target, last, (*others, *leaving))

    def _lun_of(self, at: HostConnection) -> BlockConnection:
        if not isinstance(at.connection, BlockConnection):
            raise AssertionError("a VM is given LUNs, not exports")
        return at.connection

    # Volumes

    def create_volume(self, name: str, disk_bytes: int = 4 * MIB, tenant: Tenant = ALICE) -> Volume:
        request = VolumeRequest(f"volume-{name}", name, self._asked(disk_bytes), QosPolicy(), tenant=tenant)
        if self.way is Way.FRAMEWORK_SHARED:
            disk = self.bridge.create_disk(self._shared_datastore(), request.uuid, disk_bytes)
            return self._keep(Volume(request, None, disk_bytes, disk=disk))
        created = self.provider.driver.create(self.store, request, self.placement)
        return self._finish(request, created, disk_bytes)

    def _asked(self, disk_bytes: int) -> int:
        """LUN bytes where the cloud hooks up, disk bytes where the plugin does or there is no datastore."""
        is_lun = self.way is Way.FRAMEWORK_DEDICATED
        return self.bridge.lun_bytes_for(disk_bytes) if is_lun else disk_bytes

    def _finish(self, request: VolumeRequest, created: Created, disk_bytes: int) -> Volume:
        volume = self._volume(request, created)
        if self.way is Way.FRAMEWORK_DEDICATED:
            try:
                ref = self._new_datastore(request.uuid, volume)
            except BridgeError:
                self.provider.driver.delete(self.store, volume)
                raise
            volume = replace(volume, disk=self.bridge.create_disk(ref, request.uuid, disk_bytes))
        return self._keep(volume)

    def _volume(self, request: VolumeRequest, created: Created) -> Volume:
        return Volume(
            request,
            created.external_id,
            created.size_bytes,
            created.identity,
            created.disk,
            self.placement,
            created.details,
        )

    def _keep(self, volume: Volume) -> Volume:
        self.volumes[volume.uuid] = volume
        return volume

    def _shared_datastore(self) -> DatastoreRef:
        if self.datastore is None:
            raise AssertionError("there is no shared datastore")
        return self.datastore

    def delete_volume(self, volume: Volume) -> None:
        if volume.disk and self.way is Way.FRAMEWORK_SHARED:
            self.bridge.delete_disk(volume.disk)
        elif volume.disk and self.way is Way.FRAMEWORK_DEDICATED:
            self.bridge.delete_datastore(volume.disk.datastore)
            self.revoke_all(volume)
        if self.way is not Way.FRAMEWORK_SHARED:
            self.provider.driver.delete(self.store, volume)
        self.volumes.pop(volume.uuid, None)

    # VMs

    def start_vm(self, name: str, on: Host) -> VmRef:
        vm = VmRef(f"vm-{name}", name)
        self.bridge.create_vm(vm, on)
        self.bridge.start_vm(vm, on)
        return vm

    def attach(self, volume: Volume, vm: VmRef, on: Host) -> None:
        if volume.disk:
            self.bridge.attach_disk(vm, volume.disk)
            return
        connection = self._given(volume, on)
        try:
            self.bridge.attach_lun(vm, connection)
        except BridgeError:
            self._taken(volume, on)
            raise

    def _given(self, volume: Volume, on: Host) -> BlockConnection:
        """DIRECT: let one host reach the LUN, and keep what will undo it."""
        (at,) = self.granted(volume, [on])
        self.kept[volume.uuid + on.uuid] = Kept(on, self._lun_of(at).without_chap())
        try:
            self.bridge.connect_target([at])
        except BridgeError:
            self._taken(volume, on)
            raise
        return self._lun_of(at)

    def _taken(self, volume: Volume, from_host: Host, remaining: Sequence[Host] = ()) -> None:
        kept = self.kept.pop(volume.uuid + from_host.uuid)
        self.bridge.disconnect_target([HostConnection(kept.host, kept.connection)])
        self.provider.driver.revoke_access(self.store, volume, from_host, remaining)

    def detach(self, volume: Volume, vm: VmRef, on: Host) -> None:
        if volume.disk:
            self.bridge.detach_disk(vm, volume.disk)
            return
        self.bridge.detach_lun(vm, self.kept[volume.uuid + on.uuid].connection)
        self._taken(volume, on)

    def migrate(self, volume: Volume, vm: VmRef, source: Host, target: Host) -> None:
        if volume.disk:
            self.bridge.migrate_vm(vm, target)
            return
        self.bridge.migrate_vm(vm, target, [self._given(volume, target)])
        self._taken(volume, source, [target])

    def start_elsewhere(self, volume: Volume, vm: VmRef, target: Host) -> None:
        luns = [] if volume.disk else [self._given(volume, target)]
        self.bridge.start_vm(vm, target, luns)

    # Hosts

    def shared_by_hosts(self) -> list[tuple[StoreObject, DatastoreRef]]:
        """What a host of the cluster has access to without being asked for: its datastores."""
        if self.model is AccessModel.SHARED:
            return [(backing, self._shared_datastore()) for backing in self.backings]
        return [(each, each.disk.datastore) for each in self.volumes.values() if each.disk]

    def hook_up(self, target: StoreObject, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        at = self.granted(target, hosts)
        if self.way is not Way.PLUGIN:
            self.bridge.attach_datastore(ref, at)

    def unhook(self, target: StoreObject, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        if self.way is not Way.PLUGIN:
            self.bridge.detach_datastore(ref, hosts)
        self.revoke(target, hosts, [each for each in self.hosts if each not in hosts])

    def add_host(self) -> Host:
        joined = host(len(self.hosts))
        self.bridge.members.append(joined)
        listener = self.provider.host_listener
        if listener:
            listener.host_added(joined, [self.store])
        for target, ref in self.shared_by_hosts():
            self.hook_up(target, ref, [joined])
        if listener:
            listener.host_connected(joined, self.store)
        self.hosts.append(joined)
        return joined

    def remove_host(self, leaving: Host) -> None:
        self.hosts.remove(leaving)
        for target, ref in self.shared_by_hosts():
            self.unhook(target, ref, [leaving])
        listener = self.provider.host_listener
        if listener:
            listener.host_about_to_be_removed(leaving, [self.store])
        self.bridge.members.remove(leaving)
        if listener:
            listener.host_removed(leaving, [self.store])

    # Sizes

    def resize(self, volume: Volume, disk_bytes: int, vm: VmRef | None = None, on: Host | None = None) -> Volume:
        """Grow a volume while its VM runs."""
        if self.way is Way.FRAMEWORK_SHARED:
            return self._resize_shared(volume, disk_bytes)
        try:
            resized = self._resized(volume, disk_bytes)
        except NoSpaceInDatastore:
            self.grow(disk_bytes)
            resized = self._resized(volume, disk_bytes)
        volume = self._keep(replace(volume, size_bytes=resized))
        if volume.disk and self.way is Way.FRAMEWORK_DEDICATED:
            self.bridge.expand_datastore(volume.disk.datastore, self.connections(volume))
            self.bridge.resize_disk(volume.disk, disk_bytes)
        if vm and on and self.way is Way.DIRECT:
            (at,) = self.connections(volume, [on])
            self.bridge.connect_target([at])
            self.bridge.attach_lun(vm, self._lun_of(at))
        return volume

    def _resized(self, volume: Volume, disk_bytes: int) -> int:
        driver = cast(ResizeDriver, self.provider.driver)
        return driver.resize(self.store, volume, self._asked(disk_bytes)).size_bytes

    def _resize_shared(self, volume: Volume, disk_bytes: int) -> Volume:
        if volume.disk is None:
            raise AssertionError("a volume in a shared datastore is a disk")
        try:
            self.bridge.resize_disk(volume.disk, disk_bytes)
        except NoSpaceInDatastore:
            self.grow(disk_bytes)
            self.bridge.resize_disk(volume.disk, disk_bytes)
        return self._keep(replace(volume, size_bytes=disk_bytes))

    def grow(self, needed_bytes: int) -> None:
        driver = cast(GrowthDriver, self.provider.driver)
        self.backings = driver.grow_store(self.store, "growth-1", needed_bytes, CLUSTER)
        if self.way is Way.FRAMEWORK_SHARED:
            for backing in self.backings:
                self.bridge.expand_datastore(self._shared_datastore(), self.connections(backing))

    # Snapshots and clones

    def snapshot(self, volume: Volume, name: str) -> Snapshot:
        request = SnapshotRequest(f"snapshot-{name}", name)
        driver = cast(SnapshotDriver, self.provider.driver)
        created = driver.take_snapshot(self.store, volume, request, quiesced=False)
        external_id = volume.external_id or ""
        return Snapshot(request, volume.uuid, external_id, created.external_id, created.size_bytes, created.details)

    def clone(self, source: Snapshot | Volume | CachedTemplate, name: str, disk_bytes: int = 4 * MIB) -> Volume:
        request = VolumeRequest(f"volume-{name}", name, self._asked(disk_bytes), tenant=ALICE)
        driver = cast(CloneDriver, self.provider.driver)
        volume = self._volume(request, driver.clone(self.store, request, self.placement, source))
        if self.way is Way.FRAMEWORK_DEDICATED:
            at = self.granted(volume)
            ref = self.bridge.resignature_datastore(at, request.uuid)
            self.bridge.expand_datastore(ref, at)
            disk = self.bridge.create_disk(ref, next(iter(self.bridge.list_disks(ref))), 0)
            self.bridge.resize_disk(disk, disk_bytes)
            volume = replace(volume, disk=disk)
        return self._keep(volume)

    def revert(self, volume: Volume, snapshot: Snapshot) -> None:
        """Nobody may have the LUN while its bytes change under it: hosts lose it and get it back."""
        ref = volume.disk.datastore if volume.disk else None
        if ref:
            self.unhook(volume, ref, self.hosts)
        cast(RevertDriver, self.provider.driver).revert(self.store, volume, snapshot)
        if ref:
            self.hook_up(volume, ref, self.hosts)

    # Templates

    def cache_template(self, template: Template) -> CachedTemplate:
        """Make a LUN, fill it from one host, and take it away from there."""
        driver = cast(TemplateDriver, self.provider.driver)
        asked = template.size_bytes if self.way is Way.DIRECT else self.bridge.lun_bytes_for(template.size_bytes)
        created = driver.seed_template(self.store, "template-1", template, asked)
        cached = CachedTemplate(
            "template-1", template, created.external_id, created.size_bytes, created.identity, created.details
        )
        at = self.granted(cached, self.hosts[:1])
        self._fill(cached, at)
        self.revoke(cached, self.hosts[:1], [])
        return cached

    def _fill(self, cached: CachedTemplate, at: list[HostConnection]) -> None:
        if self.way is Way.DIRECT:
            self.bridge.connect_target(at)
            self.bridge.write_template(at[0], cached.template, _unwatched)
            self.bridge.disconnect_target(at)
            return
        ref = self.bridge.create_datastore(cached.uuid, at)
        self.bridge.import_template(ref, cached.template, "root", _unwatched)
        self.bridge.detach_datastore(ref, self.hosts[:1])

    def root_disk(self, template: Template, name: str, disk_bytes: int) -> Volume:
        """SHARED: the hypervisor writes the template into the disk. Otherwise: the array clones it."""
        if self.model is not AccessModel.SHARED:
            return self.clone(self.cache_template(template), name, disk_bytes)
        if self.way is Way.PLUGIN:
            volume = self.create_volume(name, disk_bytes)
            if volume.disk is None:
                raise AssertionError("hookup PLUGIN answers a disk")
            self.bridge.import_template(volume.disk.datastore, template, volume.disk.disk, _unwatched)
            return volume
        request = VolumeRequest(f"volume-{name}", name, disk_bytes, tenant=ALICE)
        disk = self.bridge.import_template(self._shared_datastore(), template, request.uuid, _unwatched)
        return self._keep(Volume(request, None, self.bridge.resize_disk(disk, disk_bytes), disk=disk))

    # Fencing

    def fence(self, volume: Volume, hosts: Sequence[Host]) -> None:
        """Cut hosts off from what the volume is on."""
        targets: Sequence[StoreObject] = self.backings if self.model is AccessModel.SHARED else (volume,)
        for target in targets:
            self.provider.driver.fence(self.store, target, hosts)

    def take_back(self, volume: Volume, returned: Host) -> None:
        """A fenced host is there again: drop what it still has, then let it in as if it had just joined."""
        if self.way is Way.DIRECT:
            kept = self.kept.pop(volume.uuid + returned.uuid)
            self.bridge.disconnect_target([HostConnection(kept.host, kept.connection)])
        for target, ref in self.shared_by_hosts():
            self.unhook(target, ref, [returned])
            self.hook_up(target, ref, [returned])


def _unwatched(done: int, total: int) -> None:
    """Nobody looks at the progress."""
