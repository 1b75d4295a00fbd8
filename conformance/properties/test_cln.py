"""CLN: volumes made from snapshots and from volumes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from conformance.contract import (
    Capability,
    CapacityExhausted,
    Conflict,
    InvalidRequest,
    ObjectKind,
    ObjectNotFound,
    WitnessPower,
)
from conformance.expect import HOST, PLUGIN, expect_bytes, expect_done, expect_equal, expect_none, expect_refusal
from conformance.judgements import (
    another_qos,
    changes_of,
    deleted_with_clone,
    late_clone,
    listed,
    nothing_changes,
    others_unchanged,
    qos_is,
    size_is_true,
    snapshot_deleted_with_clone,
    usage_is_true,
    volume_holds,
)
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import BLOCK, Pattern, Place, patterns, places
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, growths
from conformance.subject import RunningSubject


@requirement("CLN-001", needs=[Capability.VOLUME_FROM_SNAPSHOT, Need.PROBE], rests_on=["SNP-003"])
@given(pattern=patterns(), place=places())
def test_cln_001_a_volume_from_a_snapshot_has_its_bytes(
    subject: RunningSubject, pattern: Pattern, place: Place
) -> None:
    """`clone` of a snapshot MUST make a volume with every byte of the snapshot, ready to be granted on return."""
    with subject.world() as world:
        made = world.create()
        offset = place.offset(made.volume.size_bytes, len(pattern.content))
        world.put(made, offset, pattern.content)
        taken = world.snapshot(made)
        world.put(made, offset, bytes(len(pattern.content)))
        world.snapshot(made)
        volume_holds(world, world.clone(taken), offset, pattern.content, what="the clone")


@requirement("CLN-002", needs=[Capability.VOLUME_FROM_VOLUME, Need.PROBE], rests_on=["PRV-001", "ACC-013"])
@given(pattern=patterns(), place=places())
def test_cln_002_a_volume_from_a_volume_has_its_bytes(subject: RunningSubject, pattern: Pattern, place: Place) -> None:
    """`clone` of a volume MUST make a volume with every byte it has then, ready to be granted on return."""
    with subject.world() as world:
        made = world.create()
        offset = place.offset(made.volume.size_bytes, len(pattern.content))
        world.put(made, offset, pattern.content)
        volume_holds(world, world.clone(made), offset, pattern.content, what="the clone")


@requirement("CLN-003", needs=[Capability.VOLUME_FROM_VOLUME, Need.PROBE], rests_on=["CLN-002"])
@pinned(before=Pattern(1), after=Pattern(2))
@given(before=patterns(), after=patterns())
def test_cln_003_clone_and_source_are_independent(subject: RunningSubject, before: Pattern, after: Pattern) -> None:
    """A clone MUST leave its source and the source's hosts alone, and what is written to either not reach the other."""
    with subject.world() as world:
        source, zeros = world.create(), bytes(len(before.content))
        _, session = world.access(source)
        session.write(0, before.content)
        clone = world.clone(source)
        world.put(clone, 0, zeros)
        second = world.clone(clone)
        world.put(clone, 0, after.content)
        found = expect_done("reading the source on", lambda: session.read(0, len(zeros)))
        expect_bytes("the source", found, before.content, HOST)
        session.write(0, zeros)
        volume_holds(world, clone, 0, after.content, what="the clone")
        volume_holds(world, second, 0, zeros, what="the clone's clone")


@requirement("CLN-004", needs=[Capability.VOLUME_FROM_VOLUME, WitnessPower.SIZE, Need.PROBE], rests_on=["CLN-002"])
@given(pattern=patterns(), growth=growths())
def test_cln_004_a_clone_may_be_larger(subject: RunningSubject, pattern: Pattern, growth: Growth) -> None:
    """A clone larger than its source MUST have the size asked, less than one granule more, and zeros after the
    source's end.
    """
    with subject.world() as world:
        source = world.create()
        end = Place(-1).offset(source.lun_bytes, len(pattern.content))
        world.put(source, end, pattern.content)
        asked = growth.beyond(source.volume.size_bytes, subject.declared.limits)
        clone = world.clone(source, replace(world.request(), size_bytes=asked))
        size_is_true(world, clone, asked)
        volume_holds(world, clone, end, pattern.content, what="the clone")
        _, session = world.access(clone)
        for place in (-(-source.lun_bytes // BLOCK), -1):
            after = session.read(Place(place).offset(session.size_bytes, BLOCK), BLOCK)
            expect_bytes("space after the source's end", after, bytes(BLOCK), HOST)


@requirement("CLN-005", needs=[Capability.VOLUME_FROM_VOLUME, WitnessPower.LUNS], rests_on=["CLN-002"])
@given(growth=growths())
def test_cln_005_a_smaller_clone_is_refused(subject: RunningSubject, growth: Growth) -> None:
    """A clone smaller than its source MUST be refused with InvalidRequest, and nothing be made."""
    with subject.world() as world:
        limits = subject.declared.limits
        larger = growth.beyond(world.request().size_bytes, limits)
        source = world.create(replace(world.request(), size_bytes=larger))
        request = replace(world.request(), size_bytes=larger - limits.granularity_bytes)
        with nothing_changes(world):
            expect_refusal(InvalidRequest, "a smaller clone", lambda: world.driver_clone(source, request))


@requirement("CLN-006", needs=[Capability.VOLUME_FROM_VOLUME, WitnessPower.LUNS], rests_on=["CLN-002"])
def test_cln_006_a_repeated_request_makes_no_second(subject: RunningSubject) -> None:
    """`clone` with the same request again MUST answer the same volume and make no second LUN."""
    with subject.world() as world:
        source = world.create()
        clones = [world.clone(source), world.clone(source)]
        world.restart_plugin()
        with nothing_changes(world):
            for clone in clones:
                again = expect_done("a repeated clone", partial(world.driver_clone, source, clone.volume.request))
                expect_equal("external_id", again.external_id, clone.volume.external_id, PLUGIN)


@requirement("CLN-007", needs=[Capability.VOLUME_FROM_VOLUME, Need.PROBE], rests_on=["CLN-003", "DEL-001"])
@given(pattern=patterns())
def test_cln_007_a_clone_survives_its_source(subject: RunningSubject, pattern: Pattern) -> None:
    """`delete` of a clone's source MUST do what source_delete_with_clones declares, and leave the clone its data."""
    with subject.world() as world:
        source = world.create()
        world.put(source, 0, pattern.content)
        clone = world.clone(source)
        deleted_with_clone(world, source, clone, pattern.content)


@requirement(
    "CLN-008", needs=[Capability.VOLUME_FROM_VOLUME, Capability.QOS, WitnessPower.QOS], rests_on=["CLN-002", "QOS-001"]
)
@given(policy=policies())
def test_cln_008_a_clone_has_the_qos_asked_for_it(subject: RunningSubject, policy: QosAt) -> None:
    """A clone MUST have exactly the QoS that was asked for it, not its source's."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        source = world.create(world.request(qos=another_qos(world, wanted)))
        clone = world.clone(source, replace(world.clone_request(source), qos=wanted))
        qos_is(world, clone, wanted)
        qos_is(world, source, another_qos(world, wanted))


@requirement("CLN-009", needs=[Capability.VOLUME_FROM_VOLUME, WitnessPower.ACCESS], rests_on=["CLN-002", "ACC-001"])
def test_cln_009_a_clone_is_seen_by_nobody_at_first(subject: RunningSubject) -> None:
    """Before its first grant a clone MUST be visible to no host, whoever sees its source."""
    with subject.world() as world:
        source = world.create()
        host = world.host()
        world.grant(source, host)
        clone = world.clone(source)
        placed = {iqn for each in world.placement.hosts for iqn in each.iqns}
        expect_none("initiator let in to the clone", world.lun(clone).visible_to - placed, "the array")


@requirement("CLN-010", needs=[Capability.VOLUME_FROM_SNAPSHOT, Need.PROBE], rests_on=["CLN-001", "CLN-009", "SNP-005"])
@given(pattern=patterns())
def test_cln_010_a_clone_survives_its_snapshot(subject: RunningSubject, pattern: Pattern) -> None:
    """A clone MUST keep its data when its snapshot is deleted as declared, and the snapshot its own when a clone is
    written or deleted.
    """
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, pattern.content)
        taken = world.snapshot(made)
        clone = world.clone(taken)
        world.put(clone, 0, bytes(len(pattern.content)))
        world.delete(clone)
        second = world.clone(taken)
        volume_holds(world, second, 0, pattern.content, what="the second clone")
        snapshot_deleted_with_clone(world, taken)
        volume_holds(world, second, 0, pattern.content, what="the clone of a deleted snapshot")
        volume_holds(world, made, 0, pattern.content)


@requirement("CLN-011", needs=[Capability.VOLUME_FROM_VOLUME, WitnessPower.LUNS], rests_on=["CLN-006"])
def test_cln_011_a_uuid_has_one_source(subject: RunningSubject) -> None:
    """`clone` with the uuid of a volume that was made from another source SHOULD raise Conflict, and change nothing."""
    with subject.world() as world:
        source, other = world.create(), world.create()
        clone = world.clone(source)
        with nothing_changes(world):
            expect_refusal(
                Conflict, "a clone of another source", lambda: world.driver_clone(other, clone.volume.request)
            )
            expect_refusal(
                Conflict, "a clone where a volume is", lambda: world.driver_clone(source, other.volume.request)
            )


@requirement("CLN-012", needs=[Capability.VOLUME_FROM_VOLUME, WitnessPower.LUNS], rests_on=["CLN-002", "DEL-001"])
def test_cln_012_what_is_gone_is_not_cloned(subject: RunningSubject) -> None:
    """`clone` of a volume that is gone MUST raise ObjectNotFound and make nothing."""
    with subject.world() as world:
        gone, _neighbour = world.create(), world.create()
        request = world.clone_request(gone)
        world.delete(gone)
        with nothing_changes(world):
            expect_refusal(ObjectNotFound, "a clone of nothing", lambda: world.driver_clone(gone, request))


@requirement(
    "CLN-013",
    needs=[Capability.VOLUME_FROM_SNAPSHOT, WitnessPower.SNAPSHOTS],
    rests_on=["CLN-001", "SNP-005"],
)
def test_cln_013_a_snapshot_that_is_gone_is_not_cloned(subject: RunningSubject) -> None:
    """`clone` of a snapshot that is gone MUST raise ObjectNotFound and make nothing."""
    with subject.world() as world:
        made = world.create()
        gone, _sibling = world.snapshot(made), world.snapshot(made)
        request = world.clone_request(gone)
        world.delete_snapshot(gone)
        with nothing_changes(world):
            expect_refusal(ObjectNotFound, "a clone of nothing", lambda: world.driver_clone(gone, request))


@requirement("CLN-014", needs=[Capability.VOLUME_FROM_VOLUME, WitnessPower.SIZE], rests_on=["CLN-009", "LEK-003"])
def test_cln_014_clones_are_listed_and_counted(subject: RunningSubject) -> None:
    """`list_objects` and `used` MUST tell a clone like every volume, and no more when it was deleted."""
    with subject.world() as world:
        source = world.create()
        clone = world.clone(source)
        wanted = sorted((each.uuid, str(each.volume.external_id)) for each in (source, clone))
        expect_equal("volumes listed", listed(world, ObjectKind.VOLUME), wanted, PLUGIN)
        usage_is_true(world)
        with others_unchanged(world, clone):
            world.delete(clone)
        usage_is_true(world)


@requirement(
    "CLN-015",
    needs=[Capability.VOLUME_FROM_VOLUME, Need.CAPACITY, WitnessPower.LUNS],
    rests_on=["CLN-002", "SPC-001"],
)
def test_cln_015_a_full_store_takes_no_clones(subject: RunningSubject) -> None:
    """`clone` beyond the store's capacity MUST raise CapacityExhausted and make nothing."""
    with subject.world() as world:
        size_bytes = world.request().size_bytes
        world.use(world.store_request(capacity_bytes=2 * size_bytes - 1))
        source = world.create()
        request = world.clone_request(source)
        with nothing_changes(world):
            expect_refusal(CapacityExhausted, "a clone in a full store", lambda: world.driver_clone(source, request))


@requirement("CLN-016", needs=[Capability.VOLUME_FROM_VOLUME, Need.PROBE], rests_on=["CLN-003", "CLN-009", "EXT-002"])
@given(pattern=patterns())
def test_cln_016_a_clone_is_a_volume_like_any_other(subject: RunningSubject, pattern: Pattern) -> None:
    """A clone MUST be granted, written, revoked and deleted by a new instance that never saw it before."""
    with subject.world() as world:
        source = world.create()
        clone = world.clone(source)
        world.restart_plugin()
        world.put(clone, 0, pattern.content)
        volume_holds(world, clone, 0, pattern.content, what="the clone")
        world.restart_plugin()
        expect_done("delete of a clone", lambda: world.delete(clone))
        volume_holds(world, source, 0, bytes(len(pattern.content)), what="the source")


@requirement(
    "CLN-017",
    needs=[Capability.VOLUME_FROM_SNAPSHOT, WitnessPower.SIZE, Need.PROBE],
    rests_on=["CLN-001", "CLN-004"],
    examples=0.5,
)
@given(before=patterns(), after=patterns(), growth=growths(), policy=policies())
def test_cln_017_a_clone_of_a_snapshot_knows_nothing_of_later(
    subject: RunningSubject, before: Pattern, after: Pattern, growth: Growth, policy: QosAt
) -> None:
    """`clone` of a snapshot MUST have the snapshot's bytes and zeros beyond them in every size, whatever became of the
    volume since.
    """
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, before.content)
        end = Place(-1).offset(made.volume.size_bytes, BLOCK)
        taken = world.snapshot(made)
        size_bytes = taken.snapshot.size_bytes
        larger = growth.beyond(size_bytes, subject.declared.limits)
        world.put(made, end, after.content[:BLOCK])
        clones = [world.clone(taken, replace(world.request(), size_bytes=larger))]
        for change in changes_of(world, made, after.content, growth, policy):
            change()
        clones += [world.clone(taken, replace(world.request(), size_bytes=each)) for each in (size_bytes, larger)]
        for clone in clones:
            volume_holds(world, clone, 0, before.content, what="the clone")
            volume_holds(world, clone, end, bytes(BLOCK), what="the clone's end")


@requirement(
    "CLN-018",
    needs=[Capability.VOLUME_FROM_VOLUME, WitnessPower.SIZE, Need.PROBE],
    rests_on=["CLN-006", "PRV-014"],
)
@given(before=patterns(), after=patterns(), growth=growths(), policy=policies())
def test_cln_018_a_late_repeat_changes_nothing(
    subject: RunningSubject, before: Pattern, after: Pattern, growth: Growth, policy: QosAt
) -> None:
    """`clone` repeated after the clone or its source has changed MUST leave both as they are, and tell the clone's true
    size or a Conflict.
    """
    with subject.world() as world:
        source = world.create()
        world.put(source, 0, before.content)
        clones = [world.clone(source) for _ in range(2)]
        changed = (clones[0], source)
        for each in changed:
            for change in changes_of(world, each, after.content, growth, policy):
                change()
                for clone in clones:
                    with nothing_changes(world):
                        told = late_clone(world, source, clone)
                    expect_equal("the size answered", told, clone.volume.size_bytes, PLUGIN)
        volume_holds(world, clones[0], 0, after.content, what="the clone that was written")
        volume_holds(world, clones[1], 0, before.content, what="the other clone")


@requirement(
    "CLN-019",
    needs=[Capability.VOLUME_FROM_VOLUME, Capability.QOS, Need.CAPACITY, WitnessPower.QOS],
    rests_on=["CLN-015", "QOS-007"],
)
@given(policy=policies())
def test_cln_019_clones_count_against_the_iops_of_a_store(subject: RunningSubject, policy: QosAt) -> None:
    """`clone` beyond the store's capacity_iops MUST raise CapacityExhausted and make nothing, and one within it be
    made.
    """
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        least = wanted.min_iops or 1
        world.use(replace(world.store_request(), capacity_iops=2 * least + least // 2))
        source = world.create(world.request(qos=wanted))
        clone = expect_done(
            "a clone in a store with room",
            lambda: world.clone(source, replace(world.clone_request(source), qos=wanted)),
        )
        request = replace(world.clone_request(source), qos=wanted)
        with nothing_changes(world):
            expect_refusal(CapacityExhausted, "a clone too many", lambda: world.driver_clone(source, request))
        world.delete(clone)
        again = expect_done("a clone in the place of another", lambda: world.clone(source, request))
        qos_is(world, again, wanted)
