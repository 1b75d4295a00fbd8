"""Where the bytes of volumes, snapshots and clones are: in this process, or with who serves them to initiators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from simulators.array.blockmap import BlockMap
from simulators.array.extents import ExtentCount, ExtentTable

if TYPE_CHECKING:
    from typing import Self


class Blocks(Protocol):
    """The bytes of one thing. What was never written, or was unmapped, reads as zeros."""

    @property
    def name(self) -> str:
        """What initiators' requests find them by, where not this process answers those; else empty."""

    @property
    def written_bytes(self) -> int:
        """Bytes that would take up space if nothing were shared."""

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes."""

    def allocation(self, offset: int, end: int) -> tuple[bool, int]:
        """Whether the byte at `offset` was written, and how many from there on, but none at `end`, are alike."""

    def write(self, offset: int, data: bytes) -> None:
        """Store bytes."""

    def unmap(self, offset: int, length: int) -> None:
        """Give bytes back."""

    def fork(self) -> Self:
        """The same bytes once more: what is written to either from now on is not seen in the other."""

    def overwrite(self, other: Self) -> None:
        """Hold what another holds; whoever reads these bytes meanwhile goes on doing so."""

    def resize(self, size_bytes: int) -> None:
        """Have this size: what is beyond it is gone, what is new is zeros."""

    def clear(self) -> None:
        """Forget everything: these bytes will not be used again."""


class Usage(Protocol):
    """Of everything in a store: extents that exist, and how often one stands in a volume, snapshot or clone."""

    @property
    def value(self) -> int:
        """Extents that exist."""

    @property
    def mapped(self) -> int:
        """Extents counted wherever they are mapped."""


class Store(Protocol):
    """Makes bytes for one array."""

    @property
    def usage(self) -> Usage:
        """What all of it takes up."""

    @property
    def counts_traffic(self) -> bool:
        """Whether what initiators read and write goes through this process, and is counted."""

    def create(self, size_bytes: int) -> Blocks:
        """Bytes that were never written."""


class MemoryStore:
    """Bytes in this process; forks share what they have in common."""

    counts_traffic = True

    def __init__(self) -> None:
        self.usage = ExtentCount()

    def create(self, size_bytes: int) -> BlockMap:
        """Bytes that were never written."""
        return BlockMap(ExtentTable(self.usage))
