"""FLT: requests and replies that are lost on the way; repeated, every operation ends as if nothing had happened."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from conformance.contract import Capability, Volume, VolumeRequest, WitnessPower
from conformance.expect import ARRAY, HOST, expect_bytes, expect_done, expect_equal
from conformance.judgements import (
    FAILURES,
    changes_broken_off,
    chap_of,
    count_is,
    failures_are_said_to_pass,
    granted_connection,
    is_as_large,
    is_gone,
    leavers_broken_off,
    life_broken_off,
    locked_out,
    old_secret_refused,
    others_unchanged,
    qos_is,
    silence_is_told,
    size_is_true,
    stores_broken_off,
    tried_twice,
    volume_holds,
    what_is_told_is_true,
)
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.strategies.faults import Cut, breakdowns, cuts
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, growths
from conformance.subject import RunningSubject
from conformance.world import World


@requirement("FLT-001", needs=[Need.ENDPOINT, WitnessPower.SIZE], rests_on=["PRV-002"], examples=0.25)
@pinned(cut=Cut(0, is_reply=True))
@given(cut=cuts())
def test_flt_001_a_create_broken_off_can_be_repeated(subject: RunningSubject, cut: Cut) -> None:
    """`create` repeated after a request or reply was lost MUST succeed with one LUN as asked."""
    with subject.world() as world:
        for at in world.at_each_request(cut):
            request, store, before = world.request(), world.store, world.view()
            create = partial(world.driver_create, request, store)
            with world.broken_off(at):
                create()
            answer = expect_done("the repeated create", create)
            size_is_true(world, world.keep(request, answer, before, store), request.size_bytes)


@requirement("FLT-002", needs=[Need.ENDPOINT, WitnessPower.LUNS], rests_on=["DEL-003"], examples=0.25)
@pinned(cut=Cut(0, is_reply=True))
@pinned(cut=Cut(0, is_reply=True, lasts=True))
@given(cut=cuts())
def test_flt_002_a_create_broken_off_can_be_undone(subject: RunningSubject, cut: Cut) -> None:
    """`delete` by uuid after a `create` whose request or reply was lost MUST succeed and leave no LUN."""
    with subject.world() as world:
        for at in world.at_each_request(cut):
            request, store = world.request(), world.store
            with world.broken_off(at):
                world.driver_create(request, store)
            lost = Volume(request, None, request.size_bytes, placement=world.placement)
            expect_done("delete by uuid", partial(world.driver.delete, store, lost))
            count_is(world, luns=0)


@requirement("FLT-003", needs=[Need.ENDPOINT, Need.PROBE], rests_on=["ACC-005"], examples=0.25)
@pinned(cut=Cut(0, is_reply=True), pattern=Pattern(1))
@given(cut=cuts(), pattern=patterns())
def test_flt_003_a_grant_broken_off_can_be_repeated(subject: RunningSubject, cut: Cut, pattern: Pattern) -> None:
    """`grant_access` repeated after a request or reply was lost MUST succeed and let the host in."""
    with subject.world() as world:
        made, host = world.create(), world.host()
        grant = partial(world.driver.grant_access, world.store, made.volume, host)
        for at in world.at_each_request(cut):
            with world.broken_off(at):
                grant()
            made.granted[host] = None
            expect_done("the repeated grant", grant)
            session = expect_done("login", partial(world.login, made, host))
            session.write(0, pattern.content)
            expect_bytes("what was written", session.read(0, len(pattern.content)), pattern.content, HOST)
            session.close()
            world.revoke(made, host)


@requirement("FLT-004", needs=[Need.ENDPOINT, Need.PROBE], rests_on=["ACC-004", "ACC-006", "ACC-007"], examples=0.25)
@pinned(cut=Cut(0, is_reply=True))
@given(cut=cuts())
def test_flt_004_a_revoke_broken_off_can_be_repeated(subject: RunningSubject, cut: Cut) -> None:
    """`revoke_access` repeated after a request or reply was lost MUST succeed and shut the host out, and no other."""
    with subject.world() as world:
        made = world.create()
        leaver, staying = world.host("leaver"), world.host("staying", world.separate_cluster)
        world.grant(made, staying)
        for at in world.at_each_request(cut):
            connection = granted_connection(world, made, leaver)
            with world.broken_off(at):
                world.driver.revoke_access(world.store, made.volume, leaver, [staying])
            expect_done("the repeated revoke", lambda: world.revoke(made, leaver))
            locked_out(world, leaver, connection)
            expect_done("login of the host that stays", lambda: world.login(made, staying)).close()


@requirement("FLT-005", needs=[Need.ENDPOINT, WitnessPower.LUNS], rests_on=["DEL-002", "DEL-004"], examples=0.25)
@pinned(cut=Cut(0, is_reply=True))
@given(cut=cuts())
def test_flt_005_a_delete_broken_off_can_be_repeated(subject: RunningSubject, cut: Cut) -> None:
    """`delete` repeated after a request or reply was lost MUST succeed, with the volume gone and no other."""
    with subject.world() as world:
        world.create()
        for at in world.at_each_request(cut):
            made = world.create()
            with others_unchanged(world, made):
                with world.broken_off(at):
                    world.driver.delete(world.store, made.volume)
                expect_done("the repeated delete", partial(world.delete, made))
            is_gone(world, made)


@requirement(
    "FLT-006", needs=[Need.ENDPOINT, Capability.RESIZE, WitnessPower.SIZE], rests_on=["EXT-003"], examples=0.25
)
@pinned(cut=Cut(0, is_reply=True), growth=Growth(1))
@given(cut=cuts(), growth=growths())
def test_flt_006_a_resize_broken_off_can_be_repeated(subject: RunningSubject, cut: Cut, growth: Growth) -> None:
    """`resize` repeated after a request or reply was lost MUST succeed with the size asked."""
    with subject.world() as world:
        made = world.create()
        for at in world.at_each_request(cut):
            asked = growth.beyond(made.volume.size_bytes, subject.declared.limits)
            with world.broken_off(at):
                world.copier.resize(world.store, made.volume, asked)
            expect_done("the repeated resize", partial(world.resize, made, asked))
            is_as_large(world, made, asked)


@requirement(
    "FLT-007",
    needs=[Capability.SNAPSHOT, Need.ENDPOINT, WitnessPower.SNAPSHOTS],
    rests_on=["SNP-002", "SNP-006"],
    examples=0.25,
)
@pinned(cut=Cut(0, is_reply=True))
@given(cut=cuts())
def test_flt_007_a_snapshot_broken_off_can_be_repeated(subject: RunningSubject, cut: Cut) -> None:
    """`take_snapshot` and `delete_snapshot` repeated after a request or reply was lost MUST end as if it was not."""
    with subject.world() as world:
        made = world.create()
        for at in world.at_each_request(cut):
            before, request = world.view(), world.snapshot_request()
            take = partial(world.driver_snapshot, made, request)
            with world.broken_off(at):
                take()
            answer = expect_done("the repeated snapshot", take)
            taken = world.keep_snapshot(made, request, answer, before)
            delete = partial(world.copier.delete_snapshot, world.store, taken.snapshot)
            with world.broken_off(at):
                delete()
            expect_done("the repeated delete", delete)
            world.forget_snapshots(taken)
            count_is(world, snapshots=0)


@requirement(
    "FLT-008",
    needs=[Capability.VOLUME_FROM_VOLUME, Need.ENDPOINT, WitnessPower.SIZE],
    rests_on=["CLN-006"],
    examples=0.25,
)
@pinned(cut=Cut(0, is_reply=True))
@given(cut=cuts())
def test_flt_008_a_clone_broken_off_can_be_repeated(subject: RunningSubject, cut: Cut) -> None:
    """`clone` repeated after a request or reply was lost MUST succeed with one LUN."""
    with subject.world() as world:
        source = world.create()
        for at in world.at_each_request(cut):
            request, before = world.clone_request(source), world.view()
            clone = partial(world.driver_clone, source, request)
            with world.broken_off(at):
                clone()
            answer = expect_done("the repeated clone", clone)
            size_is_true(world, world.keep(request, answer, before, None), request.size_bytes)


@requirement(
    "FLT-009",
    needs=[Capability.VOLUME_FROM_VOLUME, Need.ENDPOINT, WitnessPower.LUNS],
    rests_on=["CLN-006", "CLN-009", "DEL-003"],
    examples=0.25,
)
@pinned(cut=Cut(0, is_reply=True))
# What an array goes on with that was broken off for good is FLT-018's.
@given(cut=cuts(may_last=False))
def test_flt_009_a_clone_broken_off_can_be_undone(subject: RunningSubject, cut: Cut) -> None:
    """`delete` by uuid after a `clone` whose request or reply was lost MUST succeed and leave no LUN but its source."""
    with subject.world() as world:
        source = world.create()
        for at in world.at_each_request(cut):
            request = world.clone_request(source)
            with world.broken_off(at):
                world.driver_clone(source, request)
            lost = Volume(request, None, request.size_bytes, placement=world.placement)
            expect_done("delete by uuid", partial(world.driver.delete, world.store, lost))
            left = [each.external_id for each in world.new_luns()]
            expect_equal("LUNs", left, [world.lun(source).external_id], ARRAY)


@requirement(
    "FLT-018",
    needs=[Capability.VOLUME_FROM_VOLUME, Need.ENDPOINT, WitnessPower.LUNS],
    rests_on=["FLT-009"],
)
@pinned(cut=Cut(6, is_reply=True))
@pinned(cut=Cut(5, is_reply=True))
@pinned(cut=Cut(4, is_reply=True))
@given(cut=cuts())
def test_flt_018_a_clone_that_is_being_filled_can_be_undone(subject: RunningSubject, cut: Cut) -> None:
    """`delete` by uuid after a `clone` that the array broke off MUST leave no LUN, also while the array still fills
    it.
    """
    with subject.world() as world:
        source = world.create()
        request = world.clone_request(source)
        with world.broken_off(replace(cut, lasts=True)):
            world.driver_clone(source, request)
        lost = Volume(request, None, request.size_bytes, placement=world.placement)
        expect_done("delete by uuid", lambda: world.driver.delete(world.store, lost))
        expect_equal("LUNs", [each.external_id for each in world.new_luns()], [world.lun(source).external_id], ARRAY)


@requirement(
    "FLT-010", needs=[Capability.REVERT, Need.ENDPOINT, Need.PROBE], rests_on=["REV-002", "REV-008"], examples=0.25
)
@pinned(cut=Cut(0, is_reply=True), pattern=Pattern(1))
@given(cut=cuts(), pattern=patterns())
def test_flt_010_a_revert_broken_off_can_be_repeated(subject: RunningSubject, cut: Cut, pattern: Pattern) -> None:
    """`revert` repeated after a request or reply was lost MUST succeed with the snapshot's bytes."""
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, pattern.content)
        taken = world.snapshot(made)
        for at in world.at_each_request(cut):
            world.put(made, 0, bytes(len(pattern.content)))
            with world.released(made):
                with world.broken_off(at):
                    world.copier.revert(world.store, made.volume, taken.snapshot)
                expect_done("the repeated revert", partial(world.revert, made, taken))
            volume_holds(world, made, 0, pattern.content)


@requirement(
    "FLT-011", needs=[Need.ENDPOINT, WitnessPower.LUNS, Need.PROBE], rests_on=["FLT-001", "FLT-004"], examples=0.5
)
@pinned(cut=Cut(5, is_reply=True, is_refused=True))
@pinned(cut=Cut(3, is_reply=True, is_refused=True))
@pinned(cut=Cut(1, is_reply=True, is_refused=True))
@given(cut=breakdowns())
def test_flt_011_what_is_said_to_be_done_is_done(subject: RunningSubject, cut: Cut) -> None:
    """A call that meets an array which refuses or does not answer MUST raise an error, or have had its whole effect;
    repeated, it succeeds.
    """
    with subject.world() as world:
        store, request, host = world.store, world.request(), world.host()
        before = world.view()
        with world.broken_off(cut) as attempt:
            world.driver_create(request, store)
        there = len(world.new_luns()) if attempt.error is None else 1
        expect_equal("LUNs after a create that succeeded", there, 1, ARRAY)
        answer = expect_done("the repeated create", lambda: world.driver_create(request, store))
        made = world.keep(request, answer, before, store)
        driver, volume = world.driver, made.volume
        made.granted[host] = None
        tried_twice(
            world,
            cut,
            "grant",
            lambda: driver.grant_access(store, volume, host),
            lambda: world.login(made, host).close(),
        )
        connection = world.connection(made, host)
        tried_twice(
            world,
            cut,
            "revoke",
            lambda: driver.revoke_access(store, volume, host, list(world.placement.hosts)),
            lambda: locked_out(world, host, connection),
        )
        world.revoke(made, host)
        tried_twice(world, cut, "delete", lambda: driver.delete(store, volume), lambda: is_gone(world, made))
        world.delete(made)


@requirement(
    "FLT-012",
    needs=[Need.ENDPOINT, Capability.RESIZE, Capability.QOS, WitnessPower.QOS],
    rests_on=["FLT-006", "QOS-002"],
    examples=0.5,
)
@pinned(cut=Cut(3, is_reply=True, is_refused=True), growth=Growth(1), policy=QosAt(500, 500, 500))
@pinned(cut=Cut(1, is_reply=True, lasts=True), growth=Growth(1), policy=QosAt(500, 500, 500))
@given(cut=breakdowns(), growth=growths(), policy=policies())
def test_flt_012_a_change_is_made_or_refused(subject: RunningSubject, cut: Cut, growth: Growth, policy: QosAt) -> None:
    """`resize` and `set_qos` that meet an array which refuses or does not answer MUST raise an error, or have had
    their whole effect; repeated, they succeed.
    """
    with subject.world() as world:
        made = world.create()
        asked = growth.beyond(made.volume.size_bytes, subject.declared.limits)
        wanted = policy.resolve(subject.declared.limits)
        store, volume, driver = world.store, made.volume, world.copier
        tried_twice(
            world, cut, "resize", lambda: driver.resize(store, volume, asked), lambda: is_as_large(world, made, asked)
        )
        tried_twice(
            world, cut, "set_qos", lambda: driver.set_qos(store, volume, wanted), lambda: qos_is(world, made, wanted)
        )
        made.qos = wanted
        world.resize(made, asked)


@requirement(
    "FLT-013",
    needs=[Capability.SNAPSHOT, Need.ENDPOINT, WitnessPower.SNAPSHOTS],
    rests_on=["FLT-007"],
    examples=0.5,
)
@pinned(cut=Cut(1, is_reply=True, is_refused=True))
@pinned(cut=Cut(0, is_reply=True, is_refused=True))
@given(cut=breakdowns())
def test_flt_013_a_snapshot_is_taken_or_refused(subject: RunningSubject, cut: Cut) -> None:
    """`take_snapshot` and `delete_snapshot` that meet an array which refuses or does not answer MUST raise an error,
    or have had their whole effect, and leave other snapshots; repeated, they succeed.
    """
    with subject.world() as world:
        made = world.create()
        world.snapshot(made)
        world.check_room_for_snapshot(made)
        before, request = world.view(), world.snapshot_request()
        tried_twice(
            world, cut, "snapshot", lambda: world.driver_snapshot(made, request), lambda: count_is(world, snapshots=2)
        )
        taken = world.keep_snapshot(made, request, world.driver_snapshot(made, request), before)
        tried_twice(
            world,
            cut,
            "delete",
            lambda: world.copier.delete_snapshot(world.store, taken.snapshot),
            lambda: count_is(world, snapshots=1),
        )
        world.delete_snapshot(taken)


@requirement(
    "FLT-014",
    needs=[Capability.VOLUME_FROM_VOLUME, Need.ENDPOINT, WitnessPower.SIZE],
    rests_on=["FLT-008"],
    examples=0.5,
)
@pinned(cut=Cut(3, is_reply=True, is_refused=True, lasts=True))
@pinned(cut=Cut(2, is_reply=True, is_refused=True))
@given(cut=breakdowns())
def test_flt_014_a_clone_is_made_or_refused(subject: RunningSubject, cut: Cut) -> None:
    """`clone` that meets an array which refuses or does not answer MUST raise an error, or have made its one LUN;
    repeated, it succeeds, and `delete` of the clone after it.
    """
    with subject.world() as world:
        source = world.create()
        request, before = world.clone_request(source), world.view()
        tried_twice(world, cut, "clone", lambda: world.driver_clone(source, request), lambda: count_is(world, luns=2))
        clone = world.keep(request, world.driver_clone(source, request), before, None)
        size_is_true(world, clone, request.size_bytes)
        tried_twice(
            world,
            cut,
            "delete",
            lambda: world.driver.delete(world.store, clone.volume),
            lambda: is_gone(world, clone),
        )
        world.delete(clone)


@requirement("FLT-015", needs=[Capability.REVERT, Need.ENDPOINT, Need.PROBE], rests_on=["FLT-010"], examples=0.5)
@pinned(cut=Cut(4, is_reply=True, is_refused=True), pattern=Pattern(1))
@pinned(cut=Cut(2, is_reply=True, is_refused=True), pattern=Pattern(1))
@given(cut=breakdowns(), pattern=patterns())
def test_flt_015_a_revert_is_done_or_refused(subject: RunningSubject, cut: Cut, pattern: Pattern) -> None:
    """`revert` that meets an array which refuses or does not answer MUST raise an error, or have put back every byte;
    repeated, it succeeds.
    """
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, pattern.content)
        taken = world.snapshot(made)
        world.put(made, 0, bytes(len(pattern.content)))
        with world.released(made):
            tried_twice(
                world,
                cut,
                "revert",
                lambda: world.copier.revert(world.store, made.volume, taken.snapshot),
                lambda: volume_holds(world, made, 0, pattern.content),
            )


@requirement(
    "FLT-016", needs=[Capability.MIGRATION_QOS, Need.ENDPOINT, WitnessPower.QOS], rests_on=["MIG-002"], examples=0.5
)
@pinned(cut=Cut(2, is_reply=True, is_refused=True), policy=QosAt(0, 500, 500))
@pinned(cut=Cut(0, is_reply=True, is_refused=True), policy=QosAt(0, 500, 500))
@given(cut=breakdowns(), policy=policies())
def test_flt_016_a_migration_broken_off_can_be_ended(subject: RunningSubject, cut: Cut, policy: QosAt) -> None:
    """`begin_migration` and `end_migration` that meet an array which refuses or does not answer MUST be repeatable,
    and end with the QoS the volume had.
    """
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        made = world.create(world.request(qos=wanted))
        begin = partial(world.copier.begin_migration, world.store, made.volume)
        end = partial(world.copier.end_migration, world.store, made.volume)
        for _ in range(2):
            with world.broken_off(cut):
                begin()
            tried_twice(world, cut, "end_migration", end, lambda: qos_is(world, made, wanted))
        tried_twice(world, cut, "begin_migration", begin, lambda: None)
        tried_twice(world, cut, "end_migration", end, lambda: qos_is(world, made, wanted))


@requirement("FLT-017", needs=[Capability.CHAP_ROTATION, Need.ENDPOINT, Need.PROBE], rests_on=["CHP-006"], examples=0.5)
@pinned(cut=Cut(4, is_reply=True, is_refused=True))
@pinned(cut=Cut(1, is_reply=False, is_refused=True))
@given(cut=breakdowns())
def test_flt_017_a_rotation_is_done_or_refused(subject: RunningSubject, cut: Cut) -> None:
    """`rotate_chap` that meets an array which refuses or does not answer MUST raise an error, or have replaced the
    secret; what `connection` tells works either way, and a repeated call succeeds.
    """
    with subject.world() as world:
        made, host = world.create(), world.host()
        world.grant(made, host)
        old = chap_of(world.connection(made, host))
        rotate = partial(world.copier.rotate_chap, world.store, made.volume, host)
        with world.broken_off(cut):
            rotate()
        world.login(made, host).close()
        tried_twice(
            world,
            cut,
            "rotation",
            rotate,
            lambda: old_secret_refused(world.probe(host), world.connection(made, host), old),
        )
        world.login(made, host).close()


@requirement("FLT-019", needs=[Need.ENDPOINT, Need.PROBE], rests_on=["FLT-011", "ACC-011"], examples=0.25)
@pinned(cut=Cut(0, is_reply=True))
@pinned(cut=Cut(0, is_reply=False))
@pinned(cut=Cut(0, is_reply=False, lasts=True))
@given(cut=breakdowns())
def test_flt_019_who_is_said_to_be_shut_out_is_out(subject: RunningSubject, cut: Cut) -> None:
    """`revoke_access` and `fence` that meet, at any request, an array which refuses or does not answer MUST raise an
    error, or have shut the host out; repeated, they succeed.
    """
    with subject.world() as world:
        made, host = world.create(), world.host()
        driver, store, volume = world.driver, world.store, made.volume
        calls = {
            "revoke": lambda: driver.revoke_access(store, volume, host, list(world.placement.hosts)),
            "fence": lambda: driver.fence(store, volume, [host]),
        }
        for at in world.at_each_request(cut):
            for what, act in calls.items():
                told = granted_connection(world, made, host)
                tried_twice(world, at, what, act, partial(locked_out, world, host, told))
        world.was_fenced(made, host)


@requirement(
    "FLT-020",
    needs=[Need.ENDPOINT, Need.SIMULATED, Need.PROBE],
    rests_on=["FLT-001", "FLT-003", "FLT-004", "FLT-005", "FLT-011", "FLT-019"],
)
def test_flt_020_an_error_of_the_arrays_own_is_seen(subject: RunningSubject) -> None:
    """`create`, `grant_access`, `revoke_access` and `delete` that the array refuses, at any request, with an error of
    its API MUST raise an error, or have had their whole effect; repeated, they succeed.
    """
    with subject.world() as world:
        life_broken_off(world)


@requirement(
    "FLT-021",
    needs=[Need.ENDPOINT, Need.SIMULATED, WitnessPower.LUNS, Need.PROBE],
    rests_on=["EXT-001", "QOS-002", "FLT-006", "FLT-007", "FLT-008", "FLT-010", "FLT-012", "FLT-020"],
)
def test_flt_021_an_error_of_the_arrays_own_is_seen_by_whatever_changes(subject: RunningSubject) -> None:
    """`resize`, `set_qos`, `take_snapshot`, `delete_snapshot`, `clone` and `revert` that the array refuses, at any
    request, with an error of its API MUST raise an error, or have had their whole effect; repeated, they succeed.
    """
    with subject.world() as world:
        changes_broken_off(world, world.create())


@requirement(
    "FLT-022",
    needs=[Need.ENDPOINT, Capability.TEMPLATE_CACHE, WitnessPower.LUNS],
    rests_on=["TPL-004", "TPL-005", "FLT-001", "FLT-002"],
    examples=0.25,
)
@pinned(cut=Cut(0, is_reply=True))
@pinned(cut=Cut(0, is_reply=True, lasts=True))
@given(cut=cuts())
def test_flt_022_a_seed_broken_off_can_be_repeated_or_undone(subject: RunningSubject, cut: Cut) -> None:
    """`seed_template` whose request or reply was lost MUST end with one LUN more when it is repeated, with none after
    `delete_template` by uuid, also of a new instance.
    """
    with subject.world() as world:
        world.seed()
        for at in world.at_each_request(cut):
            request = _seed_broken_off(world, at)
            expect_done("the repeated seed", partial(world.driver_seed, request, world.template(request)))
            count_is(world, luns=2)
            expect_done("delete_template by uuid", partial(world.unseed, request))
            count_is(world, luns=1)
        for at in world.at_each_request(cut):
            request = _seed_broken_off(world, at)
            expect_done("delete_template by uuid", partial(world.unseed, request))
            count_is(world, luns=1)


@requirement(
    "FLT-023",
    needs=[Need.ENDPOINT, WitnessPower.LUNS],
    rests_on=["FLT-001", "FLT-003", "FLT-004", "FLT-005", "FLT-006", "FLT-007", "FLT-008", "OPS-003", "PRV-008"],
)
def test_flt_023_a_failure_that_passes_is_told_as_one(subject: RunningSubject) -> None:
    """What an array that fails for a moment makes of a call MUST be told as Busy, or as an ArrayUnreachable that may be
    tried again.
    """
    for failure in FAILURES:
        with subject.world() as world:
            failures_are_said_to_pass(world, failure)


@requirement("FLT-024", needs=[Need.ENDPOINT], rests_on=["LEK-002", "ACC-001"])
def test_flt_024_what_is_told_while_the_array_fails_is_true(subject: RunningSubject) -> None:
    """`list_objects`, `used`, `connection` and `volume_stats` that meet an array which refuses or does not answer MUST
    raise an error, or tell what is so.
    """
    for failure in FAILURES:
        with subject.world() as world:
            what_is_told_is_true(world, failure)


@requirement("FLT-025", needs=[Need.ENDPOINT, WitnessPower.LUNS, Need.PROBE], rests_on=["LIF-006", "FLT-005"])
@pinned(cut=Cut(0, is_reply=True))
@pinned(cut=Cut(0, is_reply=False, is_refused=True, lasts=True))
@given(cut=breakdowns())
def test_flt_025_a_store_broken_off_can_be_added_and_deleted(subject: RunningSubject, cut: Cut) -> None:
    """`initialize` and `delete_datastore` that meet an array which refuses or does not answer MUST raise an error, or
    have had their whole effect; repeated, they succeed.
    """
    with subject.world() as world:
        stores_broken_off(world, cut)


@requirement(
    "FLT-026", needs=[Need.ENDPOINT, Need.HOST_LISTENER, WitnessPower.ACCOUNTS, Need.PROBE], rests_on=["HST-003"]
)
@pinned(cut=Cut(0, is_reply=True))
@pinned(cut=Cut(0, is_reply=False, is_refused=True, lasts=True))
@given(cut=breakdowns())
def test_flt_026_a_host_whose_leave_was_broken_off_can_be_removed(subject: RunningSubject, cut: Cut) -> None:
    """`host_added` and `host_about_to_be_removed` that meet an array which refuses or does not answer MUST raise an
    error, or have had their whole effect; repeated, they succeed.
    """
    with subject.world() as world:
        leavers_broken_off(world, cut)


@requirement("FLT-027", needs=[Need.ENDPOINT, Need.HOST_LISTENER], rests_on=["HST-004", "ACC-004"])
def test_flt_027_a_host_event_that_the_array_did_not_hear_of_is_no_success(subject: RunningSubject) -> None:
    """What is told of a host while the array answers nothing MUST raise an error, where the array was asked at all."""
    with subject.world() as world:
        silence_is_told(world)


def _seed_broken_off(world: World, at: Cut) -> VolumeRequest:
    request = world.request()
    with world.broken_off(at):
        world.driver_seed(request, world.template(request))
    world.restart_plugin()
    return request
