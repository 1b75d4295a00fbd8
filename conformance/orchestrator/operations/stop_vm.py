"""Stop a VM (CloudStack: stopVirtualMachine); its volumes stay assigned to it.

DEDICATED: stop_vm → detach_disk for each volume → delete_vm; the hosts keep the datastores
DIRECT:    stop_vm → for each volume: connection → detach_lun → disconnect_target → revoke_access; delete_vm

Failed: it is `Failed`; stopping it again, or `recover()`, goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import VmRef
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.states import VmState
from conformance.orchestrator.steps import Step

from .vm_operation import VmOperation


class StopVm(VmOperation):
    """Has a VM run nowhere, and no host use its volumes for it."""

    kind = "stop_vm"

    @classmethod
    def revive(cls, cloud: Cloud, _vm_uuid: str, arguments: str) -> StopVm:
        """The operation again, from its journal."""
        return cls(cloud, decode_as(VmRef, json.loads(arguments)))

    def arguments(self) -> str:
        return json.dumps(encode(self.vm))

    def begin(self) -> Sequence[str]:
        self.enter({VmState.RUNNING, VmState.FAILED}, VmState.STOPPING)
        return self.claims()

    def steps(self) -> Sequence[Step]:
        host = self.record.host
        if host is None:
            return []
        volumes = [each for each in reversed(self.volumes) if each.record.attachment]
        taken = [step for each in volumes if each.record.attachment for step in each.let_go(each.record.attachment)]
        return [*self.power_off(host), *taken, *self.undefine(host)]

    def undo_steps(self) -> None:
        return None

    def finish(self) -> None:
        self.note_stopped()

    def undone(self) -> None:
        raise AssertionError("a stop is never undone")

    def stuck(self) -> None:
        self.note(state=VmState.FAILED)
