"""Create a volume (CloudStack: createVolume, with the hookup that DEDICATED puts before the first attach).

FRAMEWORK: create → grant_access on each host → connection on each host → create_datastore → create_disk
PLUGIN:    create (does all of that) → the cloud looks whether the disk is there
DIRECT:    create; nobody sees the LUN before a VM needs it

Failed at any step: the volume's removal, as far as it had come. A create that gave no answer is deleted by
its uuid.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import Cluster, Host, StoreRequest, Volume, VolumeRequest
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import AlreadyExists, ObjectBusy, WrongState
from conformance.orchestrator.records import VolumeRecord, Way
from conformance.orchestrator.row_text import list_from_text, list_to_text
from conformance.orchestrator.states import StoreState, VolumeState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import VolumeSteps

from .volume_operation import VolumeOperation


class CreateVolume(VolumeOperation):
    """Makes a volume for the hosts the cluster has now."""

    kind = "create_volume"

    def __init__(self, cloud: Cloud, volume_uuid: str, hosts: Sequence[Host], new: VolumeRecord | None) -> None:
        super().__init__(cloud, volume_uuid)
        self._hosts, self._new = hosts, new

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, arguments: str) -> CreateVolume:
        """The operation again, from its journal."""
        return cls(cloud, volume_uuid, list_from_text(arguments, Host), None)

    def arguments(self) -> str:
        return list_to_text(self._hosts)

    def begin(self) -> Sequence[str]:
        if self._new is not None:
            self._refuse_store(self._new)
            self.cloud.volumes.insert(self._new)
            self._volume = VolumeSteps(self.cloud, self._new, self.id)
        return self.claims()

    def _refuse_store(self, new: VolumeRecord) -> None:
        store = self.cloud.store(new.store_uuid)
        if store.state is not StoreState.UP or new.cluster not in store.clusters:
            raise WrongState(store.uuid, f"{store.state} for cluster {new.cluster.uuid}", self.kind)
        # A host that joins or leaves, or a store that changes, at this moment would be missed.
        for uuid in (new.cluster.uuid, store.uuid):
            if self.cloud.journal.is_claimed(uuid):
                raise ObjectBusy(uuid)

    def steps(self) -> Sequence[Step]:
        volume, hosts = self.volume, self._hosts
        if self.record.way is Way.DIRECT:
            return [volume.create(hosts)]
        if self.record.way is Way.PLUGIN:
            return [volume.create(hosts), volume.check_disk()]
        return [
            volume.create(hosts),
            *map(volume.grant, hosts),
            *map(volume.ask_connection, hosts),
            volume.create_datastore(hosts),
            volume.create_disk(),
        ]

    def undo_steps(self) -> Sequence[Step]:
        return self.volume.removal()

    def finish(self) -> None:
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)

    def undone(self) -> None:
        self.cloud.volumes.delete(self.object_uuid)


def allocated(
    cloud: Cloud, store: StoreRequest, asked: VolumeRequest, cluster: Cluster, lun_request: VolumeRequest
) -> VolumeRecord:
    """The record of a volume nothing has been made for yet."""
    return VolumeRecord(
        asked=asked,
        store_uuid=store.uuid,
        cluster=cluster,
        way=cloud.way(store),
        state=VolumeState.ALLOCATED,
        disk_bytes=asked.size_bytes,
        volume=Volume(request=lun_request, external_id=None, size_bytes=lun_request.size_bytes),
    )


def existing(
    record: VolumeRecord, store_uuid: str, asked: VolumeRequest, cluster: Cluster, source: str | None = None
) -> Volume:
    """The answer to a create that is repeated after it has succeeded."""
    if (record.asked, record.store_uuid, record.cluster, record.source) != (asked, store_uuid, cluster, source):
        raise AlreadyExists(record.uuid)
    if record.state in {VolumeState.ALLOCATED, VolumeState.CREATING}:
        raise ObjectBusy(record.uuid)
    if record.state in {VolumeState.EXPUNGING, VolumeState.FAILED, VolumeState.DESTROYING}:
        raise WrongState(record.uuid, record.state, CreateVolume.kind)
    return record.volume
