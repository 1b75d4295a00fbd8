"""Volumes, snapshots and clones as disks of LIO.

Nothing is shared: a fork is a copy of what is written. What is forgotten is removed once it is exported no longer.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final, Protocol

from simulators.array.extents import EXTENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulators.lio.values import Portal, Session, Target


class Lio(Protocol):
    """LIO of this kernel (`lio.host`) or of a machine (`lio.remote`)."""

    @property
    def portals(self) -> Sequence[Portal]:
        """Where initiators find the targets."""

    def create_disk(self, name: str, size_bytes: int) -> None:
        """Make a disk of zeros."""

    def copy_disk(self, source: str, name: str) -> None:
        """Make a disk that holds what another holds."""

    def overwrite_disk(self, source: str, name: str) -> None:
        """Let a disk hold what another holds, as much as fits; sessions go on."""

    def resize_disk(self, name: str, size_bytes: int) -> None:
        """Change a disk's size; initiators see it."""

    def delete_disk(self, name: str) -> None:
        """Forget a disk that is behind no target."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Exactly so many bytes of a disk."""

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Store bytes on a disk."""

    def punch(self, name: str, offset: int, length: int) -> None:
        """Give bytes of a disk back."""

    def allocated(self) -> Mapping[str, int]:
        """Bytes that each disk takes up."""

    def apply(self, targets: Iterable[Target]) -> None:
        """Export exactly these targets."""

    def observe(self) -> Sequence[Target]:
        """What is exported, as the kernel tells it."""

    def sessions(self) -> Sequence[Session]:
        """Everybody who is logged in."""

    def listed(self) -> str:
        """What `targetcli ls` shows there."""

    def clear(self) -> None:
        """Remove all targets and all disks."""

    def close(self) -> None:
        """End it."""


class LioUsage:
    """Space in use by all disks; extents that exist are those that are mapped, because nothing is shared."""

    def __init__(self, store: LioStore) -> None:
        self._store = store

    @property
    def value(self) -> int:
        """Extents that exist."""
        return sum(self._store.allocated().values()) // EXTENT_BYTES

    @property
    def mapped(self) -> int:
        """The same."""
        return self.value


class LioStore:
    """The disks of one array."""

    counts_traffic = False

    def __init__(self, lio: Lio) -> None:
        self.lio: Final = lio
        self.usage = LioUsage(self)
        self._numbers = count(1)
        self._forgotten: list[str] = []
        self._allocated: Mapping[str, int] | None = None
        self._observed: tuple[int, Sequence[Target]] | None = None

    def begin(self) -> None:
        """Initiators write without asking: space in use is asked for anew."""
        self._allocated = None

    def create(self, size_bytes: int) -> LioBlocks:
        """A disk of zeros."""
        name = self.new_name()
        self.lio.create_disk(name, size_bytes)
        self.begin()
        return LioBlocks(self, name)

    def new_name(self) -> str:
        """A name that no disk has had."""
        return f"disk-{next(self._numbers)}"

    def allocated(self) -> Mapping[str, int]:
        """Bytes that each disk takes up, but for those that are to be removed."""
        if self._allocated is None:
            everything = self.lio.allocated()
            self._allocated = {name: size for name, size in everything.items() if name not in self._forgotten}
        return self._allocated

    def forget(self, name: str) -> None:
        """Remove a disk as soon as it is behind no target."""
        self._forgotten.append(name)
        self.begin()

    def observed(self, revision: int) -> Sequence[Target]:
        """What is exported, looked up anew whenever something has changed."""
        if self._observed is None or self._observed[0] != revision:
            self._observed = revision, self.lio.observe()
        return self._observed[1]

    def publish(self, targets: Iterable[Target]) -> None:
        """Export these targets, and remove what is not needed any more."""
        self.lio.apply(targets)
        self.remove_forgotten()

    def remove_forgotten(self) -> None:
        """Remove what is not needed any more; nothing of it may be exported."""
        while self._forgotten:
            self.lio.delete_disk(self._forgotten.pop())


class LioBlocks:
    """One disk."""

    def __init__(self, store: LioStore, name: str) -> None:
        self._store = store
        self.name = name

    @property
    def written_bytes(self) -> int:
        """Bytes that it takes up."""
        return self._store.allocated().get(self.name, 0)

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes."""
        return self._store.lio.read(self.name, offset, length)

    def allocation(self, offset: int, end: int) -> tuple[bool, int]:
        """Not known here: it is LIO that initiators ask."""
        return True, end - offset

    def write(self, offset: int, data: bytes) -> None:
        """Store bytes."""
        self._store.lio.write(self.name, offset, data)
        self._store.begin()

    def unmap(self, offset: int, length: int) -> None:
        """Give bytes back."""
        self._store.lio.punch(self.name, offset, length)
        self._store.begin()

    def fork(self) -> LioBlocks:
        """A copy."""
        name = self._store.new_name()
        self._store.lio.copy_disk(self.name, name)
        self._store.begin()
        return LioBlocks(self._store, name)

    def overwrite(self, other: LioBlocks) -> None:
        """Hold what another holds, while sessions go on."""
        self._store.lio.overwrite_disk(other.name, self.name)
        self._store.begin()

    def resize(self, size_bytes: int) -> None:
        """Have this size; initiators see it."""
        self._store.lio.resize_disk(self.name, size_bytes)
        self._store.begin()

    def clear(self) -> None:
        """Remove the disk as soon as it is behind no target."""
        self._store.forget(self.name)
