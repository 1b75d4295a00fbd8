"""Sizes: so many granules above the smallest LUN, or a fraction of the way to the largest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.contract import Limits
from conformance.errors import BeyondDeclared


class Size(Protocol):
    """Something that is a size once limits are known."""

    def resolve(self, limits: Limits) -> int:
        """The size in bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Granules:
    """The smallest LUN and `count` granules; `odd_bytes` more, so that sizes are not only multiples."""

    count: int
    odd_bytes: int = 0

    def resolve(self, limits: Limits) -> int:
        """The size in bytes, at most the largest."""
        start = limits.rounded_up(limits.smallest_lun_bytes)
        size = start + self.count * limits.granularity_bytes + min(self.odd_bytes, limits.granularity_bytes - 1)
        return min(size, limits.largest_lun_bytes)

    def plus(self, more: Granules) -> Granules:
        """A larger size."""
        return Granules(self.count + more.count, self.odd_bytes + more.odd_bytes)


@dataclass(frozen=True, slots=True)
class PartOfLargest:
    """So many thousandths of the way from the smallest to the largest LUN: where 32 bits and floats end."""

    thousandths: int

    def resolve(self, limits: Limits) -> int:
        """The size in bytes, a multiple of the granularity."""
        span = limits.largest_lun_bytes - limits.smallest_lun_bytes
        size = limits.rounded_up(limits.smallest_lun_bytes + span * self.thousandths // 1000)
        return min(size, limits.largest_lun_bytes)


@dataclass(frozen=True, slots=True)
class Growth:
    """So many granules more."""

    count: int
    odd_bytes: int = 0

    def beyond(self, size_bytes: int, limits: Limits) -> int:
        """The larger size in bytes, at most the largest; where that is no granule larger, there is none."""
        more = self.count * limits.granularity_bytes + min(self.odd_bytes, limits.granularity_bytes - 1)
        if size_bytes + more <= limits.largest_lun_bytes:
            return size_bytes + more
        within(size_bytes + limits.granularity_bytes, limits)
        return limits.largest_lun_bytes


def within(size_bytes: int, limits: Limits) -> int:
    """This very size; beyond the largest LUN there is none."""
    if size_bytes > limits.largest_lun_bytes:
        raise BeyondDeclared(f"no LUN of {size_bytes} bytes: limits.largest_lun_bytes")
    return size_bytes


def sizes() -> SearchStrategy[Size]:
    """Sizes of volumes: small ones of every kind, and some large."""
    small = st.builds(Granules, st.integers(0, 64), st.sampled_from([0, 512, 1]))
    return st.one_of(small, small, st.builds(PartOfLargest, st.integers(1, 10)))


def growths() -> SearchStrategy[Growth]:
    """By how much a volume grows: at least one granule."""
    return st.builds(Growth, st.integers(1, 64), st.sampled_from([0, 512]))
