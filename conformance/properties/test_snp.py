"""SNP: snapshots."""

from __future__ import annotations

from functools import partial
from typing import Any

from conformance.contract import (
    Capability,
    CapabilityNotSupported,
    ObjectKind,
    ObjectNotFound,
    Snapshot,
    WitnessPower,
)
from conformance.expect import ARRAY, HOST, PLUGIN, expect_bytes, expect_done, expect_equal, expect_none, expect_refusal
from conformance.judgements import (
    as_many_snapshots,
    changes_of,
    deleted_with_snapshot,
    ids_of,
    listed,
    nothing_changes,
    set_where_supported,
    snapshot_holds,
    snapshot_limit_is_said,
    volume_holds,
)
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import Pattern, Place, patterns, places
from conformance.strategies.names import Name, NameOfLength, NameWith, SameName, names
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, Size, growths, sizes
from conformance.subject import RunningSubject
from conformance.world import World


@requirement("SNP-001", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["PRV-001"])
@given(size=sizes())
def test_snp_001_a_snapshot_is_taken(subject: RunningSubject, size: Size) -> None:
    """`take_snapshot` MUST make one snapshot of this volume, and answer the volume's size."""
    with subject.world() as world:
        made, _neighbour = world.create(world.request(size)), world.create()
        world.snapshot(made)


@requirement("SNP-002", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["SNP-001"])
def test_snp_002_a_repeated_request_takes_no_second(subject: RunningSubject) -> None:
    """`take_snapshot` with the same request again MUST answer the same snapshot and take no second one."""
    with subject.world() as world:
        made = world.create()
        taken, other = world.snapshot(made), world.snapshot(made)
        world.restart_plugin()
        with nothing_changes(world):
            for each in (taken, other, taken):
                again = expect_done("a repeated snapshot", partial(world.driver_snapshot, made, each.snapshot.request))
                expect_equal("external_id", again.external_id, each.snapshot.external_id, PLUGIN)


@requirement(
    "SNP-003",
    needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS, WitnessPower.BYTES, Need.PROBE],
    rests_on=["SNP-001", "ACC-013"],
)
@pinned(before=Pattern(1), after=Pattern(2), place=Place(0))
@given(before=patterns(), after=patterns(), place=places())
def test_snp_003_later_writes_are_not_in_it(
    subject: RunningSubject, before: Pattern, after: Pattern, place: Place
) -> None:
    """A snapshot MUST hold the volume's bytes of the moment it was taken, whatever is written later."""
    with subject.world() as world:
        made = world.create()
        offset = place.offset(made.volume.size_bytes, len(before.content) + len(after.content))
        world.put(made, offset, before.content)
        first = world.snapshot(made)
        world.put(made, offset, after.content)
        second = world.snapshot(made)
        world.put(made, offset, bytes(len(after.content)))
        snapshot_holds(world, first, offset, before.content)
        snapshot_holds(world, second, offset, after.content)


@requirement("SNP-004", needs=[Capability.SNAPSHOT, Need.PROBE], rests_on=["SNP-001", "ACC-001"])
@given(pattern=patterns(), policy=policies())
def test_snp_004_the_volume_works_on(subject: RunningSubject, pattern: Pattern, policy: QosAt) -> None:
    """`take_snapshot` MUST leave the volume, its hosts and sessions, its data and its other snapshots as they are."""
    with subject.world() as world:
        made = world.create()
        set_where_supported(world, made, policy)
        _, session = world.access(made)
        session.write(0, pattern.content)
        world.snapshot(made)
        found = expect_done("reading on", lambda: session.read(0, len(pattern.content)))
        expect_bytes("data after a snapshot", found, pattern.content, HOST)
        expect_done("writing on", lambda: session.write(0, bytes(len(pattern.content))))


@requirement("SNP-005", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS, Need.PROBE], rests_on=["SNP-003"])
@given(pattern=patterns())
def test_snp_005_only_the_snapshot_meant_goes(subject: RunningSubject, pattern: Pattern) -> None:
    """`delete_snapshot` MUST remove this snapshot, and leave its siblings, its volume and their data."""
    with subject.world() as world:
        made, other = world.create(), world.create()
        world.put(made, 0, pattern.content)
        older, middle, newer = world.snapshot(made), world.snapshot(made), world.snapshot(made)
        foreign = world.snapshot(other)
        world.put(made, 0, bytes(len(pattern.content)))
        world.delete_snapshot(middle)
        for each in (older, newer):
            snapshot_holds(world, each, 0, pattern.content)
        volume_holds(world, made, 0, bytes(len(pattern.content)))
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of([older, newer, foreign]), PLUGIN)


@requirement("SNP-006", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["SNP-005"])
def test_snp_006_an_absent_snapshot_is_success(subject: RunningSubject) -> None:
    """`delete_snapshot` of one that is gone, or was never taken, MUST succeed and change nothing."""
    with subject.world() as world:
        made = world.create()
        gone, _sibling = world.snapshot(made), world.snapshot(made)
        world.delete_snapshot(gone)
        never = _lost(world, gone.snapshot, uuid=world.snapshot_request().uuid)
        with nothing_changes(world):
            for snapshot in (gone.snapshot, never, _lost(world, gone.snapshot)):
                expect_done("a needless delete", partial(world.copier.delete_snapshot, world.store, snapshot))


@requirement("SNP-007", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["SNP-005"])
def test_snp_007_a_lost_snapshot_is_found_by_its_uuid(subject: RunningSubject) -> None:
    """`delete_snapshot` without an external_id MUST remove the snapshot of that uuid, and nothing else."""
    with subject.world() as world:
        made = world.create()
        older, lost, newer = world.snapshot(made), world.snapshot(made), world.snapshot(made)
        world.restart_plugin()
        nameless = _lost(world, lost.snapshot)
        expect_done("delete by uuid", lambda: world.copier.delete_snapshot(world.store, nameless))
        world.forget_snapshots(lost)
        there = {each.external_id for each in world.new_snapshots()}
        wanted = {each.seen.external_id for each in (older, newer) if each.seen is not None}
        expect_equal("snapshots on the array", sorted(there), sorted(wanted), ARRAY)


@requirement("SNP-008", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["SNP-001", "DEL-001", "SNP-009"])
def test_snp_008_deleting_a_volume_with_snapshots_is_as_declared(subject: RunningSubject) -> None:
    """`delete` of a volume with snapshots MUST do what the trait delete_with_snapshots declares."""
    with subject.world() as world:
        made = world.create()
        taken = world.snapshot(made)
        deleted_with_snapshot(world, made, taken)


@requirement("SNP-009", needs=[Capability.SNAPSHOT], rests_on=["SNP-001", "LEK-002"])
def test_snp_009_snapshots_are_listed(subject: RunningSubject) -> None:
    """`list_objects` MUST tell every snapshot taken, with its owner and its id, and none that was deleted."""
    with subject.world() as world:
        first, second = world.create(), world.create()
        taken = [world.snapshot(each) for each in (first, second, first)]
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of(taken), PLUGIN)
        volumes = sorted((each.uuid, str(each.volume.external_id)) for each in (first, second))
        expect_equal("volumes listed", listed(world, ObjectKind.VOLUME), volumes, PLUGIN)
        world.delete_snapshot(taken[0])
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of(taken[1:]), PLUGIN)


@requirement("SNP-010", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["SNP-001", "DEL-001"])
def test_snp_010_what_is_gone_gets_no_snapshot(subject: RunningSubject) -> None:
    """`take_snapshot` of a volume that is gone MUST raise ObjectNotFound and take nothing."""
    with subject.world() as world:
        made, _neighbour = world.create(), world.create()
        world.delete(made)
        request = world.snapshot_request()
        with nothing_changes(world):
            expect_refusal(ObjectNotFound, "a snapshot of nothing", lambda: world.driver_snapshot(made, request))


@requirement(
    "SNP-011",
    needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS],
    lacks=[Capability.QUIESCED_SNAPSHOT],
    rests_on=["SNP-001"],
)
def test_snp_011_a_quiesced_snapshot_is_refused(subject: RunningSubject) -> None:
    """Without QUIESCED_SNAPSHOT a quiesced snapshot MUST be refused with CapabilityNotSupported, and none be taken."""
    with subject.world() as world:
        made, request = world.create(), world.snapshot_request()
        call: Any = partial(world.copier.take_snapshot, world.store, made.volume, request, quiesced=True)
        with nothing_changes(world):
            expect_refusal(CapabilityNotSupported, "a quiesced snapshot", call)


@requirement("SNP-012", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["SNP-001"])
def test_snp_012_the_limit_of_snapshots_is_true(subject: RunningSubject) -> None:
    """As many snapshots of a volume as declared MUST be possible, and one more be refused with LimitReached."""
    with subject.world() as world:
        made = world.create()
        world.act()
        as_many_snapshots(world, made)
        snapshot_limit_is_said(world, made)


@requirement(
    "SNP-013", needs=[Capability.SNAPSHOT, Capability.RESIZE, WitnessPower.SNAPSHOTS], rests_on=["SNP-001", "EXT-001"]
)
@given(growth=growths())
def test_snp_013_each_snapshot_has_the_size_of_its_moment(subject: RunningSubject, growth: Growth) -> None:
    """`take_snapshot` MUST answer the size the volume has then, and `resize` leave the snapshots there are alone."""
    with subject.world() as world:
        made = world.create()
        small = world.snapshot(made)
        world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
        large = world.snapshot(made)
        sizes_now = {each.external_id: each.size_bytes for each in world.new_snapshots()}
        wanted = {each.seen.external_id: each.seen.size_bytes for each in (small, large) if each.seen is not None}
        expect_equal("sizes of the snapshots", sizes_now, wanted, ARRAY)


@requirement("SNP-014", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["SNP-005", "OPS-006"])
def test_snp_014_any_instance_knows_the_snapshots(subject: RunningSubject) -> None:
    """A snapshot MUST be listed and deleted by a new instance of the plugin that never saw it before."""
    with subject.world() as world:
        taken = world.snapshot(world.create())
        world.restart_plugin()
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of([taken]), PLUGIN)
        snapshot = taken.snapshot
        expect_done("delete by a new instance", lambda: world.copier.delete_snapshot(world.store, snapshot))
        left = [each.name for each in world.new_snapshots()]
        world.forget_snapshots(taken)
        expect_none("snapshot left", left, ARRAY)


@requirement("SNP-015", needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS], rests_on=["SNP-001"])
@pinned(first=SameName(), second=SameName())
@pinned(first=NameOfLength(255), second=NameOfLength(255))
@pinned(first=NameWith("名前"), second=NameWith("a/b"))
@given(first=names(), second=names())
def test_snp_015_names_of_snapshots_do_not_matter(subject: RunningSubject, first: Name, second: Name) -> None:
    """Two snapshots MUST be two, whatever their names: long, alike, equal or full of odd characters."""
    with subject.world() as world:
        made = world.create()
        world.act()
        taken = [world.snapshot(made, world.snapshot_request(each)) for each in (first, second, first)]
        expect_equal("ids", len({each.snapshot.external_id for each in taken}), len(taken), PLUGIN)
        world.delete_snapshot(taken[0])


@requirement(
    "SNP-016",
    needs=[Capability.SNAPSHOT, WitnessPower.SNAPSHOTS, WitnessPower.BYTES, Need.PROBE],
    rests_on=["SNP-002", "SNP-003"],
)
@given(before=patterns(), after=patterns(), growth=growths(), policy=policies())
def test_snp_016_a_late_repeat_takes_no_other(
    subject: RunningSubject, before: Pattern, after: Pattern, growth: Growth, policy: QosAt
) -> None:
    """`take_snapshot` repeated after the volume was written, has grown or got other QoS MUST answer the first snapshot,
    as it is.
    """
    with subject.world() as world:
        made = world.create()
        world.put(made, 0, before.content)
        taken = world.snapshot(made)
        for change in changes_of(world, made, after.content, growth, policy):
            change()
            with nothing_changes(world):
                again = expect_done("a late repeat", lambda: world.driver_snapshot(made, taken.snapshot.request))
            expect_equal("external_id", again.external_id, taken.snapshot.external_id, PLUGIN)
            expect_equal("the size answered", again.size_bytes, taken.snapshot.size_bytes, PLUGIN)
            snapshot_holds(world, taken, 0, before.content)


@requirement(
    "SNP-017",
    needs=[Capability.SNAPSHOT, Capability.RESIZE, WitnessPower.SNAPSHOTS],
    rests_on=["SNP-005", "SNP-007", "SNP-013"],
)
@given(growth=growths())
def test_snp_017_snapshots_of_every_size_are_deleted_alone(subject: RunningSubject, growth: Growth) -> None:
    """`delete_snapshot` MUST remove only the snapshot meant, also where the volume has grown between them and no reply
    to its request came.
    """
    with subject.world() as world:
        made = world.create()
        taken = [world.snapshot(made)]
        for _ in range(2):
            world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
            taken.append(world.snapshot(made))
        first, middle, last = taken
        world.delete_snapshot(middle)
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of([first, last]), PLUGIN)
        world.restart_plugin()
        nameless = _lost(world, first.snapshot)
        expect_done("delete by uuid", lambda: world.copier.delete_snapshot(world.store, nameless))
        world.forget_snapshots(first)
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of([last]), PLUGIN)


def _lost(world: World, snapshot: Snapshot, uuid: str = "") -> Snapshot:
    """The snapshot as the cloud knows it when no reply to its request came back."""
    request = world.snapshot_request()
    request = type(request)(uuid or snapshot.uuid, snapshot.request.name)
    return Snapshot(request, snapshot.volume_uuid, snapshot.volume_external_id, None, snapshot.size_bytes)
