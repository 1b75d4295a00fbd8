"""What a volume can be made from: a snapshot or another volume of the same store."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.contract import Capability, Snapshot, Volume

from .cloud import Cloud
from .errors import UnknownObject, WrongState
from .states import SnapshotState, VolumeState


@dataclass(frozen=True, slots=True)
class Source:
    """What is cloned: the contract's value, where it is, and how it stands. `disk_bytes` is the user's size of it."""

    uuid: str
    store_uuid: str
    disk_bytes: int
    needs: Capability
    state: str
    is_ready: bool
    value: Snapshot | Volume

    def bytes_to_ask(self, disk_bytes: int, needed_bytes: int) -> int:
        """What the plugin is asked for so that `disk_bytes` fit: never less than the source where the user asked so.

        The source may be larger than what was asked for it, because the array rounded up. A disk that is smaller than
        its source's is the plugin's to refuse.
        """
        return needed_bytes if disk_bytes < self.disk_bytes else max(needed_bytes, self.value.size_bytes)

    def refuse(self, store_uuid: str, operation: str) -> None:
        """Refuse what cannot be cloned now, or not in that store."""
        if self.store_uuid != store_uuid:
            raise WrongState(self.uuid, f"in primary storage {self.store_uuid}", f"{operation} in {store_uuid}")
        if not self.is_ready:
            raise WrongState(self.uuid, self.state, operation)


def find_source(cloud: Cloud, uuid: str) -> Source:
    """The snapshot or volume of that uuid; absent: `UnknownObject`."""
    snapshot, volume = cloud.snapshots.find(uuid), cloud.volumes.find(uuid)
    if snapshot is not None:
        return Source(
            uuid,
            snapshot.store_uuid,
            snapshot.disk_bytes,
            Capability.VOLUME_FROM_SNAPSHOT,
            snapshot.state,
            snapshot.state is SnapshotState.READY,
            snapshot.snapshot,
        )
    if volume is not None:
        return Source(
            uuid,
            volume.store_uuid,
            volume.disk_bytes,
            Capability.VOLUME_FROM_VOLUME,
            volume.state,
            volume.state is VolumeState.READY,
            volume.volume,
        )
    raise UnknownObject("snapshot or volume to clone", uuid)
