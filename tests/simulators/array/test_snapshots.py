"""Snapshots: what they keep, what rolling back restores, and what goes with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulators.array.extents import EXTENT_BYTES
from simulators.array.limits import MIB, Limits
from simulators.array.model import ArrayModel
from simulators.array.refusal import Reason
from simulators.array.snapshots import SnapshotWish
from simulators.array.volume import Volume, VolumeChange
from tests.simulators.array.client import GB, Client, HandClock, Refusal, bare_model, memory_array
from tests.simulators.array.test_model import reason_of, volume

PLAIN = SnapshotWish()


def written(model: ArrayModel, letter: bytes = b"a") -> Volume:
    made = volume(model)
    made.blocks.write(100, letter * 3 * EXTENT_BYTES)
    return made


def letters(thing: Any) -> bytes:
    """The first byte of each of its first five extents."""
    return b"".join(thing.blocks.read(each * EXTENT_BYTES + 100, 1) for each in range(5))


def test_a_snapshot_keeps_what_the_volume_held() -> None:
    model = bare_model()
    made = written(model)
    kept = model.snapshots.create(made.volume_id, PLAIN)
    size = made.size_bytes
    made.blocks.write(0, b"b" * 2 * EXTENT_BYTES)
    made.blocks.unmap(2 * EXTENT_BYTES, 2 * EXTENT_BYTES)
    model.volumes.modify(made.volume_id, VolumeChange(size_bytes=2 * GB))
    assert (letters(kept), kept.size_bytes) == (b"aaa\0\0", size)
    assert letters(made) == b"bb\0\0\0"


def test_rolling_back_restores_bytes_and_size_and_the_space_that_growing_took() -> None:
    model = bare_model()
    made = written(model)
    size, iqn = made.size_bytes, made.iqn
    kept = model.snapshots.create(made.volume_id, PLAIN)
    model.volumes.modify(made.volume_id, VolumeChange(size_bytes=2 * GB))
    made.blocks.write(size, b"beyond")
    made.blocks.write(0, b"c" * EXTENT_BYTES)
    changes = made.size_changes
    assert model.snapshots.roll_back(made.volume_id, kept.snapshot_id, None) is None
    assert (letters(made), made.size_bytes, made.iqn) == (b"aaa\0\0", size, iqn)
    assert (model.capacity.used_bytes, made.size_changes) == (size, changes + 1)
    model.volumes.modify(made.volume_id, VolumeChange(size_bytes=2 * GB))
    assert made.blocks.read(size, 6) == bytes(6)


def test_after_rolling_back_volume_and_snapshot_are_apart() -> None:
    model = bare_model()
    made = written(model)
    kept = model.snapshots.create(made.volume_id, PLAIN)
    model.snapshots.roll_back(made.volume_id, kept.snapshot_id, None)
    made.blocks.write(0, b"z" * EXTENT_BYTES)
    assert (letters(made), letters(kept)) == (b"zaa\0\0", b"aaa\0\0")


def test_what_rolling_back_would_lose_can_be_kept() -> None:
    model = bare_model()
    made = written(model)
    kept = model.snapshots.create(made.volume_id, PLAIN)
    made.blocks.write(0, b"n" * EXTENT_BYTES)
    saved = model.snapshots.roll_back(made.volume_id, kept.snapshot_id, SnapshotWish("saved"))
    assert saved is not None
    assert (letters(made), letters(saved), saved.name) == (b"aaa\0\0", b"naa\0\0", "saved")
    model.snapshots.roll_back(made.volume_id, saved.snapshot_id, None)
    assert letters(made) == b"naa\0\0"


def test_rolling_back_to_a_larger_size_needs_room() -> None:
    model = bare_model(capacity_bytes=2900 * MIB)
    made = volume(model)
    small = model.snapshots.create(made.volume_id, PLAIN)
    model.volumes.modify(made.volume_id, VolumeChange(size_bytes=2000 * MIB))
    large = model.snapshots.create(made.volume_id, PLAIN)
    model.snapshots.roll_back(made.volume_id, small.snapshot_id, None)
    volume(model)
    rooms = (made.volume_id, large.snapshot_id, PLAIN)
    assert reason_of(lambda: model.snapshots.roll_back(*rooms)) is Reason.CAPACITY_EXHAUSTED
    assert (made.size_bytes, len(made.snapshots)) == (small.size_bytes, 2)


def test_space_is_counted_once_however_many_share_it() -> None:
    model = bare_model()
    made = written(model)
    alone = model.capacity.extents.value
    kept = [model.snapshots.create(made.volume_id, PLAIN) for _ in range(3)]
    assert model.capacity.extents.value == alone
    made.blocks.write(0, b"x" * EXTENT_BYTES)
    assert model.capacity.extents.value == alone + 1
    for each in kept:
        model.snapshots.delete(each)
    assert (model.capacity.extents.value, model.snapshots.mapped_bytes) == (alone, 0)


def test_snapshots_stay_with_a_deleted_volume_and_go_when_it_is_purged() -> None:
    model = bare_model()
    made = written(model)
    kept = model.snapshots.create(made.volume_id, PLAIN)
    group = model.snapshots.create_group([made.volume_id, volume(model).volume_id], PLAIN)
    model.volumes.delete(made.volume_id)
    assert letters(model.snapshots.get(kept.snapshot_id)) == b"aaa\0\0"
    assert reason_of(lambda: model.snapshots.create(made.volume_id, PLAIN)) is Reason.VOLUME_UNKNOWN
    model.purge_volume(made.volume_id)
    assert [each.volume_id for each in model.snapshots.rows] == [2]
    assert len(group.members) == 1
    assert model.capacity.extents.value == 0


def test_a_new_volume_reads_zeros_whatever_was_there_before() -> None:
    model = bare_model()
    made = written(model)
    model.snapshots.create(made.volume_id, PLAIN)
    model.volumes.delete(made.volume_id)
    model.purge_volume(made.volume_id)
    assert letters(volume(model)) == bytes(5)


def test_snapshots_expire() -> None:
    clock = HandClock()
    model = bare_model(clock)
    number = written(model).volume_id
    ends = [clock.now() + timedelta(hours=each) for each in (2, 1)]
    late, soon = (model.snapshots.create(number, SnapshotWish(expires_at=end)) for end in ends)
    for_ever = model.snapshots.create(number, PLAIN)
    for hours, left in ((1, [late, for_ever]), (1, [for_ever])):
        clock.advance(timedelta(hours=hours))
        model.settle()
        assert list(model.snapshots.rows) == left
    assert soon.snapshot_id not in model.volumes.get(number).snapshots
    past = SnapshotWish(expires_at=clock.now())
    assert reason_of(lambda: model.snapshots.create(number, past)) is Reason.VALUE_NOT_ALLOWED


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(snapshots_per_volume=2), Reason.TOO_MANY_SNAPSHOTS),
        (Limits(volumes_per_group_snapshot=1), Reason.LIMIT_EXCEEDED),
        (Limits(snapshot_name_length=3), Reason.VALUE_NOT_ALLOWED),
    ],
)
def test_limits_hold_and_a_refused_group_makes_no_member(limits: Limits, reason: Reason) -> None:
    model = bare_model(limits=limits)
    first, second = volume(model), volume(model)
    for _ in range(2):
        model.snapshots.create(second.volume_id, PLAIN)
    both = [first.volume_id, second.volume_id]
    assert reason_of(lambda: model.snapshots.create_group(both, SnapshotWish("four"))) is reason
    assert (len(model.snapshots.rows), len(model.snapshots.groups)) == (2, 0)


# Through the management API.


@pytest.fixture
def volume_id(client: Client) -> int:
    return int(client.volume(client.account())["volumeID"])


def test_a_snapshot_is_listed_as_it_was_answered(client: Client, volume_id: int) -> None:
    made = client.call("CreateSnapshot", volumeID=volume_id, name="s", attributes={"a": 1}, retention="24:00:00")
    assert client.call("ListSnapshots", volumeID=volume_id)["snapshots"] == [made["snapshot"]]
    assert client.call("ListSnapshots", snapshotID=made["snapshotID"])["snapshots"] == [made["snapshot"]]
    shown = made["snapshot"]
    assert (shown["name"], shown["status"], shown["groupID"], shown["totalSize"]) == ("s", "done", 0, 954 * MIB)
    assert (shown["attributes"], shown["expirationReason"], shown["checksum"]) == ({"a": 1}, "Api", made["checksum"])
    (seen,) = client.world.witness.observe().snapshots
    assert (seen.external_id, seen.lun_external_id, seen.name, seen.size_bytes) == ("1", "1", "s", 954 * MIB)
    client.call("DeleteSnapshot", snapshotID=1)
    assert client.call("ListSnapshots")["snapshots"] == []
    assert client.world.witness.observe().snapshots == ()


def test_without_a_name_a_snapshot_is_called_after_its_time(client: Client, volume_id: int) -> None:
    shown = client.call("CreateSnapshot", volumeID=volume_id)["snapshot"]
    assert shown["name"] == shown["createTime"] == shown["instanceCreateTime"]


def test_a_snapshot_can_be_changed_and_made_of_another(client: Client, volume_id: int) -> None:
    client.call("CreateSnapshot", volumeID=volume_id)
    client.call("ModifyVolume", volumeID=volume_id, totalSize=2 * GB)
    again = client.call("CreateSnapshot", volumeID=volume_id, snapshotID=1)["snapshot"]
    assert (again["snapshotID"], again["totalSize"]) == (2, 954 * MIB)
    changed = client.call("ModifySnapshot", snapshotID=2, expirationTime="2999-01-01T00:00:00Z", snapMirrorLabel="l")
    shown = changed["snapshot"]
    assert (shown["expirationTime"], shown["snapMirrorLabel"]) == ("2999-01-01T00:00:00Z", "l")


@pytest.mark.parametrize("save", [None, False, "false", "False"])
def test_rolling_back_saves_nothing_unless_asked(client: Client, volume_id: int, save: object) -> None:
    client.call("CreateSnapshot", volumeID=volume_id)
    # Some clients name the account as well.
    assert client.call("RollbackToSnapshot", volumeID=volume_id, snapshotID=1, saveCurrentState=save, accountID=1) == {}
    assert len(client.world.witness.observe().snapshots) == 1


def test_rolling_back_answers_with_what_it_saved(client: Client, volume_id: int) -> None:
    client.call("CreateSnapshot", volumeID=volume_id)
    asked = {"volumeID": volume_id, "snapshotID": 1, "saveCurrentState": "true", "name": "before"}
    saved = client.call("RollbackToSnapshot", **asked)
    assert (saved["snapshotID"], saved["snapshot"]["name"]) == (2, "before")


def test_group_snapshots_are_made_listed_changed_rolled_back_and_deleted(client: Client, volume_id: int) -> None:
    client.volume(1)
    made = client.call("CreateGroupSnapshot", volumes=[1, 2], name="together")
    assert [(each["snapshotID"], each["volumeID"]) for each in made["members"]] == [(1, 1), (2, 2)]
    group = made["groupSnapshot"]
    assert {each["name"] for each in group["members"]} == {"together"}
    assert {each["groupID"] for each in group["members"]} == {1}
    assert {each["groupSnapshotUUID"] for each in group["members"]} == {group["groupSnapshotUUID"]}
    for asked in ({}, {"volumes": [2]}, {"groupSnapshotID": 1}):
        assert client.call("ListGroupSnapshots", **asked)["groupSnapshots"] == [group]
    assert client.call("ListGroupSnapshots", volumes=[3])["groupSnapshots"] == []
    client.call("ModifyVolume", volumeID=2, totalSize=2 * GB)
    saved = client.call("RollbackToGroupSnapshot", groupSnapshotID=1, saveCurrentState=True, name="now")
    assert [each["totalSize"] for each in saved["groupSnapshot"]["members"]] == [954 * MIB, 1908 * MIB]
    assert [each["totalSize"] for each in client.call("ListVolumes")["volumes"]] == [954 * MIB] * 2
    changed = client.call("ModifyGroupSnapshot", groupSnapshotID=1, expirationTime="2999-01-01T00:00:00Z")
    assert {each["expirationTime"] for each in changed["groupSnapshot"]["members"]} == {"2999-01-01T00:00:00Z"}
    client.call("DeleteGroupSnapshot", groupSnapshotID=1, saveMembers=True)
    assert [each["groupID"] for each in client.call("ListSnapshots")["snapshots"]] == [0, 0, 2, 2]
    client.call("DeleteGroupSnapshot", groupSnapshotID=2)
    assert [each["snapshotID"] for each in client.call("ListSnapshots")["snapshots"]] == [1, 2]
    assert client.call("ListGroupSnapshots")["groupSnapshots"] == []


def test_a_group_goes_with_its_last_member(client: Client, volume_id: int) -> None:
    client.call("CreateGroupSnapshot", volumes=[1])
    client.call("DeleteSnapshot", snapshotID=1)
    with pytest.raises(Refusal) as refused:
        client.call("DeleteGroupSnapshot", groupSnapshotID=1)
    assert refused.value.name == "xGroupSnapshotIDDoesNotExist"


def test_the_witness_reads_a_snapshot(client: Client, volume_id: int) -> None:
    client.call("CreateSnapshot", volumeID=volume_id)
    client.call("ModifyVolume", volumeID=volume_id, totalSize=2 * GB)
    witness = client.world.witness
    assert witness.read_snapshot("1", 954 * MIB - 4, 4) == bytes(4)
    with pytest.raises(ValueError, match="outside the snapshot"):
        witness.read_snapshot("1", 954 * MIB - 4, 5)
    with pytest.raises(LookupError):
        witness.read_snapshot("2", 0, 1)


def test_the_limit_has_the_name_that_clients_look_for() -> None:
    with memory_array(limits={"snapshots_per_volume": 1}) as client:
        client.volume(client.account())
        client.call("CreateSnapshot", volumeID=1)
        with pytest.raises(Refusal) as refused:
            client.call("CreateSnapshot", volumeID=1)
        assert refused.value.name == "xMaxSnapshotsPerVolumeExceeded"
        assert client.call("GetLimits")["snapshotsPerVolumeMax"] == 1
