"""Fields of command descriptor blocks: numbers, and the LBA and length of commands on blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi import opcodes as op
from simulators.iscsi.scsi.limits import MAX_TRANSFER_BYTES
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, LBA_OUT_OF_RANGE, ScsiCheck

if TYPE_CHECKING:
    from simulators.iscsi.backend import LogicalUnit

_TEN = (2, 4, 7, 2)
_TWELVE = (2, 4, 6, 4)
_SIXTEEN = (2, 8, 10, 4)

# operation code: first byte and length of the LBA, first byte and length of the transfer length.
_FIELDS = {
    op.READ_10: _TEN,
    op.WRITE_10: _TEN,
    op.WRITE_AND_VERIFY_10: _TEN,
    op.VERIFY_10: _TEN,
    op.PRE_FETCH_10: _TEN,
    op.SYNCHRONIZE_CACHE_10: _TEN,
    op.WRITE_SAME_10: _TEN,
    op.READ_12: _TWELVE,
    op.WRITE_12: _TWELVE,
    op.WRITE_AND_VERIFY_12: _TWELVE,
    op.VERIFY_12: _TWELVE,
    op.READ_16: _SIXTEEN,
    op.WRITE_16: _SIXTEEN,
    op.ORWRITE: _SIXTEEN,
    op.WRITE_AND_VERIFY_16: _SIXTEEN,
    op.VERIFY_16: _SIXTEEN,
    op.PRE_FETCH_16: _SIXTEEN,
    op.SYNCHRONIZE_CACHE_16: _SIXTEEN,
    op.WRITE_SAME_16: _SIXTEEN,
    op.COMPARE_AND_WRITE: (2, 8, 13, 1),
    op.WRITE_ATOMIC_16: (2, 8, 12, 2),
}


def number(cdb: bytes, first: int, length: int) -> int:
    """Return a big-endian field."""
    return int.from_bytes(cdb[first : first + length], "big")


def address(cdb: bytes) -> tuple[int, int]:
    """Return the LBA and the number of blocks."""
    if cdb[0] in {op.READ_6, op.WRITE_6}:
        # "A TRANSFER LENGTH field set to zero specifies that 256 logical blocks shall be read" (SBC-3 §5.10).
        return number(cdb, 1, 3) & 0x1FFFFF, cdb[4] or 256
    lba_at, lba_length, count_at, count_length = _FIELDS[cdb[0]]
    return number(cdb, lba_at, lba_length), number(cdb, count_at, count_length)


def length_field(cdb: bytes) -> int:
    """Return the first byte of the transfer length, for a field pointer."""
    return 4 if cdb[0] in {op.READ_6, op.WRITE_6} else _FIELDS[cdb[0]][2]


def extent(cdb: bytes, unit: LogicalUnit) -> tuple[int, int]:
    """Return byte offset and length, checked against the capacity alone."""
    lba, blocks = address(cdb)
    block = unit.block_bytes
    if (lba + blocks) * block > unit.size_bytes:
        raise ScsiCheck(LBA_OUT_OF_RANGE)
    return lba * block, blocks * block


def transfer(cdb: bytes, unit: LogicalUnit, limit: int = MAX_TRANSFER_BYTES) -> tuple[int, int]:
    """Return byte offset and length, checked against the capacity and a limit in bytes."""
    offset, length = extent(cdb, unit)
    if length > limit:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(length_field(cdb)))
    return offset, length
