"""QoS that is lifted for a copy and put back, and what a volume has in use."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from conformance.contract import (
    CapacityExhausted,
    DataStore,
    InvalidRequest,
    ObjectNotFound,
    QosPolicy,
    Volume,
)

from .scene import GB, HOSTS, Killed, Scene, killed, lost_after

OWN = QosPolicy(100, 200, 300)
LIFTED = QosPolicy(100, 200_000, 200_000)


@pytest.fixture
def store(solidfire: Scene) -> DataStore:
    return solidfire.store(capacity_iops=1000)


@pytest.fixture
def volume(solidfire: Scene, store: DataStore) -> Volume:
    return solidfire.volume(store, qos=OWN)


def _qos(scene: Scene) -> QosPolicy | None:
    return scene.view().luns[0].qos


def test_a_migration_lifts_and_puts_back(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    before = solidfire.view()
    for _ in range(2):
        solidfire.another().driver.begin_migration(store, volume)
        assert _qos(solidfire) == LIFTED
    for _ in range(2):
        solidfire.another().driver.end_migration(store, volume)
        assert solidfire.view() == before


@pytest.mark.parametrize("method", ["GetLimits", "ModifyVolume"])
def test_an_interrupted_begin_is_ended(solidfire: Scene, store: DataStore, volume: Volume, method: str) -> None:
    solidfire.wire.break_next(method, killed)
    with pytest.raises(Killed):
        solidfire.driver.begin_migration(store, volume)
    solidfire.wire.open = 0
    solidfire.another().driver.end_migration(store, volume)
    assert _qos(solidfire) == OWN


def test_lost_replies_cost_nothing(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    solidfire.wire.break_next("ModifyVolume", lost_after)
    solidfire.driver.begin_migration(store, volume)
    assert _qos(solidfire) == LIFTED
    solidfire.wire.break_next("ModifyVolume", lost_after)
    solidfire.driver.end_migration(store, volume)
    assert _qos(solidfire) == OWN


def test_a_change_of_qos_meanwhile_holds_from_the_end_on(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    solidfire.driver.begin_migration(store, volume)
    solidfire.driver.set_qos(store, volume, QosPolicy(min_iops=150, max_iops=250))
    assert _qos(solidfire) == QosPolicy(150, 200_000, 200_000)
    solidfire.driver.begin_migration(store, volume)
    with pytest.raises(InvalidRequest):
        solidfire.driver.set_qos(store, volume, QosPolicy(max_iops=400))
    with pytest.raises(CapacityExhausted):
        solidfire.driver.set_qos(store, volume, QosPolicy(1001, 2000, 2000))
    solidfire.driver.end_migration(store, volume)
    assert _qos(solidfire) == QosPolicy(150, 250, 300)


def test_a_volume_that_has_the_most_already_keeps_its_own_in_mind(solidfire: Scene, store: DataStore) -> None:
    fast = solidfire.volume(store, "volume-2", qos=LIFTED)
    solidfire.driver.begin_migration(store, fast)
    solidfire.driver.set_qos(store, fast, QosPolicy(max_iops=500, burst_iops=500))
    assert _qos(solidfire) == LIFTED
    solidfire.driver.end_migration(store, fast)
    assert _qos(solidfire) == QosPolicy(100, 500, 500)


def test_a_clone_in_a_migration_has_its_own_qos(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    solidfire.driver.begin_migration(store, volume)
    clone = solidfire.clone(store, volume, qos=QosPolicy(50, 100, 100))
    solidfire.driver.end_migration(store, clone)
    assert solidfire.view().luns[-1].qos == QosPolicy(50, 100, 100)


def test_only_a_volume_that_is_there_is_lifted(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    solidfire.driver.delete(store, volume)
    with pytest.raises(ObjectNotFound):
        solidfire.driver.begin_migration(store, volume)
    solidfire.driver.end_migration(store, volume)


def test_stats_tell_what_is_written(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    assert solidfire.driver.volume_stats(store, volume).written_bytes == 0
    solidfire.driver.grant_access(store, volume, HOSTS[0])
    with solidfire.login(solidfire.driver.connection(store, volume, HOSTS[0]), HOSTS[0]) as session:
        session.write(0, 0, b"x" * 4096)
        session.write(0, 4096, b"x" * 512)
    stats = solidfire.driver.volume_stats(store, volume)
    assert (stats.written_bytes, stats.provisioned_bytes) == (8192, volume.size_bytes)
    grown = solidfire.driver.resize(store, volume, 3 * GB).size_bytes
    assert solidfire.driver.volume_stats(store, volume).provisioned_bytes == grown


def test_what_the_array_does_not_say_is_unknown(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    def silent(_name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        status, body = through()
        answer = json.loads(body)
        del answer["result"]["volumeStats"]["nonZeroBlocks"]
        return status, json.dumps(answer).encode()

    solidfire.wire.break_next("GetVolumeStats", silent)
    assert solidfire.driver.volume_stats(store, volume).written_bytes is None
    solidfire.driver.delete(store, volume)
    with pytest.raises(ObjectNotFound):
        solidfire.driver.volume_stats(store, volume)
