"""SPC: a store's capacity."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from hypothesis import strategies as st

from conformance.contract import Capability, CapacityExhausted, WitnessPower
from conformance.expect import expect_done, expect_refusal
from conformance.judgements import (
    last_room_is_given_once,
    lun_bytes_made,
    nothing_changes,
    stats_are_true,
    usage_is_true,
)
from conformance.requirement import Need, given, requirement
from conformance.strategies.data import BLOCK, Pattern, patterns
from conformance.strategies.sizes import Granules, Growth, growths, within
from conformance.subject import RunningSubject
from conformance.world import Made, World


@requirement("SPC-001", needs=[Need.CAPACITY, WitnessPower.LUNS], rests_on=["PRV-001", "LEK-003"], examples=3)
@given(volumes=st.integers(0, 3))
def test_spc_001_a_full_store_takes_no_more_volumes(subject: RunningSubject, volumes: int) -> None:
    """`create` beyond the store's capacity MUST raise CapacityExhausted and make nothing, not even in the trash."""
    with subject.world() as world:
        _filled(world, volumes)
        with nothing_changes(world):
            request = replace(world.request(), size_bytes=subject.declared.limits.smallest_lun_bytes)
            expect_refusal(CapacityExhausted, "create in a full store", lambda: world.driver_create(request))
        usage_is_true(world)


@requirement("SPC-003", needs=[Need.CAPACITY, WitnessPower.LUNS], rests_on=["PRV-001"])
def test_spc_003_what_fits_exactly_is_made(subject: RunningSubject) -> None:
    """`create` MUST succeed as long as the store has room, down to the last byte."""
    with subject.world() as world:
        world.use(world.store_request(capacity_bytes=world.size(Granules(0)) * 2))
        for _ in range(2):
            expect_done("create in a store with just enough room", lambda: world.driver_create(world.request()))


@requirement("SPC-002", needs=[Need.CAPACITY, Capability.RESIZE, WitnessPower.LUNS], rests_on=["SPC-001", "EXT-001"])
def test_spc_002_a_full_store_takes_no_growth(subject: RunningSubject) -> None:
    """`resize` beyond the store's capacity MUST raise CapacityExhausted and change nothing."""
    with subject.world() as world:
        made = _filled(world, 3)[-1]
        size = within(made.volume.size_bytes * 2, subject.declared.limits)
        with nothing_changes(world):
            expect_refusal(
                CapacityExhausted,
                "growing in a full store",
                lambda: world.driver.resize(world.store, made.volume, size),  # type: ignore[attr-defined]
            )


@requirement("SPC-005", needs=[Need.CAPACITY, Capability.RESIZE, WitnessPower.SIZE], rests_on=["SPC-002", "SPC-003"])
@given(growth=growths())
def test_spc_005_growth_needs_room_for_the_difference(subject: RunningSubject, growth: Growth) -> None:
    """`resize` MUST succeed as long as the store has room for the difference, down to the last byte, also with a
    neighbour, repeated, or to the same size.
    """
    with subject.world() as world:
        size_bytes = world.size(Granules(0))
        larger = growth.beyond(size_bytes, subject.declared.limits)
        room = sum(lun_bytes_made(world, each) for each in (size_bytes, larger))
        world.use(world.store_request(capacity_bytes=room))
        _neighbour, made = world.create(), world.create()
        for asked in (size_bytes, larger, larger):
            expect_done("growing into the last of the room", partial(world.resize, made, asked))
        usage_is_true(world)


@requirement("SPC-004", needs=[Capability.VOLUME_STATS, WitnessPower.SIZE, Need.PROBE], rests_on=["PRV-001", "ACC-001"])
@given(pattern=patterns(), growth=growths())
def test_spc_004_volume_stats_are_true(subject: RunningSubject, pattern: Pattern, growth: Growth) -> None:
    """`volume_stats` MUST tell what this volume has: its size, and at least what was written to it; or unknown."""
    with subject.world() as world:
        _empty, made = world.create(), world.create()
        stats_are_true(world, made, 0)
        world.put(made, 0, pattern.content)
        stats_are_true(world, made, BLOCK)
        larger = growth.beyond(made.volume.size_bytes, subject.declared.limits)
        stats_are_true(world, world.create(replace(world.request(), size_bytes=larger)), 0)


def _filled(world: World, volumes: int) -> list[Made]:
    """A store that is one byte short of room for one volume more than there are in it."""
    world.use(world.store_request(capacity_bytes=world.size(Granules(0)) * (volumes + 1) - 1))
    return [world.create() for _ in range(volumes)]


@requirement(
    "SPC-006", needs=[Need.CAPACITY, Need.ENDPOINT, WitnessPower.LUNS], rests_on=["SPC-001", "SPC-003", "OPS-016"]
)
def test_spc_006_the_last_room_is_given_once(subject: RunningSubject) -> None:
    """Two creates at one time, by two instances, SHOULD NOT both be made in a store with room for one."""
    with subject.world() as world:
        last_room_is_given_once(world, world.use(world.store_request(capacity_bytes=world.size(Granules(0)))))
