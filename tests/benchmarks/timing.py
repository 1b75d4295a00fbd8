"""How things are timed: the best of several rounds, because everything else on the machine only adds."""

from __future__ import annotations

import time
from collections.abc import Callable


def per_second(act: Callable[[], object], *, seconds: float = 1.0, rounds: int = 3) -> float:
    """Repetitions per second in the best of `rounds` rounds of about `seconds`."""
    act()
    return max(_round(act, seconds) for _ in range(rounds))


def _round(act: Callable[[], object], seconds: float) -> float:
    began = time.perf_counter()
    done = 0
    while (passed := time.perf_counter() - began) < seconds:
        act()
        done += 1
    return done / passed


def paired(first: Callable[[], object], second: Callable[[], object], *, rounds: int = 61) -> float:
    """Speed of `first` over speed of `second`: the median of short rounds in turn, for both to see one machine."""
    first(), second()
    ratios = sorted(_round(first, 0.1) / _round(second, 0.1) for _ in range(rounds))
    return ratios[rounds // 2]
