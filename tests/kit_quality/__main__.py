"""`python -m tests.kit_quality`: run the corpus and say how good the kit is.

For plugins that are right there is `python -m tests.variants`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from conformance.catalogue import catalogue, foundations
from conformance.requirement import Requirement
from conformance.session import choose
from tests.faulty_providers.corpus import all_faults
from tests.faulty_providers.fault import Fault
from tests.faulty_providers.faulty import BASES
from tests.kit_quality import told
from tests.kit_quality.bench import Run, needs_sockets
from tests.kit_quality.pool import DEADLINE, Job, Pool
from tests.kit_quality.reach import seen_from
from tests.kit_quality.tally import Tally, differences, tried

_FAULT_SECONDS: Final = 60.0
_WHOLE_SECONDS: Final = 300.0


def chosen(faults: Sequence[Fault], only: Sequence[str]) -> list[Fault]:
    """Faults by requirement id, area, or any words of their name; all when nothing is named."""
    return [
        each
        for each in faults
        if not only
        or any(word in {each.requirement, each.requirement[:3]} or word.lower() in each.name.lower() for word in only)
    ]


def _picked(names: Iterable[str], count: int) -> frozenset[str]:
    """So many of them, the same each time."""
    return frozenset(sorted(names, key=lambda each: zlib.crc32(each.encode()))[:count])


def part_of(faults: Sequence[Fault], part: str) -> list[Fault]:
    """``2/4``: the second of four parts, which have as good as equally many; each fault is always in the same one."""
    number, _, count = part.partition("/")
    return [each for each in faults if zlib.crc32(each.name.encode()) % int(count) == int(number) - 1]


class Campaign:
    """One run of the corpus."""

    def __init__(
        self,
        faults: Sequence[Fault],
        pool: Pool,
        *,
        is_whole: bool,
        asked: Sequence[str] = (),
        thorough: int | None = None,
    ) -> None:
        self._faults = {each.name: each for each in faults}
        self._pool, self._is_whole = pool, is_whole
        self._asked = list(asked) or list(catalogue())
        self._bases: dict[str, Run] = {}
        self._runs: dict[str, Run] = {}
        self._hung: list[Job] = []
        self._missed: list[str] = []
        self._thorough = _picked(self._faults, len(self._faults) if thorough is None else thorough)
        self._began = time.monotonic()
        self.tally = Tally(must_bite=self._must_bite())

    def _must_bite(self) -> Mapping[str, Requirement]:
        asked = {each.requirement for each in self._faults.values()}
        return {key: each for key, each in catalogue().items() if self._is_whole or key in asked}

    def go(self, sample: int, seed: int) -> None:
        """Bases first: what they touch says what each fault is tried with."""
        bases = list(BASES) if self._is_whole else sorted({each.base for each in self._faults.values()})
        self._pool.run([Job("base", each, seconds=_WHOLE_SECONDS) for each in bases], self._base_done)
        if self.tally.errors:
            return
        jobs = [self._near(each) or self._job(each, self._requirements(each)) for each in self._faults.values()]
        # The long ones first, so that no worker is left alone with one at the end.
        jobs.sort(key=lambda each: -len(each.only))
        self._pool.run(jobs, self._done)
        # What its own requirement did not see: whatever sees the site may.
        missed = [self._faults[each] for each in self._missed]
        self._pool.run([self._job(each, self._requirements(each)) for each in missed], self._done)
        self._pool.run([replace(each, with_threads=True) for each in self._hung], self._done)
        # Nothing left out, and each call on a thread of its own: the same must come of it.
        self._pool.run(self._sampled(sample, seed), self._compare)

    def _job(self, fault: Fault, only: Sequence[str], *, with_threads: bool = False) -> Job:
        # A slow machine is not a fault that hangs.
        seconds = max(_FAULT_SECONDS, 3 * self._bases[fault.base].seconds)
        unbroken = {} if needs_sockets(fault) else self._bases[fault.base].verdicts
        return Job("fault", fault.name, only, unbroken, with_threads=with_threads, seconds=seconds)

    def _near(self, fault: Fault) -> Job | None:
        """The fault with its own requirements and what they rest on; None where it is tried with everything."""
        known = [each for each in (fault.requirement, *fault.also) if each in catalogue()]
        if fault.name in self._thorough or not known or needs_sockets(fault):
            return None
        near = {*known, *(below for each in known for below in foundations(each, catalogue()))}
        only = [each for each in self._requirements(fault) if each in near]
        return replace(self._job(fault, only), is_near=True)

    def _requirements(self, fault: Fault) -> list[str]:
        if needs_sockets(fault):
            # Only what cannot be asked in memory is asked over sockets, with what it rests on.
            return sorted({fault.requirement, *foundations(fault.requirement, catalogue())})
        return seen_from(fault.at, self._bases[fault.base].reach)

    def _sampled(self, sample: int, seed: int) -> list[Job]:
        names = sorted(name for name, each in self._faults.items() if self._is_filtered(each))
        picked = random.Random(seed).sample(names, min(sample, len(names)))
        return [self._job(self._faults[name], self._asked, with_threads=True) for name in picked]

    def _is_filtered(self, fault: Fault) -> bool:
        run = self._runs.get(fault.name)
        return (
            run is not None
            and fault.name in self._thorough
            and not run.error
            and not needs_sockets(fault)
            and len(run.verdicts) > 1
        )

    def _base_done(self, job: Job, run: Run) -> None:
        self._bases[job.name] = run
        self.tally.add_unbroken(run)
        self._say(f"{job.name} unbroken: {len(run.ranked)} red", run)

    def _done(self, job: Job, run: Run) -> None:
        if run.error == DEADLINE and not job.with_threads:
            # With threads there are deadlines for single calls, and a call that hangs is found.
            self._hung.append(job)
            self._say(f"again    {job.name}: {run.error}", run)
            return
        fault = self._faults[job.name]
        one = tried(fault, run, self._bases[fault.base], is_near=job.is_near)
        if job.is_near and not one.is_killed:
            self._missed.append(job.name)
            return
        self._runs[job.name] = run
        self.tally.add(one)
        mark = "found   " if one.is_right_first else "MISLED  " if one.is_killed else "SURVIVED"
        self._say(f"{mark} {fault.name}: {', '.join(one.ranked[:6]) or run.error}", run)

    def _compare(self, job: Job, run: Run) -> None:
        self.tally.errors += differences(self._runs[job.name], run)
        self._say(f"unfiltered: {job.name}", run)

    def _say(self, text: str, run: Run) -> None:
        done = len(self._runs)
        sys.stdout.write(f"[{time.monotonic() - self._began:5.1f} s {done:>3}/{len(self._faults)}] {text}")
        sys.stdout.write(f"  ({run.seconds:.1f} s)\n")
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers the exit status."""
    asked = _parser().parse_args(arguments)
    faults = part_of(chosen(all_faults(), asked.only), asked.part)
    if not faults:
        sys.stderr.write(f"no fault of the corpus is named by {' '.join(asked.only)}\n")
        return 2
    began = time.monotonic()
    ids = [each.id for each in choose(catalogue(), asked.requirements)]
    is_whole = not (asked.only or asked.requirements) and asked.part == "1/1"
    with Pool(asked.workers, asked.seed, ids) as pool:
        campaign = Campaign(faults, pool, is_whole=is_whole, asked=ids, thorough=asked.thorough)
        campaign.go(asked.sample, asked.seed)
    seconds = time.monotonic() - began
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(told.as_json(campaign.tally, seconds), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(told.as_text(campaign.tally, seconds) + "\n")
    return campaign.tally.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.kit_quality", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="WORD", help="requirement id, area, or words of a name"
    )
    parser.add_argument(
        "--requirements", nargs="+", default=[], metavar="ID", help="try only these requirements or areas"
    )
    parser.add_argument("--part", default="1/1", metavar="K/N", help="only the K-th of N parts of the corpus")
    parser.add_argument("--seed", type=int, default=0, help="what inputs and the sample are drawn from")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--output", type=Path, default=Path("build/kit-quality.json"), help="where the JSON goes")
    parser.add_argument(
        "--thorough",
        type=int,
        default=120,
        metavar="N",
        help="faults that are tried with every requirement that sees them; the others with their own at first",
    )
    parser.add_argument("--sample", type=int, default=3, help="faults that are tried with every requirement as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
