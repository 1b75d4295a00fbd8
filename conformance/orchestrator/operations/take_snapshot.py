"""Take a snapshot (CloudStack: createSnapshot): take_snapshot on the plugin, nothing else, in every hookup.

Hosts keep what they have: of a volume that a VM writes to, the snapshot is what a crash would leave. A quiesced
one is the plugin's to bring about; nothing is asked of VM or bridge.

Failed: delete_snapshot; one that gave no answer is deleted by its uuid (`external_id` None).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conformance.contract import Created, Snapshot, SnapshotRequest
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import AlreadyExists, ObjectBusy, WrongState
from conformance.orchestrator.records import SnapshotRecord, VolumeRecord
from conformance.orchestrator.states import SnapshotState, VolumeState
from conformance.orchestrator.steps import Step

from .snapshot_operation import SnapshotOperation
from .volume_operation import enter


class TakeSnapshot(SnapshotOperation):
    """Keeps a volume as it is at this moment."""

    kind = "take_snapshot"

    def __init__(self, cloud: Cloud, snapshot_uuid: str, new: SnapshotRecord | None) -> None:
        super().__init__(cloud, snapshot_uuid)
        self._new = new

    @classmethod
    def revive(cls, cloud: Cloud, snapshot_uuid: str, _arguments: str) -> TakeSnapshot:
        """The operation again, from its journal."""
        return cls(cloud, snapshot_uuid, None)

    def arguments(self) -> str:
        return ""

    def begin(self) -> Sequence[str]:
        if self._new is not None:
            enter(self.cloud, self._new.volume_uuid, self.kind)
            self.cloud.snapshots.insert(self._new)
        return self.claims()

    def claims(self) -> Sequence[str]:
        return [self.object_uuid, self.record.volume_uuid]

    def steps(self) -> Sequence[Step]:
        return [Step("take_snapshot", self._take)]

    def undo_steps(self) -> Sequence[Step]:
        return [self.delete_snapshot()]

    def finish(self) -> None:
        self.cloud.snapshots.set_state(self.object_uuid, SnapshotState.READY)
        self._let_volume_go()

    def undone(self) -> None:
        self._let_volume_go()
        self.cloud.snapshots.delete(self.object_uuid)

    def stuck(self) -> None:
        self._let_volume_go()
        self.cloud.snapshots.set_state(self.object_uuid, SnapshotState.EXPUNGING)

    def _let_volume_go(self) -> None:
        # Carried on after it was parked, another operation may have left its own state there.
        self.cloud.volumes.swap_state(self.record.volume_uuid, [VolumeState.SNAPSHOTTING], VolumeState.READY)

    def _take(self) -> None:
        record = self.record
        store, volume = self.cloud.told_store(record.store_uuid), self.cloud.volume(record.volume_uuid).volume
        created = self.cloud.caller.plugin(
            "take_snapshot",
            self.driver().take_snapshot,
            store,
            volume,
            record.snapshot.request,
            quiesced=record.is_quiesced,
        )
        self.cloud.snapshots.save_snapshot(self.object_uuid, _taken(record.snapshot, created))


def announced(volume: VolumeRecord, request: SnapshotRequest, *, quiesced: bool) -> SnapshotRecord:
    """The record of a snapshot that has not been taken yet."""
    return SnapshotRecord(
        store_uuid=volume.store_uuid,
        state=SnapshotState.TAKING,
        disk_bytes=volume.disk_bytes,
        is_quiesced=quiesced,
        snapshot=Snapshot(
            request=request,
            volume_uuid=volume.uuid,
            volume_external_id=volume.volume.external_id or "",
            external_id=None,
            size_bytes=volume.volume.size_bytes,
        ),
    )


def taken_already(record: SnapshotRecord, volume_uuid: str, request: SnapshotRequest, *, quiesced: bool) -> Snapshot:
    """The answer to a request that is repeated after it has succeeded."""
    asked = (record.volume_uuid, record.snapshot.request, record.is_quiesced)
    if asked != (volume_uuid, request, quiesced):
        raise AlreadyExists(record.uuid)
    if record.state is SnapshotState.TAKING:
        raise ObjectBusy(record.uuid)
    if record.state is not SnapshotState.READY:
        raise WrongState(record.uuid, record.state, TakeSnapshot.kind)
    return record.snapshot


def _taken(snapshot: Snapshot, created: Created) -> Snapshot:
    return replace(snapshot, external_id=created.external_id, size_bytes=created.size_bytes, details=created.details)
