"""PRV: provisioning."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from conformance.contract import Capability, CapacityExhausted, Conflict, InvalidRequest, WitnessPower
from conformance.expect import (
    ARRAY,
    HOST,
    PLUGIN,
    expect,
    expect_bytes,
    expect_done,
    expect_equal,
    expect_refusal,
)
from conformance.judgements import (
    another_qos,
    below_smallest,
    identity_is_true,
    late_repeat,
    lun_bytes,
    nothing_changes,
    nothing_is_left,
    repeated_with,
    same_when_rounded,
    size_is_true,
)
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import BLOCK, Pattern, Place, patterns, places
from conformance.strategies.names import CapitalName, Name, NameOfLength, NameWith, PlainName, SameName, names
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, PartOfLargest, Size, growths, sizes
from conformance.strategies.wrong import WrongSize, wrong_sizes
from conformance.subject import RunningSubject


@requirement("PRV-001", needs=[WitnessPower.SIZE], rests_on=["LIF-001"])
@pinned(asked=PartOfLargest(40))
@given(asked=sizes())
def test_prv_001_create_makes_one_lun_of_the_asked_size(subject: RunningSubject, asked: Size) -> None:
    """`create` MUST make exactly one LUN of at least the asked size, less than one granule more, and answer its true
    size.
    """
    with subject.world() as world:
        request = world.request(asked)
        size_is_true(world, world.create(request), request.size_bytes)


@requirement("PRV-002", needs=[WitnessPower.LUNS], rests_on=["PRV-001"])
@given(asked=sizes())
def test_prv_002_create_can_be_repeated(subject: RunningSubject, asked: Size) -> None:
    """`create` with the same request again MUST answer the same object and make no second LUN."""
    with subject.world() as world:
        made = world.create(world.request(asked))
        with nothing_changes(world):
            again = expect_done("a repeated create", lambda: world.driver_create(made.volume.request))
        expect_equal("external_id", again.external_id, made.volume.external_id, PLUGIN)
        expect_equal("size", again.size_bytes, made.volume.size_bytes, PLUGIN)


@requirement("PRV-003", needs=[WitnessPower.LUNS], rests_on=["PRV-002"])
@given(asked=sizes(), other=growths())
def test_prv_003_another_size_is_a_conflict(subject: RunningSubject, asked: Size, other: Growth) -> None:
    """`create` of a uuid that exists with another size MUST raise Conflict and change nothing."""
    with subject.world() as world:
        small = world.create(world.request(asked))
        larger = other.beyond(small.volume.size_bytes, subject.declared.limits)
        large = world.create(replace(world.request(), size_bytes=larger))
        for made, size in ((small, larger), (large, small.volume.request.size_bytes)):
            request = replace(made.volume.request, size_bytes=size)
            with nothing_changes(world):
                expect_refusal(Conflict, "create with another size", partial(world.driver_create, request))


@requirement("PRV-015", needs=[WitnessPower.SIZE], rests_on=["PRV-002", "PRV-003"])
@given(asked=sizes())
def test_prv_015_a_size_of_the_same_granule_is_no_other_volume(subject: RunningSubject, asked: Size) -> None:
    """`create` of a uuid that exists with another size that rounds to the same MUST raise Conflict, or answer the same
    object with its true size; either way nothing changes.
    """
    with subject.world() as world:
        made = world.create(world.request(asked))
        for size_bytes in same_when_rounded(world, made.volume.request.size_bytes):
            request = replace(made.volume.request, size_bytes=size_bytes)
            with nothing_changes(world):
                told = repeated_with(world, request, made)
            expect_equal("external_id", told.external_id, made.volume.external_id, PLUGIN)
            expect_equal("the size answered", told.size_bytes, made.volume.size_bytes, PLUGIN)


@requirement("PRV-004", needs=[WitnessPower.LUNS], rests_on=["PRV-001"])
@pinned(first=SameName(), second=SameName())
@pinned(first=NameOfLength(255), second=NameOfLength(255))
@pinned(first=NameWith("名前"), second=NameWith("<&>"))
@pinned(first=CapitalName(), second=PlainName())
@given(first=names(), second=names())
def test_prv_004_two_volumes_are_two_luns(subject: RunningSubject, first: Name, second: Name) -> None:
    """Two volumes MUST be two LUNs with ids of their own, whatever their names: long, alike, equal or full of odd
    characters.
    """
    with subject.world() as world:
        one, two = world.create(world.request(name=first)), world.create(world.request(name=second))
        expect(
            one.volume.external_id != two.volume.external_id,
            "two external ids",
            f"{one.volume.external_id}",
            PLUGIN,
        )
        expect(world.lun(one).wwid != world.lun(two).wwid, "two LUNs", world.lun(one).wwid, ARRAY)


@requirement("PRV-005", needs=[WitnessPower.LUNS], rests_on=["PRV-001"], examples=0.5)
@pinned(wrong=WrongSize("too large"))
@pinned(wrong=WrongSize("negative"))
@pinned(wrong=WrongSize("zero"))
@given(wrong=wrong_sizes())
def test_prv_005_a_size_no_lun_can_have_is_refused(subject: RunningSubject, wrong: WrongSize) -> None:
    """`create` with a size of zero, below zero or above the largest MUST raise InvalidRequest and make nothing."""
    with subject.world() as world:
        request = replace(world.request(), size_bytes=wrong.resolve(subject.declared.limits))
        world.store  # noqa: B018  (added before the look at the array)
        with nothing_changes(world):
            expect_refusal(InvalidRequest, f"create with {wrong.kind} size", lambda: world.driver_create(request))


@requirement("PRV-006", needs=[WitnessPower.SIZE], rests_on=["PRV-001"])
def test_prv_006_below_the_smallest_is_as_declared(subject: RunningSubject) -> None:
    """`create` below the smallest LUN MUST be refused or rounded up, as the trait below_minimum declares."""
    with subject.world() as world:
        world.store  # noqa: B018
        below_smallest(world)


@requirement("PRV-007", needs=[WitnessPower.FILL], rests_on=["PRV-001"])
def test_prv_007_no_room_is_said_and_nothing_made(subject: RunningSubject) -> None:
    """`create` on an array without room MUST raise CapacityExhausted and leave nothing, no account either."""
    with subject.world() as world:
        world.store  # noqa: B018
        world.fill(subject.declared.limits.smallest_lun_bytes // 2)
        with nothing_changes(world), nothing_is_left(world):
            expect_refusal(CapacityExhausted, "create without room", lambda: world.driver_create(world.request()))


@requirement("PRV-008", needs=[Need.PROBE], rests_on=["ACC-001", "DEL-001"])
@given(pattern=patterns(), place=places())
def test_prv_008_a_new_lun_reads_as_zeros(subject: RunningSubject, pattern: Pattern, place: Place) -> None:
    """A new LUN MUST read as zeros, also where a deleted volume had data."""
    with subject.world() as world:
        old = world.create()
        host, session = world.access(old)
        offset = place.offset(session.size_bytes, len(pattern.content))
        session.write(offset, pattern.content)
        session.close()
        world.revoke(old, host)
        world.delete(old)
        _, fresh = world.access(world.create())
        expect_bytes("a new LUN", fresh.read(offset, len(pattern.content)), bytes(len(pattern.content)), HOST)


@requirement("PRV-009", needs=[Need.PROBE], rests_on=["ACC-001"])
@given(asked=sizes())
def test_prv_009_the_host_sees_the_asked_size(subject: RunningSubject, asked: Size) -> None:
    """A host MUST see a LUN of at least the asked size, and be told that size by `connection`."""
    with subject.world() as world:
        made = world.create(world.request(asked))
        host, session = world.access(made)
        wanted = lun_bytes(world, made.volume.request.size_bytes)
        expect(session.size_bytes >= wanted, f"a LUN of {wanted} bytes", f"{session.size_bytes}", HOST)
        expect_equal("connection's size", world.connection(made, host).size_bytes, session.size_bytes, PLUGIN)


@requirement("PRV-010", needs=[Need.PROBE], rests_on=["ACC-001"])
def test_prv_010_the_identity_told_is_the_luns_own(subject: RunningSubject) -> None:
    """Where `create` or `connection` tell an identity, it MUST be the one the LUN itself reports."""
    with subject.world() as world:
        world.create()
        made = world.create()
        host, session = world.access(made)
        identity_is_true(made, world.connection(made, host), session)


@requirement("PRV-011", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["PRV-008", "DEL-001", "PRV-002"])
@given(pattern=patterns())
def test_prv_011_a_deleted_uuid_can_be_made_again(subject: RunningSubject, pattern: Pattern) -> None:
    """`create` after `delete` with the same request MUST make a new, empty LUN."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        session.write(0, pattern.content)
        session.close()
        world.revoke(made, host)
        world.delete(made)
        again = world.create(made.volume.request)
        _, fresh = world.access(again, "b")
        expect_bytes("the new LUN", fresh.read(0, len(pattern.content)), bytes(len(pattern.content)), HOST)


@requirement("PRV-012", needs=[Need.PROBE], rests_on=["ACC-001"])
@given(pattern=patterns())
def test_prv_012_volumes_do_not_share_bytes(subject: RunningSubject, pattern: Pattern) -> None:
    """What is written to one volume MUST NOT appear on another."""
    with subject.world() as world:
        one, two = world.create(), world.create()
        _, first = world.access(one)
        _, second = world.access(two)
        first.write(0, pattern.content)
        expect_bytes("the other volume", second.read(0, len(pattern.content)), bytes(len(pattern.content)), HOST)
        expect_bytes("the volume", first.read(0, BLOCK), pattern.content[:BLOCK], HOST)


@requirement("PRV-013", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["PRV-003", "QOS-001"])
@given(first=policies())
def test_prv_013_another_qos_is_a_conflict(subject: RunningSubject, first: QosAt) -> None:
    """`create` of a uuid that exists with another QoS SHOULD raise Conflict, and change nothing."""
    with subject.world() as world:
        made = world.create(world.request(qos=first.resolve(subject.declared.limits)))
        request = replace(made.volume.request, qos=another_qos(world, made.volume.request.qos))
        with nothing_changes(world):
            expect_refusal(Conflict, "create with another QoS", lambda: world.driver_create(request))


@requirement(
    "PRV-014", needs=[Capability.RESIZE, Capability.QOS, WitnessPower.QOS], rests_on=["EXT-001", "QOS-002", "PRV-011"]
)
@given(growth=growths(), policy=policies())
def test_prv_014_a_late_repeat_changes_nothing(subject: RunningSubject, growth: Growth, policy: QosAt) -> None:
    """`create` repeated after the volume has changed MUST leave it as it is, and tell its true size or a Conflict."""
    with subject.world() as world:
        made = world.create()
        world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
        world.set_qos(made, policy.resolve(subject.declared.limits))
        with nothing_changes(world):
            told = late_repeat(world, made)
        expect_equal("the size answered", told, made.volume.size_bytes, PLUGIN)
