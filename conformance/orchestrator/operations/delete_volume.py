"""Delete a volume (CloudStack: deleteVolume, expunge): the mirror image of its creation.

FRAMEWORK: delete_disk → delete_datastore (unmounts on every host) → revoke_access on each host → delete
PLUGIN:    delete (does all of that)
DIRECT:    delete; detaching has revoked

Refused while a VM has it. Failed: it stays `Expunging`, and deleting it again, or `recover()`, goes on from
there.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import VolumeInUse
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
        return super().begin()

    def steps(self) -> Sequence[Step]:
        return self.volume.removal()

    def undo_steps(self) -> None:
        return None

    def finish(self) -> None:
        self.cloud.volumes.delete(self.object_uuid)
