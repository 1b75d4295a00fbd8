"""VMs at the cloud's desk: each has a name, and is there from when it is first started or given a volume."""

from __future__ import annotations

from conformance.contract import Host, VmRef

from .base import DeskBase


class VmDesk(DeskBase):
    """Start, move and stop VMs."""

    def start(self, vm: str, host: Host | None = None) -> None:
        """Start a VM with its volumes, on the cluster's first host when none is given. Stopped at the end."""
        reference, on = self._reference(vm), host or self.hosts()[0]
        self._world.defer("stop_vm", lambda: self._orchestrator.stop_vm(reference))
        self._do("start_vm", lambda: self._orchestrator.start_vm(reference, on))

    def stop(self, vm: str) -> None:
        """Stop a VM; its volumes stay assigned to it."""
        self._do("stop_vm", lambda: self._orchestrator.stop_vm(self._reference(vm)))

    def move(self, vm: str, to: Host) -> None:
        """Move a running VM to another host."""
        self._do("move_vm", lambda: self._orchestrator.move_vm(self._reference(vm), to))

    def assign(self, uuid: str, vm: str) -> None:
        """Give a volume to a VM where it is: running, or stopped and to get it at its next start."""
        self._do("attach_volume", lambda: self._orchestrator.attach_volume(uuid, self._reference(vm)))

    def host_of(self, vm: str) -> Host | None:
        """Where the cloud believes the VM to run; None: it is stopped."""
        return next((each.host for each in self._orchestrator.vms() if each.vm == self._reference(vm)), None)

    def granted_hosts(self, uuid: str) -> list[str]:
        """Names of the hosts that the cloud believes to have access to a volume, sorted."""
        return sorted(each.name for each in self._orchestrator.volume(uuid).hosts)

    def _reference(self, vm: str) -> VmRef:
        return VmRef(self._vm_uuid(vm), vm)
