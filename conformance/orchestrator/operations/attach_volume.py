"""Attach a volume to a VM (CloudStack: attachVolume).

DEDICATED: attach_disk; on a host that has no access yet, first what a host that joins gets
DIRECT:    grant_access on the VM's host only → connection → connect_target → attach_lun

Failed: the VM lets go of it, and access that was given for this attach is taken away again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import Host, VmRef
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import VolumeInUse
from conformance.orchestrator.records import Attachment, Way
from conformance.orchestrator.states import VolumeState
from conformance.orchestrator.steps import Step

from .volume_operation import VolumeOperation


class AttachVolume(VolumeOperation):
    """Gives a volume to a VM that runs on a host."""

    kind = "attach_volume"

    def __init__(self, cloud: Cloud, volume_uuid: str, vm: VmRef, host: Host) -> None:
        super().__init__(cloud, volume_uuid)
        self._vm, self._host = vm, host

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, arguments: str) -> AttachVolume:
        """The operation again, from its journal."""
        vm, host = json.loads(arguments)
        return cls(cloud, volume_uuid, decode_as(VmRef, vm), decode_as(Host, host))

    def arguments(self) -> str:
        return json.dumps([encode(self._vm), encode(self._host)])

    def begin(self) -> Sequence[str]:
        claims = super().begin()
        if self.record.attachment is not None:
            raise VolumeInUse(self.object_uuid, self.record.attachment.vm.uuid)
        self.cloud.volumes.attach(self.object_uuid, Attachment(self._vm, self._host, is_hooked=False))
        self._volume = None
        return claims

    def steps(self) -> Sequence[Step]:
        volume, vm, host = self.volume, self._vm, self._host
        if self.record.way is Way.DIRECT:
            return [
                volume.grant(host),
                volume.ask_connection(host),
                volume.connect_target(host),
                volume.attach_lun(vm, host),
            ]
        access = [] if volume.is_granted(host) else volume.hook_up(host)
        return [*access, volume.attach_disk(vm)]

    def undo_steps(self) -> Sequence[Step]:
        volume = self.volume
        let_go = volume.let_go(self.record.attachment) if self.record.attachment else []
        if self.record.way is Way.DIRECT:
            return let_go
        return [*let_go, *(step for grant in volume.made_here() for step in volume.unhook(grant))]

    def finish(self) -> None:
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)

    def undone(self) -> None:
        self.cloud.volumes.detach(self.object_uuid)
        super().undone()
