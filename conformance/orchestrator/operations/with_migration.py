"""Do something that moves a volume's bytes (CloudStack: handleQualityOfServiceForVolumeMigration).

begin_migration → the work → end_migration, in every hookup

The volume's own QoS is put back whatever happens to the work: failed or killed, all that is left is end_migration, for
the work is the caller's and cannot be carried on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.states import VolumeState
from conformance.orchestrator.steps import Step

from .migration_steps import begin_migration, end_migration
from .volume_operation import VolumeOperation


class WithMigration(VolumeOperation):
    """Has a volume's QoS lifted while some work is done; `work` None: it died with the cloud that did it."""

    kind = "with_migration"

    def __init__(self, cloud: Cloud, volume_uuid: str, work: Callable[[], None] | None) -> None:
        super().__init__(cloud, volume_uuid)
        self._work = work

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, _arguments: str) -> WithMigration:
        """The operation again, from its journal."""
        return cls(cloud, volume_uuid, None)

    def arguments(self) -> str:
        return ""

    def steps(self) -> Sequence[Step]:
        end = end_migration(self.cloud, self.object_uuid)
        if self._work is None:
            return [end]
        return [begin_migration(self.cloud, self.object_uuid), Step("work", self._work), end]

    def undo_steps(self) -> Sequence[Step]:
        return [end_migration(self.cloud, self.object_uuid)]

    def finish(self) -> None:
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)
