"""Rows by number: numbers ascend from 1 and are never used again."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = TypeVar("Row")


class Register(Generic[Row]):
    """Finds a row, and the first row at or after a number, without looking at the others."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._numbers: list[int] = []
        self._last = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    @property
    def next_number(self) -> int:
        """The number that the next row gets."""
        return self._last + 1

    def add(self, row: Row) -> int:
        """Keep a row under the next number, which is returned."""
        self._last += 1
        self._rows[self._last] = row
        self._numbers.append(self._last)
        return self._last

    def find(self, number: int) -> Row | None:
        """The row of that number, or None."""
        return self._rows.get(number)

    def remove(self, number: int) -> None:
        """Forget a row."""
        del self._rows[number]
        del self._numbers[bisect_left(self._numbers, number)]

    def starting_at(self, number: int) -> Iterator[Row]:
        """Rows of that number and above, ascending."""
        for index in range(bisect_left(self._numbers, number), len(self._numbers)):
            yield self._rows[self._numbers[index]]
