"""`python -m tests.variants`: try right plugins only, some or all, as seeds decide: none may be found fault with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.kit_quality.bench import Run, is_broken_kit
from tests.kit_quality.pool import Job, Pool
from tests.variants import MAKERS

_SECONDS: Final = 300.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0: no false alarm."""
    asked = _parser().parse_args(arguments)
    unknown = sorted(set(asked.names) - MAKERS.keys())
    if unknown:
        sys.stderr.write(f"no variant is called {unknown[0]}: use any of {', '.join(MAKERS)}\n")
        return 2
    told = Told()
    jobs = [Job("variant", name, seconds=_SECONDS) for name in asked.names or MAKERS]
    for seed in asked.seeds:
        with Pool(asked.workers, seed, is_shuffled=asked.shuffle) as pool:
            pool.run(jobs, partial(told.heard, seed))
    sys.stdout.write(f"{told.runs} runs of right plugins, {told.alarms} false alarms\n")
    return 1 if told.alarms else 0


@dataclass(slots=True)
class Told:
    """Says what comes of each run, and counts."""

    runs: int = 0
    alarms: int = 0

    def heard(self, seed: int, _job: Job, run: Run) -> None:
        found = list(_alarms(run))
        self.runs, self.alarms = self.runs + 1, self.alarms + len(found)
        sys.stdout.write("".join(f"{run.name}, seed {seed}: {each}\n" for each in found or ["no red"]))
        sys.stdout.flush()


def _alarms(run: Run) -> Iterator[str]:
    if run.error:
        yield run.error
    broken = [each for each, verdict in run.verdicts.items() if is_broken_kit(verdict)]
    for each in [*run.ranked, *broken]:
        yield f"{each} {run.findings.get(each, '')}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.variants", description=__doc__)
    parser.add_argument("names", nargs="*", help="which ones; all when none is named")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="what inputs and orders are drawn from")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--shuffle", action="store_true", help="requirements in random order")
    return parser


if __name__ == "__main__":
    sys.exit(main())
