"""The command: so many PDUs, from one seed; the first thing that must not happen ends it, with its own seed."""

from __future__ import annotations

import argparse
import faulthandler
import random
import resource
import sys
import time
import traceback
from typing import TYPE_CHECKING, Final

from tests.fuzz import against_initiator, against_target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE_SECONDS: Final = 30
"""A conversation takes milliseconds: one that takes longer than this hangs."""
GROWTH_LIMIT_KIB: Final = 200 << 10
_KINDS: Final[tuple[Callable[[random.Random], int], ...]] = (
    *[against_target.converse] * 4,
    against_initiator.converse,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when nothing happened that must not."""
    asked = _parser().parse_args(arguments)
    seeds = random.Random(asked.seed)
    if asked.conversation is not None:
        return hold(asked.conversation)[1]
    sent, number, began, growth = 0, 0, time.monotonic(), 0
    while sent < asked.pdus:
        count, failures = hold(seeds.randrange(2**32))
        sent, number = sent + count, number + 1
        if failures:
            return 1
        if number == 100:
            growth = resident_kib()  # after everything has been imported and used once
    growth = resident_kib() - growth
    print(f"{sent} PDUs in {number} conversations, {time.monotonic() - began:.0f} s, {growth} KiB more than at first")
    return 0 if growth <= GROWTH_LIMIT_KIB else 1


def hold(seed: int) -> tuple[int, int]:
    """Hold the conversation of a seed; return its PDUs, and 1 if something happened that must not."""
    chance = random.Random(seed)
    faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True, file=sys.__stderr__ or 2)
    try:
        return chance.choice(_KINDS)(chance), 0
    except Exception:
        traceback.print_exc()
        print(f"again: python -m tests.fuzz --conversation {seed}")
        return 0, 1
    finally:
        faulthandler.cancel_dump_traceback_later()


def resident_kib() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--pdus", type=int, default=1_000_000, help="how many to send in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--conversation", type=int, help="hold only the one with this seed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
