"""Create a volume from a snapshot, another volume or a template (CloudStack: cloneOfSnapshot, cloneOfTemplate).

FRAMEWORK: clone → grant_access on each host → connection on each host → the datastore that the clone carries gets a
           name of its own (see `introduction`), and grows with its disk when more was asked for than the source has
PLUGIN:    clone (does all of that) → the cloud looks whether the disk is there
DIRECT:    clone; nobody sees the LUN before a VM needs it

A source that a VM writes to is cloned as a crash would leave it. Whether a smaller clone is refused is for the plugin.

Failed at any step: the clone's removal, as far as it had come, by its uuid when there was no answer. The source is not
touched.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from conformance.contract import CloneDriver, Created, DataStore, Host, Placement, VolumeRequest
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.introduction import introduction
from conformance.orchestrator.records import VolumeRecord, Way
from conformance.orchestrator.sources import Source, find_source
from conformance.orchestrator.steps import Step

from .create_volume import CreateVolume


class CreateVolumeFrom(CreateVolume):
    """Makes a volume with another object's bytes for the hosts the cluster has now."""

    kind = "create_volume_from"

    def __init__(
        self, cloud: Cloud, volume_uuid: str, hosts: Sequence[Host], new: VolumeRecord | None, source_uuid: str
    ) -> None:
        super().__init__(cloud, volume_uuid, hosts, new)
        self.source_uuid = source_uuid

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, arguments: str) -> CreateVolumeFrom:
        """The operation again, from its journal."""
        source_uuid, hosts = json.loads(arguments)
        return cls(cloud, volume_uuid, [decode_as(Host, each) for each in hosts], None, source_uuid)

    def arguments(self) -> str:
        return json.dumps([self.source_uuid, [encode(each) for each in self._hosts]])

    def begin(self) -> Sequence[str]:
        if self._new is not None:
            self.refuse_source(self._new)
        return super().begin()

    def claims(self) -> Sequence[str]:
        return [self.object_uuid, self.source_uuid]

    def refuse_source(self, new: VolumeRecord) -> None:
        """Refuse what cannot be cloned now, or not in that store."""
        self.source().refuse(new.store_uuid, self.kind)

    def source(self) -> Source:
        """What is cloned, as it stands now."""
        return find_source(self.cloud, self.source_uuid)

    def steps(self) -> Sequence[Step]:
        volume, hosts = self.volume, self._hosts
        if self.record.way is Way.DIRECT:
            return self.made()
        if self.record.way is Way.PLUGIN:
            return [*self.made(), volume.check_disk()]
        is_larger = self.record.disk_bytes > self.source().disk_bytes
        return [
            *self.made(),
            *map(volume.grant, hosts),
            *map(volume.ask_connection, hosts),
            *introduction(self.cloud, volume, hosts, is_larger=is_larger),
        ]

    def made(self) -> list[Step]:
        """Make the LUN; in hookup PLUGIN all of the volume."""
        return [self.volume.make("clone", self._hosts, self._clone)]

    def _clone(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        driver = cast(CloneDriver, self.cloud.driver)
        return driver.clone(store, request, placement, self.source().value)
