"""MIG: what a plugin does for a volume while it is copied."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from conformance.contract import Capability, ObjectNotFound, WitnessPower
from conformance.expect import ARRAY, HOST, expect, expect_bytes, expect_done, expect_equal
from conformance.judgements import (
    another_qos,
    fitted,
    is_faster,
    is_slower,
    late_repeat,
    merged,
    nothing_changes,
    others_unchanged,
    parts_of,
    qos_is,
)
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, growths
from conformance.subject import RunningSubject


@requirement("MIG-001", needs=[Capability.MIGRATION_QOS, WitnessPower.QOS], rests_on=["QOS-002"])
@given(policy=policies())
def test_mig_001_the_volume_gets_its_qos_back(subject: RunningSubject, policy: QosAt) -> None:
    """`end_migration` MUST give the volume exactly the QoS it had last, also from a new instance of the plugin."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        as_made, changed = world.create(world.request(qos=wanted)), world.create(world.request(qos=wanted))
        world.set_qos(changed, another_qos(world, wanted))
        for made in (as_made, changed):
            expected = made.qos
            expect_done("begin_migration", partial(world.begin_migration, made))
            world.restart_plugin()
            expect_done("end_migration", partial(world.end_migration, made))
            qos_is(world, made, expected)


@requirement("MIG-002", needs=[Capability.MIGRATION_QOS, WitnessPower.QOS], rests_on=["MIG-001"])
@given(policy=policies())
def test_mig_002_repetitions_do_no_harm(subject: RunningSubject, policy: QosAt) -> None:
    """`begin_migration` and `end_migration`, repeated, out of turn or by a new instance, MUST end with the QoS the
    volume had.
    """
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        made = world.create(world.request(qos=wanted))
        for step in (world.end_migration, world.begin_migration, world.begin_migration):
            expect_done("a step of a migration", partial(step, made))
        world.restart_plugin()
        for step in (world.begin_migration, world.end_migration, world.end_migration):
            expect_done("a step of a migration", partial(step, made))
        qos_is(world, made, wanted)
        for step in (world.begin_migration, world.end_migration):
            expect_done("a step of a second migration", partial(step, made))
        qos_is(world, made, wanted)


@requirement("MIG-003", needs=[Capability.MIGRATION_QOS, WitnessPower.QOS], rests_on=["MIG-001"])
@pinned(policy=QosAt(500, 500, 500))
@given(policy=policies())
def test_mig_003_a_volume_is_not_slowed_down(subject: RunningSubject, policy: QosAt) -> None:
    """`begin_migration` MUST NOT give the volume less than it had, nor change another volume."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        _neighbour, made = world.create(world.request(qos=another_qos(world, wanted))), world.create()
        world.set_qos(made, wanted)
        before = world.lun(made).qos
        with others_unchanged(world, made):
            expect_done("begin_migration", lambda: world.begin_migration(made))
        now = world.lun(made).qos
        expect(not is_slower(before, now), f"at least {before}", f"{now}", ARRAY)
        world.end_migration(made)


@requirement("MIG-004", needs=[Capability.MIGRATION_QOS, Need.PROBE], rests_on=["MIG-001", "ACC-001"])
@given(pattern=patterns())
def test_mig_004_a_session_outlives_a_migration(subject: RunningSubject, pattern: Pattern) -> None:
    """A logged in host MUST keep session, access and data from `begin_migration` to `end_migration`."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        session.write(0, pattern.content)
        for step in (world.begin_migration, world.end_migration):
            expect_done("a step of a migration", partial(step, made))
            found = expect_done("reading on", lambda: session.read(0, len(pattern.content)))
            expect_bytes("the data", found, pattern.content, HOST)
            expect_done("logging in again", lambda: world.login(made, host)).close()


@requirement("MIG-005", needs=[Capability.MIGRATION_QOS, Capability.QOS, WitnessPower.QOS], rests_on=["MIG-001"])
@given(policy=policies())
def test_mig_005_a_qos_set_meanwhile_holds_at_the_end(subject: RunningSubject, policy: QosAt) -> None:
    """QoS set during a migration, as a whole or in part, MUST be the volume's at the end of the migration."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        for part in (wanted, *parts_of(another_qos(world, wanted))):
            made = world.create(world.request(qos=another_qos(world, wanted)))
            world.begin_migration(made)
            world.set_qos(made, wanted)
            world.set_qos(made, fitted(wanted, part))
            world.begin_migration(made)
            world.end_migration(made)
            qos_is(world, made, merged(wanted, fitted(wanted, part)))


@requirement(
    "MIG-006", needs=[Capability.MIGRATION_QOS, Capability.RESIZE, WitnessPower.QOS], rests_on=["MIG-001", "EXT-001"]
)
@given(policy=policies(), growth=growths())
def test_mig_006_a_volume_that_grew_meanwhile_gets_its_qos_back(
    subject: RunningSubject, policy: QosAt, growth: Growth
) -> None:
    """A volume that has grown or was created again during its migration MUST have its new size and its own QoS at
    the end.
    """
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        made = world.create(world.request(qos=wanted))
        world.begin_migration(made)
        late_repeat(world, made)
        world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
        world.restart_plugin()
        late_repeat(world, made)
        world.end_migration(made)
        qos_is(world, made, wanted)
        expect_equal("the size", world.lun(made).size_bytes, made.lun_bytes, ARRAY)


@requirement("MIG-007", needs=[Capability.MIGRATION_QOS, WitnessPower.QOS], rests_on=["MIG-001", "MIG-003"])
@given(first=policies(), second=policies())
def test_mig_007_each_migration_is_its_own(subject: RunningSubject, first: QosAt, second: QosAt) -> None:
    """With several volumes in migration the end of one MUST leave the others lifted, and each get its own QoS back."""
    with subject.world() as world:
        wanted = [each.resolve(subject.declared.limits) for each in (first, second, first)]
        volumes = [world.create(world.request(qos=qos)) for qos in wanted]
        for made in volumes:
            world.begin_migration(made)
        for made in volumes:
            with others_unchanged(world, made):
                expect_done("end_migration", partial(world.end_migration, made))
        for made, qos in zip(volumes, wanted, strict=True):
            qos_is(world, made, qos)


@requirement(
    "MIG-008",
    needs=[Capability.MIGRATION_QOS, Capability.VOLUME_FROM_VOLUME, WitnessPower.QOS],
    rests_on=["MIG-001", "CLN-008"],
)
@given(policy=policies())
def test_mig_008_a_clone_is_not_lifted(subject: RunningSubject, policy: QosAt) -> None:
    """A clone of a volume in migration MUST have its own QoS, and keep it when the migration ends."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        source = world.create(world.request(qos=another_qos(world, wanted)))
        world.begin_migration(source)
        clone = world.clone(source, replace(world.clone_request(source), qos=wanted))
        qos_is(world, clone, wanted)
        for policy_set in (another_qos(world, wanted), wanted):
            world.set_qos(clone, policy_set)
        world.end_migration(clone)
        qos_is(world, clone, wanted)
        world.end_migration(source)
        qos_is(world, source, another_qos(world, wanted))
        qos_is(world, clone, wanted)


@requirement("MIG-009", needs=[Capability.MIGRATION_QOS, WitnessPower.LUNS], rests_on=["MIG-001", "DEL-001"])
def test_mig_009_a_volume_in_migration_can_be_deleted(subject: RunningSubject) -> None:
    """`delete` during a migration MUST remove the volume, and `end_migration` after it harm nobody."""
    with subject.world() as world:
        made, _neighbour = world.create(), world.create()
        world.begin_migration(made)
        expect_done("delete of a volume in migration", lambda: world.delete(made))
        with nothing_changes(world), suppress(ObjectNotFound):
            world.copier.end_migration(world.store, made.volume)


@requirement("MIG-010", needs=[Capability.MIGRATION_QOS, Capability.QOS, WitnessPower.QOS], rests_on=["MIG-003"])
def test_mig_010_a_volume_is_lifted(subject: RunningSubject) -> None:
    """`begin_migration` MUST give a volume more than it has, as long as its QoS is less than the largest declared."""
    with subject.world() as world:
        made = world.create(world.request(qos=QosAt(0, 0, 0).resolve(subject.declared.limits)))
        before = world.lun(made).qos
        expect_done("begin_migration", lambda: world.begin_migration(made))
        now = world.lun(made).qos
        expect(is_faster(before, now), f"more than {before}", f"{now}", ARRAY)
        world.end_migration(made)
