"""Add primary storage (CloudStack: createStoragePool).

initialize → for each cluster: attach_cluster → host_connected for each of its hosts

Failed at any step, `initialize` included: delete_datastore, which needs only the request.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from conformance.contract import Cluster, Host
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import AlreadyExists, BrokenPromise, ObjectBusy, WrongState
from conformance.orchestrator.records import StoreRecord
from conformance.orchestrator.states import StoreState
from conformance.orchestrator.steps import Step

from .listener_steps import host_connected

ClusterHosts = tuple[Cluster, tuple[Host, ...]]


class AddStorage:
    """Makes a primary storage usable from clusters, for the hosts they have now."""

    kind: ClassVar[str] = "add_primary_storage"

    def __init__(
        self, cloud: Cloud, store_uuid: str, clusters: Sequence[ClusterHosts], new: StoreRecord | None
    ) -> None:
        self.id = 0
        self.object_uuid = store_uuid
        self._cloud, self._clusters, self._new = cloud, clusters, new

    @classmethod
    def revive(cls, cloud: Cloud, store_uuid: str, arguments: str) -> AddStorage:
        """The operation again, from its journal."""
        clusters = [
            (decode_as(Cluster, cluster), tuple(decode_as(Host, each) for each in hosts))
            for cluster, hosts in json.loads(arguments)
        ]
        return cls(cloud, store_uuid, clusters, None)

    def arguments(self) -> str:
        return json.dumps([(encode(cluster), [encode(each) for each in hosts]) for cluster, hosts in self._clusters])

    def claims(self) -> Sequence[str]:
        return [self.object_uuid]

    def begin(self) -> Sequence[str]:
        if self._new is not None:
            for cluster in self._new.clusters:
                # A host that joins or leaves at this moment would be missed.
                if self._cloud.journal.is_claimed(cluster.uuid):
                    raise ObjectBusy(cluster.uuid)
            self._cloud.stores.insert(self._new)
        return self.claims()

    def steps(self) -> Sequence[Step]:
        steps = [Step("initialize", self._initialize)]
        for cluster, hosts in self._clusters:
            steps.append(Step("attach_cluster", partial(self._attach_cluster, cluster), cluster.uuid))
            steps += [host_connected(self._cloud, host, self.object_uuid) for host in hosts]
        return steps if self._cloud.listener else [each for each in steps if each.name != "host_connected"]

    def undo_steps(self) -> Sequence[Step]:
        return [Step("delete_datastore", self._delete_datastore)]

    def finish(self) -> None:
        self._cloud.stores.set_state(self.object_uuid, StoreState.UP)

    def undone(self) -> None:
        self._cloud.stores.delete(self.object_uuid)

    def stuck(self) -> None:
        self._cloud.stores.set_state(self.object_uuid, StoreState.FAILED)

    def _initialize(self) -> None:
        request = self._cloud.store(self.object_uuid).request
        lifecycle, told = self._cloud.lifecycle, self._cloud.told(request)
        store = self._cloud.caller.plugin("initialize", lifecycle.initialize, told)
        # Of the answer only the details are kept: another instance is told of the request in its own way.
        self._cloud.stores.set_details(self.object_uuid, store.details)
        self._cloud.stores.set_state(self.object_uuid, StoreState.ATTACHING)

    def _attach_cluster(self, cluster: Cluster) -> None:
        attached = self._cloud.store(self.object_uuid).attached
        if cluster not in attached:
            self._cloud.stores.set_attached(self.object_uuid, [*attached, cluster])
        lifecycle, store = self._cloud.lifecycle, self._cloud.told_store(self.object_uuid)
        backings = self._cloud.caller.plugin("attach_cluster", lifecycle.attach_cluster, store, cluster)
        if backings:
            model = store.request.access_model
            raise BrokenPromise("attach_cluster", f"no backing in access model {model}", f"{len(backings)}")

    def _delete_datastore(self) -> None:
        # What has been deleted, or may have been, is not detached any more.
        self._cloud.stores.set_attached(self.object_uuid, [])
        request = self._cloud.told(self._cloud.store(self.object_uuid).request)
        self._cloud.caller.plugin("delete_datastore", self._cloud.lifecycle.delete_datastore, request)


def check_existing(record: StoreRecord, new: StoreRecord) -> None:
    """Refuse to add what exists, unless it was added by the same request and is in use."""
    if (record.request, record.clusters) != (new.request, new.clusters):
        raise AlreadyExists(record.uuid)
    if record.state in {StoreState.INITIALIZING, StoreState.ATTACHING}:
        raise ObjectBusy(record.uuid)
    if record.state is not StoreState.UP:
        raise WrongState(record.uuid, record.state, AddStorage.kind)
