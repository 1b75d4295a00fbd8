"""Take a primary storage out of use (CloudStack: enableStorageMaintenance).

FRAMEWORK: for each volume: detach_datastore on each host; maintain. The hosts stay granted: to make the volumes
           unreachable is the plugin's part
PLUGIN:    for each volume: revoke_access on each host (unhooks it); maintain
DIRECT:    maintain; no host uses a volume whose VM is stopped

Refused while a VM that runs has a volume of the store: stop or move its VMs first. Afterwards nothing is made, attached
or started there until `cancel_maintain_storage`.

Failed: cancel_maintain, when maintain had been called, and the hosts get their datastores back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from conformance.contract import StoreMaintenance
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import VolumeInUse, WrongState
from conformance.orchestrator.records import Way
from conformance.orchestrator.states import StoreState, VolumeState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import VolumeSteps

from .store_operation import StoreOperation


class MaintainStorage(StoreOperation):
    """Makes a store's volumes unreachable; their data stays."""

    kind = "maintain_storage"
    begins_from = frozenset({StoreState.UP, StoreState.ERROR_IN_MAINTENANCE})

    @classmethod
    def revive(cls, cloud: Cloud, store_uuid: str, _arguments: str) -> MaintainStorage:
        """The operation again, from its journal."""
        return cls(cloud, store_uuid)

    def claims(self) -> Sequence[str]:
        """The store and its volumes."""
        return [self.object_uuid, *self.cloud.volumes.uuids_of_store(self.object_uuid)]

    def begin(self) -> Sequence[str]:
        claims = super().begin()
        for each in self.volumes:
            self._refuse_volume(each)
        self.cloud.stores.set_state(self.object_uuid, StoreState.PREPARING_MAINTENANCE)
        return claims

    def _refuse_volume(self, volume: VolumeSteps) -> None:
        attachment = volume.record.attachment
        if attachment is not None and attachment.host is not None:
            raise VolumeInUse(volume.record.uuid, attachment.vm.uuid)
        if volume.record.state is not VolumeState.READY and not self.cloud.journal.is_claimed(volume.record.uuid):
            raise WrongState(volume.record.uuid, volume.record.state, self.kind)

    def steps(self) -> Sequence[Step]:
        return [*(step for each in self.volumes for step in _unused(each)), Step("maintain", self._maintain)]

    def undo_steps(self) -> Sequence[Step]:
        was_called = self.record.state is not StoreState.PREPARING_MAINTENANCE
        cancel = [Step("cancel_maintain", self._cancel)] if was_called else []
        return [*cancel, *self.hooked_up()]

    def finish(self) -> None:
        self.cloud.stores.set_state(self.object_uuid, StoreState.MAINTENANCE)

    def undone(self) -> None:
        self.cloud.stores.set_state(self.object_uuid, StoreState.UP)

    def stuck(self) -> None:
        self.cloud.stores.set_state(self.object_uuid, StoreState.ERROR_IN_MAINTENANCE)

    def _maintain(self) -> None:
        self.cloud.stores.set_state(self.object_uuid, StoreState.ENTERING_MAINTENANCE)
        lifecycle = cast(StoreMaintenance, self.cloud.lifecycle)
        self.cloud.caller.plugin("maintain", lifecycle.maintain, self.store)

    def _cancel(self) -> None:
        lifecycle = cast(StoreMaintenance, self.cloud.lifecycle)
        self.cloud.caller.plugin("cancel_maintain", lifecycle.cancel_maintain, self.store)


def _unused(volume: VolumeSteps) -> list[Step]:
    grants = list(reversed(volume.record.grants))
    if volume.record.way is Way.FRAMEWORK:
        return [volume.detach_datastore(each.host) for each in grants if each.is_connected]
    return [volume.revoke(each.host) for each in grants] if volume.record.way is Way.PLUGIN else []
