"""Operations that were broken off: what they say is so, and what they did not do can be done again."""

from __future__ import annotations

from collections.abc import Callable

from conformance.expect import ARRAY, HYPERVISOR, expect_done, expect_equal, expect_none, expect_size
from conformance.judgements.array import facts, is_as_before
from conformance.judgements.sizes import lun_bytes
from conformance.strategies.faults import Cut, Silence
from conformance.world import Made, World


def tried_twice(world: World, cut: Cut, what: str, act: Callable[[], object], judge: Callable[[], object]) -> None:
    """Broken off, then repeated. Whenever it returns without an error, `judge` finds its whole effect there."""
    with world.broken_off(cut) as attempt:
        act()
    if attempt.error is None:
        judge()
    expect_done(f"the repeated {what}", act)
    judge()


def whole_or_as_before(world: World, silence: Silence, act: Callable[[], object]) -> None:
    """While one call of a bridge fails: what raises an error leaves array and hosts as they were."""
    before, held = facts(world.own_view()), world.inventory()
    with world.failing_bridge(silence) as errors:
        act()
    if errors:
        is_as_before(world, before)
        left = sorted(f"{each.kind} {each.name}" for each in world.inventory().items - held.items)
        expect_none("storage left on a host", left, HYPERVISOR)


def count_is(world: World, *, luns: int | None = None, snapshots: int | None = None) -> None:
    """So many LUNs, or snapshots, were made in this world and are there."""
    if luns is not None:
        expect_equal("LUNs", len(world.new_luns()), luns, ARRAY)
    if snapshots is not None:
        expect_equal("snapshots", len(world.new_snapshots()), snapshots, ARRAY)


def is_as_large(world: World, made: Made, asked: int) -> None:
    """The LUN is as large as asked, less than a granule more."""
    granule = world.subject.declared.limits.granularity_bytes
    expect_size("a LUN", world.lun(made).size_bytes, lun_bytes(world, asked), granule, ARRAY)
