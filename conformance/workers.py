"""Requirements tried side by side, in processes of their own: the same verdicts, sooner.

Each worker opens plugin and environment for itself, so this is for simulated environments only: on an array that is
not, one process keeps the journal and the budgets.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from conformance.asked import Asked
from conformance.catalogue import catalogue, foundations
from conformance.chronicle import Chronicle
from conformance.errors import KitError
from conformance.opening import opened
from conformance.requirement import Requirement
from conformance.run import run_requirement
from conformance.session import blocked, seen_to_fail
from conformance.subject import RunningSubject
from conformance.verdict import Outcome

_LEAVE_SECONDS: Final = 5.0
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Task:
    """A requirement to try, by its id."""

    identifier: str
    seed: int
    shrink: bool


def work(connection: Connection, asked: Asked, inherited: Sequence[Connection] = ()) -> None:
    """What a worker does until its pipe is closed: the one who hands out tasks has heard Ctrl-C, or is gone.

    `inherited`: ends of pipes that came with a fork. While they are open, nobody is ever gone.
    """
    for each in inherited:
        each.close()
    for number in _ENDINGS:
        # A whole group may be told to end: who handed out the work ends it, with a report.
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
    with suppress(EOFError, BrokenPipeError):
        # Once there is a task, whatever can be wrong with the asking has been found by who hands it out.
        task: Task = connection.recv()
        with opened(asked) as subject:
            requirements, ground = subject.profile.seen(catalogue()), subject.ground()
            while True:
                one = requirements[task.identifier]
                outcome = run_requirement(one, subject, ground=ground, seed=task.seed, shrink=task.shrink)
                bare = replace(outcome, requirement=None)  # type: ignore[arg-type]  # no function is sent
                connection.send((bare, subject.chronicle.taken()))
                task = connection.recv()


class _Worker:
    def __init__(self, asked: Asked, earlier: Sequence[_Worker]) -> None:
        self.connection, theirs = multiprocessing.Pipe()
        self._process = _process(theirs, asked, [each.connection for each in (*earlier, self)])
        # Heard between its start and its first line, a signal would end it with a traceback.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
        theirs.close()
        self.task: Task | None = None

    def give(self, task: Task) -> None:
        self.task = task
        with suppress(BrokenPipeError):  # that it is gone is seen when its answer is waited for
            self.connection.send(task)

    def answer(self) -> tuple[Outcome, Chronicle]:
        try:
            answer: tuple[Outcome, Chronicle] = self.connection.recv()
        except (EOFError, ConnectionError):
            what = self.task.identifier if self.task else "starting"
            raise KitError(f"a worker died while it was at {what}; --workers 1 tries it in this process") from None
        return answer

    def leave(self) -> None:
        self.connection.close()
        self._process.join(_LEAVE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _process(connection: Connection, asked: Asked, open_ends: Sequence[Connection]) -> BaseProcess:
    """A copy of this process, which has imported everything, where that is safe: as long as it has no other thread."""
    if sys.platform == "linux" and threading.active_count() == 1:
        forking = multiprocessing.get_context("fork")
        return forking.Process(target=work, args=(connection, asked, open_ends), daemon=True)
    return multiprocessing.get_context("spawn").Process(target=work, args=(connection, asked), daemon=True)


@contextmanager
def side_by_side(asked: Asked, count: int) -> Iterator[SideBySide]:
    """So many workers, for one run. Best before anything else is started: see `_process`."""
    workers: list[_Worker] = []
    try:
        for _ in range(count):
            workers.append(_Worker(asked, workers))
        yield SideBySide(workers)
    finally:
        for worker in workers:
            worker.leave()


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Workers for one run; called as `session.attempts` is."""

    workers: Sequence[_Worker]

    def __call__(
        self,
        subject: RunningSubject,
        order: Sequence[Requirement],
        requirements: Mapping[str, Requirement],
        *,
        seed: int = 0,
        waived: Collection[str] = (),
    ) -> Iterator[Outcome]:
        """Outcomes as they come; what rests on one that was seen to fail by then is BLOCKED."""
        line = _Line(subject, order, requirements, lambda one: Task(one.id, seed, one.id not in waived))
        return line.judged(self.workers)


class _Line:
    """Requirements that wait, in their order."""

    def __init__(
        self,
        subject: RunningSubject,
        order: Sequence[Requirement],
        requirements: Mapping[str, Requirement],
        task: Callable[[Requirement], Task],
    ) -> None:
        self._waiting, self._requirements, self._task = list(order), requirements, task
        self._ground, self._chronicle = subject.ground(), subject.chronicle
        self._failed: set[str] = set()

    def judged(self, workers: Sequence[_Worker]) -> Iterator[Outcome]:
        while self._waiting or any(each.task for each in workers):
            for worker in workers:
                if worker.task is None:
                    yield from self._hand_out(worker, {each.task.identifier for each in workers if each.task})
            yield from self._heard([each for each in workers if each.task])

    def _hand_out(self, worker: _Worker, running: set[str]) -> Iterator[Outcome]:
        """Give it the next requirement that rests on none that is being tried just now."""
        for one in list(self._waiting):
            below = foundations(one.id, self._requirements)
            if below & running:
                continue
            self._waiting.remove(one)
            outcome = blocked(one, below & self._failed, self._ground, self._requirements)
            if outcome is None:
                worker.give(self._task(one))
                return
            yield outcome

    def _heard(self, busy: Sequence[_Worker]) -> Iterator[Outcome]:
        by_connection: dict[object, _Worker] = {each.connection: each for each in busy}
        for ready in wait([each.connection for each in busy]) if busy else ():
            worker = by_connection[ready]
            (outcome, seen), task = worker.answer(), worker.task
            self._chronicle.take_in(seen)
            worker.task = None
            if task is not None:
                outcome = replace(outcome, requirement=self._requirements[task.identifier])
                self._failed |= seen_to_fail(outcome)
                yield outcome
