"""Forward steps, and their mirror images when one of them fails.

A step is known to the saga *before* it runs, because a call whose reply was lost has happened all the same;
so undoing must accept that there is nothing to undo. Before a change, what will be made is written to the
ledger; after its undo it is forgotten, and kept when the undo failed. Only errors undo: a process that is
killed (or interrupted) leaves its ledger, and the repeated call goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TypeVar

from conformance.contract import BridgeError, BridgeLedger

from .parallel import run_all

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")


class UndoFailed(Exception):
    """Several branches could not be undone."""

    def __init__(self, errors: Sequence[Exception]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(each) for each in errors))


class Saga:
    """Use it as ``with Saga(ledger) as saga``: leaving the block with an error undoes every step, last first."""

    def __init__(self, ledger: BridgeLedger) -> None:
        self._ledger = ledger
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> Saga:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            attach_undo_errors(error, self.undo())

    def step(self, forward: Callable[[], T], undo: Callable[[], object]) -> T:
        """Run a step whose effect `undo` takes back; `undo` must succeed when there is nothing to take back."""
        self._undo.append(undo)
        return forward()

    def make(self, key: str, entry: Mapping[str, str], forward: Callable[[], T], undo: Callable[[], object]) -> T:
        """Make something that the ledger keeps as ours: recorded before, forgotten after its undo."""

        def undo_and_forget() -> None:
            undo()
            self._ledger.forget(key)

        self._undo.append(undo_and_forget)
        self._ledger.record(key, entry)
        return forward()

    def note(self, key: str, entry: Mapping[str, str]) -> None:
        """Write to the ledger; undone by what stood there before."""
        self.step(lambda: self._ledger.record(key, entry), self._restore(key))

    def forget(self, key: str) -> None:
        """Drop a ledger entry; undone by writing it again."""
        self.step(lambda: self._ledger.forget(key), self._restore(key))

    def branch(self, items: Sequence[Item], work: Callable[[Item, Saga], Result], limit: int) -> list[Result]:
        """Do the work for every item at once, at most `limit` together; if one fails, all are undone."""
        branches = [Saga(self._ledger) for _ in items]
        pairs = list(zip(items, branches, strict=True))
        return self.step(lambda: run_all(pairs, lambda pair: work(*pair), limit), lambda: _undo_all(branches, limit))

    def undo(self) -> tuple[Exception, ...]:
        """Undo all steps in reverse; the errors of those that could not be."""
        errors: list[Exception] = []
        while self._undo:
            try:
                self._undo.pop()()
            except UndoFailed as failed:
                errors.extend(failed.errors)
            except Exception as error:
                errors.append(error)
        return tuple(errors)

    def _restore(self, key: str) -> Callable[[], None]:
        before = self._ledger.entries(key).get(key)
        if before is None:
            return lambda: self._ledger.forget(key)
        kept = dict(before)
        return lambda: self._ledger.record(key, kept)


def attach_undo_errors(error: Exception, undo_errors: tuple[Exception, ...]) -> None:
    """Let the original error tell what could not be undone."""
    if isinstance(error, BridgeError):
        error.undo_errors += undo_errors
        return
    for each in undo_errors:
        error.add_note(f"undo also failed: {each}")


def _undo_all(branches: Sequence[Saga], limit: int) -> None:
    errors = [error for each in run_all(branches, Saga.undo, limit) for error in each]
    if errors:
        raise UndoFailed(errors)
