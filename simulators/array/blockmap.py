"""The bytes of a thin volume: extents of 4 KiB that exist once they have been written.

An extent is never changed, only replaced: a copy of the map can share every extent with its origin, and a
write to either leaves the other alone. That is all a copy-on-write snapshot needs.
"""

from __future__ import annotations

from dataclasses import dataclass

EXTENT_BYTES = 4096
_ZEROS = bytes(EXTENT_BYTES)


@dataclass(slots=True)
class ExtentCount:
    """Extents that exist in all maps that were given this count."""

    value: int = 0


class BlockMap:
    """Sparse bytes: what was never written, or was unmapped, reads as zeros."""

    def __init__(self, total: ExtentCount) -> None:
        self._total = total
        self._extents: dict[int, bytes] = {}

    @property
    def written_bytes(self) -> int:
        """Bytes that take up space."""
        return len(self._extents) * EXTENT_BYTES

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes."""
        if length <= 0:
            return b""
        first, last = offset // EXTENT_BYTES, (offset + length - 1) // EXTENT_BYTES
        joined = b"".join([self._extents.get(each, _ZEROS) for each in range(first, last + 1)])
        start = offset - first * EXTENT_BYTES
        return joined[start : start + length]

    def write(self, offset: int, data: bytes) -> None:
        """Store bytes."""
        position = 0
        while position < len(data):
            number, start = divmod(offset + position, EXTENT_BYTES)
            piece = data[position : position + EXTENT_BYTES - start]
            self._replace(number, start, bytes(piece))
            position += len(piece)

    def _replace(self, number: int, start: int, piece: bytes) -> None:
        if len(piece) < EXTENT_BYTES:
            old = self._extents.get(number, _ZEROS)
            piece = old[:start] + piece + old[start + len(piece) :]
        self._total.value += number not in self._extents
        self._extents[number] = piece

    def unmap(self, offset: int, length: int) -> None:
        """Give whole extents back; what is left of the range, at its two ends, is overwritten with zeros."""
        end = offset + length
        first_whole = -(-offset // EXTENT_BYTES)
        end_whole = end // EXTENT_BYTES
        if first_whole > end_whole:
            self._blank(offset, end)
            return
        self._blank(offset, first_whole * EXTENT_BYTES)
        self._blank(end_whole * EXTENT_BYTES, end)
        self._drop(range(first_whole, end_whole))

    def _blank(self, start: int, end: int) -> None:
        number = start // EXTENT_BYTES
        if end > start and number in self._extents:
            self._replace(number, start - number * EXTENT_BYTES, bytes(end - start))

    def _drop(self, numbers: range) -> None:
        # A whole volume may be unmapped at once: then it is cheaper to look at what is there.
        sparse = len(numbers) > len(self._extents)
        for number in [each for each in self._extents if each in numbers] if sparse else numbers:
            self._total.value -= self._extents.pop(number, None) is not None

    def clear(self) -> None:
        """Forget everything."""
        self._total.value -= len(self._extents)
        self._extents.clear()
