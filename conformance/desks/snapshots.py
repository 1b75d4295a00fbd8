"""Snapshots and clones at the cloud's desk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from conformance.contract import Snapshot, SnapshotRequest, VolumeRequest
from conformance.strategies.sizes import Granules, Size

from .base import DeskBase


class SnapshotDesk(DeskBase):
    """Keep volumes as they are, and make volumes of what was kept."""

    def snapshot_request(self) -> SnapshotRequest:
        """A request for a new snapshot."""
        request = self._world.request()
        return SnapshotRequest(request.uuid, request.name)

    def take_snapshot(self, volume_uuid: str, request: SnapshotRequest | None = None, *, quiesced: bool = False) -> str:
        """Take a snapshot; answers its uuid. Deleted at the end."""
        asked = request or self.snapshot_request()
        self._world.defer("delete_snapshot", partial(self._orchestrator.delete_snapshot, asked.uuid))
        self._do("take_snapshot", lambda: self._orchestrator.take_snapshot(volume_uuid, asked, quiesced=quiesced))
        return asked.uuid

    def delete_snapshot(self, uuid: str) -> None:
        """Delete a snapshot."""
        self._do("delete_snapshot", lambda: self._orchestrator.delete_snapshot(uuid))

    def snapshot(self, uuid: str) -> Snapshot:
        """What the cloud believes of a snapshot."""
        return self._orchestrator.snapshot(uuid).snapshot

    def snapshots(self) -> Sequence[str]:
        """Uuids of the snapshots that the cloud believes in, oldest first."""
        return [each.uuid for each in self._orchestrator.snapshots()]

    def revert(self, volume_uuid: str, snapshot_uuid: str) -> None:
        """Put a volume back to a snapshot of it."""
        self._do("revert_volume", lambda: self._orchestrator.revert_volume(volume_uuid, snapshot_uuid))

    def clone(self, source_uuid: str, size: Size | None = None) -> str:
        """Create a volume from a snapshot or a volume; answers its uuid. As large as its source, or as asked.

        Deleted at the end, before what it was made from.
        """
        self.ready()
        request = self._clone_request(source_uuid, size)
        self._make(
            "create_volume_from",
            request,
            lambda: self._orchestrator.create_volume_from(self._request.uuid, request, self._cluster, source_uuid),
        )
        return request.uuid

    def _clone_request(self, source_uuid: str, size: Size | None) -> VolumeRequest:
        wanted = self._world.request(size or Granules(0))
        return wanted if size else self._orchestrator.as_large_as(source_uuid, wanted)
