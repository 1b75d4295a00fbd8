"""What operations on one snapshot share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from conformance.contract import SnapshotDriver
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.records import SnapshotRecord
from conformance.orchestrator.steps import Step


class SnapshotOperation:
    """One operation on one snapshot. While it runs nobody else works on the snapshot."""

    kind: ClassVar[str]

    def __init__(self, cloud: Cloud, snapshot_uuid: str) -> None:
        self.id = 0
        self.cloud = cloud
        self.object_uuid = snapshot_uuid

    @property
    def record(self) -> SnapshotRecord:
        """What is believed about the snapshot now."""
        return self.cloud.snapshot(self.object_uuid)

    def claims(self) -> Sequence[str]:
        """The snapshot."""
        return [self.object_uuid]

    def delete_snapshot(self) -> Step:
        """Remove it at the array, also one whose taking gave no answer."""
        return Step("delete_snapshot", self._delete_snapshot)

    def driver(self) -> SnapshotDriver:
        """The plugin's driver, which declares snapshots."""
        return cast(SnapshotDriver, self.cloud.driver)

    def _delete_snapshot(self) -> None:
        record = self.record
        store = self.cloud.told_store(record.store_uuid)
        self.cloud.caller.plugin("delete_snapshot", self.driver().delete_snapshot, store, record.snapshot)
