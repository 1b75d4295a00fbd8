"""What users ask of the cloud about snapshots and clones."""

from __future__ import annotations

from dataclasses import replace

from conformance.contract import (
    Capability,
    Cluster,
    QosPolicy,
    Snapshot,
    SnapshotRequest,
    Volume,
    VolumeRequest,
)

from .operations.create_volume import allocated, existing
from .operations.create_volume_from import CreateVolumeFrom
from .operations.delete_snapshot import DeleteSnapshot
from .operations.revert_volume import RevertVolume, refuse_revert
from .operations.take_snapshot import TakeSnapshot, announced, taken_already
from .records import SnapshotRecord
from .requests import Requests
from .sources import find_source


class SnapshotRequests(Requests):
    """Keep a volume as it is, and make volumes of what was kept."""

    def take_snapshot(self, volume_uuid: str, request: SnapshotRequest, *, quiesced: bool = False) -> Snapshot:
        """Keep a volume as it is at this moment; repeated after success: the same answer."""
        found = self._cloud.snapshots.find(request.uuid)
        if found is not None:
            return taken_already(found, volume_uuid, request, quiesced=quiesced)
        self._cloud.require(Capability.SNAPSHOT)
        if quiesced:
            self._cloud.require(Capability.QUIESCED_SNAPSHOT)
        new = announced(self._cloud.volume(volume_uuid), request, quiesced=quiesced)
        self._runner.run(TakeSnapshot(self._cloud, request.uuid, new))
        return self._cloud.snapshot(request.uuid).snapshot

    def delete_snapshot(self, snapshot_uuid: str) -> None:
        """Delete a snapshot, also a failed one; absent is success."""
        if self._cloud.snapshots.find(snapshot_uuid) is not None:
            self._runner.run(DeleteSnapshot(self._cloud, snapshot_uuid))

    def revert_volume(self, volume_uuid: str, snapshot_uuid: str) -> None:
        """Give a volume its snapshot's bytes and size; refused while a VM has it."""
        refuse_revert(self._cloud)
        self._cloud.volume(volume_uuid)
        self._runner.run(RevertVolume(self._cloud, volume_uuid, snapshot_uuid))

    def create_volume_from(self, store_uuid: str, request: VolumeRequest, cluster: Cluster, source_uuid: str) -> Volume:
        """Create a volume of `request.size_bytes` disk bytes that begins with its source's bytes.

        The source is a snapshot, a volume or a template of the same store.
        """
        found = self._cloud.volumes.find(request.uuid)
        if found is not None:
            return existing(found, store_uuid, request, cluster, source_uuid)
        store, source = self._cloud.store(store_uuid).request, find_source(self._cloud, source_uuid)
        self._cloud.require(source.needs)
        if request.qos != QosPolicy():
            self._cloud.require(Capability.QOS)
        hosts = self._cloud.usable_hosts(cluster)
        needed_bytes = self._lun_bytes(self._cloud.way(store), cluster, request.size_bytes)
        size_bytes = source.bytes_to_ask(self._cloud.way(store), request.size_bytes, needed_bytes)
        new = allocated(self._cloud, store, request, cluster, replace(request, size_bytes=size_bytes))
        new = replace(new, source=source_uuid)
        operation = CreateVolumeFrom(self._cloud, request.uuid, hosts, new, source_uuid)
        self._runner.run(operation)
        return operation.record.volume

    def as_large_as(self, source_uuid: str, request: VolumeRequest) -> VolumeRequest:
        """The request with the size in disk bytes that a snapshot, volume or template has."""
        return replace(request, size_bytes=find_source(self._cloud, source_uuid).disk_bytes)

    def snapshots(self) -> tuple[SnapshotRecord, ...]:
        """All snapshots it believes in, oldest first."""
        return self._cloud.snapshots.all()

    def snapshot(self, uuid: str) -> SnapshotRecord:
        """What it believes about a snapshot; absent: `UnknownObject`."""
        return self._cloud.snapshot(uuid)
