"""Attach a volume to a VM (CloudStack: attachVolume).

DEDICATED: attach_disk; on a host that has no access yet, first what a host that joins gets
DIRECT:    grant_access on the VM's host only → connection → connect_target → attach_lun

A VM that is stopped is only assigned the volume, without a call: it gets it when it starts.

Failed: the VM lets go of it, and access that was given for this attach is taken away again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import Host, VmRef
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy, VolumeInUse, WrongState
from conformance.orchestrator.records import Attachment, Way
from conformance.orchestrator.states import VmState, VolumeState
from conformance.orchestrator.steps import Step

from .volume_operation import VolumeOperation


class AttachVolume(VolumeOperation):
    """Gives a volume to a VM; `host` None: wherever it runs, if it does."""

    kind = "attach_volume"

    def __init__(self, cloud: Cloud, volume_uuid: str, vm: VmRef, host: Host | None) -> None:
        super().__init__(cloud, volume_uuid)
        self._vm, self._host = vm, host

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, arguments: str) -> AttachVolume:
        """The operation again, from its journal."""
        vm, host = json.loads(arguments)
        return cls(cloud, volume_uuid, decode_as(VmRef, vm), None if host is None else decode_as(Host, host))

    def arguments(self) -> str:
        return json.dumps([encode(self._vm), None if self._host is None else encode(self._host)])

    def begin(self) -> Sequence[str]:
        claims = super().begin()
        if self.record.attachment is not None:
            raise VolumeInUse(self.object_uuid, self.record.attachment.vm.uuid)
        self._host = self._vms_host()
        if self._host is not None:
            self.cloud.refuse_host(self._host, self.kind)
        self.cloud.volumes.attach(self.object_uuid, Attachment(self._vm, self._host, is_hooked=False))
        self._volume = None
        return claims

    def steps(self) -> Sequence[Step]:
        volume, host = self.volume, self._host
        return [] if host is None else [*volume.reach(host), volume.plug(self._vm, host)]

    def _vms_host(self) -> Host | None:
        """Where the VM runs: as the cloud knows, or as it is told of a VM that somebody else has started."""
        if self.cloud.journal.is_claimed(self._vm.uuid):
            raise ObjectBusy(self._vm.uuid)
        known, told = self.cloud.vms.find(self._vm.uuid), self._host
        if known is None:
            return told
        is_elsewhere = told is not None and told != known.host
        if is_elsewhere or known.state not in {VmState.RUNNING, VmState.STOPPED}:
            at = f"{known.state} on host {known.host.uuid}" if known.host else known.state
            raise WrongState(self._vm.uuid, at, self.kind)
        return known.host

    def undo_steps(self) -> Sequence[Step]:
        volume = self.volume
        let_go = volume.let_go(self.record.attachment) if self.record.attachment else []
        if self.record.way is Way.DIRECT or self._host is None:
            return let_go
        return [*let_go, *volume.unreach(self._host)]

    def finish(self) -> None:
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)

    def undone(self) -> None:
        self.cloud.volumes.detach(self.object_uuid)
        super().undone()
