"""Move a running VM to another host (CloudStack: migrateVirtualMachine); both have access only meanwhile.

DEDICATED: for each volume, on a host that has no access yet, what a host that joins gets; migrate_vm. Both keep it.
DIRECT:    for each volume: grant_access → connection → connect_target, on the new host; migrate_vm with these
           connections → for each volume: connection → disconnect_target → revoke_access, on the old host

Failed before it is known to have moved: migrate_vm back (nothing, where it has not moved), and the new host loses what
it was given. Failed after: the move stays, the VM is `Failed`, and `recover()` takes from the old host what it still
has, or stopping the VM does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from conformance.contract import Host, VmRef
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy, WrongState
from conformance.orchestrator.records import Way
from conformance.orchestrator.states import VmState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import VolumeSteps

from .vm_operation import VmOperation


class MoveVm(VmOperation):
    """Has a VM run on another host of its cluster."""

    kind = "move_vm"

    def __init__(self, cloud: Cloud, vm: VmRef, to: Host, from_host: Host) -> None:
        super().__init__(cloud, vm)
        self._to, self._from = to, from_host

    @classmethod
    def revive(cls, cloud: Cloud, _vm_uuid: str, arguments: str) -> MoveVm:
        """The operation again, from its journal."""
        vm, to, from_host = json.loads(arguments)
        return cls(cloud, decode_as(VmRef, vm), decode_as(Host, to), decode_as(Host, from_host))

    def arguments(self) -> str:
        return json.dumps([encode(self.vm), encode(self._to), encode(self._from)])

    def begin(self) -> Sequence[str]:
        for host in (self._to, self._from):
            if self.cloud.journal.is_claimed(host.uuid):
                raise ObjectBusy(host.uuid)
        self.enter({VmState.RUNNING}, VmState.MOVING)
        if self.record.host != self._from:
            raise ObjectBusy(self.object_uuid)
        if self._to.cluster_uuid != self._from.cluster_uuid:
            raise WrongState(self.object_uuid, f"in cluster {self._from.cluster_uuid}", self.kind)
        self.refuse_volumes(self._to)
        self.note(destination=self._to)
        return self.claims()

    def steps(self) -> Sequence[Step]:
        left = [step for each in self.volumes for step in self._left(each, self._from)]
        if self.record.host == self._to:
            return left
        return [
            *(step for each in self.volumes for step in each.reach(self._to)),
            Step("migrate_vm", self._migrate, self.object_uuid),
            # What the old host has is chosen now, and is there until then.
            *left,
        ]

    def undo_steps(self) -> Sequence[Step] | None:
        if self.record.host == self._to:
            return None
        return [*self._back(), *(step for each in reversed(self.volumes) for step in each.unreach(self._to))]

    def finish(self) -> None:
        self.note(state=VmState.RUNNING, destination=None, may_have_moved=False)

    def undone(self) -> None:
        self.note(state=VmState.RUNNING, destination=None, may_have_moved=False)

    def stuck(self) -> None:
        self.note(state=VmState.FAILED)

    def _left(self, volume: VolumeSteps, host: Host) -> list[Step]:
        if volume.record.way is not Way.DIRECT:
            return []
        return [step for each in volume.record.grants if each.host == host for step in volume.leave(each)]

    def _back(self) -> list[Step]:
        if not self.record.may_have_moved:
            return []
        return [Step("migrate_vm", partial(self._call, self._from), self.object_uuid)]

    def _migrate(self) -> None:
        self.note(may_have_moved=True)
        self._call(self._to)
        volumes = self._volumes
        with self.cloud.database.transaction():
            self.note(host=self._to)
            self.note_host(self._to)
        # The steps that are left belong to these.
        self._volumes = volumes

    def _call(self, to: Host) -> None:
        self.cloud.caller.bridge("migrate_vm", self.bridge(to).migrate_vm, self.vm, to, self.luns(to))
