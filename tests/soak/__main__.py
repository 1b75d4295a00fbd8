"""`python -m tests.soak`: prints each run, tells every red with its seed, and exits with 1 if there was one."""

from __future__ import annotations

import argparse
import random
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

from conformance.contract import Transport
from conformance.session import Result
from conformance.verdict import Verdict
from tests.soak.one_run import SUBJECTS, Run, made

_MOST_SEEDS: Final = 2**31
_RIGHT: Final = frozenset({Verdict.PASSED, Verdict.NOT_APPLICABLE, Verdict.NOT_VERIFIED})


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers the exit status."""
    asked = _parser().parse_args(arguments)
    runs = planned(asked.runs, asked.seed, asked.subject or SUBJECTS, Transport(asked.transport))
    began = time.monotonic()
    reds = 0
    for number, run in enumerate(runs, 1):
        reds += told(run, f"[{number}/{len(runs)}]")
    sys.stdout.write(f"{len(runs)} runs, {reds} of them red, {time.monotonic() - began:.0f} s\n")
    return 1 if reds else 0


def planned(count: int, seed: int, subjects: Sequence[str], transport: Transport) -> list[Run]:
    """The runs: subjects in turn, a seed for each. A single run has the seed that was asked for."""
    chance = random.Random(seed)
    seeds = [seed] if count == 1 else [chance.randrange(_MOST_SEEDS) for _ in range(count)]
    return [Run(subjects[number % len(subjects)], transport, each) for number, each in enumerate(seeds)]


def told(run: Run, place: str) -> bool:
    """Make the run and print what came of it; answers whether it was red."""
    result = made(run)
    passed, of = result.score
    sys.stdout.write(f"{place} {run.subject} over {run.transport}, seed {run.seed}: {passed} of {of}")
    sys.stdout.write(f", {result.seconds:.1f} s\n")
    if result.exit_status:
        sys.stdout.write("\n".join([*reds(result), f"   Replay    {replay(run)}\n"]))
    sys.stdout.flush()
    return bool(result.exit_status)


def reds(result: Result) -> Iterator[str]:
    """What is not as it should be, in a few lines each."""
    for identifier, outcome in result.outcomes.items():
        if outcome.verdict not in _RIGHT:
            yield f"{identifier} {outcome.verdict} {outcome.reason or ''}".rstrip()
        if outcome.finding is not None:
            seen, met = outcome.finding.violation, outcome.finding.found_by or identifier
            yield f"   Expected  {seen.expected}"
            yield f"   Observed  {seen.observed} (by {seen.observer}), met while {met}"
            yield from (f"   with      {name} = {value}" for name, value in outcome.finding.arguments.items())


def replay(run: Run) -> str:
    """The command that makes the same run again: what is seen may depend on what ran before."""
    words = ["python", "-m", "tests.soak", "--runs", "1", "--seed", str(run.seed)]
    return shlex.join([*words, "--subject", run.subject, "--transport", str(run.transport)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=60, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="what orders and inputs are drawn from")
    parser.add_argument("--transport", choices=[str(each) for each in Transport], default=str(Transport.SOCKETS))
    parser.add_argument("--subject", choices=SUBJECTS, action="append", help="only this one; can be repeated")
    return parser


if __name__ == "__main__":
    sys.exit(main())
