"""Snapshots: one for each request, of the right bytes, gone when deleted and never by accident."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import (
    CapabilityNotSupported,
    DataStore,
    InUse,
    InvalidRequest,
    LimitReached,
    ObjectKind,
    ObjectNotFound,
    Snapshot,
    SnapshotRequest,
    Volume,
)

from .conftest import OpenScene
from .scene import GB, HOSTS, Scene, sent_twice

FIRST = HOSTS[0]


def _listed(scene: Scene, store: DataStore) -> list[tuple[str, str]]:
    found = scene.driver.list_objects(store)
    return [(each.owner_uuid, each.external_id) for each in found if each.kind is ObjectKind.SNAPSHOT]


def test_a_repeated_request_takes_one_snapshot(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    taken = solidfire.snapshot(store, volume)
    solidfire.another()
    assert solidfire.snapshot(store, volume) == taken
    assert taken.size_bytes == volume.size_bytes
    assert _listed(solidfire, store) == [(taken.uuid, taken.external_id)]


def test_a_request_delivered_twice_leaves_one_snapshot(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.wire.break_next("CreateSnapshot", sent_twice)
    taken = solidfire.snapshot(store, volume)
    assert _listed(solidfire, store) == [(taken.uuid, taken.external_id)]


def test_deleting_takes_the_one_snapshot(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    first, second = (solidfire.snapshot(store, volume, each) for each in ("snapshot-1", "snapshot-2"))
    for _ in range(2):
        solidfire.driver.delete_snapshot(store, first)
    assert _listed(solidfire, store) == [(second.uuid, second.external_id)]


@pytest.mark.parametrize("volume_external_id", [None, ""])
def test_a_snapshot_whose_reply_was_lost_is_deleted(solidfire: Scene, volume_external_id: str | None) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    kept, lost = (solidfire.snapshot(store, volume, each) for each in ("snapshot-1", "snapshot-2"))
    where = volume.external_id if volume_external_id is None else volume_external_id
    solidfire.driver.delete_snapshot(store, replace(lost, external_id=None, volume_external_id=where or ""))
    assert _listed(solidfire, store) == [(kept.uuid, kept.external_id)]


def test_a_snapshot_of_others_is_not_deleted(solidfire: Scene) -> None:
    store, other = solidfire.store(), solidfire.store("store-2")
    volume = solidfire.volume(store)
    taken = solidfire.snapshot(store, volume)
    stranger = replace(taken, request=SnapshotRequest("snapshot-9", "x"))
    for at, wrong in ((store, stranger), (other, taken), (store, replace(taken, external_id="none"))):
        solidfire.driver.delete_snapshot(at, wrong)
    assert _listed(solidfire, store) == [(taken.uuid, taken.external_id)]
    assert _listed(solidfire, other) == []


def test_snapshots_go_unnoticed_with_their_volume(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.delete(store, volume)
    gone = Snapshot(SnapshotRequest("snapshot-1", "x"), volume.uuid, volume.external_id or "", None, GB)
    solidfire.driver.delete_snapshot(store, gone)
    with pytest.raises(ObjectNotFound):
        solidfire.snapshot(store, volume)


def test_a_volume_with_snapshots_is_not_deleted(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    taken = solidfire.snapshot(store, volume)
    before = solidfire.view()
    for asked in (volume, replace(volume, external_id=None)):
        with pytest.raises(InUse) as used:
            solidfire.driver.delete(store, asked)
        assert used.value.users == (f"snapshot {taken.uuid}",)
    assert solidfire.view() == before
    solidfire.driver.delete_snapshot(store, taken)
    solidfire.driver.delete(store, volume)
    assert solidfire.view().luns == ()


def test_a_deleted_store_takes_its_snapshots_with_it(solidfire: Scene) -> None:
    empty = solidfire.view()
    store = solidfire.store()
    solidfire.snapshot(store, solidfire.volume(store))
    solidfire.plugin.lifecycle.delete_datastore(store.request)
    assert solidfire.view() == empty


def test_one_snapshot_too_many_is_a_limit(open_scene: OpenScene) -> None:
    scene = open_scene("solidfire", limits={"snapshots_per_volume": 2})
    store = scene.store()
    volume = scene.volume(store)
    for number in range(2):
        scene.snapshot(store, volume, f"snapshot-{number}")
    with pytest.raises(LimitReached) as reached:
        scene.snapshot(store, volume, "snapshot-9")
    assert (reached.value.limit, reached.value.value) == ("snapshots_per_volume", 2)
    assert len(_listed(scene, store)) == 2
    assert scene.plugin.limits.snapshots_per_volume == 32


def test_what_the_array_cannot_do_with_snapshots_is_refused(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    taken = solidfire.snapshot(store, volume)
    request = SnapshotRequest("snapshot-2", "x")
    with pytest.raises(CapabilityNotSupported):
        solidfire.driver.take_snapshot(store, volume, request, quiesced=True)
    for call in (solidfire.driver.grant_access, solidfire.driver.connection):
        with pytest.raises(CapabilityNotSupported):
            call(store, taken, FIRST)
    solidfire.driver.grant_access(store, volume, FIRST)
    for external_id in (taken.external_id, None):
        namesake = replace(taken, request=SnapshotRequest(volume.uuid, "x"), external_id=external_id)
        solidfire.driver.revoke_access(store, namesake, FIRST, ())
    assert solidfire.view().luns[0].visible_to == set(FIRST.iqns)
    assert _listed(solidfire, store) == [(taken.uuid, taken.external_id)]


def test_a_revert_puts_back_bytes_and_keeps_all_snapshots(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"first")
    early = solidfire.snapshot(store, volume)
    solidfire.write(store, volume, b"second")
    late = solidfire.snapshot(store, volume, "snapshot-2")
    solidfire.write(store, volume, b"third")
    for snapshot, text in ((early, b"first"), (early, b"first"), (late, b"second")):
        solidfire.driver.revert(store, volume, snapshot)
        assert solidfire.read(store, volume) == text
    assert [each for each, _ in _listed(solidfire, store)] == [early.uuid, late.uuid]


def test_a_granted_volume_is_not_reverted(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.write(store, volume, b"first")
    taken = solidfire.snapshot(store, volume)
    solidfire.write(store, volume, b"second")
    solidfire.driver.grant_access(store, volume, FIRST)
    with pytest.raises(InUse) as used:
        solidfire.driver.revert(store, volume, taken)
    assert used.value.users == (FIRST.uuid,)
    assert solidfire.read(store, volume) == b"second"


def test_a_volume_that_has_grown_has_the_size_of_its_snapshot_again(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    taken = solidfire.snapshot(store, volume)
    grown = replace(volume, size_bytes=solidfire.driver.resize(store, volume, 4 * GB).size_bytes)
    solidfire.driver.revert(store, grown, taken)
    assert solidfire.view().luns[0].size_bytes == volume.size_bytes
    assert solidfire.driver.used(store).bytes == volume.size_bytes


def test_a_revert_wants_a_snapshot_of_that_volume(solidfire: Scene) -> None:
    store = solidfire.store()
    volume, other = solidfire.volume(store), solidfire.volume(store, "volume-2")
    taken = solidfire.snapshot(store, other)
    with pytest.raises(InvalidRequest):
        solidfire.driver.revert(store, volume, taken)
    solidfire.driver.delete_snapshot(store, taken)
    with pytest.raises(ObjectNotFound):
        solidfire.driver.revert(store, other, taken)
    missing = Volume(replace(volume.request, uuid="volume-9"), None, GB)
    with pytest.raises(ObjectNotFound):
        solidfire.driver.revert(store, missing, taken)
