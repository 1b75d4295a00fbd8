"""Commands on blocks (SBC-3 §5): READ, WRITE, UNMAP, SYNCHRONIZE CACHE, READ CAPACITY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.backend import SpaceExhausted
from simulators.iscsi.scsi.cdb import (
    READ_6,
    READ_10,
    READ_12,
    READ_16,
    SYNCHRONIZE_CACHE_10,
    SYNCHRONIZE_CACHE_16,
    WRITE_6,
    WRITE_10,
    WRITE_12,
    WRITE_16,
    number,
)
from simulators.iscsi.scsi.limits import MAX_TRANSFER_BYTES, MAX_UNMAP_BYTES, MAX_UNMAP_DESCRIPTORS
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import (
    INVALID_FIELD_IN_CDB,
    INVALID_FIELD_IN_PARAMETERS,
    INVALID_OPCODE,
    LBA_OUT_OF_RANGE,
    PARAMETER_LIST_LENGTH_ERROR,
    SPACE_ALLOCATION_FAILED,
    UNRECOVERED_READ,
    WRITE_ERROR,
    WRITE_PROTECTED,
    ScsiCheck,
)

if TYPE_CHECKING:
    from simulators.iscsi.backend import LogicalUnit

_FUA = 0x08
_UNMAP_HEADER_BYTES = 8
_UNMAP_DESCRIPTOR_BYTES = 16

# operation code: first byte and length of the LBA, first byte and length of the transfer length.
_FIELDS = {
    READ_10: (2, 4, 7, 2),
    WRITE_10: (2, 4, 7, 2),
    READ_12: (2, 4, 6, 4),
    WRITE_12: (2, 4, 6, 4),
    READ_16: (2, 8, 10, 4),
    WRITE_16: (2, 8, 10, 4),
    SYNCHRONIZE_CACHE_10: (2, 4, 7, 2),
    SYNCHRONIZE_CACHE_16: (2, 8, 10, 4),
}


def _address(cdb: bytes) -> tuple[int, int]:
    """Return the LBA and the number of blocks."""
    if cdb[0] in {READ_6, WRITE_6}:
        # "A TRANSFER LENGTH field set to zero specifies that 256 logical blocks shall be read" (§5.10).
        return number(cdb, 1, 3) & 0x1FFFFF, cdb[4] or 256
    lba_at, lba_length, count_at, count_length = _FIELDS[cdb[0]]
    return number(cdb, lba_at, lba_length), number(cdb, count_at, count_length)


def _range(cdb: bytes, unit: LogicalUnit) -> tuple[int, int]:
    """Return byte offset and length, checked against the capacity and our transfer limit."""
    lba, blocks = _address(cdb)
    block = unit.block_bytes
    if (lba + blocks) * block > unit.size_bytes:
        raise ScsiCheck(LBA_OUT_OF_RANGE)
    if blocks * block > MAX_TRANSFER_BYTES:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(_FIELDS[cdb[0]][2]))
    return lba * block, blocks * block


def read(cdb: bytes, unit: LogicalUnit) -> Operation:
    """READ 6, 10, 12, 16. FUA asks for what the medium holds, hence the flush (SBC-3 §5.11)."""
    offset, length = _range(cdb, unit)
    try:
        if cdb[0] != READ_6 and cdb[1] & _FUA:
            unit.flush()
        return already(Outcome(unit.read(offset, length) if length else b""))
    except OSError as error:
        raise ScsiCheck(UNRECOVERED_READ) from error


def write(cdb: bytes, unit: LogicalUnit) -> Operation:
    """WRITE 6, 10, 12, 16."""
    offset, length = _range(cdb, unit)
    is_durable = cdb[0] != WRITE_6 and bool(cdb[1] & _FUA)

    def store(data: bytes) -> Outcome:
        # The initiator may promise fewer bytes than the CDB says (overflow): only whole blocks are written.
        whole = len(data) - len(data) % unit.block_bytes
        _store(unit, offset, data[:whole] if whole < len(data) else data)
        if is_durable:
            _flush(unit)
        return Outcome()

    return Operation(store, length)


def _store(unit: LogicalUnit, offset: int, data: bytes) -> None:
    if not data:
        return
    _check_writable(unit)
    if offset + len(data) > unit.size_bytes:
        raise ScsiCheck(LBA_OUT_OF_RANGE)
    try:
        unit.write(offset, data)
    except SpaceExhausted as error:
        raise ScsiCheck(SPACE_ALLOCATION_FAILED) from error
    except OSError as error:
        raise ScsiCheck(WRITE_ERROR) from error


def _flush(unit: LogicalUnit) -> None:
    try:
        unit.flush()
    except OSError as error:
        raise ScsiCheck(WRITE_ERROR) from error


def synchronize_cache(cdb: bytes, unit: LogicalUnit) -> Operation:
    """SYNCHRONIZE CACHE 10 and 16; zero blocks means until the end, and IMMED makes no difference to us."""
    lba, blocks = _address(cdb)
    if (lba + blocks) * unit.block_bytes > unit.size_bytes:
        raise ScsiCheck(LBA_OUT_OF_RANGE)
    _flush(unit)
    return already(Outcome())


def read_capacity_10(_cdb: bytes, unit: LogicalUnit) -> Operation:
    """READ CAPACITY 10: FFFFFFFFh when the last LBA does not fit (§5.16)."""
    last = unit.size_bytes // unit.block_bytes - 1
    return already(Outcome(min(last, 0xFFFFFFFF).to_bytes(4, "big") + unit.block_bytes.to_bytes(4, "big")))


def read_capacity_16(cdb: bytes, unit: LogicalUnit) -> Operation:
    """READ CAPACITY 16 with the physical block exponent, LBPME and LBPRZ (§5.17)."""
    last = unit.size_bytes // unit.block_bytes - 1
    exponent = (unit.physical_block_bytes // unit.block_bytes).bit_length() - 1
    flags = bytes((0, max(exponent, 0), 0xC0 if unit.is_thin else 0))
    data = last.to_bytes(8, "big") + unit.block_bytes.to_bytes(4, "big") + flags
    return already(Outcome(data.ljust(32, b"\0")[: number(cdb, 10, 4)]))


def unmap(cdb: bytes, unit: LogicalUnit) -> Operation:
    """UNMAP (§5.28); all descriptors are checked before the first one is carried out."""
    if not unit.is_thin:
        raise ScsiCheck(INVALID_OPCODE.at_cdb_byte(0))
    length = number(cdb, 7, 2)
    if 0 < length < _UNMAP_HEADER_BYTES:
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR.at_cdb_byte(7))

    def deallocate(parameters: bytes) -> Outcome:
        for offset, extent in _unmap_extents(parameters, unit) if parameters else ():
            _unmap(unit, offset, extent)
        return Outcome()

    return Operation(deallocate, length)


def _check_writable(unit: LogicalUnit) -> None:
    if unit.is_read_only:
        raise ScsiCheck(WRITE_PROTECTED)


def _unmap(unit: LogicalUnit, offset: int, length: int) -> None:
    _check_writable(unit)
    try:
        unit.unmap(offset, length)
    except OSError as error:
        raise ScsiCheck(WRITE_ERROR) from error


def _unmap_extents(parameters: bytes, unit: LogicalUnit) -> list[tuple[int, int]]:
    descriptors = number(parameters, 2, 2)
    if descriptors + _UNMAP_HEADER_BYTES > len(parameters):
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    count = descriptors // _UNMAP_DESCRIPTOR_BYTES
    if count > MAX_UNMAP_DESCRIPTORS:
        raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(2))
    starts = range(_UNMAP_HEADER_BYTES, _UNMAP_HEADER_BYTES + count * _UNMAP_DESCRIPTOR_BYTES, _UNMAP_DESCRIPTOR_BYTES)
    block = unit.block_bytes
    extents = [(number(parameters, at, 8) * block, number(parameters, at + 8, 4) * block) for at in starts]
    if sum(length for _, length in extents) > MAX_UNMAP_BYTES:
        raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(_UNMAP_HEADER_BYTES + 8))
    if any(offset + length > unit.size_bytes for offset, length in extents):
        raise ScsiCheck(LBA_OUT_OF_RANGE)
    return [extent for extent in extents if extent[1]]
