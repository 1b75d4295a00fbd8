"""Start a VM on a host (CloudStack: startVirtualMachine): every start is granted, every stop is revoked.

FRAMEWORK: for each volume, on a host that has no access yet: grant_access → connection → attach_datastore;
           create_vm → attach_disk for each volume → start_vm
PLUGIN:    the same, but grant_access hooks the host up
DIRECT:    for each volume: grant_access → connection → connect_target; create_vm → attach_lun for each volume →
           start_vm with the connections of this start

A VM that is stopped is not on the hypervisor: it is made where it starts, with the disks it has then. It starts with
its volumes, or not at all. Volumes of another cluster are refused.

Failed at any step: stop_vm, its volumes are taken from it, delete_vm, and access given for this start is taken away.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import Host, VmRef
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy, WrongState
from conformance.orchestrator.records import VmRecord, Way
from conformance.orchestrator.states import VmState
from conformance.orchestrator.steps import Step

from .vm_operation import VmOperation


class StartVm(VmOperation):
    """Has a VM run on a host, with all its volumes."""

    kind = "start_vm"

    def __init__(self, cloud: Cloud, vm: VmRef, host: Host) -> None:
        super().__init__(cloud, vm)
        self._host = host

    @classmethod
    def revive(cls, cloud: Cloud, _vm_uuid: str, arguments: str) -> StartVm:
        """The operation again, from its journal."""
        vm, host = json.loads(arguments)
        return cls(cloud, decode_as(VmRef, vm), decode_as(Host, host))

    def arguments(self) -> str:
        return json.dumps([encode(self.vm), encode(self._host)])

    def begin(self) -> Sequence[str]:
        if self.cloud.vms.find(self.object_uuid) is None:
            self.cloud.vms.save(VmRecord(self.vm, VmState.STOPPED, None))
        # A host that leaves or goes to maintenance at this moment would be missed.
        if self.cloud.journal.is_claimed(self._host.uuid):
            raise ObjectBusy(self._host.uuid)
        self.enter({VmState.STOPPED}, VmState.STARTING)
        self.refuse_volumes(self._host)
        self._refuse_users()
        self.note(host=self._host)
        self.note_host(self._host, is_hooked=False)
        return self.claims()

    def _refuse_users(self) -> None:
        for each in self.volumes:
            if each.record.attachment is not None and each.record.attachment.host is not None:
                state = f"used on host {each.record.attachment.host.uuid} by the VM that somebody else has started"
                raise WrongState(each.record.uuid, state, self.kind)

    def steps(self) -> Sequence[Step]:
        host = self._host
        return [
            *(step for each in self.volumes for step in each.reach(host)),
            Step("create_vm", self._create, self.object_uuid),
            *(each.plug(self.vm, host) for each in self.volumes),
            Step("start_vm", self._start, self.object_uuid),
        ]

    def undo_steps(self) -> Sequence[Step]:
        volumes = list(reversed(self.volumes))
        taken = [step for each in volumes if each.record.attachment for step in each.let_go(each.record.attachment)]
        dedicated = [each for each in volumes if each.record.way is not Way.DIRECT]
        given = [step for each in dedicated for step in each.unreach(self._host)]
        return [*self.power_off(self._host), *taken, *self.undefine(self._host), *given]

    def finish(self) -> None:
        self.note(state=VmState.RUNNING)

    def undone(self) -> None:
        self.note_stopped()

    def stuck(self) -> None:
        self.note(state=VmState.FAILED)

    def _create(self) -> None:
        self.note(is_defined=True)
        self.cloud.caller.bridge("create_vm", self.bridge(self._host).create_vm, self.vm, self._host)

    def _start(self) -> None:
        bridge, luns = self.bridge(self._host), self.luns(self._host)
        self.cloud.caller.bridge("start_vm", bridge.start_vm, self.vm, self._host, luns)
