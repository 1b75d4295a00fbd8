"""Take no new volumes in a primary storage (CloudStack: disableStoragePool): disable on the plugin, nothing else.

Existing volumes are attached, grown and deleted as before.
Failed: it is `Up`, and disabling it again ends in agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from conformance.contract import StoreSwitch
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.states import StoreState
from conformance.orchestrator.steps import Step

from .store_operation import StoreOperation


class DisableStorage(StoreOperation):
    """Makes a store one that takes no new volumes."""

    kind = "disable_storage"
    begins_from = frozenset({StoreState.UP})

    @classmethod
    def revive(cls, cloud: Cloud, store_uuid: str, _arguments: str) -> DisableStorage:
        """The operation again, from its journal."""
        return cls(cloud, store_uuid)

    def steps(self) -> Sequence[Step]:
        return [Step("disable", self._disable)]

    def finish(self) -> None:
        self.cloud.stores.set_state(self.object_uuid, StoreState.DISABLED)

    def _disable(self) -> None:
        lifecycle = cast(StoreSwitch, self.cloud.lifecycle)
        self.cloud.caller.plugin("disable", lifecycle.disable, self.store)
