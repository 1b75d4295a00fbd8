"""LIO's disks in memory; exports are noted, and not served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from simulators.array.blockmap import BlockMap
from simulators.array.extents import ExtentCount, ExtentTable
from simulators.lio.values import Portal, Session, Target


class MemoryLio:
    """The calls of `host.LioHost`."""

    def __init__(self, portals: Sequence[Portal]) -> None:
        self.portals = tuple(portals)
        self.disks: dict[str, BlockMap] = {}
        self.exported: list[Target] = []
        self.logged_in: list[Session] = []

    def create_disk(self, name: str, size_bytes: int) -> None:
        assert name not in self.disks
        self.disks[name] = BlockMap(ExtentTable(ExtentCount()))

    def copy_disk(self, source: str, name: str) -> None:
        assert name not in self.disks
        self.disks[name] = self.disks[source].fork()

    def overwrite_disk(self, source: str, name: str) -> None:
        self.disks[name].overwrite(self.disks[source])

    def resize_disk(self, name: str, size_bytes: int) -> None:
        self.disks[name].resize(size_bytes)

    def delete_disk(self, name: str) -> None:
        assert name not in {disk for each in self.exported for disk in each.units}, "it is exported"
        del self.disks[name]

    def read(self, name: str, offset: int, length: int) -> bytes:
        return self.disks[name].read(offset, length)

    def write(self, name: str, offset: int, data: bytes) -> None:
        self.disks[name].write(offset, data)

    def punch(self, name: str, offset: int, length: int) -> None:
        self.disks[name].unmap(offset, length)

    def allocated(self) -> Mapping[str, int]:
        return {name: disk.written_bytes for name, disk in self.disks.items()}

    def apply(self, targets: Iterable[Target]) -> None:
        self.exported = list(targets)
        assert {disk for each in self.exported for disk in each.units} <= set(self.disks), "there is no such disk"

    def sessions(self) -> Sequence[Session]:
        return self.logged_in

    def observe(self) -> Sequence[Target]:
        return self.exported

    def listed(self) -> str:
        return "\n".join(each.iqn for each in self.exported)

    def clear(self) -> None:
        self.exported = []
        self.disks.clear()

    def abandon(self) -> None:
        self.clear()

    def close(self) -> None:
        self.clear()
