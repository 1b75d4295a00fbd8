"""EXT: resize."""

from __future__ import annotations

from typing import Any

from conformance.contract import Capability, CapacityExhausted, InUse, InvalidRequest, WitnessPower
from conformance.expect import (
    ARRAY,
    HOST,
    PLUGIN,
    expect,
    expect_bytes,
    expect_done,
    expect_equal,
    expect_refusal,
    expect_size,
)
from conformance.judgements import lun_bytes, nothing_changes, others_unchanged, qos_is, size_answer_is_true
from conformance.requirement import Need, given, requirement
from conformance.strategies.data import Pattern, Place, patterns, places
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, Size, growths, sizes, within
from conformance.subject import RunningSubject
from conformance.world import Made, World


@requirement("EXT-001", needs=[Capability.RESIZE, WitnessPower.SIZE], rests_on=["PRV-001"])
@given(start=sizes(), growth=growths())
def test_ext_001_resize_grows_to_at_least_the_asked_size(subject: RunningSubject, start: Size, growth: Growth) -> None:
    """`resize` MUST grow the LUN to at least the asked size, less than one granule more, and answer its true size."""
    with subject.world() as world:
        made = world.create(world.request(start))
        world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
        asked = growth.beyond(made.volume.size_bytes, subject.declared.limits)
        answered = world.resize(made, asked)
        lun = world.lun(made)
        expect_size("a LUN", lun.size_bytes, lun_bytes(world, asked), subject.declared.limits.granularity_bytes, ARRAY)
        size_answer_is_true(world, answered, asked, lun)


@requirement("EXT-002", needs=[Capability.RESIZE, Need.PROBE], rests_on=["EXT-001", "ACC-013"])
@given(pattern=patterns(), place=places(), growth=growths())
def test_ext_002_data_survives_a_resize(
    subject: RunningSubject, pattern: Pattern, place: Place, growth: Growth
) -> None:
    """`resize` MUST keep every byte before the old end, and add only zeros."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        offset, old_end = place.offset(session.size_bytes, len(pattern.content)), session.size_bytes
        session.write(offset, pattern.content)
        session.close()
        world.revoke(made, host)
        world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
        host, larger = world.access(made)
        expect_equal("connection's size", world.connection(made, host).size_bytes, larger.size_bytes, PLUGIN)
        expect_bytes("data after a resize", larger.read(offset, len(pattern.content)), pattern.content, HOST)
        new = larger.read(old_end - old_end % larger.block_bytes, larger.block_bytes)
        expect_bytes("space after the old end", new, bytes(larger.block_bytes), HOST)


@requirement("EXT-003", needs=[Capability.RESIZE, WitnessPower.SIZE], rests_on=["EXT-001"])
@given(growth=growths())
def test_ext_003_resize_can_be_repeated(subject: RunningSubject, growth: Growth) -> None:
    """`resize` to the size a volume has MUST succeed and change nothing."""
    with subject.world() as world:
        made = world.create()
        asked = growth.beyond(made.volume.size_bytes, subject.declared.limits)
        world.resize(made, asked)
        with nothing_changes(world):
            expect_done("a repeated resize", lambda: world.resize(made, asked))


@requirement("EXT-004", needs=[Capability.RESIZE, WitnessPower.SIZE], lacks=[Capability.SHRINK], rests_on=["EXT-001"])
@given(start=growths())
def test_ext_004_a_smaller_size_is_refused(subject: RunningSubject, start: Growth) -> None:
    """`resize` to a smaller size MUST raise InvalidRequest and change nothing, unless SHRINK is supported."""
    with subject.world() as world:
        made = world.create()
        first = made.volume.size_bytes
        world.resize(made, start.beyond(first, subject.declared.limits))
        with nothing_changes(world):
            expect_refusal(InvalidRequest, "resize to the size it had", _resize(world, made, first))


@requirement("EXT-005", needs=[Capability.RESIZE, WitnessPower.SIZE], rests_on=["EXT-001"])
@given(beyond=growths())
def test_ext_005_beyond_the_largest_is_refused(subject: RunningSubject, beyond: Growth) -> None:
    """`resize` beyond the largest LUN MUST raise InvalidRequest and change nothing."""
    with subject.world() as world:
        made = world.create()
        limits = subject.declared.limits
        too_large = limits.largest_lun_bytes + beyond.count * limits.granularity_bytes
        with nothing_changes(world):
            expect_refusal(InvalidRequest, "resize beyond the largest", _resize(world, made, too_large))


@requirement("EXT-006", needs=[Capability.RESIZE_ONLINE, Need.PROBE], rests_on=["EXT-001", "ACC-001"])
@given(pattern=patterns(), growth=growths())
def test_ext_006_a_host_sees_the_growth_online(subject: RunningSubject, pattern: Pattern, growth: Growth) -> None:
    """With RESIZE_ONLINE a host that is logged in MUST keep its session and its data and see the new size."""
    with subject.world() as world:
        made = world.create()
        _, session = world.access(made)
        world.access(made, "second")
        session.write(0, pattern.content)
        asked = growth.beyond(made.volume.size_bytes, subject.declared.limits)
        world.resize(made, asked)
        size = expect_done("READ CAPACITY on the old session", lambda: session.size_bytes)
        expect(size >= asked, f"a LUN of {asked} bytes", f"{size}", HOST)
        expect_bytes("data after growing", session.read(0, len(pattern.content)), pattern.content, HOST)


@requirement(
    "EXT-007",
    needs=[Capability.RESIZE, WitnessPower.SIZE],
    lacks=[Capability.RESIZE_ONLINE],
    rests_on=["EXT-001"],
)
@given(growth=growths())
def test_ext_007_without_online_resize_a_used_volume_is_refused(subject: RunningSubject, growth: Growth) -> None:
    """Without RESIZE_ONLINE, `resize` of a volume that a host can reach MUST raise InUse and change nothing."""
    with subject.world() as world:
        made = world.create()
        world.grant(made, world.host())
        asked = growth.beyond(made.volume.size_bytes, subject.declared.limits)
        with nothing_changes(world):
            expect_refusal(InUse, "resize while granted", _resize(world, made, asked))


@requirement("EXT-008", needs=[Capability.RESIZE, WitnessPower.SIZE], rests_on=["EXT-001"])
@given(growth=growths())
def test_ext_008_only_the_volume_meant_grows(subject: RunningSubject, growth: Growth) -> None:
    """`resize` MUST leave every other volume as it is."""
    with subject.world() as world:
        _before, made, _after = world.create(), world.create(), world.create()
        with others_unchanged(world, made):
            world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))


@requirement("EXT-009", needs=[Capability.RESIZE, WitnessPower.FILL], rests_on=["EXT-001", "PRV-007"])
def test_ext_009_no_room_to_grow_is_said(subject: RunningSubject) -> None:
    """`resize` on an array without room MUST raise CapacityExhausted and change nothing."""
    with subject.world() as world:
        made = world.create()
        limits = subject.declared.limits
        asked = within(made.volume.size_bytes + 4 * limits.granularity_bytes, limits)
        world.fill(limits.granularity_bytes)
        with nothing_changes(world):
            expect_refusal(CapacityExhausted, "resize without room", _resize(world, made, asked))


@requirement(
    "EXT-010", needs=[Capability.RESIZE, WitnessPower.ACCESS], rests_on=["EXT-001", "ACC-001", "LEK-002", "QOS-001"]
)
@given(growth=growths(), policy=policies())
def test_ext_010_resize_changes_nothing_but_the_size(subject: RunningSubject, growth: Growth, policy: QosAt) -> None:
    """`resize` MUST keep the volume's QoS, its owner and its identity."""
    with subject.world() as world:
        qos = policy.resolve(subject.declared.limits) if subject.supports(Capability.QOS) else world.request().qos
        made = world.create(world.request(qos=qos))
        before = world.lun(made)
        world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
        after = world.lun(made)
        expect_equal("QoS", after.qos, before.qos, ARRAY)
        expect_equal("identity", after.wwid, before.wwid, ARRAY)
        owners = [each.owner_uuid for each in world.driver.list_objects(world.store)]
        expect_equal("owners listed", owners, [made.uuid], PLUGIN)
        qos_is(world, made, qos)


@requirement("EXT-011", needs=[Capability.RESIZE], rests_on=["EXT-001", "ACC-001"])
@given(growth=growths())
def test_ext_011_a_connection_tells_the_size_of_now(subject: RunningSubject, growth: Growth) -> None:
    """`connection` MUST tell the size that the LUN has, also to a caller whose record of the volume is older."""
    with subject.world() as world:
        made, host = world.create(), world.host()
        recorded = made.volume
        world.resize(made, growth.beyond(recorded.size_bytes, subject.declared.limits))
        world.grant(made, host)
        told = expect_done("connection", lambda: world.driver.connection(world.store, recorded, host))
        expect_equal("the size told", world.block(told).size_bytes, made.volume.size_bytes, PLUGIN)


def _resize(world: World, made: Made, size_bytes: int) -> Any:
    resizer: Any = world.driver
    return lambda: resizer.resize(world.store, made.volume, size_bytes)
