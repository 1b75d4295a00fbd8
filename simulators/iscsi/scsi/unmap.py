"""UNMAP (SBC-3 §5.28) and WRITE SAME 10 and 16 (§5.48, §5.49)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi import opcodes as op
from simulators.iscsi.scsi.cdb import extent, length_field, number
from simulators.iscsi.scsi.limits import MAX_UNMAP_BYTES, MAX_UNMAP_DESCRIPTORS, MAX_WRITE_SAME_BYTES
from simulators.iscsi.scsi.medium import deallocate, store
from simulators.iscsi.scsi.operation import Operation, Outcome
from simulators.iscsi.scsi.sense import (
    INVALID_FIELD_IN_CDB,
    INVALID_FIELD_IN_PARAMETERS,
    LBA_OUT_OF_RANGE,
    PARAMETER_LIST_LENGTH_ERROR,
    ScsiCheck,
)

if TYPE_CHECKING:
    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.operation import UnitRequest

_HEADER_BYTES = 8
_DESCRIPTOR_BYTES = 16
_NO_DATA_OUT, _UNMAP = 0x01, 0x08


def unmap(request: UnitRequest) -> Operation:
    """UNMAP; all descriptors are checked before the first one is carried out."""
    length = number(request.cdb, 7, 2)
    if 0 < length < _HEADER_BYTES:
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR.at_cdb_byte(7))

    def finish(parameters: bytes) -> Outcome:
        for offset, size in _extents(parameters, request.unit) if parameters else ():
            deallocate(request, offset, size)
        return Outcome()

    return Operation(finish, length)


def _extents(parameters: bytes, unit: LogicalUnit) -> list[tuple[int, int]]:
    descriptors = number(parameters, 2, 2)
    if descriptors + _HEADER_BYTES > len(parameters):
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    count = descriptors // _DESCRIPTOR_BYTES
    if count > MAX_UNMAP_DESCRIPTORS:
        raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(2))
    starts = range(_HEADER_BYTES, _HEADER_BYTES + count * _DESCRIPTOR_BYTES, _DESCRIPTOR_BYTES)
    block = unit.block_bytes
    extents = [(number(parameters, at, 8) * block, number(parameters, at + 8, 4) * block) for at in starts]
    if sum(length for _, length in extents) > MAX_UNMAP_BYTES:
        raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(_HEADER_BYTES + 8))
    if any(offset + length > unit.size_bytes for offset, length in extents):
        raise ScsiCheck(LBA_OUT_OF_RANGE)
    return [each for each in extents if each[1]]


def write_same(request: UnitRequest) -> Operation:
    """WRITE SAME: one block, again and again; zero blocks means until the end of the unit (WSNZ is zero).

    With UNMAP a thin unit gives the blocks back, if the block is all zeros: then they read the same. Anchoring is
    not supported, so its bit is refused.
    """
    cdb, unit = request.cdb, request.unit
    offset, length = extent(cdb, unit)
    length = length or unit.size_bytes - offset
    if length > MAX_WRITE_SAME_BYTES:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(length_field(cdb)))
    gives_back = bool(cdb[1] & _UNMAP)
    if gives_back and not unit.is_thin:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(1))
    has_no_data = cdb[0] == op.WRITE_SAME_16 and bool(cdb[1] & _NO_DATA_OUT)
    block = unit.block_bytes

    def finish(data: bytes) -> Outcome:
        pattern = bytes(block) if has_no_data else data
        if gives_back and not any(pattern):
            deallocate(request, offset, length)
        else:
            store(request, offset, pattern * (length // block), is_durable=False)
        return Outcome()

    return Operation(finish, 0 if has_no_data else block, is_exact=True)
