"""Commands that look before they answer: VERIFY, WRITE AND VERIFY, COMPARE AND WRITE, ORWRITE (SBC-3 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.cdb import extent, transfer
from simulators.iscsi.scsi.limits import MAX_COMPARE_BLOCKS
from simulators.iscsi.scsi.medium import check_writable, fetch, store
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, MISCOMPARE_DURING_VERIFY, ScsiCheck

if TYPE_CHECKING:
    from simulators.iscsi.scsi.operation import UnitRequest

_FUA = 0x08
_COMPARE_NOTHING, _COMPARE_ALL, _COMPARE_ONE = 0, 1, 3


def verify(request: UnitRequest) -> Operation:
    """VERIFY 10, 12, 16 (§5.32): BYTCHK 00 looks at the medium, 01 compares, 11 compares one block with all."""
    cdb, unit = request.cdb, request.unit
    mode = cdb[1] >> 1 & 3
    if mode == _COMPARE_NOTHING:
        # What is never read back wrong needs no reading; but an initiator may ask about the whole unit.
        extent(cdb, unit)
        return already(Outcome())
    if mode not in {_COMPARE_ALL, _COMPARE_ONE}:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(1))
    offset, length = transfer(cdb, unit)
    wanted = length if mode == _COMPARE_ALL else min(length, unit.block_bytes)

    def finish(data: bytes) -> Outcome:
        repeated = data if mode == _COMPARE_ALL else data * (length // unit.block_bytes)
        _compare(fetch(unit, offset, length), repeated)
        return Outcome()

    return Operation(finish, wanted, is_exact=True)


def write_and_verify(request: UnitRequest) -> Operation:
    """WRITE AND VERIFY 10, 12, 16 (§5.44): written to the medium, and read back."""
    unit = request.unit
    offset, length = transfer(request.cdb, unit)

    def finish(data: bytes) -> Outcome:
        data = data[: len(data) - len(data) % unit.block_bytes]
        store(request, offset, data, is_durable=True)
        _compare(fetch(unit, offset, len(data)), data)
        return Outcome()

    return Operation(finish, length)


def compare_and_write(request: UnitRequest) -> Operation:
    """COMPARE AND WRITE (§5.3): the second half is written if the first half is what is there."""
    cdb, unit = request.cdb, request.unit
    offset, length = transfer(cdb, unit, MAX_COMPARE_BLOCKS * unit.block_bytes)

    def finish(data: bytes) -> Outcome:
        check_writable(request)
        _compare(fetch(unit, offset, length), data[:length])
        store(request, offset, data[length:], is_durable=bool(cdb[1] & _FUA))
        return Outcome()

    return Operation(finish, 2 * length, is_exact=True)


def or_write(request: UnitRequest) -> Operation:
    """ORWRITE 16 (§5.6): every bit that is set here or there."""
    cdb, unit = request.cdb, request.unit
    offset, length = transfer(cdb, unit)

    def finish(data: bytes) -> Outcome:
        check_writable(request)
        both = int.from_bytes(data, "big") | int.from_bytes(fetch(unit, offset, length), "big")
        store(request, offset, both.to_bytes(length, "big"), is_durable=bool(cdb[1] & _FUA))
        return Outcome()

    return Operation(finish, length, is_exact=True)


def _compare(found: bytes, expected: bytes) -> None:
    """End with MISCOMPARE and the offset of the first byte that differs."""
    if found == expected:
        return
    first = next(index for index, (one, other) in enumerate(zip(found, expected, strict=True)) if one != other)
    raise ScsiCheck(MISCOMPARE_DURING_VERIFY.about(first))
