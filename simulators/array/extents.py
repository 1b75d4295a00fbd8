"""Extents of 4 KiB in tables that share what they have in common, each extent counted once however many share it.

A table has chunks of 1 MiB, a chunk has extents. Tables, chunks and extents count their users: a fork takes the whole
table over by counting one user more, and the first write after it copies the directory of chunks, then one chunk,
then replaces one extent. What nobody uses any more is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENT_BYTES: Final = 4096
_ZEROS: Final = bytes(EXTENT_BYTES)
_CHUNK_BITS: Final = 8
_LAST_IN_CHUNK: Final = (1 << _CHUNK_BITS) - 1


@dataclass(slots=True)
class ExtentCount:
    """Of all tables that were given this count: extents that exist, and how often one stands in a table."""

    value: int = 0
    mapped: int = 0


class _Extent:
    __slots__ = ("data", "users")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.users = 1


class _Chunk:
    __slots__ = ("extents", "users")

    def __init__(self, extents: dict[int, _Extent]) -> None:
        self.extents = extents
        self.users = 1

    def copy(self) -> _Chunk:
        for each in self.extents.values():
            each.users += 1
        return _Chunk(self.extents.copy())


class _Directory:
    __slots__ = ("chunks", "users")

    def __init__(self, chunks: dict[int, _Chunk]) -> None:
        self.chunks = chunks
        self.users = 1

    def copy(self) -> _Directory:
        for each in self.chunks.values():
            each.users += 1
        return _Directory(self.chunks.copy())


class ExtentTable:
    """Extents by number; `len` is how many there are in it."""

    def __init__(self, total: ExtentCount, directory: _Directory | None = None, length: int = 0) -> None:
        self._total = total
        self._directory = directory or _Directory({})
        self._length = 0
        self._grow(length)

    def __len__(self) -> int:
        return self._length

    def find(self, number: int) -> bytes | None:
        """An extent's bytes, if there is one."""
        chunk = self._directory.chunks.get(number >> _CHUNK_BITS)
        extent = None if chunk is None else chunk.extents.get(number)
        return None if extent is None else extent.data

    def pieces(self, first: int, last: int) -> Iterator[bytes]:
        """All bytes from one extent to another; zeros where there is none."""
        chunks = self._directory.chunks
        while first <= last:
            end = min(last, first | _LAST_IN_CHUNK)
            chunk = chunks.get(first >> _CHUNK_BITS)
            if chunk is None:
                yield bytes((end - first + 1) * EXTENT_BYTES)
            else:
                found = map(chunk.extents.get, range(first, end + 1))
                yield from (_ZEROS if each is None else each.data for each in found)
            first = end + 1

    def stretch(self, number: int, last: int) -> tuple[bool, int]:
        """Whether there is an extent, and the first number from there on, up to `last` + 1, where it is otherwise."""
        is_there, at = self.find(number) is not None, number + 1
        chunks = self._directory.chunks
        while at <= last:
            chunk = chunks.get(at >> _CHUNK_BITS)
            if chunk is None and not is_there:
                # Most of a volume is never written: go on where anything is.
                following = min((index for index in chunks if index > at >> _CHUNK_BITS), default=None)
                at = last + 1 if following is None else following << _CHUNK_BITS
            elif chunk is None or (at in chunk.extents) is not is_there:
                break
            else:
                at += 1
        return is_there, min(at, last + 1)

    def put(self, number: int, data: bytes) -> None:
        """Keep an extent; whoever shared the old one keeps that."""
        extents = self._own_chunk(number >> _CHUNK_BITS)
        old = extents.get(number)
        if old is None:
            self._grow(1)
        elif old.users == 1:
            old.data = data
            return
        else:
            old.users -= 1
        extents[number] = _Extent(data)
        self._total.value += 1

    def drop(self, numbers: range) -> None:
        """Give extents back."""
        if not numbers:
            return
        wanted = range(numbers.start >> _CHUNK_BITS, (numbers.stop - 1 >> _CHUNK_BITS) + 1)
        present = self._directory.chunks
        # A whole volume may be unmapped at once: then it is cheaper to look at what is there.
        for index in list(present if len(wanted) > len(present) else wanted):
            if index in wanted and index in present:
                self._drop_in_chunk(index, numbers)

    def fork(self) -> ExtentTable:
        """A table that has the same, at the cost of counting one; what becomes of either is not seen in the other."""
        self._directory.users += 1
        return ExtentTable(self._total, self._directory, self._length)

    def clear(self) -> None:
        """Give everything back."""
        gone, self._directory = self._directory, _Directory({})
        self._grow(-self._length)
        gone.users -= 1
        if gone.users == 0:
            for chunk in gone.chunks.values():
                self._release(chunk)

    def _drop_in_chunk(self, index: int, numbers: range) -> None:
        extents = self._own_chunk(index)
        for number in [each for each in extents if each in numbers]:
            self._give_back(extents.pop(number))
            self._grow(-1)
        if not extents:
            del self._directory.chunks[index]

    def _own_chunk(self, index: int) -> dict[int, _Extent]:
        """The extents of a chunk that nobody else has."""
        if self._directory.users > 1:
            self._directory.users -= 1
            self._directory = self._directory.copy()
        chunks = self._directory.chunks
        chunk = chunks.get(index)
        if chunk is None:
            chunk = chunks[index] = _Chunk({})
        elif chunk.users > 1:
            chunk.users -= 1
            chunk = chunks[index] = chunk.copy()
        return chunk.extents

    def _release(self, chunk: _Chunk) -> None:
        chunk.users -= 1
        if chunk.users == 0:
            for each in chunk.extents.values():
                self._give_back(each)

    def _give_back(self, extent: _Extent) -> None:
        extent.users -= 1
        self._total.value -= extent.users == 0

    def _grow(self, more: int) -> None:
        self._length += more
        self._total.mapped += more
