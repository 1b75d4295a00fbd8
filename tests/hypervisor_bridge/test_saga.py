"""Mirror-image undo."""

from __future__ import annotations

import pytest

from conformance.contract import HypervisorFault
from hypervisor_bridge.parallel import run_all
from hypervisor_bridge.saga import Saga
from tests.hypervisor_bridge.memory_ledger import MemoryLedger


def _fault(host: str = "h") -> HypervisorFault:
    return HypervisorFault("X", host, "call", "it broke")


def _fail(error: Exception) -> None:
    raise error


def test_steps_are_undone_in_reverse_with_the_one_that_failed() -> None:
    undone: list[int] = []

    def three_steps() -> None:
        with Saga(MemoryLedger()) as saga:
            saga.step(lambda: None, lambda: undone.append(1))
            saga.step(lambda: None, lambda: undone.append(2))
            saga.step(lambda: _fail(_fault()), lambda: undone.append(3))

    with pytest.raises(HypervisorFault) as caught:
        three_steps()
    assert undone == [3, 2, 1]
    assert caught.value.undo_errors == ()


def test_undo_errors_are_attached_and_do_not_stop_the_others() -> None:
    undone: list[int] = []

    def two_steps() -> None:
        with Saga(MemoryLedger()) as saga:
            saga.step(lambda: None, lambda: undone.append(1))
            saga.step(lambda: None, lambda: _fail(_fault("undo")))
            raise _fault()

    with pytest.raises(HypervisorFault, match="undo also failed: X host undo") as caught:
        two_steps()
    assert undone == [1]
    assert len(caught.value.undo_errors) == 1


def test_what_is_made_is_recorded_before_and_forgotten_only_after_its_undo() -> None:
    ledger = MemoryLedger()
    seen: list[bool] = []

    def make(undo_error: Exception | None) -> None:
        with Saga(ledger) as saga:
            saga.make(
                "key",
                {"a": "b"},
                lambda: seen.append("key" in ledger.kept),
                lambda: None if undo_error is None else _fail(undo_error),
            )
            raise _fault()

    with pytest.raises(HypervisorFault):
        make(None)
    assert seen == [True]
    assert ledger.kept == {}
    with pytest.raises(HypervisorFault):
        make(_fault())
    assert ledger.kept == {"key": {"a": "b"}}


def test_notes_and_forgotten_entries_come_back() -> None:
    ledger = MemoryLedger()
    ledger.record("old", {"n": "1"})
    ledger.record("gone", {"n": "2"})
    before = dict(ledger.kept)

    def change() -> None:
        with Saga(ledger) as saga:
            saga.note("old", {"n": "3"})
            saga.note("new", {"n": "4"})
            saga.forget("gone")
            raise _fault()

    with pytest.raises(HypervisorFault):
        change()
    assert ledger.kept == before


def test_a_killed_process_undoes_nothing() -> None:
    undone: list[int] = []

    def interrupted() -> None:
        with Saga(MemoryLedger()) as saga:
            saga.step(lambda: None, lambda: undone.append(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert undone == []


@pytest.mark.parametrize("limit", [1, 4])
def test_when_one_branch_fails_all_are_undone_and_their_undo_errors_told(limit: int) -> None:
    undone: list[str] = []

    def undo(host: str) -> None:
        undone.append(host)
        if host == "a":
            raise _fault(host)

    def work(host: str, saga: Saga) -> None:
        saga.step(lambda: None, lambda: undo(host))
        if host in ("b", "c"):
            raise _fault(host)

    def everywhere() -> None:
        with Saga(MemoryLedger()) as saga:
            saga.branch(["a", "b", "c"], work, limit)

    with pytest.raises(HypervisorFault, match=r"also failed: X host c") as caught:
        everywhere()
    assert sorted(undone) == ["a", "b", "c"]
    assert caught.value.host == "b"
    assert len(caught.value.undo_errors) == 1


def test_every_failure_is_told_also_of_errors_that_are_not_the_bridges() -> None:
    with pytest.raises(ValueError, match="1") as caught:
        run_all([1, 2], lambda number: _fail(ValueError(str(number))), 1)
    assert caught.value.__notes__ == ["also failed: 2"]
    assert run_all([1, 2, 3], lambda number: number * 2, 2) == [2, 4, 6]
