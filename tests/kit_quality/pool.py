"""Warm worker processes, each with a bench of its own, and a deadline for each job.

A worker that does not answer in time is killed and replaced: what hangs in a plugin's thread hangs there for good.
"""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, Self

from tests.kit_quality.bench import Bench, Run

_START_SECONDS: Final = 60.0
_READY: Final = "ready"
DEADLINE: Final = "deadline"


@dataclass(frozen=True, slots=True)
class Job:
    """`kind` is a method of the bench; `seconds` is how long it may take.

    A fault is tried with the requirements `only`; the others have the verdicts of the unbroken base. `is_near`: these
    are only its own and what that rests on.
    """

    kind: str
    name: str
    only: Sequence[str] = ()
    unbroken: Mapping[str, str] = field(default_factory=dict)
    with_threads: bool = False
    seconds: float = 120.0
    is_near: bool = False


def work(connection: Connection, make: Callable[[], Bench]) -> None:
    """What a worker does until nothing more comes."""
    with make() as bench:
        connection.send(_READY)
        # What is loaded by now stays: no need to look at it again and again.
        gc.freeze()
        gc.disable()
        while (job := connection.recv()) is not None:
            connection.send(_done(bench, job))


def _done(bench: Bench, job: Job) -> Run:
    try:
        if job.kind == "fault":
            return bench.fault(job.name, job.only, job.unbroken, with_threads=job.with_threads)
        made: Run = getattr(bench, job.kind)(job.name)
    except Exception as error:
        return Run(job.name, {}, (), 0.0, error=f"{type(error).__name__}: {error}")
    return made


class _Worker:
    def __init__(self, make: Callable[[], Bench]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=work, args=(theirs, make), daemon=True)
        self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.is_ready = False
        self.began = time.monotonic()

    def give(self, job: Job) -> None:
        self.job, self.began = job, time.monotonic()
        self.connection.send(job)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


class Pool:
    """So many workers. Use it as a context manager."""

    def __init__(self, workers: int, seed: int, asked: Sequence[str] = (), *, is_shuffled: bool = False) -> None:
        self._make = partial(Bench, seed, asked, is_shuffled=is_shuffled)
        self._workers = [self._worker() for _ in range(workers)]

    def _worker(self) -> _Worker:
        return _Worker(self._make)

    def run(self, jobs: Iterable[Job], listen: Callable[[Job, Run], None]) -> None:
        """Do all jobs, in no particular order; each result is told when it is there."""
        waiting = deque(jobs)
        while waiting or any(each.job for each in self._workers):
            for worker in self._workers:
                if worker.is_ready and worker.job is None and waiting:
                    worker.give(waiting.popleft())
            self._await_one(listen)

    def _await_one(self, listen: Callable[[Job, Run], None]) -> None:
        by_connection = {each.connection: each for each in self._workers}
        for ready in wait(list(by_connection), timeout=0.2):
            self._receive(by_connection[ready], listen)  # type: ignore[index]
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.is_ready and worker.job and now - worker.began > worker.job.seconds:
                self._give_up(worker, DEADLINE, listen)
            elif not worker.is_ready and now - worker.began > _START_SECONDS:
                raise RuntimeError(f"a worker did not start within {_START_SECONDS:g} s")

    def _receive(self, worker: _Worker, listen: Callable[[Job, Run], None]) -> None:
        try:
            said = worker.connection.recv()
        except EOFError:
            if not worker.is_ready:
                raise RuntimeError("a worker could not start; its error is above") from None
            self._give_up(worker, "its worker died", listen)
            return
        if said == _READY:
            worker.is_ready = True
            return
        job, worker.job = worker.job, None
        if job is not None:
            listen(job, said)

    def _give_up(self, worker: _Worker, why: str, listen: Callable[[Job, Run], None]) -> None:
        job, seconds = worker.job, time.monotonic() - worker.began
        worker.stop()
        self._workers[self._workers.index(worker)] = self._worker()
        if job is not None:
            listen(job, Run(job.name, {}, (), seconds, error=why))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._workers:
            each.stop()
