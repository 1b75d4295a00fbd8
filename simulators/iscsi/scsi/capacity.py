"""READ CAPACITY and GET LBA STATUS (SBC-3 §5.16, §5.17, §5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.backend import ProvisionedUnit
from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import LBA_OUT_OF_RANGE, UNRECOVERED_READ, ScsiCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.operation import UnitRequest

_LBPME_AND_LBPRZ = 0xC0
_MAPPED_OR_UNKNOWN, _DEALLOCATED = 0, 1
_DESCRIPTOR_BYTES = 16
_MOST_DESCRIPTORS = 64


def read_capacity_10(request: UnitRequest) -> Operation:
    """READ CAPACITY 10: FFFFFFFFh when the last LBA does not fit (§5.16)."""
    unit = request.unit
    last = unit.size_bytes // unit.block_bytes - 1
    return already(Outcome(min(last, 0xFFFFFFFF).to_bytes(4, "big") + unit.block_bytes.to_bytes(4, "big")))


def read_capacity_16(request: UnitRequest) -> Operation:
    """READ CAPACITY 16 with the physical block exponent, LBPME and LBPRZ (§5.17)."""
    unit = request.unit
    last = unit.size_bytes // unit.block_bytes - 1
    exponent = (unit.physical_block_bytes // unit.block_bytes).bit_length() - 1
    flags = bytes((0, max(exponent, 0), _LBPME_AND_LBPRZ if unit.is_thin else 0))
    data = last.to_bytes(8, "big") + unit.block_bytes.to_bytes(4, "big") + flags
    return already(Outcome(data.ljust(32, b"\0")[: number(request.cdb, 10, 4)]))


def get_lba_status(request: UnitRequest) -> Operation:
    """GET LBA STATUS: what is not known to be deallocated is "mapped or unknown"."""
    cdb, unit = request.cdb, request.unit
    start, allocation = number(cdb, 2, 8) * unit.block_bytes, number(cdb, 10, 4)
    if start >= unit.size_bytes:
        raise ScsiCheck(LBA_OUT_OF_RANGE)
    room = max(1, min(_MOST_DESCRIPTORS, (allocation - 8) // _DESCRIPTOR_BYTES))
    descriptors = b"".join(_descriptor(unit, *each) for each in _runs(unit, start, room))
    return already(Outcome(((4 + len(descriptors)).to_bytes(4, "big") + bytes(4) + descriptors)[:allocation]))


def _runs(unit: LogicalUnit, start: int, most: int) -> Iterator[tuple[int, int, int]]:
    """Yield offset, length and status of the stretches that are alike."""
    if not (unit.is_thin and isinstance(unit, ProvisionedUnit)):
        yield start, unit.size_bytes - start, _MAPPED_OR_UNKNOWN
        return
    while start < unit.size_bytes and most:
        try:
            is_allocated, length = unit.allocation(start)
        except OSError as error:
            raise ScsiCheck(UNRECOVERED_READ) from error
        yield start, length, _MAPPED_OR_UNKNOWN if is_allocated else _DEALLOCATED
        start, most = start + length, most - 1


def _descriptor(unit: LogicalUnit, offset: int, length: int, status: int) -> bytes:
    lba, blocks = offset // unit.block_bytes, min(length // unit.block_bytes, 0xFFFFFFFF)
    return lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes((status, 0, 0, 0))
