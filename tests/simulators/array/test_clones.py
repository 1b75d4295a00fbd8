"""Clones and copies: what they hold, when they can be used, and how their jobs are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from simulators.array.chance import SeededChance
from simulators.array.clones import CloneJob, CloneTime, CloneWish
from simulators.array.element_api.make import ELEMENT
from simulators.array.extents import EXTENT_BYTES
from simulators.array.limits import MIB, Limits
from simulators.array.model import ArrayModel
from simulators.array.refusal import Reason
from simulators.array.volume import Volume, VolumeChange
from tests.simulators.array.client import GB, Client, HandClock, Refusal, bare_model, memory_array
from tests.simulators.array.test_model import reason_of, volume
from tests.simulators.array.test_snapshots import PLAIN, letters, written


def cloned(model: ArrayModel, wish: CloneWish) -> Volume:
    """A clone that can be used."""
    job = model.clones.clone([wish])
    finish(model)
    assert job.is_done
    return model.volumes.get_ready(job.pairs[0].volume_id)


def finish(model: ArrayModel) -> None:
    for _ in range(CloneTime().calls):
        model.clones.count_call()
    model.settle()


def test_clone_and_source_do_not_see_what_becomes_of_each_other() -> None:
    model = bare_model()
    made = written(model)
    clone = cloned(model, CloneWish(made.volume_id, "clone"))
    assert model.capacity.extents.value == 4
    made.blocks.write(0, b"m" * EXTENT_BYTES)
    clone.blocks.write(EXTENT_BYTES, b"c" * EXTENT_BYTES)
    assert (letters(made), letters(clone)) == (b"maa\0\0", b"aca\0\0")
    assert {made.iqn, made.naa} & {clone.iqn, clone.naa} == set()


def test_a_clone_holds_what_the_source_held_when_it_was_asked_for() -> None:
    model = bare_model()
    made = written(model)
    job = model.clones.clone([CloneWish(made.volume_id, "clone")])
    made.blocks.write(0, b"late" * EXTENT_BYTES)
    finish(model)
    assert letters(model.volumes.get_ready(job.pairs[0].volume_id)) == b"aaa\0\0"


def test_a_clone_of_a_snapshot_has_its_bytes_and_its_size() -> None:
    model = bare_model()
    made = written(model)
    kept = model.snapshots.create(made.volume_id, PLAIN)
    made.blocks.write(0, b"z" * EXTENT_BYTES)
    model.volumes.modify(made.volume_id, VolumeChange(size_bytes=2 * GB))
    clone = cloned(model, CloneWish(made.volume_id, "clone", snapshot_id=kept.snapshot_id))
    assert (letters(clone), clone.size_bytes) == (b"aaa\0\0", kept.size_bytes)


def test_a_larger_clone_ends_with_zeros_and_a_smaller_one_has_forgotten_the_rest() -> None:
    model = bare_model()
    made = written(model)
    size = made.size_bytes
    made.blocks.write(size - 4, b"tail")
    larger = cloned(model, CloneWish(made.volume_id, "larger", size_bytes=2 * GB))
    assert larger.blocks.read(size - 4, 8) == b"tail\0\0\0\0"
    model.volumes.modify(made.volume_id, VolumeChange(size_bytes=2 * GB))
    made.blocks.write(size, b"more")
    smaller = cloned(model, CloneWish(made.volume_id, "smaller", size_bytes=size))
    assert (smaller.size_bytes, smaller.blocks.read(size - 4, 4)) == (size, b"tail")
    model.volumes.modify(smaller.volume_id, VolumeChange(size_bytes=2 * GB))
    assert smaller.blocks.read(size, 4) == bytes(4)


def test_a_clone_survives_its_source() -> None:
    model = bare_model()
    made = written(model)
    clone = cloned(model, CloneWish(made.volume_id, "clone"))
    model.volumes.delete(made.volume_id)
    model.purge_volume(made.volume_id)
    assert (letters(clone), model.capacity.extents.value) == (b"aaa\0\0", 4)
    model.volumes.delete(clone.volume_id)
    model.purge_volume(clone.volume_id)
    assert (model.capacity.used_bytes, model.capacity.extents.value, model.capacity.extents.mapped) == (0, 0, 0)


def test_a_copy_overwrites_when_it_is_done_with_what_the_source_held_before() -> None:
    model = bare_model()
    source, destination = written(model), written(model, b"d")
    model.clones.copy(source.volume_id, destination.volume_id, None)
    source.blocks.write(0, b"l" * EXTENT_BYTES)
    assert letters(destination) == b"ddd\0\0"
    finish(model)
    assert (letters(destination), letters(source)) == (b"aaa\0\0", b"laa\0\0")
    assert model.capacity.extents.value == 5


def test_a_copy_needs_a_destination_of_the_same_size() -> None:
    model = bare_model()
    source, destination = written(model), volume(model)
    kept = model.snapshots.create(source.volume_id, PLAIN)
    model.volumes.modify(source.volume_id, VolumeChange(size_bytes=2 * GB))
    copy = (source.volume_id, destination.volume_id)
    assert reason_of(lambda: model.clones.copy(*copy, None)) is Reason.VALUE_NOT_ALLOWED
    model.clones.copy(*copy, kept.snapshot_id)
    finish(model)
    assert letters(destination) == b"aaa\0\0"


def test_a_destination_that_changed_its_size_meanwhile_keeps_it() -> None:
    model = bare_model()
    source, destination = written(model), volume(model)
    small = model.snapshots.create(destination.volume_id, PLAIN)
    for each in (source, destination):
        model.volumes.modify(each.volume_id, VolumeChange(size_bytes=2 * GB))
    source.blocks.write(small.size_bytes, b"beyond")
    model.clones.copy(source.volume_id, destination.volume_id, None)
    model.snapshots.roll_back(destination.volume_id, small.snapshot_id, None)
    finish(model)
    model.volumes.modify(destination.volume_id, VolumeChange(size_bytes=2 * GB))
    assert (letters(destination), destination.blocks.read(small.size_bytes, 6)) == (b"aaa\0\0", bytes(6))


def test_time_and_calls_both_have_to_pass() -> None:
    clock = HandClock()
    job_span = timedelta(seconds=2)
    model = ArrayModel(
        make=ELEMENT, now=clock.now, chance=SeededChance("test"), clone_time=CloneTime(calls=1, span=job_span)
    )
    job = model.clones.clone([CloneWish(volume(model).volume_id, "clone")])
    states = []
    events: list[Callable[[], None]] = [lambda: None, model.clones.count_call, lambda: clock.advance(job_span)]
    for event in events:
        event()
        model.settle()
        states.append(job.is_done)
    assert states == [False, False, True]
    assert job.updated_at - job.created_at == job_span


@pytest.mark.parametrize("is_purged", [False, True])
def test_a_clone_that_is_deleted_before_it_is_done_makes_its_job_fail(is_purged: bool) -> None:
    model = bare_model()
    job = model.clones.clone([CloneWish(written(model).volume_id, "clone")])
    number = job.pairs[0].volume_id
    model.volumes.delete(number)
    if is_purged:
        model.purge_volume(number)
    finish(model)
    assert job.failure is not None
    assert job.failure.reason is Reason.VOLUME_UNKNOWN


def test_what_is_refused_begins_no_job_and_makes_no_volume() -> None:
    model = bare_model(limits=Limits(volumes=4))
    made, other = written(model), volume(model)
    foreign = model.snapshots.create(other.volume_id, PLAIN).snapshot_id
    wishes = [
        [CloneWish(made.volume_id, "ok"), CloneWish(made.volume_id, "not ok")],
        [CloneWish(made.volume_id, "ok", snapshot_id=foreign)],
        [CloneWish(made.volume_id, "ok", account_id=9)],
        [CloneWish(made.volume_id, "a"), CloneWish(other.volume_id, "b"), CloneWish(other.volume_id, "c")],
        [CloneWish(9, "ok")],
        [],
    ]
    reasons = [reason_of(lambda each=each: model.clones.clone(each)) for each in wishes]  # type: ignore[misc]
    assert reasons == [
        Reason.VALUE_NOT_ALLOWED,
        Reason.SNAPSHOT_UNKNOWN,
        Reason.ACCOUNT_ID_UNKNOWN,
        Reason.LIMIT_EXCEEDED,
        Reason.VOLUME_UNKNOWN,
        Reason.VALUE_NOT_ALLOWED,
    ]
    assert (len(model.volumes.rows), len(model.clones.jobs), model.capacity.extents.value) == (2, 0, 4)


def test_only_so_many_clones_are_made_at_once() -> None:
    model = bare_model(limits=Limits(clone_jobs_per_volume=2, clone_jobs_per_node=3))
    made, other = volume(model), volume(model)
    clone: Callable[[Volume], CloneJob] = lambda source: model.clones.clone([CloneWish(source.volume_id, "c")])  # noqa: E731
    for _ in range(2):
        clone(made)
    assert reason_of(lambda: clone(made)) is Reason.TOO_MANY_CLONES_OF_VOLUME
    clone(other)
    assert reason_of(lambda: clone(other)) is Reason.TOO_MANY_CLONES
    finish(model)
    clone(made)


# Through the management API.


@pytest.fixture
def source(client: Client) -> int:
    return int(client.volume(client.account(), "source", qos={"minIOPS": 77}, attributes={"k": "v"})["volumeID"])


def statuses(client: Client) -> list[str]:
    return [each["status"] for each in client.call("ListVolumes")["volumes"]]


def test_a_clone_is_listed_at_once_and_active_when_it_is_done(client: Client, source: int) -> None:
    made = client.call("CloneVolume", volumeID=source, name="clone")
    assert (made["volume"]["status"], made["volume"]["sliceCount"], made["volumeID"]) == ("init", 0, 2)
    assert statuses(client) == ["active", "init"]
    assert statuses(client) == ["active", "active"]


def test_a_clone_inherits_but_is_in_no_group(client: Client, source: int) -> None:
    client.call("CreateVolumeAccessGroup", name="g", volumes=[source])
    shown = client.call("CloneVolume", volumeID=source, name="clone")["volume"]
    origin = client.call("ListVolumes", volumeIDs=[source])["volumes"][0]
    for name in ("qos", "attributes", "enable512e", "accountID", "totalSize", "access"):
        assert shown[name] == origin[name], name
    assert (shown["volumeAccessGroups"], shown["name"]) == ([], "clone")
    other = client.account("other")
    asked = {"newAccountID": other, "newSize": 2 * GB, "attributes": {}, "enable512e": False, "access": "locked"}
    shown = client.call("CloneVolume", volumeID=source, name="clone", **asked)["volume"]
    assert (shown["accountID"], shown["totalSize"], shown["attributes"]) == (other, 1908 * MIB, {})
    assert (shown["enable512e"], shown["access"]) == (False, "locked")


def test_a_clone_in_the_making_can_be_changed_but_not_used(client: Client, source: int) -> None:
    with memory_array(clone_calls=100) as slow:
        slow.volume(slow.account())
        slow.call("CloneVolume", volumeID=1, name="clone")
        slow.call("ModifyVolume", volumeID=2, qos={"minIOPS": 60}, totalSize=2 * GB)
        for method, params in (
            ("CreateSnapshot", {"volumeID": 2}),
            ("CloneVolume", {"volumeID": 2, "name": "x"}),
            ("CopyVolume", {"volumeID": 1, "dstVolumeID": 2}),
        ):
            with pytest.raises(Refusal) as refused:
                slow.call(method, **params)
            assert refused.value.name == "xSliceNotRegistered"
        assert slow.call("ListActiveVolumes")["volumes"][-1]["volumeID"] == 1


def test_an_answer_is_forgotten_once_it_was_complete_and_read(client: Client, source: int) -> None:
    handle = client.call("CloneVolume", volumeID=source, name="clone")["asyncHandle"]
    running = client.call("GetAsyncResult", asyncHandle=handle)
    assert (running["status"], "result" in running) == ("running", False)
    kept = client.call("GetAsyncResult", asyncHandle=handle, keepResult=True)
    assert kept["result"] == {"cloneID": handle, "volumeID": 2, "message": "Clone complete."}
    assert client.call("GetAsyncResult", asyncHandle=handle) == kept
    with pytest.raises(Refusal) as refused:
        client.call("GetAsyncResult", asyncHandle=handle)
    assert refused.value.name == "xAsyncHandleDoesNotExist"


def test_jobs_are_listed_by_kind(client: Client, source: int) -> None:
    client.call("CloneVolume", volumeID=source, name="clone")
    (job,) = client.call("ListAsyncResults")["asyncHandles"]
    assert (job["completed"], job["success"], job["resultType"]) == (False, False, "Clone")
    (job,) = client.call("ListAsyncResults", asyncResultTypes=["Clone"])["asyncHandles"]
    assert (job["completed"], job["success"], job["data"]["volumeID"]) == (True, True, 2)
    assert job["data"] == client.call("GetAsyncResult", asyncHandle=1)["result"]
    assert client.call("ListAsyncResults", asyncResultTypes=["DriveRemoval"])["asyncHandles"] == []


def test_a_failed_job_says_why(client: Client, source: int) -> None:
    client.call("CloneVolume", volumeID=source, name="clone")
    client.call("DeleteVolume", volumeID=2)
    answer = client.call("GetAsyncResult", asyncHandle=1)
    assert (answer["status"], "result" in answer) == ("complete", False)
    assert answer["error"]["name"] == "xVolumeIDDoesNotExist"


def test_several_volumes_are_cloned_together(client: Client, source: int) -> None:
    client.volume(1, "second")
    client.call("CreateGroupSnapshot", volumes=[1, 2])
    client.call("ModifyVolume", volumeID=1, totalSize=2 * GB)
    asked = [{"volumeID": 1, "name": "one"}, {"volumeID": 2, "newSize": "3000000000"}]
    made = client.call("CloneMultipleVolumes", volumes=asked, groupSnapshotID=1)
    assert made["members"] == [{"volumeID": 3, "srcVolumeID": 1}, {"volumeID": 4, "srcVolumeID": 2}]
    clones = client.call("ListVolumes", startVolumeID="3")["volumes"]
    assert [(each["name"], each["totalSize"]) for each in clones] == [("one", 954 * MIB), ("second", 2862 * MIB)]
    answer = client.call("GetAsyncResult", asyncHandle=made["asyncHandle"])
    assert answer["result"]["groupCloneID"] == made["groupCloneID"]
    client.volume(1, "third")
    with pytest.raises(Refusal) as refused:
        client.call("CloneMultipleVolumes", volumes=[{"volumeID": 5}], groupSnapshotID=1)
    assert refused.value.name == "xSnapshotIDDoesNotExist"


def test_a_cancelled_clone_leaves_nothing() -> None:
    with memory_array(clone_calls=100) as client:
        client.volume(client.account())
        client.volume(1, "other")
        before = client.world.witness.observe()
        single = client.call("CloneVolume", volumeID=1, name="clone")["cloneID"]
        group = client.call("CloneMultipleVolumes", volumes=[{"volumeID": 1}, {"volumeID": 2}])["groupCloneID"]
        copy = client.call("CopyVolume", volumeID=2, dstVolumeID=1)["cloneID"]
        client.call("DeleteVolume", volumeID=3)
        with pytest.raises(Refusal, match="not in the making"):
            client.call("CancelClone", cloneID=group)
        client.call("CancelClone", cloneID=single)
        client.call("CancelGroupClone", groupCloneID=group)
        client.call("CancelClone", cloneID=copy)
        assert client.world.witness.observe() == before
        with pytest.raises(Refusal, match="not in the making"):
            client.call("CancelClone", cloneID=single)
        assert client.call("ListAsyncResults")["asyncHandles"] == []


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        ("clone_jobs_per_volume", "xMaxClonesPerVolumeExceeded"),
        ("clone_jobs_per_node", "xMaxClonesPerNodeExceeded"),
    ],
)
def test_limits_have_the_names_that_clients_look_for(limit: str, name: str) -> None:
    with memory_array(clone_calls=100, limits={limit: 1}) as client:
        client.volume(client.account())
        client.call("CloneVolume", volumeID=1, name="one")
        with pytest.raises(Refusal) as refused:
            client.call("CloneVolume", volumeID=1, name="two")
        assert refused.value.name == name
