"""Two calls that meet: the second goes as far as it can between two requests of the first."""

from __future__ import annotations

import threading

import pytest

from conformance.context import Locks
from conformance.contract import Busy
from conformance.world.meeting import Beside, ending_of


def test_a_call_beside_ends_before_the_other_goes_on() -> None:
    seen: list[str] = []
    beside = Beside(lambda: seen.append("second"), Locks())
    beside.go()
    seen.append("first goes on")
    beside.end()
    assert seen == ["second", "first goes on"]


def test_a_call_that_waits_for_a_lock_lets_the_other_go_on() -> None:
    locks, seen = Locks(), list[str]()

    def second() -> None:
        with locks.lock("shared"):
            seen.append("second")

    beside = Beside(second, locks)
    with locks.lock("shared"):
        beside.go()
        seen.append("first goes on")
    beside.end()
    assert seen == ["first goes on", "second"]


def test_a_call_that_waits_for_what_nobody_tells_of_lets_the_other_go_on_too() -> None:
    lets_go = threading.Event()
    beside = Beside(lets_go.wait, Locks())
    beside.go()
    lets_go.set()
    assert beside.end().answer is True


def test_a_call_that_never_began_is_made_at_the_end() -> None:
    assert Beside(lambda: 7, Locks()).end().answer == 7


def test_an_error_of_the_contract_is_how_a_call_ends() -> None:
    busy = Busy(1.0)

    def refuse() -> None:
        raise busy

    assert ending_of(refuse).error is busy
    assert Beside(refuse, Locks()).end().error is busy


def test_any_other_error_is_raised_where_the_call_is_awaited() -> None:
    def fail() -> None:
        raise RuntimeError("stray")

    beside = Beside(fail, Locks())
    beside.go()
    with pytest.raises(RuntimeError, match="stray"):
        beside.end()
