"""What joining and leaving of hosts share: nobody else works on the cluster's volumes meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from conformance.contract import Host
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy
from conformance.orchestrator.states import VolumeState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import VolumeSteps


class HostOperation:
    """An operation on one host and on every volume of its cluster."""

    kind: ClassVar[str]

    def __init__(self, cloud: Cloud, host: Host) -> None:
        self.id = 0
        self.object_uuid = host.uuid
        self.cloud, self.host = cloud, host
        self._volumes: list[VolumeSteps] | None = None

    @property
    def volumes(self) -> list[VolumeSteps]:
        """Steps for each volume of the cluster; read when first needed, inside the claim."""
        if self._volumes is None:
            records = self.cloud.volumes.of_cluster(self.host.cluster_uuid)
            self._volumes = [VolumeSteps(self.cloud, each, self.id) for each in records]
        return self._volumes

    def store_uuids(self) -> list[str]:
        """Stores that the host's cluster uses."""
        return [each.uuid for each in self.cloud.stores_of(self.host.cluster_uuid)]

    def hooked_up(self) -> list[Step]:
        """Give the host every datastore of its cluster, but for those of stores in maintenance."""
        stores = self.store_uuids()
        ready = [
            each for each in self.volumes if each.record.state is VolumeState.READY and each.record.store_uuid in stores
        ]
        return [step for volume in ready for step in volume.hook_up(self.host)]

    def unhooked_again(self) -> list[Step]:
        """Take from the host what this operation gave it, the latest first."""
        return [
            step
            for volume in reversed(self.volumes)
            for grant in volume.made_here()
            if grant.host == self.host
            for step in volume.unhook(grant)
        ]

    def begin(self) -> Sequence[str]:
        """Claim all, or be told that something is busy; a store that is coming or going would be missed."""
        for store in self.cloud.stores.all():
            serves = any(each.uuid == self.host.cluster_uuid for each in store.clusters)
            if serves and self.cloud.journal.is_claimed(store.uuid):
                raise ObjectBusy(store.uuid)
        return self.claims()

    def claims(self) -> Sequence[str]:
        """Host, cluster, and the cluster's volumes."""
        volumes = self.cloud.volumes.of_cluster(self.host.cluster_uuid)
        return [self.object_uuid, self.host.cluster_uuid, *(each.uuid for each in volumes)]
