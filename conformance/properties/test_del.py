"""DEL: deletion."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from conformance.contract import Volume, WitnessPower
from conformance.expect import HOST, expect_bytes, expect_done, expect_none
from conformance.judgements import deleted_while_granted, is_gone, nothing_changes, others_unchanged
from conformance.requirement import Need, given, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.subject import RunningSubject


@requirement("DEL-001", needs=[WitnessPower.LUNS], rests_on=["PRV-001"])
def test_del_001_a_deleted_volume_is_gone_from_the_array(subject: RunningSubject) -> None:
    """`delete` MUST remove the volume's LUN; it stays in the array's trash only where trash_seconds declares one."""
    with subject.world() as world:
        world.create()
        made = world.create()
        world.delete(made)
        is_gone(world, made)


@requirement("DEL-002", needs=[WitnessPower.LUNS], rests_on=["DEL-001"])
def test_del_002_deleting_what_is_gone_succeeds(subject: RunningSubject) -> None:
    """`delete` of a volume that is gone MUST succeed and touch nothing else."""
    with subject.world() as world:
        made, _neighbour = world.create(), world.create()
        world.delete(made)
        with nothing_changes(world):
            expect_done("a repeated delete", lambda: world.driver.delete(world.store, made.volume))


@requirement("DEL-003", needs=[WitnessPower.LUNS], rests_on=["DEL-001"])
def test_del_003_a_lost_create_is_found_by_uuid(subject: RunningSubject) -> None:
    """`delete` without an external_id MUST find and remove the volume by its request's uuid, and nothing else."""
    with subject.world() as world:
        _before, made, other, _after = [world.create() for _ in range(4)]
        for each in (made, other):
            lost = Volume(each.volume.request, None, each.volume.size_bytes, placement=world.placement)
            with others_unchanged(world, each):
                expect_done("delete by uuid", partial(world.driver.delete, world.store, lost))
            is_gone(world, each)
            world.forget(each)
            world.restart_plugin()


@requirement("DEL-004", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["DEL-001", "ACC-001"])
@given(pattern=patterns())
def test_del_004_only_the_volume_meant_is_deleted(subject: RunningSubject, pattern: Pattern) -> None:
    """`delete` MUST leave every other volume its data, its size and its hosts."""
    with subject.world() as world:
        before, made, after = world.create(), world.create(), world.create()
        sessions = [world.access(each)[1] for each in (before, after)]
        for session in sessions:
            session.write(0, pattern.content)
        with others_unchanged(world, made):
            world.delete(made)
        for session in sessions:
            found = expect_done("reading a neighbour", partial(session.read, 0, len(pattern.content)))
            expect_bytes("a neighbour", found, pattern.content, HOST)


@requirement("DEL-005", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["DEL-001", "ACC-001"])
def test_del_005_delete_while_granted_is_as_declared(subject: RunningSubject) -> None:
    """`delete` of a volume that a host can reach MUST be refused with InUse or revoke first, as the traits declare."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        deleted_while_granted(world, made, host, session)


@requirement("DEL-006", needs=[WitnessPower.LUNS], rests_on=["DEL-002"])
def test_del_006_deleting_what_never_was_succeeds(subject: RunningSubject) -> None:
    """`delete` of a uuid that was never created MUST succeed and change nothing."""
    with subject.world() as world:
        made = world.create()
        request = world.request()
        never = Volume(request, None, request.size_bytes, placement=world.placement)
        with nothing_changes(world):
            expect_done("delete of an unknown uuid", lambda: world.driver.delete(world.store, never))
        expect_none("volume listed for it", _owners(world.driver.list_objects(world.store), never.uuid), "the plugin")
        world.lun(made)


def _owners(objects: object, uuid: str) -> list[object]:
    return [each for each in objects if each.owner_uuid == uuid]  # type: ignore[attr-defined]


@requirement("DEL-007", needs=[WitnessPower.LUNS], rests_on=["DEL-003", "DEL-006"])
def test_del_007_another_stores_volume_of_that_uuid_stays(subject: RunningSubject) -> None:
    """`delete` without an external_id MUST look in the store that is named, and leave what other stores have."""
    with subject.world() as world:
        made, other = world.create(), world.add_store()
        lost = replace(made.volume, external_id=None)
        world.act()
        with nothing_changes(world):
            expect_done("delete in another store", lambda: world.driver.delete(other, lost))
