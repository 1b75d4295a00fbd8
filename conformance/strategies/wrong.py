"""Requests that must be refused."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.contract import Limits


@dataclass(frozen=True, slots=True)
class WrongSize:
    """A size that no LUN can have; `kind` is zero, negative, or beyond the largest by `granules`."""

    kind: str
    granules: int = 1

    def resolve(self, limits: Limits) -> int:
        """The size in bytes."""
        if self.kind == "zero":
            return 0
        if self.kind == "negative":
            return -limits.granularity_bytes
        return limits.largest_lun_bytes + self.granules * limits.granularity_bytes


def wrong_sizes() -> SearchStrategy[WrongSize]:
    """All kinds."""
    return st.builds(WrongSize, st.sampled_from(["zero", "negative", "too large"]), st.integers(1, 3))
