"""What operations on one VM share: nobody else works on it or its volumes meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from conformance.contract import BlockConnection, Host, HypervisorBridge, VmNotFound, VmRef
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy, WrongState
from conformance.orchestrator.records import Attachment, VmRecord, Way
from conformance.orchestrator.states import VmState, VolumeState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import VolumeSteps


class VmOperation:
    """One operation on one VM and on every volume that is assigned to it."""

    kind: ClassVar[str]

    def __init__(self, cloud: Cloud, vm: VmRef) -> None:
        self.id = 0
        self.object_uuid = vm.uuid
        self.cloud, self.vm = cloud, vm
        self._volumes: list[VolumeSteps] | None = None

    @property
    def record(self) -> VmRecord:
        """What is believed about the VM now."""
        return self.cloud.vm(self.object_uuid)

    @property
    def volumes(self) -> list[VolumeSteps]:
        """Steps for each of its volumes, in the order of attaching; read when first needed, inside the claim."""
        if self._volumes is None:
            records = [self.cloud.volume(each) for each in self.cloud.volumes.uuids_of_vm(self.object_uuid)]
            self._volumes = [VolumeSteps(self.cloud, each, self.id) for each in records]
        return self._volumes

    def claims(self) -> Sequence[str]:
        """The VM and its volumes."""
        return [self.object_uuid, *self.cloud.volumes.uuids_of_vm(self.object_uuid)]

    def enter(self, allowed: Iterable[VmState], state: VmState) -> None:
        """Compare and set: of two operations that meet, one wins."""
        if self.cloud.journal.is_claimed(self.object_uuid):
            raise ObjectBusy(self.object_uuid)
        if self.record.state not in allowed:
            raise WrongState(self.object_uuid, self.record.state, self.kind)
        self.note(state=state)

    def refuse_volumes(self, host: Host) -> None:
        """Refuse while a volume is not ready, or is for hosts of another cluster, or the host is away."""
        self.cloud.refuse_host(host, self.kind)
        for each in self.volumes:
            self.cloud.refuse_store(each.record.store_uuid, self.kind)
            if self.cloud.journal.is_claimed(each.record.uuid):
                raise ObjectBusy(each.record.uuid)
            if each.record.state is not VolumeState.READY:
                raise WrongState(each.record.uuid, each.record.state, self.kind)
            if each.record.cluster.uuid != host.cluster_uuid:
                raise WrongState(each.record.uuid, f"of cluster {each.record.cluster.uuid}", self.kind)

    def note(self, **changes: object) -> None:
        """Note what has changed about the VM."""
        self.cloud.vms.save(replace(self.record, **changes))  # type: ignore[arg-type]  # names of VmRecord's fields

    def note_host(self, host: Host | None, *, is_hooked: bool | None = None) -> None:
        """Note where its volumes are used now."""
        for each in self.cloud.volumes.uuids_of_vm(self.object_uuid):
            was = self.cloud.volume(each).attachment
            if was is not None:
                hooked = was.is_hooked if is_hooked is None else is_hooked
                self.cloud.volumes.attach(each, Attachment(self.vm, host, hooked))
        self._volumes = None

    def note_stopped(self) -> None:
        """Note that it runs nowhere; a VM without volumes is of no concern any more."""
        self.note(state=VmState.STOPPED, host=None, destination=None, may_have_moved=False)
        self.note_host(None, is_hooked=False)
        if not self.cloud.volumes.uuids_of_vm(self.object_uuid):
            self.cloud.vms.delete(self.object_uuid)

    def luns(self, host: Host) -> list[BlockConnection]:
        """How the host reaches those of its volumes that have no datastore."""
        return [each.block_connection(host) for each in self.volumes if each.record.way is Way.DIRECT]

    def bridge(self, host: Host) -> HypervisorBridge:
        """The bridge of a host's cluster."""
        return self.cloud.bridge(self.cloud.cluster_of(host))

    def power_off(self, host: Host) -> list[Step]:
        """Stop the VM; one that is not there any more is stopped."""
        return [Step("stop_vm", partial(self._stop, host), self.object_uuid)] if self.record.is_defined else []

    def undefine(self, host: Host) -> list[Step]:
        """Take the VM from the hypervisor."""
        return [Step("delete_vm", partial(self._delete, host), self.object_uuid)] if self.record.is_defined else []

    def _stop(self, host: Host) -> None:
        try:
            self.cloud.caller.bridge("stop_vm", self.bridge(host).stop_vm, self.vm)
        except VmNotFound:
            # A removal that gave no answer was done.
            return

    def _delete(self, host: Host) -> None:
        self.cloud.caller.bridge("delete_vm", self.bridge(host).delete_vm, self.vm)
        self.note(is_defined=False)
