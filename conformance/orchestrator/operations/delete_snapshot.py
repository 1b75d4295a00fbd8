"""Delete a snapshot (CloudStack: deleteSnapshot): delete_snapshot on the plugin, nothing else, in every hookup.

Failed: it stays `Expunging`, and deleting it again, or `recover()`, goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import DeleteWithDependents
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import HasDependents, ObjectBusy
from conformance.orchestrator.states import SnapshotState
from conformance.orchestrator.steps import Step

from .snapshot_operation import SnapshotOperation


class DeleteSnapshot(SnapshotOperation):
    """Removes a snapshot, also one whose taking failed and could not be undone."""

    kind = "delete_snapshot"

    @classmethod
    def revive(cls, cloud: Cloud, snapshot_uuid: str, _arguments: str) -> DeleteSnapshot:
        """The operation again, from its journal."""
        return cls(cloud, snapshot_uuid)

    def arguments(self) -> str:
        return ""

    def begin(self) -> Sequence[str]:
        self.cloud.refuse_store(self.record.store_uuid, self.kind)
        self._refuse_clones()
        # Of two operations that meet, one wins.
        deletable = [SnapshotState.READY, SnapshotState.EXPUNGING]
        if not self.cloud.snapshots.swap_state(self.object_uuid, deletable, SnapshotState.DESTROYING):
            raise ObjectBusy(self.record.uuid)
        return self.claims()

    def _refuse_clones(self) -> None:
        if self.cloud.provider.traits.source_delete_with_clones is DeleteWithDependents.REFUSED:
            clones = self.cloud.volumes.uuids_cloned_from(self.object_uuid)
            if clones:
                raise HasDependents(self.object_uuid, tuple(clones))

    def steps(self) -> Sequence[Step]:
        return [self.delete_snapshot()]

    def undo_steps(self) -> None:
        return None

    def finish(self) -> None:
        self.cloud.snapshots.delete(self.object_uuid)

    def undone(self) -> None:
        raise AssertionError("a deletion is never undone")

    def stuck(self) -> None:
        self.cloud.snapshots.set_state(self.object_uuid, SnapshotState.EXPUNGING)
