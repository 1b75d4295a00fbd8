"""READ, WRITE, WRITE ATOMIC, PRE-FETCH, SYNCHRONIZE CACHE and READ DEFECT DATA (SBC-3 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi import opcodes as op
from simulators.iscsi.scsi.cdb import extent, number, transfer
from simulators.iscsi.scsi.limits import MAX_ATOMIC_BLOCKS
from simulators.iscsi.scsi.medium import fetch, flush, store
from simulators.iscsi.scsi.operation import Operation, Outcome, already

if TYPE_CHECKING:
    from simulators.iscsi.scsi.operation import UnitRequest

_FUA = 0x08
_REQUESTED_LISTS = 0x1F


def read(request: UnitRequest) -> Operation:
    """READ 6, 10, 12, 16. FUA asks for what the medium holds, hence the flush (SBC-3 §5.11)."""
    cdb, unit = request.cdb, request.unit
    offset, length = transfer(cdb, unit)
    if cdb[0] != op.READ_6 and cdb[1] & _FUA:
        flush(unit)
    return already(Outcome(fetch(unit, offset, length)))


def write(request: UnitRequest) -> Operation:
    """WRITE 6, 10, 12, 16."""
    return _write(request, *transfer(request.cdb, request.unit))


def write_atomically(request: UnitRequest) -> Operation:
    """WRITE ATOMIC 16 (SBC-4 §5.48): commands are carried out one at a time, so every write is atomic."""
    return _write(request, *transfer(request.cdb, request.unit, MAX_ATOMIC_BLOCKS * request.unit.block_bytes))


def _write(request: UnitRequest, offset: int, length: int) -> Operation:
    cdb, block = request.cdb, request.unit.block_bytes
    is_durable = cdb[0] != op.WRITE_6 and bool(cdb[1] & _FUA)

    def finish(data: bytes) -> Outcome:
        # The initiator may promise fewer bytes than the CDB says (overflow): only whole blocks are written.
        whole = len(data) - len(data) % block
        store(request, offset, data[:whole] if whole < len(data) else data, is_durable=is_durable)
        return Outcome()

    return Operation(finish, length)


def synchronize_cache(request: UnitRequest) -> Operation:
    """SYNCHRONIZE CACHE 10 and 16; zero blocks means until the end, and IMMED makes no difference to us."""
    extent(request.cdb, request.unit)
    flush(request.unit)
    return already(Outcome())


def pre_fetch(request: UnitRequest) -> Operation:
    """PRE-FETCH 10 and 16 (SBC-3 §5.7): GOOD, as for a cache that has no room, because there is none.

    The group number names a counter of statistics; none are kept, so it makes no difference.
    """
    extent(request.cdb, request.unit)
    return already(Outcome())


def read_defect_data(request: UnitRequest) -> Operation:
    """READ DEFECT DATA 10 and 12 (SBC-3 §5.9): the lists that were asked for are there, and empty."""
    cdb = request.cdb
    if cdb[0] == op.READ_DEFECT_DATA_10:
        return already(Outcome(bytes((0, cdb[2] & _REQUESTED_LISTS, 0, 0))[: number(cdb, 7, 2)]))
    return already(Outcome(bytes((0, cdb[1] & _REQUESTED_LISTS, 0, 0, 0, 0, 0, 0))[: number(cdb, 6, 4)]))
