"""Delete a volume (CloudStack: deleteVolume, expunge): the mirror image of its creation.

FRAMEWORK: delete_disk → delete_datastore (unmounts on every host) → revoke_access on each host → delete
PLUGIN:    delete (does all of that)
DIRECT:    delete; detaching has revoked

Refused while a VM has it, and while snapshots or clones depend on it where the plugin declares `refused`: the
plugin would refuse when the datastore is gone already. Where it declares `cascades`, the snapshots go with it.

Failed: it stays `Expunging`, and deleting it again, or `recover()`, goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import DeleteWithDependents
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import HasDependents, VolumeInUse
from conformance.orchestrator.states import VolumeState
from conformance.orchestrator.steps import Step

from .volume_operation import VolumeOperation


class DeleteVolume(VolumeOperation):
    """Removes a volume, also one whose creation or attach failed and could not be undone."""

    kind = "delete_volume"

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, _arguments: str) -> DeleteVolume:
        """The operation again, from its journal."""
        return cls(cloud, volume_uuid)

    def arguments(self) -> str:
        return ""

    def begin(self) -> Sequence[str]:
        attachment = self.record.attachment
        if attachment is not None and self.record.state is VolumeState.READY:
            raise VolumeInUse(self.object_uuid, attachment.vm.uuid)
        self._refuse_dependents()
        return super().begin()

    def claims(self) -> Sequence[str]:
        return [self.object_uuid, *self._cascaded()]

    def steps(self) -> Sequence[Step]:
        return self.volume.removal()

    def undo_steps(self) -> None:
        return None

    def finish(self) -> None:
        for uuid in self._cascaded():
            self.cloud.forget_snapshot(uuid, self.id)
        self.cloud.volumes.delete(self.object_uuid)

    def _cascaded(self) -> list[str]:
        cascades = self.cloud.provider.traits.delete_with_snapshots is DeleteWithDependents.CASCADES
        return self._snapshots() if cascades else []

    def _refuse_dependents(self) -> None:
        traits, refused = self.cloud.provider.traits, DeleteWithDependents.REFUSED
        dependents = self._snapshots() if traits.delete_with_snapshots is refused else []
        if traits.source_delete_with_clones is refused:
            dependents += self.cloud.volumes.uuids_cloned_from(self.object_uuid)
        if dependents:
            raise HasDependents(self.object_uuid, tuple(dependents))

    def _snapshots(self) -> list[str]:
        return [each.uuid for each in self.cloud.snapshots.of_volume(self.object_uuid)]
