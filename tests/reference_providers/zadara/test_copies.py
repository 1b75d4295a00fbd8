"""Snapshots, clones and templates by consistency group, and what is left of them when a call is cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    ArrayUnreachable,
    CachedTemplate,
    CapabilityNotSupported,
    CapacityExhausted,
    Conflict,
    InUse,
    InvalidRequest,
    ObjectKind,
    ObjectNotFound,
    QosPolicy,
    SnapshotRequest,
    Template,
)
from tests.reference_providers.conftest import OpenScene
from tests.reference_providers.scene import (
    Fault,
    Killed,
    Scene,
    killed,
    lost_after,
    lost_before,
    timed_out,
)

GB = 1 << 30
FAULTS: dict[str, Fault] = {
    "lost before": lost_before,
    "lost after": lost_after,
    "timed out": timed_out,
    "killed": killed,
}
MOST_REQUESTS = 80
TEMPLATE = Template("image", "raw", GB, "sha256:0")


def _snapshot(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    scene.driver.delete_snapshot(store, scene.snapshot(store, volume))
    scene.snapshot(store, volume)


def _clone(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    clone = scene.clone(store, volume, size_bytes=3 * GB)
    assert clone.size_bytes == 3 * GB
    scene.driver.delete(store, volume)
    assert scene.read(store, clone) == b""
    scene.driver.delete(store, clone)


def _template(scene: Scene) -> None:
    store = scene.store()
    made = scene.driver.seed_template(store, "template-1", TEMPLATE, GB)
    scene.driver.delete_template(store, CachedTemplate("template-1", TEMPLATE, made.external_id, made.size_bytes))


OPERATIONS = {"snapshot": _snapshot, "clone": _clone, "template": _template}


def _attempt(scene: Scene, operation: Callable[[Scene], None]) -> None:
    try:
        operation(scene)
    except Killed:
        scene.wire.open = 0
        scene.another()
    except ArrayUnreachable:
        pass
    else:
        return
    operation(scene)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_interrupted_operation_can_be_repeated(open_scene: OpenScene, operation: str, fault: str) -> None:
    for number in range(1, MOST_REQUESTS):
        scene = open_scene("zadara")
        empty = scene.view()
        scene.wire.break_call(number, FAULTS[fault])
        _attempt(scene, OPERATIONS[operation])
        if scene.wire.is_fault_pending:
            return  # the operation makes fewer requests
        assert len(scene.view().luns) <= 1
        scene.plugin.lifecycle.delete_datastore(scene.store().request)
        assert scene.view() == empty, f"after request {number}: {scene.wire.methods}"
    pytest.fail("the operation never ended")


def test_what_was_killed_in_the_making_is_listed_and_deleted(zadara: Scene) -> None:
    store = zadara.store()
    zadara.wire.break_next("POST volumes", killed)
    with pytest.raises(Killed):
        zadara.volume(store)
    zadara.another()
    (left,) = zadara.driver.list_objects(store)
    assert (left.kind, left.owner_uuid) == (ObjectKind.VOLUME, "volume-1")
    volume = replace(zadara.volume(store, "volume-2"), external_id=None)
    zadara.driver.delete(store, replace(volume, request=replace(volume.request, uuid="volume-1")))
    assert [each.owner_uuid for each in zadara.driver.list_objects(store)] == ["volume-2"]


def test_a_clone_that_was_killed_is_never_taken_for_a_new_volume(zadara: Scene) -> None:
    store = zadara.store()
    source = zadara.volume(store)
    zadara.write(store, source, b"somebody's data")
    zadara.wire.break_next("POST consistency_groups/*/clone", killed)
    with pytest.raises(Killed):
        zadara.clone(store, source, "volume-2")
    zadara.another()
    assert zadara.read(store, zadara.volume(store, "volume-2")) == b""


def test_a_clone_holds_what_its_source_held(zadara: Scene) -> None:
    store = zadara.store()
    volume = zadara.volume(store)
    zadara.write(store, volume, b"old")
    taken = zadara.snapshot(store, volume)
    zadara.write(store, volume, b"new")
    of_snapshot, of_volume = zadara.clone(store, taken), zadara.clone(store, volume, "clone-2", 4 * GB)
    assert (zadara.read(store, of_snapshot), zadara.read(store, of_volume)) == (b"old", b"new")
    assert (of_snapshot.size_bytes, of_volume.size_bytes) == (2 * GB, 4 * GB)
    assert zadara.clone(store, taken).external_id == of_snapshot.external_id
    with pytest.raises(Conflict):
        zadara.clone(store, volume)
    with pytest.raises(InvalidRequest):
        zadara.clone(store, volume, "clone-3", GB)
    with pytest.raises(CapabilityNotSupported):
        zadara.clone(store, volume, "clone-3", qos=QosPolicy(100, 200, 300))
    with pytest.raises(ObjectNotFound):
        zadara.clone(store, replace(taken, external_id="snap-000000ff"), "clone-3")
    assert len(zadara.view().luns) == 3


def test_a_clone_that_does_not_fit_leaves_nothing(zadara: Scene) -> None:
    store = zadara.store(capacity_bytes=5 * GB)
    volume = zadara.volume(store)
    before = zadara.view()
    with pytest.raises(CapacityExhausted) as full:
        zadara.clone(store, volume, size_bytes=4 * GB)
    assert (full.value.asked, full.value.available) == (4 * GB, 3 * GB)
    assert zadara.view() == before


def test_a_volume_with_snapshots_is_not_deleted_whoever_took_them(zadara: Scene) -> None:
    store = zadara.store()
    volume = zadara.volume(store)
    planted = zadara.world.witness.plant_snapshot(volume.external_id or "", "somebody")
    with pytest.raises(InUse):
        zadara.driver.delete(store, volume)
    zadara.world.witness.remove_planted_snapshot(planted)
    taken = zadara.snapshot(store, volume)
    with pytest.raises(InUse):
        zadara.driver.delete(store, replace(volume, external_id=None))
    zadara.driver.delete_snapshot(store, replace(taken, external_id=None))
    zadara.driver.delete(store, volume)
    assert zadara.view().luns == ()


def test_only_the_snapshot_of_that_owner_and_id_is_deleted(zadara: Scene) -> None:
    store, other = zadara.store(), zadara.store("store-2")
    taken = zadara.snapshot(store, zadara.volume(store))
    for at, wrong in (
        (store, replace(taken, request=SnapshotRequest("snapshot-9", "x"))),
        (store, replace(taken, external_id="snap-000000ff")),
        (other, taken),
    ):
        zadara.driver.delete_snapshot(at, wrong)
    assert len(zadara.view().snapshots) == 1
    with pytest.raises(CapabilityNotSupported):
        zadara.driver.grant_access(store, taken, zadara.cloud.present[0])


def test_a_template_is_a_lun_that_can_be_cloned(zadara: Scene) -> None:
    store = zadara.store()
    made = zadara.driver.seed_template(store, "volume-1", TEMPLATE, GB)
    cached = CachedTemplate("volume-1", TEMPLATE, made.external_id, made.size_bytes)
    zadara.write(store, cached, b"image")
    assert zadara.volume(store).external_id != made.external_id, "a volume may have the uuid of a template"
    clone = zadara.clone(store, cached)
    zadara.driver.delete_template(store, cached)
    assert zadara.read(store, clone) == b"image"
