"""What operations on one volume share: states from the table, and the volume's steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy, UnknownObject, WrongState
from conformance.orchestrator.records import VolumeRecord
from conformance.orchestrator.states import VOLUME_OPERATIONS, VolumeState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import VolumeSteps

WITHOUT_STORE: Final = frozenset({"detach_volume"})
"""What can be done while the volume's store is in maintenance: no VM that has it runs then, so no call is made."""


class VolumeOperation:
    """One operation on one volume. While it runs nobody else works on the volume."""

    kind: ClassVar[str]

    def __init__(self, cloud: Cloud, volume_uuid: str) -> None:
        self.id = 0
        self.cloud = cloud
        self.object_uuid = volume_uuid
        self._volume: VolumeSteps | None = None

    @property
    def volume(self) -> VolumeSteps:
        """The volume's steps; its record is read when it is first needed, inside the claim."""
        if self._volume is None:
            self._volume = VolumeSteps(self.cloud, self.cloud.volume(self.object_uuid), self.id)
        return self._volume

    @property
    def record(self) -> VolumeRecord:
        """What is believed about the volume now."""
        return self.volume.record

    def claims(self) -> Sequence[str]:
        """The volume."""
        return [self.object_uuid]

    def begin(self) -> Sequence[str]:
        """Compare and set: of two operations that meet, one wins."""
        enter(self.cloud, self.object_uuid, self.kind)
        return self.claims()

    def undo_steps(self) -> Sequence[Step] | None:
        """Nothing to undo: what was done is repeated when the operation is."""
        return []

    def undone(self) -> None:
        """The volume can be used as before."""
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)

    def stuck(self) -> None:
        """The volume cannot be used until that is cleaned up."""
        self.cloud.volumes.set_state(self.object_uuid, VOLUME_OPERATIONS[self.kind][2])


def enter(cloud: Cloud, volume_uuid: str, kind: str) -> None:
    """Note on a volume that an operation of that kind works on it, or refuse."""
    allowed, during, _ = VOLUME_OPERATIONS[kind]
    known = cloud.volumes.find(volume_uuid)
    if known is not None and kind not in WITHOUT_STORE:
        cloud.refuse_store(known.store_uuid, kind)
    if cloud.volumes.swap_state(volume_uuid, allowed, during):
        return
    if cloud.journal.is_claimed(volume_uuid):
        raise ObjectBusy(volume_uuid)
    if known is None:
        raise UnknownObject("volume", volume_uuid)
    raise WrongState(volume_uuid, known.state, kind)
