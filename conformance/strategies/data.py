"""Bytes to write and where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

BLOCK: Final = 4096
"""A multiple of every logical block size in use."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Bytes that look like no others: `blocks` blocks made from a seed."""

    seed: int
    blocks: int = 2

    @property
    def content(self) -> bytes:
        """The bytes."""
        one = hashlib.shake_256(f"pattern {self.seed}".encode()).digest(BLOCK)
        return one * self.blocks


@dataclass(frozen=True, slots=True)
class Place:
    """A place on a LUN: from the start when `block` is not negative, else from the end."""

    block: int

    def offset(self, size_bytes: int, length: int) -> int:
        """The offset in bytes, so that `length` bytes fit."""
        last = (size_bytes - length) // BLOCK
        block = self.block if self.block >= 0 else last + 1 + self.block
        return min(max(block, 0), last) * BLOCK


def patterns() -> SearchStrategy[Pattern]:
    """Bytes to write."""
    return st.builds(Pattern, st.integers(1, 10_000), st.integers(1, 4))


def places() -> SearchStrategy[Place]:
    """Places: the start, the end, a little inside."""
    return st.builds(Place, st.sampled_from([0, 1, 7, 100, -1, -2, -50]))
