"""A fabric and units that a test sets up by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.backend import Admission, AdmissionVerdict, ChapAccount, SpaceExhausted, UnitIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST = "iqn.2010-01.org.example:host-1"
OTHER_HOST = "iqn.2010-01.org.example:host-2"
STRANGER = "iqn.2010-01.org.example:stranger"
TARGET = "iqn.2010-01.org.example:array.volumes"
UNKNOWN_TARGET = "iqn.2010-01.org.example:array.nothing"
ACCOUNT = ChapAccount("host-1", b"one-way secret", "array", b"mutual secret!")
MIB = 1 << 20


def identity(number: int = 1) -> UnitIdentity:
    """Make an identity that is unlike that of any other number."""
    naa = f"6001405{number:025x}"
    return UnitIdentity(naa, f"{number:032x}", f"SN{number:04d}", "EXAMPLE", "ARRAY", "0042")


class MemoryUnit:
    """A unit in a bytearray, which can be grown, filled up, and broken."""

    def __init__(self, number: int = 1, *, size_bytes: int = MIB, block_bytes: int = 512, is_thin: bool = True) -> None:
        self.identity = identity(number)
        self.block_bytes = block_bytes
        self.physical_block_bytes = 4096
        self.is_thin = is_thin
        self.generation = 0
        self.content = bytearray(size_bytes)
        self.flushes = 0
        self.is_full = False
        self.is_read_only = False
        self.is_broken = False

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        self._fail_if_broken()
        return bytes(memoryview(self.content)[offset : offset + length])

    def write(self, offset: int, data: bytes) -> None:
        self._fail_if_broken()
        if self.is_full:
            raise SpaceExhausted
        self.content[offset : offset + len(data)] = data

    def unmap(self, offset: int, length: int) -> None:
        self._fail_if_broken()
        self.content[offset : offset + length] = bytes(length)

    def flush(self) -> None:
        self._fail_if_broken()
        self.flushes += 1

    def grow(self, size_bytes: int) -> None:
        self.content += bytes(size_bytes - len(self.content))
        self.generation += 1

    def _fail_if_broken(self) -> None:
        if self.is_broken:
            raise OSError("the medium is broken")


class AccountedUnit(MemoryUnit):
    """A thin unit that keeps account of its space, a physical block at a time."""

    def __init__(self, number: int = 1, *, size_bytes: int = MIB) -> None:
        super().__init__(number, size_bytes=size_bytes)
        self._allocated = bytearray(size_bytes // self.physical_block_bytes)

    @property
    def allocated_bytes(self) -> int:
        return sum(self._allocated) * self.physical_block_bytes

    def allocation(self, offset: int) -> tuple[bool, int]:
        physical = self.physical_block_bytes
        number = offset // physical
        is_allocated = self._allocated[number]
        end = self._allocated.find(1 - is_allocated, number)
        end_bytes = end * physical if end >= 0 else self.size_bytes
        return bool(is_allocated), end_bytes - offset

    def write(self, offset: int, data: bytes) -> None:
        super().write(offset, data)
        first, last = offset // self.physical_block_bytes, (offset + len(data) - 1) // self.physical_block_bytes
        self._allocated[first : last + 1] = b"\1" * (last + 1 - first)

    def unmap(self, offset: int, length: int) -> None:
        super().unmap(offset, length)
        physical = self.physical_block_bytes
        first, end = -(-offset // physical), (offset + length) // physical
        if end > first:
            self._allocated[first:end] = bytes(end - first)


class FakeFabric:
    """One target. `access` says which initiator sees which units under which numbers."""

    def __init__(self, *accounts: ChapAccount) -> None:
        self.revision = 0
        self.accounts = accounts
        self.unit = MemoryUnit(1)
        self.other_unit = MemoryUnit(2)
        self.access: dict[str, dict[int, MemoryUnit]] = {
            HOST: {1: self.unit},
            OTHER_HOST: {1: self.other_unit},
        }

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        return [TARGET] if initiator_iqn in self.access else []

    def admit(self, initiator_iqn: str, target_iqn: str) -> Admission:
        if target_iqn != TARGET:
            return Admission(AdmissionVerdict.NOT_FOUND)
        if initiator_iqn not in self.access:
            return Admission(AdmissionVerdict.FORBIDDEN)
        return Admission(AdmissionVerdict.ALLOWED, self.accounts)

    def units(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, MemoryUnit]:
        return self.access[initiator_iqn]

    def still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        names = {account.username for account in self.accounts}
        return initiator_iqn in self.access and (not names or chap_username in names)

    def revoke(self, initiator_iqn: str) -> None:
        del self.access[initiator_iqn]
        self.revision += 1

    def show(self, initiator_iqn: str, units: dict[int, MemoryUnit]) -> None:
        self.access[initiator_iqn] = units
        self.revision += 1
