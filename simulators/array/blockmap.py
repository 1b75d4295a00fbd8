"""The bytes of a thin volume, a snapshot or a clone: extents of 4 KiB that exist once they have been written."""

from __future__ import annotations

from simulators.array.extents import EXTENT_BYTES, ExtentTable

_ZEROS = bytes(EXTENT_BYTES)
_END = 1 << 63


class BlockMap:
    """Sparse bytes: what was never written, or was unmapped, reads as zeros."""

    name = ""

    def __init__(self, extents: ExtentTable) -> None:
        self._extents = extents

    @property
    def written_bytes(self) -> int:
        """Bytes that would take up space if nothing were shared."""
        return len(self._extents) * EXTENT_BYTES

    def allocation(self, offset: int, size_bytes: int) -> tuple[bool, int]:
        """Whether there is an extent at `offset`, and how many bytes from there to where it is otherwise."""
        is_there, end = self._extents.stretch(offset // EXTENT_BYTES, (size_bytes - 1) // EXTENT_BYTES)
        return is_there, min(end * EXTENT_BYTES, size_bytes) - offset

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes."""
        if length <= 0:
            return b""
        first, last = offset // EXTENT_BYTES, (offset + length - 1) // EXTENT_BYTES
        joined = b"".join(self._extents.pieces(first, last))
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
        self._extents.drop(range(first_whole, end_whole))

    def fork(self) -> BlockMap:
        """The same bytes at the cost of none: what is written to either from now on is not seen in the other."""
        return BlockMap(self._extents.fork())

    def overwrite(self, other: BlockMap) -> None:
        """Hold what another holds, and forget what was here."""
        old, self._extents = self._extents, other._extents.fork()
        old.clear()

    def resize(self, size_bytes: int) -> None:
        """Give back what is beyond this size."""
        self.unmap(size_bytes, _END - size_bytes)

    def clear(self) -> None:
        """Forget everything."""
        self._extents.clear()

    def _replace(self, number: int, start: int, piece: bytes) -> None:
        if len(piece) < EXTENT_BYTES:
            old = self._extents.find(number) or _ZEROS
            piece = old[:start] + piece + old[start + len(piece) :]
        self._extents.put(number, piece)

    def _blank(self, start: int, end: int) -> None:
        number = start // EXTENT_BYTES
        if end > start and self._extents.find(number) is not None:
            self._replace(number, start - number * EXTENT_BYTES, bytes(end - start))
