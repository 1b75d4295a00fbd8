"""Make a list shorter as long as it still fails: pinned programs are long, and Hypothesis shrinks only what it drew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shortened(values: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """The values without any run of them that is not needed to fail: halves first, single ones last."""
    size = len(values)
    while size := size // 2:
        at = 0
        while at < len(values):
            fewer = [*values[:at], *values[at + size :]]
            if fewer and fails(fewer):
                values = fewer
            else:
                at += size
    return values
