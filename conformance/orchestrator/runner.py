"""Carries out user operations: journal, steps, and the way back when one fails."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .cloud import Cloud
from .errors import ObjectBusy
from .steps import BOOKKEEPING, UNDO, Step, StepHooks, UserOperation


class Runner:
    """Runs operations against one database.

    The order is always: one transaction that checks, claims and journals; the steps; one transaction that
    writes the outcome. Whatever the process dies in, the journal's row says that something is to be carried
    on.
    """

    def __init__(self, cloud: Cloud, hooks: StepHooks) -> None:
        self._cloud, self._hooks = cloud, hooks
        self._running: set[int] = set()
        self._guard = threading.Lock()

    def run(self, operation: UserOperation) -> None:
        """Carry out a new operation; raises what stopped it, after having undone what had been done."""
        self._begin(operation)
        try:
            self._hooks.operation_began(operation.kind, operation.id, operation.object_uuid)
            self._forward(operation)
        finally:
            self._leave(operation.id)

    def carry_on(self, operation: UserOperation, *, is_undoing: bool) -> str:
        """Carry on an operation that was interrupted or parked; says how it ended."""
        if not self._take_over(operation):
            return "is being worked on by another operation"
        try:
            self._hooks.operation_began(operation.kind, operation.id, operation.object_uuid)
            return self._carried_on(operation, is_undoing=is_undoing)
        finally:
            self._leave(operation.id)

    def is_running(self, operation_id: int) -> bool:
        """Whether a thread of this process works on it."""
        with self._guard:
            return operation_id in self._running

    def _begin(self, operation: UserOperation) -> None:
        journal = self._cloud.journal
        with self._guard, self._cloud.database.transaction():
            operation.id = journal.open(operation.kind, operation.object_uuid)
            journal.claim(operation.id, operation.begin())
            journal.set_arguments(operation.id, operation.arguments())
            journal.supersede(operation.id, operation.object_uuid)
            self._running.add(operation.id)

    def _take_over(self, operation: UserOperation) -> bool:
        journal = self._cloud.journal
        try:
            with self._guard, self._cloud.database.transaction():
                journal.release(operation.id)
                journal.claim(operation.id, operation.claims())
                self._running.add(operation.id)
        except ObjectBusy:
            return False
        return True

    def _leave(self, operation_id: int) -> None:
        with self._guard:
            self._running.discard(operation_id)

    def _carried_on(self, operation: UserOperation, *, is_undoing: bool) -> str:
        if is_undoing:
            problem = self._back(operation)
            self._hooks.operation_ended(operation.kind, operation.id, problem)
            return "undone" if problem is None else f"could not be undone: {problem}"
        try:
            self._forward(operation)
        except Exception as error:
            return "; ".join([f"failed: {error}", *getattr(error, "__notes__", ())])
        return "finished"

    def _forward(self, operation: UserOperation) -> None:
        try:
            self._walk(operation.kind, operation.steps())
        except Exception as error:
            self._give_up(operation, error)
            self._hooks.operation_ended(operation.kind, operation.id, error)
            raise
        with self._cloud.database.transaction():
            operation.finish()
            self._cloud.journal.close(operation.id)
        self._hooks.operation_ended(operation.kind, operation.id, None)

    def _give_up(self, operation: UserOperation, error: Exception) -> None:
        if operation.undo_steps() is None:
            self._park(operation)
            error.add_note(f"{operation.kind} {operation.object_uuid} is left to be repeated or recovered")
            return
        with self._cloud.database.transaction():
            self._cloud.journal.turn(operation.id)
        problem = self._back(operation)
        if problem is not None:
            error.add_note(f"undoing {operation.kind} {operation.object_uuid} also failed: {problem}")

    def _back(self, operation: UserOperation) -> Exception | None:
        """Undo, and stop at the first step that fails: revoking under a mounted datastore would lose data."""
        try:
            self._walk(UNDO + operation.kind, operation.undo_steps() or ())
        except Exception as problem:
            self._park(operation)
            return problem
        with self._cloud.database.transaction():
            operation.undone()
            self._cloud.journal.close(operation.id)
        return None

    def _park(self, operation: UserOperation) -> None:
        with self._cloud.database.transaction():
            operation.stuck()
            self._cloud.journal.release(operation.id)

    def _walk(self, name: str, steps: Sequence[Step]) -> None:
        planned = self._hooks.plan(name, steps)
        for index, step in enumerate(planned):
            self._hooks.before_step(name, step.name, index)
            step.do()
        self._hooks.before_step(name, BOOKKEEPING, len(planned))
