"""Clones: independent volumes with the bytes of their source and the attributes of their own request."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    ArrayUnreachable,
    Busy,
    CapacityExhausted,
    Conflict,
    DataStore,
    InvalidRequest,
    ObjectNotFound,
    QosPolicy,
    Snapshot,
    Volume,
)
from reference_providers.solidfire.clones import FIRST_POLL_SECONDS

from .scene import GB, Killed, Scene, killed, lost_after, sent_twice

Source = Callable[[Scene, DataStore, Volume], Snapshot | Volume]
SOURCES: dict[str, Source] = {
    "volume": lambda scene, store, volume: volume,
    "snapshot": lambda scene, store, volume: scene.snapshot(store, volume),
}


@pytest.fixture(params=SOURCES)
def source_of(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]


def _qos(scene: Scene, volume: Volume) -> QosPolicy | None:
    return next(each.qos for each in scene.view().luns if each.external_id == volume.external_id)


def test_a_clone_has_the_bytes_of_its_source_and_stands_alone(solidfire: Scene, source_of: Source) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"source")
    source = source_of(solidfire, store, volume)
    clone = solidfire.clone(store, source)
    assert clone.external_id != volume.external_id
    assert clone.identity != volume.identity
    assert solidfire.read(store, clone) == b"source"
    solidfire.write(store, clone, b"clone")
    solidfire.write(store, volume, b"changed")
    assert solidfire.read(store, clone) == b"clone"
    if isinstance(source, Snapshot):
        solidfire.driver.delete_snapshot(store, source)
    solidfire.driver.delete(store, volume)
    assert solidfire.read(store, clone) == b"clone"
    assert solidfire.driver.used(store).bytes == clone.size_bytes
    solidfire.driver.delete(store, clone)
    assert solidfire.view().luns == ()


def test_a_clone_is_of_the_moment_it_was_asked_for(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"then")
    taken = solidfire.snapshot(store, volume)
    solidfire.write(store, volume, b"now")
    assert solidfire.read(store, solidfire.clone(store, taken)) == b"then"
    again = solidfire.clone(store, solidfire.clone(store, volume, "clone-2"), "clone-3")
    assert solidfire.read(store, again) == b"now"


def test_the_same_request_answers_the_same_clone(solidfire: Scene, source_of: Source) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    source = source_of(solidfire, store, volume)
    clone = solidfire.clone(store, source)
    solidfire.another()
    assert solidfire.clone(store, source) == clone
    if isinstance(source, Snapshot):
        solidfire.driver.delete_snapshot(store, source)
    solidfire.driver.delete(store, volume)
    assert solidfire.clone(store, source) == clone
    assert [each.external_id for each in solidfire.view().luns] == [clone.external_id]


def test_another_request_under_the_same_uuid_is_a_conflict(solidfire: Scene) -> None:
    store = solidfire.store()
    volume, other = solidfire.volume(store), solidfire.volume(store, "volume-2")
    taken = solidfire.snapshot(store, volume)
    solidfire.clone(store, volume)
    before = solidfire.view()
    for source, size_bytes in ((other, 2 * GB), (taken, 2 * GB), (volume, 3 * GB)):
        with pytest.raises(Conflict):
            solidfire.clone(store, source, size_bytes=size_bytes)
    with pytest.raises(Conflict):
        solidfire.volume(store, "clone-1")
    with pytest.raises(Conflict):
        solidfire.clone(store, volume, "volume-2")
    assert solidfire.view() == before


def test_a_clone_may_be_larger_and_never_smaller(solidfire: Scene, source_of: Source) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    source = source_of(solidfire, store, volume)
    before = solidfire.view()
    with pytest.raises(InvalidRequest) as refused:
        solidfire.clone(store, source, size_bytes=GB)
    assert refused.value.field == "size_bytes"
    assert solidfire.view() == before
    assert 3 * GB <= solidfire.clone(store, source, size_bytes=3 * GB).size_bytes < 3 * GB + (1 << 20)
    with pytest.raises(CapacityExhausted):
        solidfire.clone(store, source, "clone-2", size_bytes=100 * GB)


def test_a_clone_of_a_grown_volume_is_as_large_as_it_is_now(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    taken = solidfire.snapshot(store, volume)
    solidfire.driver.resize(store, volume, 4 * GB)
    assert solidfire.clone(store, taken).size_bytes == volume.size_bytes
    with pytest.raises(InvalidRequest):
        solidfire.clone(store, volume, "clone-2")


def test_a_clone_has_the_qos_of_its_own_request(solidfire: Scene, source_of: Source) -> None:
    store = solidfire.store(capacity_iops=1000)
    volume = solidfire.volume(store, qos=QosPolicy(500, 600, 700))
    source = source_of(solidfire, store, volume)
    plain = solidfire.clone(store, source)
    own = solidfire.clone(store, source, "clone-2", qos=QosPolicy(100, 200, 300))
    assert _qos(solidfire, plain) == QosPolicy(50, 15000, 15000)
    assert _qos(solidfire, own) == QosPolicy(100, 200, 300)
    assert solidfire.driver.used(store).iops == 650
    with pytest.raises(CapacityExhausted):
        solidfire.clone(store, source, "clone-3", qos=QosPolicy(min_iops=400))
    with pytest.raises(InvalidRequest):
        solidfire.clone(store, source, "clone-3", qos=QosPolicy(min_iops=49))
    assert len(solidfire.view().luns) == 3


def test_a_repeated_clone_does_not_take_back_a_change_of_qos(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    clone = solidfire.clone(store, volume)
    solidfire.driver.set_qos(store, clone, QosPolicy(100, 200, 300))
    solidfire.clone(store, volume)
    assert _qos(solidfire, clone) == QosPolicy(100, 200, 300)


def test_what_is_not_there_cannot_be_cloned(solidfire: Scene) -> None:
    store, other = solidfire.store(), solidfire.store("store-2")
    volume = solidfire.volume(store)
    taken = solidfire.snapshot(store, volume)
    for source in (volume, taken):
        with pytest.raises(ObjectNotFound):
            solidfire.clone(other, source)
    solidfire.driver.delete_snapshot(store, taken)
    with pytest.raises(ObjectNotFound) as missing:
        solidfire.clone(store, taken)
    assert missing.value.kind == "snapshot"


@pytest.mark.parametrize("method", ["CloneVolume", "GetAsyncResult", "ModifyVolume"])
def test_a_lost_reply_costs_the_caller_nothing(solidfire: Scene, method: str) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"source")
    solidfire.wire.break_next(method, lost_after)
    clone = solidfire.clone(store, volume, qos=QosPolicy(100, 200, 300))
    assert _qos(solidfire, clone) == QosPolicy(100, 200, 300)
    assert len(solidfire.view().luns) == 2
    assert solidfire.read(store, clone) == b"source"


def test_a_clone_delivered_twice_is_one(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"source")
    solidfire.wire.break_next("CloneVolume", sent_twice)
    clone = solidfire.clone(store, volume)
    assert len(solidfire.view().luns) == 2
    assert solidfire.read(store, clone) == b"source"


@pytest.mark.parametrize("method", ["CloneVolume", "ModifyVolume", "GetAsyncResult"])
def test_a_clone_that_was_begun_by_a_killed_instance_is_finished_or_deleted(solidfire: Scene, method: str) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"source")
    for finishes in (True, False):
        solidfire.wire.break_next(method, killed)
        with pytest.raises(Killed):
            solidfire.clone(store, volume)
        solidfire.wire.open = 0
        solidfire.another()
        if finishes:
            clone = solidfire.clone(store, volume)
            assert _qos(solidfire, clone) == QosPolicy(50, 15000, 15000)
            assert solidfire.read(store, clone) == b"source"
            solidfire.driver.delete(store, clone)
        else:
            solidfire.driver.delete(store, Volume(replace(volume.request, uuid="clone-1"), None, 2 * GB))
        assert len(solidfire.view().luns) == 1


def _failed(name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    through()
    error = {"name": "xRemoteFailure", "code": 500, "message": "the copy broke off"}
    return 200, json.dumps({"id": 1, "result": {"status": "complete", "error": error}}).encode()


@pytest.mark.parametrize("name", ["xAsyncHandleDoesNotExist", "xDBNoSuchPath"])
def test_a_clone_whose_end_has_been_told_already_is_handed_out(solidfire: Scene, name: str) -> None:
    def forgotten(_method: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        through()
        return 200, json.dumps({"id": 1, "error": {"name": name, "code": 500, "message": "gone"}}).encode()

    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"source")
    solidfire.wire.break_next("GetAsyncResult", forgotten)
    assert solidfire.read(store, solidfire.clone(store, volume)) == b"source"


def test_a_clone_that_failed_leaves_nothing(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    before = solidfire.view()
    solidfire.wire.break_next("GetAsyncResult", _failed)
    with pytest.raises(ArrayUnreachable, match="the copy broke off"):
        solidfire.clone(store, volume)
    assert solidfire.view() == before
    solidfire.clone(store, volume)


def test_a_clone_of_a_killed_instance_that_failed_is_found_out(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    before = solidfire.view()
    solidfire.wire.break_next("CloneVolume", killed)
    with pytest.raises(Killed):
        solidfire.clone(store, volume)
    solidfire.wire.open = 0
    solidfire.another()
    solidfire.wire.break_next("GetAsyncResult", _failed)
    with pytest.raises(ArrayUnreachable, match="the copy broke off"):
        solidfire.clone(store, volume)
    assert solidfire.view() == before


def test_a_source_may_go_while_its_clone_is_being_filled(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"source")
    solidfire.cloud.call.remaining_seconds = FIRST_POLL_SECONDS / 2
    with pytest.raises(Busy):
        solidfire.clone(store, volume)
    solidfire.cloud.call.remaining_seconds = 100.0
    solidfire.driver.delete(store, volume)
    assert solidfire.read(store, solidfire.clone(store, volume)) == b"source"


def test_a_clone_that_takes_too_long_is_busy_and_goes_on(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.cloud.call.remaining_seconds = FIRST_POLL_SECONDS / 2
    with pytest.raises(Busy):
        solidfire.clone(store, volume)
    solidfire.cloud.call.remaining_seconds = 100.0
    clone = solidfire.clone(store, volume)
    assert len(solidfire.view().luns) == 2
    assert solidfire.read(store, clone) == b""
