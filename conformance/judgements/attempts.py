"""Operations that were broken off: what they say is so, and what they did not do can be done again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from conformance.contract import BridgeInventory, OperationCancelled
from conformance.expect import ARRAY, HYPERVISOR, PLUGIN, broken, expect_done, expect_equal, expect_none, expect_size
from conformance.judgements.array import facts, is_as_before
from conformance.judgements.sizes import lun_bytes
from conformance.strategies.faults import Cut, Silence
from conformance.world import Made, World
from conformance.world.instances import Attempt

_MOST_CALLS: Final = 16
T = TypeVar("T")


def tried_twice(world: World, cut: Cut, what: str, act: Callable[[], T], judge: Callable[[], object]) -> T:
    """Broken off, then repeated. Whenever it returns without an error, `judge` finds its whole effect there.

    Answers what the repetition answered.
    """
    with world.broken_off(cut) as attempt:
        act()
    return _ended(attempt, what, act, judge)


def given_up_and_repeated(
    world: World, nth: int, what: str, act: Callable[[], object], judge: Callable[[], object]
) -> None:
    """The caller gives up; what is not done then is left with `OperationCancelled`, and can be done again."""
    with world.given_up(nth) as attempt:
        act()
    error = attempt.error
    if error is not None and not isinstance(error, OperationCancelled):
        broken(f"{what} to let OperationCancelled out", f"{type(error).__name__}: {error}", PLUGIN)
    _ended(attempt, what, act, judge)


def _ended(attempt: Attempt, what: str, act: Callable[[], T], judge: Callable[[], object]) -> T:
    if attempt.error is None:
        judge()
    answer = expect_done(f"the repeated {what}", act)
    judge()
    return answer


def refused_at_each_call(
    world: World, prepare: Callable[[], T], act: Callable[[T], object], judge: Callable[[T], object]
) -> None:
    """A bridge refuses its first call, and all is done again; then its second, and so on as long as there are more."""
    for nth in range(_MOST_CALLS):
        prepared = prepare()
        refused_or_done(world, Silence(nth), partial(act, prepared), partial(judge, prepared))
        if not world.bridge_breaks.has_failed:
            return


def refused_at_each_call_of(world: World, act: Callable[[], object], judge: Callable[[], object]) -> None:
    """A bridge refuses the first call that this makes, then its second, and so on; what is judged holds each time."""
    for nth in range(_MOST_CALLS):
        with world.failing_bridge(Silence(nth)):
            act()
        judge()
        if not world.bridge_breaks.has_failed:
            return


def refused_or_done(world: World, silence: Silence, act: Callable[[], object], judge: Callable[[], object]) -> None:
    """While one call of a bridge fails: what raises no error has had its whole effect, and so has what is repeated."""
    with world.failing_bridge(silence) as errors:
        act()
    if not errors:
        judge()
    expect_done("the repeated call", act)
    judge()


def whole_or_as_before(world: World, silence: Silence, act: Callable[[], object]) -> None:
    """While one call of a bridge fails: what raises an error leaves array and hosts as they were."""
    before, held = facts(world.own_view()), world.inventory()
    with world.failing_bridge(silence) as errors:
        act()
    if errors:
        is_as_before(world, before)
        none_left_on_hosts(world, held)


def none_left_on_hosts(world: World, held: BridgeInventory) -> None:
    """The hypervisor's hosts have no more storage than they held."""
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
