"""Take new volumes in a primary storage again (CloudStack: enableStoragePool): enable on the plugin, nothing else.

Failed: it is `Disabled`, and enabling it again ends in agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from conformance.contract import StoreSwitch
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.states import StoreState
from conformance.orchestrator.steps import Step

from .store_operation import StoreOperation


class EnableStorage(StoreOperation):
    """Makes a store one that takes new volumes."""

    kind = "enable_storage"
    begins_from = frozenset({StoreState.DISABLED})

    @classmethod
    def revive(cls, cloud: Cloud, store_uuid: str, _arguments: str) -> EnableStorage:
        """The operation again, from its journal."""
        return cls(cloud, store_uuid)

    def steps(self) -> Sequence[Step]:
        return [Step("enable", self._enable)]

    def finish(self) -> None:
        self.cloud.stores.set_state(self.object_uuid, StoreState.UP)

    def _enable(self) -> None:
        lifecycle = cast(StoreSwitch, self.cloud.lifecycle)
        self.cloud.caller.plugin("enable", lifecycle.enable, self.store)
