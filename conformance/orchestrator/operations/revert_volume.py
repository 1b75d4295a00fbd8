"""Put a volume back to a snapshot (CloudStack: revertSnapshot).

FRAMEWORK: detach_datastore on each host → revoke_access on each host → revert → for each host: grant_access →
           connection → attach_datastore
PLUGIN:    revoke_access on each host (unhooks it) → revert → grant_access on each host (hooks it up)
DIRECT:    revert; no host has the LUN of a volume that no VM has

No host may have a datastore on the LUN while its bytes change under it: what it caches would be written over them.
The volume has its snapshot's size afterwards, and newer snapshots are gone where the plugin declares so.

Refused while a VM has it. Failed before the bytes are back: the hosts get the LUN again. Failed after: they do, too,
and the volume is what it was when the snapshot was taken. Reverting again ends in agreement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from conformance.contract import Capability, Host, RevertDriver, RevertScope
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import UnknownObject, VolumeInUse, WrongState
from conformance.orchestrator.records import SnapshotRecord
from conformance.orchestrator.states import SnapshotState, VolumeState
from conformance.orchestrator.steps import Step

from .volume_operation import VolumeOperation


class RevertVolume(VolumeOperation):
    """Gives a volume the bytes it had when a snapshot was taken."""

    kind = "revert_volume"

    def __init__(self, cloud: Cloud, volume_uuid: str, snapshot_uuid: str, hosts: tuple[Host, ...] = ()) -> None:
        super().__init__(cloud, volume_uuid)
        self._snapshot_uuid, self._hosts = snapshot_uuid, hosts

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, arguments: str) -> RevertVolume:
        """The operation again, from its journal."""
        snapshot_uuid, hosts = json.loads(arguments)
        return cls(cloud, volume_uuid, snapshot_uuid, tuple(decode_as(Host, each) for each in hosts))

    def arguments(self) -> str:
        return json.dumps([self._snapshot_uuid, [encode(each) for each in self._hosts]])

    def begin(self) -> Sequence[str]:
        claims = super().begin()
        if self.record.attachment is not None:
            raise VolumeInUse(self.object_uuid, self.record.attachment.vm.uuid)
        self._refuse_snapshot(self.cloud.snapshot(self._snapshot_uuid))
        self._hosts = self.record.hosts
        return claims

    def claims(self) -> Sequence[str]:
        """The volume and its snapshots: newer ones may go."""
        return [self.object_uuid, *(each.uuid for each in self.cloud.snapshots.of_volume(self.object_uuid))]

    def _refuse_snapshot(self, snapshot: SnapshotRecord) -> None:
        if snapshot.volume_uuid != self.object_uuid:
            raise UnknownObject(f"snapshot of volume {self.object_uuid}", snapshot.uuid)
        if snapshot.state is not SnapshotState.READY:
            raise WrongState(snapshot.uuid, snapshot.state, self.kind)

    def steps(self) -> Sequence[Step]:
        volume, hosts = self.volume, self._hosts
        return [*volume.taken_from(hosts), Step("revert", self._revert), *volume.given_back(hosts)]

    def undo_steps(self) -> Sequence[Step]:
        return self.volume.given_back(self._hosts)

    def finish(self) -> None:
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)

    def _revert(self) -> None:
        driver, record = cast(RevertDriver, self.cloud.driver), self.cloud.snapshot(self._snapshot_uuid)
        store, volume = self.volume.store, self.record.volume
        self.cloud.caller.plugin("revert", driver.revert, store, volume, record.snapshot)
        with self.cloud.database.transaction():
            # Not with the outcome: what follows may fail, and the bytes are back all the same.
            volume = replace(volume, size_bytes=record.snapshot.size_bytes)
            self.volume.learn(replace(self.record, volume=volume, disk_bytes=record.disk_bytes))
            self._forget_newer()

    def _forget_newer(self) -> None:
        if self.cloud.provider.traits.revert_scope is RevertScope.DISCARDS_NEWER:
            known = [each.uuid for each in self.cloud.snapshots.of_volume(self.object_uuid)]
            for uuid in known[known.index(self._snapshot_uuid) + 1 :]:
                self.cloud.forget_snapshot(uuid, self.id)


def refuse_revert(cloud: Cloud) -> None:
    """Refuse what the plugin does not declare."""
    cloud.require(Capability.SNAPSHOT)
    cloud.require(Capability.REVERT)
