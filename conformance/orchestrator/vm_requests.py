"""What users ask of the cloud about VMs: where they run, and with them their volumes."""

from __future__ import annotations

from conformance.contract import Host, VmRef

from .errors import WrongState
from .operations.move_vm import MoveVm
from .operations.start_vm import StartVm
from .operations.stop_vm import StopVm
from .records import VmRecord
from .requests import Requests
from .states import VmState


class VmRequests(Requests):
    """Start, move and stop VMs."""

    def start_vm(self, vm: VmRef, host: Host) -> None:
        """Start a VM on a host with the volumes assigned to it; running there already: success."""
        found = self._cloud.vms.find(vm.uuid)
        if found is None or found.state is not VmState.RUNNING:
            self._runner.run(StartVm(self._cloud, vm, host))
        elif found.host != host:
            at = found.host.uuid if found.host else "no host"
            raise WrongState(vm.uuid, f"{found.state} on host {at}", StartVm.kind)

    def stop_vm(self, vm: VmRef) -> None:
        """Stop a VM; its volumes stay assigned to it. Stopped already, or never started: success."""
        found = self._cloud.vms.find(vm.uuid)
        if found is not None and found.state is not VmState.STOPPED:
            self._runner.run(StopVm(self._cloud, vm))

    def move_vm(self, vm: VmRef, to: Host) -> None:
        """Move a running VM to another host of its cluster; there already: success."""
        found = self._cloud.vm(vm.uuid)
        if found.host is None:
            raise WrongState(vm.uuid, found.state, MoveVm.kind)
        if found.state is not VmState.RUNNING or found.host != to:
            self._runner.run(MoveVm(self._cloud, vm, to, found.host))

    def vms(self) -> tuple[VmRecord, ...]:
        """All VMs that it has started, and those that are stopped and have volumes."""
        return self._cloud.vms.all()

    def vm(self, uuid: str) -> VmRecord:
        """What it believes about a VM; one that it never started: `UnknownObject`."""
        return self._cloud.vm(uuid)
