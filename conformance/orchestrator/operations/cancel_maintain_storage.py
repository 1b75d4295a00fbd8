"""Take a primary storage into use again (CloudStack: cancelStorageMaintenance), with the same data.

cancel_maintain → host_connected for each host → for each volume and host what a host that joins gets:

FRAMEWORK: grant_access → connection → attach_datastore
PLUGIN:    grant_access (hooks the host up)
DIRECT:    nothing: a volume is granted when its VM starts

Failed: it is `ErrorInMaintenance`; cancelling again, or `recover()`, goes on, and so does maintaining it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from conformance.contract import StoreMaintenance
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.states import StoreState
from conformance.orchestrator.steps import Step

from .listener_steps import host_connected
from .store_operation import StoreOperation


class CancelMaintainStorage(StoreOperation):
    """Makes a store's volumes reachable again."""

    kind = "cancel_maintain_storage"
    begins_from = frozenset({StoreState.MAINTENANCE, StoreState.ERROR_IN_MAINTENANCE})

    @classmethod
    def revive(cls, cloud: Cloud, store_uuid: str, _arguments: str) -> CancelMaintainStorage:
        """The operation again, from its journal."""
        return cls(cloud, store_uuid)

    def claims(self) -> Sequence[str]:
        """The store and its volumes."""
        return [self.object_uuid, *self.cloud.volumes.uuids_of_store(self.object_uuid)]

    def begin(self) -> Sequence[str]:
        claims = super().begin()
        self.cloud.stores.set_state(self.object_uuid, StoreState.CANCELLING_MAINTENANCE)
        return claims

    def steps(self) -> Sequence[Step]:
        told = [host_connected(self.cloud, each, self.object_uuid) for each in self.usable_hosts()]
        cancel = Step("cancel_maintain", self._cancel)
        return [cancel, *(told if self.cloud.listener else []), *self.hooked_up()]

    def undo_steps(self) -> None:
        return None

    def finish(self) -> None:
        self.cloud.stores.set_state(self.object_uuid, StoreState.UP)

    def stuck(self) -> None:
        self.cloud.stores.set_state(self.object_uuid, StoreState.ERROR_IN_MAINTENANCE)

    def _cancel(self) -> None:
        lifecycle = cast(StoreMaintenance, self.cloud.lifecycle)
        self.cloud.caller.plugin("cancel_maintain", lifecycle.cancel_maintain, self.store)
