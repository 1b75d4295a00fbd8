"""Steps that lift a volume's QoS for a copy, and put it back."""

from __future__ import annotations

from functools import partial
from typing import cast

from conformance.contract import MigrationDriver
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.steps import Step


def begin_migration(cloud: Cloud, volume_uuid: str) -> Step:
    """The volume is about to be copied."""
    return Step("begin_migration", partial(_begin, cloud, volume_uuid), volume_uuid)


def end_migration(cloud: Cloud, volume_uuid: str) -> Step:
    """The copy has ended, well or not."""
    return Step("end_migration", partial(_end, cloud, volume_uuid), volume_uuid)


def _begin(cloud: Cloud, volume_uuid: str) -> None:
    driver, record = cast(MigrationDriver, cloud.driver), cloud.volume(volume_uuid)
    store = cloud.told_store(record.store_uuid)
    cloud.caller.plugin("begin_migration", driver.begin_migration, store, record.volume)


def _end(cloud: Cloud, volume_uuid: str) -> None:
    driver, record = cast(MigrationDriver, cloud.driver), cloud.volume(volume_uuid)
    store = cloud.told_store(record.store_uuid)
    cloud.caller.plugin("end_migration", driver.end_migration, store, record.volume)
