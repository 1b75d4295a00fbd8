"""What a volume can be made from: a snapshot, another volume or a template of the same store."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.contract import CachedTemplate, Capability, Snapshot, Volume

from .cloud import Cloud
from .errors import UnknownObject, WrongState
from .records import Way
from .states import SnapshotState, TemplateState, VolumeState


@dataclass(frozen=True, slots=True)
class Source:
    """What is cloned: the contract's value, where it is, and how it stands. `disk_bytes` is the user's size of it."""

    uuid: str
    store_uuid: str
    disk_bytes: int
    needs: Capability
    state: str
    is_ready: bool
    value: Snapshot | Volume | CachedTemplate

    def bytes_to_ask(self, way: Way, disk_bytes: int, needed_bytes: int) -> int:
        """What the plugin is asked for so that `disk_bytes` fit: never less than the source where the user asked so.

        The source may be larger than what was asked for it, because the array rounded up. A disk that is smaller than
        its source's is the plugin's to refuse.
        """
        if way is Way.PLUGIN and isinstance(self.value, CachedTemplate):
            # A template's size is that of its LUN, and the plugin is asked for disk bytes.
            return needed_bytes
        return needed_bytes if disk_bytes < self.disk_bytes else max(needed_bytes, self.value.size_bytes)

    def refuse(self, store_uuid: str, operation: str) -> None:
        """Refuse what cannot be cloned now, or not in that store."""
        if self.store_uuid != store_uuid:
            raise WrongState(self.uuid, f"in primary storage {self.store_uuid}", f"{operation} in {store_uuid}")
        if not self.is_ready:
            raise WrongState(self.uuid, self.state, operation)


def find_source(cloud: Cloud, uuid: str) -> Source:
    """The snapshot, volume or template of that uuid; absent: `UnknownObject`."""
    snapshot, volume, template = cloud.snapshots.find(uuid), cloud.volumes.find(uuid), cloud.templates.find(uuid)
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
    if template is not None:
        return Source(
            uuid,
            template.store_uuid,
            template.cached.template.size_bytes,
            Capability.TEMPLATE_CACHE,
            template.state,
            template.state is TemplateState.READY,
            template.cached,
        )
    raise UnknownObject("snapshot, volume or template to clone", uuid)
