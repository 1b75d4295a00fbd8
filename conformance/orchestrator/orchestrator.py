"""The cloud: user operations, carried out as the documented sequences of plugin and bridge calls.

Who is called when stands in `operations/`, one module for each user operation. Here is what is refused before
an operation begins, what a repeated request is answered with, and how interrupted operations are carried on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from conformance.contract import (
    AccessModel,
    Capability,
    Clock,
    Cluster,
    DataStore,
    DataStoreProvider,
    Host,
    HypervisorBridge,
    QosPolicy,
    StoreRequest,
    VmRef,
    Volume,
    VolumeRequest,
)

from .calls import Caller, CallRunner, SystemClock
from .cloud import Cloud, Told
from .copy_requests import CopyRequests
from .database import Database
from .errors import ModelNotServed, VolumeInUse
from .host_requests import HostRequests
from .operations.add_host import AddHost
from .operations.add_storage import AddStorage, check_existing
from .operations.attach_volume import AttachVolume
from .operations.cancel_maintain_host import CancelMaintainHost
from .operations.cancel_maintain_storage import CancelMaintainStorage
from .operations.connect_host import ConnectHost
from .operations.copy_volume import CopyVolume
from .operations.create_volume import CreateVolume, allocated, existing
from .operations.create_volume_from import CreateVolumeFrom
from .operations.delete_snapshot import DeleteSnapshot
from .operations.delete_storage import DeleteStorage
from .operations.delete_template import DeleteTemplate
from .operations.delete_volume import DeleteVolume
from .operations.detach_volume import DetachVolume
from .operations.disable_storage import DisableStorage
from .operations.disconnect_host import DisconnectHost
from .operations.enable_storage import EnableStorage
from .operations.maintain_host import MaintainHost
from .operations.maintain_storage import MaintainStorage
from .operations.move_vm import MoveVm
from .operations.remove_host import RemoveHost
from .operations.resize_volume import ResizeVolume, refuse_resize
from .operations.revert_volume import RevertVolume
from .operations.rotate_chap import RotateChap, refuse_rotation
from .operations.seed_template import SeedTemplate
from .operations.set_qos import SetQos
from .operations.start_vm import StartVm
from .operations.stop_vm import StopVm
from .operations.take_snapshot import TakeSnapshot
from .operations.update_storage import UpdateStorage
from .operations.with_migration import WithMigration
from .records import StoreRecord, VolumeRecord
from .runner import Runner
from .snapshot_requests import SnapshotRequests
from .states import StoreState, VolumeState
from .steps import StepHooks, UserOperation
from .storage_requests import StorageRequests
from .template_requests import TemplateRequests
from .vm_requests import VmRequests

Revive = Callable[[Cloud, str, str], UserOperation]

REVIVE: Final[Mapping[str, Revive]] = {
    AddStorage.kind: AddStorage.revive,
    CreateVolume.kind: CreateVolume.revive,
    CreateVolumeFrom.kind: CreateVolumeFrom.revive,
    AttachVolume.kind: AttachVolume.revive,
    DetachVolume.kind: DetachVolume.revive,
    ResizeVolume.kind: ResizeVolume.revive,
    SetQos.kind: SetQos.revive,
    CopyVolume.kind: CopyVolume.revive,
    WithMigration.kind: WithMigration.revive,
    RotateChap.kind: RotateChap.revive,
    TakeSnapshot.kind: TakeSnapshot.revive,
    DeleteSnapshot.kind: DeleteSnapshot.revive,
    RevertVolume.kind: RevertVolume.revive,
    DeleteVolume.kind: DeleteVolume.revive,
    SeedTemplate.kind: SeedTemplate.revive,
    DeleteTemplate.kind: DeleteTemplate.revive,
    StartVm.kind: StartVm.revive,
    MoveVm.kind: MoveVm.revive,
    StopVm.kind: StopVm.revive,
    AddHost.kind: AddHost.revive,
    RemoveHost.kind: RemoveHost.revive,
    MaintainHost.kind: MaintainHost.revive,
    CancelMaintainHost.kind: CancelMaintainHost.revive,
    DisconnectHost.kind: DisconnectHost.revive,
    ConnectHost.kind: ConnectHost.revive,
    MaintainStorage.kind: MaintainStorage.revive,
    CancelMaintainStorage.kind: CancelMaintainStorage.revive,
    DisableStorage.kind: DisableStorage.revive,
    EnableStorage.kind: EnableStorage.revive,
    UpdateStorage.kind: UpdateStorage.revive,
    DeleteStorage.kind: DeleteStorage.revive,
}


def _as_asked(request: StoreRequest) -> StoreRequest:
    return request


class Orchestrator(SnapshotRequests, TemplateRequests, CopyRequests, VmRequests, HostRequests, StorageRequests):
    """One cloud with one plugin.

    `database`: a file, a database that is shared with whoever restarts this, or None for one in memory.
    `told` is applied to store requests on their way to the plugin. After a restart call `recover` before
    anything else.

    An operation that fails raises what stopped it, after undoing what it had done; what could not be undone
    is in the error's notes, and is left for `recover` or a repeated delete. `OperationRefused` and
    `CapabilityNotSupported` come before any call that changes something.
    """

    def __init__(
        self,
        *,
        database: Path | Database | None,
        provider: DataStoreProvider,
        bridges: Callable[[Cluster], HypervisorBridge],
        hosts: Callable[[Cluster], Sequence[Host]],
        calls: CallRunner,
        hooks: StepHooks | None = None,
        clock: Clock | None = None,
        told: Told = _as_asked,
    ) -> None:
        self._owns_database = not isinstance(database, Database)
        self._database = database if isinstance(database, Database) else Database(database)
        self._cloud = Cloud(
            database=self._database,
            provider=provider,
            bridges=bridges,
            hosts=hosts,
            caller=Caller(calls, clock or SystemClock()),
            told=told,
        )
        self._runner = Runner(self._cloud, hooks or StepHooks())

    def add_primary_storage(self, request: StoreRequest, clusters: Sequence[Cluster]) -> DataStore:
        """Add a primary storage and make it usable from clusters."""
        self._refuse_model(request.access_model)
        new = StoreRecord(request, StoreState.INITIALIZING, tuple(clusters))
        found = self._cloud.stores.find(request.uuid)
        if found is not None:
            check_existing(found, new)
            return _initialized(found)
        hosts = [(each, self._cloud.usable_hosts(each)) for each in clusters]
        self._runner.run(AddStorage(self._cloud, request.uuid, hosts, new))
        return _initialized(self._cloud.store(request.uuid))

    def create_volume(self, store_uuid: str, request: VolumeRequest, cluster: Cluster) -> Volume:
        """Create a volume of `request.size_bytes` disk bytes; repeated after success: the same answer."""
        found = self._cloud.volumes.find(request.uuid)
        if found is not None:
            return existing(found, store_uuid, request, cluster)
        store = self._cloud.store(store_uuid).request
        if request.qos != QosPolicy():
            self._cloud.require(Capability.QOS)
        hosts = self._cloud.usable_hosts(cluster)
        size_bytes = self._lun_bytes(self._cloud.way(store), cluster, request.size_bytes)
        new = allocated(self._cloud, store, request, cluster, replace(request, size_bytes=size_bytes))
        operation = CreateVolume(self._cloud, request.uuid, hosts, new)
        self._runner.run(operation)
        return operation.record.volume

    def attach_volume(self, volume_uuid: str, vm: VmRef, host: Host | None = None) -> None:
        """Give a volume to a VM; attached to that VM already: success.

        A VM that the cloud has started is where it runs. One that somebody else has started runs on `host`; without a
        host it is stopped, and gets the volume when it starts.
        """
        found = self._cloud.volume(volume_uuid)
        if not _is_attached_to(found, vm):
            self._runner.run(AttachVolume(self._cloud, volume_uuid, vm, host))

    def detach_volume(self, volume_uuid: str, vm: VmRef) -> None:
        """Take a volume from a VM; not attached: success; attached to another VM: refused."""
        found = self._cloud.volume(volume_uuid)
        if found.state is VolumeState.READY and found.attachment is None:
            return
        if found.attachment is not None and found.attachment.vm.uuid != vm.uuid:
            raise VolumeInUse(volume_uuid, found.attachment.vm.uuid)
        self._runner.run(DetachVolume(self._cloud, volume_uuid, vm))

    def resize_volume(self, volume_uuid: str, size_bytes: int) -> int:
        """Bring a volume to at least `size_bytes` disk bytes; answers the size the user has then."""
        found = self._cloud.volume(volume_uuid)
        refuse_resize(self._cloud, found, size_bytes)
        lun_bytes = self._lun_bytes(found.way, found.cluster, size_bytes)
        operation = ResizeVolume(self._cloud, volume_uuid, size_bytes, lun_bytes)
        self._runner.run(operation)
        return operation.new_disk_bytes

    def set_qos(self, volume_uuid: str, qos: QosPolicy) -> None:
        """Change a volume's QoS; None leaves a value as it is."""
        self._cloud.volume(volume_uuid)
        self._runner.run(SetQos(self._cloud, volume_uuid, qos))

    def rotate_chap(self, volume_uuid: str) -> None:
        """Replace the CHAP secret that the volume's hosts reach it with."""
        refuse_rotation(self._cloud)
        self._cloud.volume(volume_uuid)
        self._runner.run(RotateChap(self._cloud, volume_uuid))

    def delete_volume(self, volume_uuid: str) -> None:
        """Delete a volume, also a failed one; absent is success, attached is refused."""
        if self._cloud.volumes.find(volume_uuid) is not None:
            self._runner.run(DeleteVolume(self._cloud, volume_uuid))

    def add_host(self, host: Host) -> None:
        """Let a host join its cluster, or catch up."""
        self._runner.run(AddHost(self._cloud, host))

    def remove_host(self, host: Host) -> None:
        """Let a host leave its cluster; refused while a VM runs on it."""
        self._runner.run(RemoveHost(self._cloud, host))

    def delete_primary_storage(self, store_uuid: str) -> None:
        """Delete a primary storage, also a failed one; absent is success, with volumes refused."""
        if self._cloud.stores.find(store_uuid) is not None:
            self._runner.run(DeleteStorage(self._cloud, store_uuid))

    def recover(self) -> list[str]:
        """Carry on every operation that was interrupted or could not be undone; one sentence about each."""
        rows = [each for each in self._cloud.journal.rows() if not self._runner.is_running(each.id)]
        said = []
        for row in rows:
            operation = REVIVE[row.kind](self._cloud, row.object_uuid, row.arguments)
            operation.id = row.id
            ending = self._runner.carry_on(operation, is_undoing=row.is_undoing)
            said.append(f"{row.kind} {row.object_uuid}: {ending}")
        return said

    def volumes(self) -> tuple[VolumeRecord, ...]:
        """All volumes it believes in, oldest first."""
        return self._cloud.volumes.all()

    def stores(self) -> tuple[StoreRecord, ...]:
        """All primary storages it believes in, oldest first."""
        return self._cloud.stores.all()

    def volume(self, uuid: str) -> VolumeRecord:
        """What it believes about a volume; absent: `UnknownObject`."""
        return self._cloud.volume(uuid)

    @property
    def database(self) -> Database:
        """Where it keeps what it believes: for a ledger, or for the one that takes over after a restart."""
        return self._database

    def close(self) -> None:
        """Close the database, unless it was handed in."""
        if self._owns_database:
            self._database.close()

    def _refuse_model(self, model: AccessModel) -> None:
        if model not in self._cloud.provider.access_models:
            raise ModelNotServed(model, f"plugin {self._cloud.provider.name}")
        if model is AccessModel.SHARED:
            raise ModelNotServed(model, "this orchestrator")


def _initialized(record: StoreRecord) -> DataStore:
    return record.store or DataStore(record.request)


def _is_attached_to(record: VolumeRecord, vm: VmRef) -> bool:
    attached = record.attachment
    return record.state is VolumeState.READY and attached is not None and attached.vm.uuid == vm.uuid
