"""Change a primary storage's capacity (CloudStack: updateStoragePool): update on the plugin, nothing else.

Below what is used is the plugin's to refuse, because only it knows what its accounting counts. Failed: the cloud keeps
the old capacity, and the same update again ends in agreement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from conformance.contract import StoreRequest, StoreUpdate
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import BrokenPromise
from conformance.orchestrator.states import SERVING
from conformance.orchestrator.steps import Step

from .store_operation import StoreOperation


class UpdateStorage(StoreOperation):
    """Gives a store the capacity of another request."""

    kind = "update_storage"
    begins_from = SERVING

    def __init__(self, cloud: Cloud, store_uuid: str, request: StoreRequest) -> None:
        super().__init__(cloud, store_uuid)
        self._request = request

    @classmethod
    def revive(cls, cloud: Cloud, store_uuid: str, arguments: str) -> UpdateStorage:
        """The operation again, from its journal."""
        return cls(cloud, store_uuid, decode_as(StoreRequest, json.loads(arguments)))

    def arguments(self) -> str:
        return json.dumps(encode(self._request))

    def steps(self) -> Sequence[Step]:
        return [Step("update", self._update)]

    def finish(self) -> None:
        self.cloud.stores.set_request(self.object_uuid, self._request)

    def _update(self) -> None:
        lifecycle, told = cast(StoreUpdate, self.cloud.lifecycle), self.cloud.told(self._request)
        updated = self.cloud.caller.plugin("update", lifecycle.update, self.store, told)
        asked, has = _capacity(told), _capacity(updated.request)
        if has != asked:
            raise BrokenPromise("update", f"capacity {asked}", f"{has}")
        self.cloud.stores.set_details(self.object_uuid, updated.details)


def _capacity(request: StoreRequest) -> tuple[int, int | None]:
    return request.capacity_bytes, request.capacity_iops
