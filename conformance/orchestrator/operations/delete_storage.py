"""Delete primary storage (CloudStack: deleteStoragePool): detach_cluster, latest first → delete_datastore.

Refused while volumes or snapshots exist. Failed: it stays `Failed`, and deleting it again, or `recover()`, goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from conformance.contract import Cluster
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy, StoreInUse
from conformance.orchestrator.states import StoreState
from conformance.orchestrator.steps import Step


class DeleteStorage:
    """Removes a primary storage, also one whose addition failed and could not be undone."""

    kind: ClassVar[str] = "delete_primary_storage"

    def __init__(self, cloud: Cloud, store_uuid: str) -> None:
        self.id = 0
        self.object_uuid = store_uuid
        self._cloud = cloud

    @classmethod
    def revive(cls, cloud: Cloud, store_uuid: str, _arguments: str) -> DeleteStorage:
        """The operation again, from its journal."""
        return cls(cloud, store_uuid)

    def arguments(self) -> str:
        return ""

    def claims(self) -> Sequence[str]:
        return [self.object_uuid]

    def begin(self) -> Sequence[str]:
        record = self._cloud.store(self.object_uuid)
        objects = self._cloud.objects_of_store(self.object_uuid)
        if objects:
            raise StoreInUse(self.object_uuid, objects)
        for uuid in (self.object_uuid, *(each.uuid for each in record.clusters)):
            if self._cloud.journal.is_claimed(uuid):
                raise ObjectBusy(uuid)
        self._cloud.stores.set_state(self.object_uuid, StoreState.DELETING)
        return self.claims()

    def steps(self) -> Sequence[Step]:
        attached = reversed(self._cloud.store(self.object_uuid).attached)
        return [
            *(Step("detach_cluster", partial(self._detach, each), each.uuid) for each in attached),
            Step("delete_datastore", self._delete_datastore),
        ]

    def undo_steps(self) -> None:
        return None

    def finish(self) -> None:
        self._cloud.stores.delete(self.object_uuid)

    def undone(self) -> None:
        raise AssertionError("a deletion is never undone")

    def stuck(self) -> None:
        self._cloud.stores.set_state(self.object_uuid, StoreState.FAILED)

    def _detach(self, cluster: Cluster) -> None:
        lifecycle, store = self._cloud.lifecycle, self._cloud.told_store(self.object_uuid)
        self._cloud.caller.plugin("detach_cluster", lifecycle.detach_cluster, store, cluster)
        left = [each for each in self._cloud.store(self.object_uuid).attached if each != cluster]
        self._cloud.stores.set_attached(self.object_uuid, left)

    def _delete_datastore(self) -> None:
        request = self._cloud.told(self._cloud.store(self.object_uuid).request)
        self._cloud.caller.plugin("delete_datastore", self._cloud.lifecycle.delete_datastore, request)
