"""What operations on a primary storage that is in use share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from conformance.contract import DataStore, Host
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy, WrongState
from conformance.orchestrator.records import StoreRecord
from conformance.orchestrator.states import StoreState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import VolumeSteps


class StoreOperation:
    """One operation on one store, which begins from the states in `begins_from`."""

    kind: ClassVar[str]
    begins_from: ClassVar[Collection[StoreState]]

    def __init__(self, cloud: Cloud, store_uuid: str) -> None:
        self.id = 0
        self.object_uuid = store_uuid
        self.cloud = cloud
        self._volumes: list[VolumeSteps] | None = None

    @property
    def record(self) -> StoreRecord:
        """What is believed about the store now."""
        return self.cloud.store(self.object_uuid)

    @property
    def store(self) -> DataStore:
        """The store, as the plugin is told of it."""
        return self.cloud.told_store(self.object_uuid)

    @property
    def volumes(self) -> list[VolumeSteps]:
        """Steps for each volume of the store; read when first needed, inside the claim."""
        if self._volumes is None:
            records = [self.cloud.volume(each) for each in self.cloud.volumes.uuids_of_store(self.object_uuid)]
            self._volumes = [VolumeSteps(self.cloud, each, self.id) for each in records]
        return self._volumes

    def arguments(self) -> str:
        """Nothing but the store."""
        return ""

    def claims(self) -> Sequence[str]:
        """The store."""
        return [self.object_uuid]

    def begin(self) -> Sequence[str]:
        """Refuse another state, and while a host of its clusters comes or goes."""
        for uuid in (self.object_uuid, *(each.uuid for each in self.record.clusters)):
            if self.cloud.journal.is_claimed(uuid):
                raise ObjectBusy(uuid)
        if self.record.state not in self.begins_from:
            raise WrongState(self.object_uuid, self.record.state, self.kind)
        return self.claims()

    def usable_hosts(self) -> list[Host]:
        """Hosts of all its clusters that can use storage now."""
        return [host for cluster in self.record.clusters for host in self.cloud.usable_hosts(cluster)]

    def hooked_up(self) -> list[Step]:
        """Give every host every datastore of the store."""
        return [
            step
            for volume in self.volumes
            for host in self.cloud.usable_hosts(volume.record.cluster)
            for step in volume.hook_up(host)
        ]

    def undo_steps(self) -> Sequence[Step] | None:
        """Nothing to undo: what was done is repeated when the operation is."""
        return []

    def undone(self) -> None:
        """The store is as it was before."""

    def stuck(self) -> None:
        """The store is as it was before; the operation can be repeated."""
