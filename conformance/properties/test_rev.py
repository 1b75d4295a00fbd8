"""REV: reverting a volume to a snapshot."""

from __future__ import annotations

from functools import partial

from conformance.contract import Capability, Conflict, InUse, InvalidRequest, ObjectKind, ObjectNotFound, WitnessPower
from conformance.expect import ARRAY, HOST, PLUGIN, expect, expect_bytes, expect_done, expect_equal, expect_refusal
from conformance.judgements import (
    changes_of,
    listed,
    nothing_changes,
    others_unchanged,
    qos_is,
    set_where_supported,
    snapshots_survive,
    volume_holds,
)
from conformance.requirement import Need, given, requirement
from conformance.strategies.data import BLOCK, Pattern, Place, patterns, places
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, growths
from conformance.subject import RunningSubject


@requirement("REV-001", needs=[Capability.REVERT, Need.PROBE], rests_on=["SNP-003"])
@given(pattern=patterns(), place=places(), later=patterns())
def test_rev_001_every_byte_is_back(subject: RunningSubject, pattern: Pattern, place: Place, later: Pattern) -> None:
    """`revert` MUST put back every byte of the snapshot: what was overwritten since, and zeros where zeros were."""
    with subject.world() as world:
        made = world.create()
        length = len(pattern.content)
        offset = place.offset(made.volume.size_bytes - len(later.content), length)
        beside = offset + length
        world.put(made, offset, pattern.content)
        taken = world.snapshot(made)
        world.put(made, offset, bytes(length))
        world.put(made, beside, later.content)
        world.revert(made, taken)
        volume_holds(world, made, offset, pattern.content)
        volume_holds(world, made, beside, bytes(len(later.content)))


@requirement("REV-002", needs=[Capability.REVERT, WitnessPower.SNAPSHOTS, Need.PROBE], rests_on=["REV-001", "SNP-009"])
@given(first=patterns(), second=patterns(), growth=growths(), policy=policies())
def test_rev_002_other_snapshots_stay_as_declared(
    subject: RunningSubject, first: Pattern, second: Pattern, growth: Growth, policy: QosAt
) -> None:
    """`revert` MUST keep the snapshot and its siblings, of whatever size; newer ones go only where revert_scope
    declares it.
    """
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, first.content)
        older = world.snapshot(made)
        for change in changes_of(world, made, second.content, growth, policy):
            change()
        newer = world.snapshot(made)
        world.revert(made, newer)
        volume_holds(world, made, 0, second.content)
        world.revert(made, older)
        snapshots_survive(world, older, newer)
        volume_holds(world, made, 0, first.content)
        world.put(made, 0, bytes(len(first.content)))
        world.revert(made, older)
        volume_holds(world, made, 0, first.content)


@requirement("REV-003", needs=[Capability.REVERT, WitnessPower.ACCESS, Need.PROBE], rests_on=["REV-001"])
@given(pattern=patterns())
def test_rev_003_only_the_volume_meant_is_reverted(subject: RunningSubject, pattern: Pattern) -> None:
    """`revert` MUST leave every other volume its data, its size, its hosts and its snapshots."""
    with subject.world() as world:
        before, made, after = world.create(), world.create(), world.create()
        taken = world.snapshot(made)
        for other in (before, after):
            world.snapshot(other)
            world.put(other, 0, pattern.content)
        _, session = world.access(after)
        with others_unchanged(world, made):
            world.revert(made, taken)
        expect_bytes("a neighbour's data", session.read(0, len(pattern.content)), pattern.content, HOST)
        volume_holds(world, before, 0, pattern.content)


@requirement("REV-004", needs=[Capability.REVERT, WitnessPower.SNAPSHOTS, Need.PROBE], rests_on=["REV-001"])
@given(pattern=patterns())
def test_rev_004_a_volume_in_use_is_refused(subject: RunningSubject, pattern: Pattern) -> None:
    """`revert` of a volume that a host is logged in to MUST raise InUse and change nothing."""
    with subject.world() as world:
        made = world.create()
        taken = world.snapshot(made)
        _, session = world.access(made)
        session.write(0, pattern.content)
        with nothing_changes(world):
            expect_refusal(
                InUse,
                "revert under a host",
                lambda: world.copier.revert(world.store, made.volume, taken.snapshot),
            )
        expect_bytes("what the host wrote", session.read(0, len(pattern.content)), pattern.content, HOST)


@requirement("REV-005", needs=[Capability.REVERT, Capability.RESIZE, Need.PROBE], rests_on=["REV-001", "EXT-002"])
@given(pattern=patterns(), growth=growths())
def test_rev_005_a_grown_volume_is_reverted(subject: RunningSubject, pattern: Pattern, growth: Growth) -> None:
    """After `revert` of a volume that has grown the array, the host and `connection` MUST agree on its size."""
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, pattern.content)
        taken = world.snapshot(made)
        small = made.lun_bytes
        world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
        world.put(made, Place(-1).offset(made.lun_bytes, BLOCK), pattern.content[:BLOCK])
        noted = made.volume
        world.revert(made, taken)
        host, session = world.access(made)
        # The cloud learns it from here: what it has noted is the size before.
        connection = world.block(world.driver.connection(world.store, noted, host))
        expect_equal("connection's size", connection.size_bytes, session.size_bytes, PLUGIN)
        expect(session.size_bytes >= small, f"at least {small} bytes", f"{session.size_bytes}", HOST)
        expect_bytes("the data", session.read(0, len(pattern.content)), pattern.content, HOST)
        last = session.read(Place(-1).offset(session.size_bytes, BLOCK), BLOCK)
        expect_bytes("what was written beyond the snapshot", last, bytes(BLOCK), HOST)


@requirement("REV-006", needs=[Capability.REVERT, WitnessPower.SNAPSHOTS, Need.PROBE], rests_on=["REV-001"])
@given(pattern=patterns())
def test_rev_006_a_wrong_snapshot_is_refused(subject: RunningSubject, pattern: Pattern) -> None:
    """`revert` to a snapshot that is gone, or is another volume's, MUST be refused and change nothing."""
    with subject.world() as world:
        made, other = world.create(), world.create()
        world.put(made, 0, pattern.content)
        foreign, gone = world.snapshot(other), world.snapshot(made)
        world.delete_snapshot(gone)
        refusals = (ObjectNotFound, InvalidRequest, Conflict)
        with world.released(made), nothing_changes(world):
            for taken in (foreign, gone):
                call = partial(world.copier.revert, world.store, made.volume, taken.snapshot)
                expect_refusal(refusals, "revert to a snapshot that is not there", call)
        volume_holds(world, made, 0, pattern.content)


@requirement("REV-007", needs=[Capability.REVERT, WitnessPower.ACCESS], rests_on=["REV-001", "QOS-001", "LEK-002"])
@given(policy=policies())
def test_rev_007_only_bytes_are_reverted(subject: RunningSubject, policy: QosAt) -> None:
    """`revert` MUST keep the volume's QoS, its owner, its identity, and let no host in."""
    with subject.world() as world:
        made = world.create()
        taken = world.snapshot(made)
        qos = set_where_supported(world, made, policy)
        before = world.lun(made)
        world.revert(made, taken)
        expect_equal("identity", world.lun(made).wwid, before.wwid, ARRAY)
        expect_equal("initiators let in", world.lun(made).visible_to, before.visible_to, ARRAY)
        expect_equal("volumes listed", [owner for owner, _ in listed(world, ObjectKind.VOLUME)], [made.uuid], PLUGIN)
        qos_is(world, made, qos)


@requirement("REV-008", needs=[Capability.REVERT, Need.PROBE], rests_on=["REV-001", "OPS-006"])
@given(pattern=patterns())
def test_rev_008_any_instance_reverts(subject: RunningSubject, pattern: Pattern) -> None:
    """`revert` MUST work on a new instance of the plugin, and again with writes in between."""
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, pattern.content)
        taken = world.snapshot(made)
        for _ in range(2):
            world.put(made, 0, bytes(len(pattern.content)))
            world.restart_plugin()
            expect_done("revert by a new instance", lambda: world.revert(made, taken))
            volume_holds(world, made, 0, pattern.content)
