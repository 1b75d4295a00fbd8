"""`python -m tests.variants`: try right plugins only, some or all, as seeds decide: none may be found fault with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from tests.kit_quality.bench import Bench, Run, is_broken_kit
from tests.variants import MAKERS


def main(arguments: Sequence[str] | None = None) -> int:
    """0: no false alarm."""
    asked = _parser().parse_args(arguments)
    unknown = sorted(set(asked.names) - MAKERS.keys())
    if unknown:
        sys.stderr.write(f"no variant is called {unknown[0]}: use any of {', '.join(MAKERS)}\n")
        return 2
    alarms = sum(_tried(seed, asked.names or list(MAKERS), is_shuffled=asked.shuffle) for seed in asked.seeds)
    sys.stdout.write(f"{alarms} false alarms\n")
    return 1 if alarms else 0


def _tried(seed: int, names: Sequence[str], *, is_shuffled: bool) -> int:
    """How many false alarms there were with this seed."""
    alarms = 0
    with Bench(seed, is_shuffled=is_shuffled) as bench:
        for name in names:
            run = bench.variant(name)
            found = list(_alarms(run))
            alarms += len(found)
            sys.stdout.write("".join(f"{name}, seed {seed}: {each}\n" for each in found or ["no red"]))
            sys.stdout.flush()
    return alarms


def _alarms(run: Run) -> Iterator[str]:
    broken = [each for each, verdict in run.verdicts.items() if is_broken_kit(verdict)]
    for each in [*run.ranked, *broken]:
        yield f"{each} {run.findings.get(each, '')}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.variants", description=__doc__)
    parser.add_argument("names", nargs="*", help="which ones; all when none is named")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="what inputs and orders are drawn from")
    parser.add_argument("--shuffle", action="store_true", help="requirements in random order")
    return parser


if __name__ == "__main__":
    sys.exit(main())
