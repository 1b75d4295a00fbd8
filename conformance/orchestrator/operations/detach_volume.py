"""Detach a volume from its VM (CloudStack: detachVolume).

DEDICATED: detach_disk; the hosts keep the datastore
DIRECT:    connection → detach_lun → disconnect_target → revoke_access

Failed at any step: it stays attached and keeps its access; detaching again goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import VmRef
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import VolumeInUse
from conformance.orchestrator.states import VolumeState
from conformance.orchestrator.steps import Step

from .volume_operation import VolumeOperation


class DetachVolume(VolumeOperation):
    """Takes a volume from the VM it is attached to; a late detach of another VM changes nothing."""

    kind = "detach_volume"

    def __init__(self, cloud: Cloud, volume_uuid: str, vm: VmRef | None) -> None:
        super().__init__(cloud, volume_uuid)
        self._vm = vm

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, _arguments: str) -> DetachVolume:
        """The operation again, from its journal."""
        return cls(cloud, volume_uuid, None)

    def arguments(self) -> str:
        return ""

    def begin(self) -> Sequence[str]:
        claims = super().begin()
        attachment = self.record.attachment
        if attachment is not None and self._vm is not None and attachment.vm.uuid != self._vm.uuid:
            raise VolumeInUse(self.object_uuid, attachment.vm.uuid)
        return claims

    def steps(self) -> Sequence[Step]:
        return self.volume.let_go(self.record.attachment) if self.record.attachment else []

    def finish(self) -> None:
        self.cloud.volumes.detach(self.object_uuid)
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)
