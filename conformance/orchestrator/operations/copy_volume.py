"""Copy a volume to another primary storage (CloudStack: copyAsync between managed storages); the volume stays.

begin_migration on the volume (with MIGRATION_QOS) → copy → end_migration, then the copy is what a clone is:

FRAMEWORK: grant_access on each host → connection on each host → the datastore that the copy carries gets a name of its
           own (see `introduction`), and grows with its disk when more was asked for
PLUGIN:    copy has done that → the cloud looks whether the disk is there
DIRECT:    nothing; nobody sees the LUN before a VM needs it

Refused while a running VM has the volume, because a copy of bytes that change is none of any moment; within one store,
where a clone is meant; between stores whose volumes reach hosts in different ways, because a datastore's bytes are not
a raw disk's; and where the plugin says `can_copy` is false.

Failed at any step: end_migration, and the copy's removal as far as it had come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from conformance.contract import (
    Capability,
    CapabilityNotSupported,
    CopyDriver,
    Created,
    DataStore,
    Placement,
    VolumeRequest,
)
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import VolumeInUse, WrongState
from conformance.orchestrator.records import VolumeRecord
from conformance.orchestrator.states import VolumeState
from conformance.orchestrator.steps import Step

from .create_volume_from import CreateVolumeFrom
from .migration_steps import begin_migration, end_migration


class CopyVolume(CreateVolumeFrom):
    """Makes a volume with another one's bytes in another store."""

    kind = "copy_volume"

    def refuse_source(self, new: VolumeRecord) -> None:
        source = self.cloud.volume(self.source_uuid)
        self.cloud.refuse_store(source.store_uuid, self.kind)
        if source.state is not VolumeState.READY:
            raise WrongState(source.uuid, source.state, self.kind)
        if source.attachment is not None and source.attachment.host is not None:
            raise VolumeInUse(source.uuid, source.attachment.vm.uuid)
        if source.store_uuid == new.store_uuid:
            raise WrongState(source.uuid, f"in primary storage {new.store_uuid} already", self.kind)
        if source.way is not new.way:
            raise WrongState(source.uuid, f"{source.way}; its copy would be {new.way}", self.kind)

    def made(self) -> list[Step]:
        copied = self.volume.make("copy", self._hosts, self._copy)
        if not self.cloud.supports(Capability.MIGRATION_QOS):
            return [copied]
        return [begin_migration(self.cloud, self.source_uuid), copied, end_migration(self.cloud, self.source_uuid)]

    def undo_steps(self) -> Sequence[Step]:
        lifted = self.cloud.supports(Capability.MIGRATION_QOS)
        ended = [end_migration(self.cloud, self.source_uuid)] if lifted else []
        return [*ended, *super().undo_steps()]

    def _copy(self, destination: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        record, driver = self.cloud.volume(self.source_uuid), cast(CopyDriver, self.cloud.driver)
        # The copy is hooked up where `placement` of what is copied says: for the hosts there are now.
        volume = replace(record.volume, placement=placement)
        return driver.copy(self.cloud.told_store(record.store_uuid), volume, destination, request)


def refuse_copy(cloud: Cloud, source: VolumeRecord, destination_uuid: str) -> None:
    """Refuse what the plugin does not declare, or says that it cannot do between these stores."""
    cloud.require(Capability.COPY)
    driver = cast(CopyDriver, cloud.driver)
    stores = cloud.told_store(source.store_uuid), cloud.told_store(destination_uuid)
    if not cloud.caller.plugin("can_copy", driver.can_copy, *stores):
        raise CapabilityNotSupported(Capability.COPY, f"not from {source.store_uuid} to {destination_uuid}")
