"""MIG: what a plugin does for a volume while it is copied."""

from __future__ import annotations

from functools import partial

from conformance.contract import Capability, WitnessPower
from conformance.expect import ARRAY, HOST, expect, expect_bytes, expect_done
from conformance.judgements import another_qos, is_slower, others_unchanged, qos_is
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.strategies.qos import QosAt, policies
from conformance.subject import RunningSubject


@requirement("MIG-001", needs=[Capability.MIGRATION_QOS, WitnessPower.QOS], rests_on=["QOS-001"])
@given(policy=policies())
def test_mig_001_the_volume_gets_its_qos_back(subject: RunningSubject, policy: QosAt) -> None:
    """`end_migration` MUST give the volume exactly the QoS it had, also from a new instance of the plugin."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        made = world.create(world.request(qos=wanted))
        expect_done("begin_migration", lambda: world.copier.begin_migration(world.store, made.volume))
        world.restart_plugin()
        expect_done("end_migration", lambda: world.copier.end_migration(world.store, made.volume))
        qos_is(world, made, wanted)


@requirement("MIG-002", needs=[Capability.MIGRATION_QOS, WitnessPower.QOS], rests_on=["MIG-001"])
@given(policy=policies())
def test_mig_002_repetitions_do_no_harm(subject: RunningSubject, policy: QosAt) -> None:
    """`begin_migration` and `end_migration`, repeated or out of turn, MUST end with the QoS the volume had."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        made = world.create(world.request(qos=wanted))
        begin, end = world.copier.begin_migration, world.copier.end_migration
        for call in (end, begin, begin, end, end):
            expect_done("a step of a migration", partial(call, world.store, made.volume))
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
            expect_done("begin_migration", lambda: world.copier.begin_migration(world.store, made.volume))
        now = world.lun(made).qos
        expect(not is_slower(before, now), f"at least {before}", f"{now}", ARRAY)
        world.copier.end_migration(world.store, made.volume)


@requirement("MIG-004", needs=[Capability.MIGRATION_QOS, Need.PROBE], rests_on=["MIG-001", "ACC-001"])
@given(pattern=patterns())
def test_mig_004_a_session_outlives_a_migration(subject: RunningSubject, pattern: Pattern) -> None:
    """A logged in host MUST keep session, access and data from `begin_migration` to `end_migration`."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        session.write(0, pattern.content)
        world.act()
        for call in (world.copier.begin_migration, world.copier.end_migration):
            expect_done("a step of a migration", partial(call, world.store, made.volume))
            found = expect_done("reading on", lambda: session.read(0, len(pattern.content)))
            expect_bytes("the data", found, pattern.content, HOST)
            world.login(made, host).close()
