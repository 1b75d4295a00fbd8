"""From a CDB to an operation: the order in which a device server looks at a command (SAM-5 §5.2, SPC-4 §4.2).

LUN, then unit attention, then operation code and reserved bits, then reservations, then whether the unit is
stopped, then the fields. INQUIRY, REPORT LUNS and REQUEST SENSE are answered even for a LUN that does not
exist, and neither report nor clear a unit attention as CHECK CONDITION.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi import opcodes as op
from simulators.iscsi.scsi.access import check_access
from simulators.iscsi.scsi.command_table import find_command
from simulators.iscsi.scsi.operation import Operation, Outcome, Request, ReservationConflict, UnitRequest, already
from simulators.iscsi.scsi.sense import INVALID_OPCODE, LUN_NOT_SUPPORTED, STOPPED, ScsiCheck

if TYPE_CHECKING:
    from simulators.iscsi.scsi.nexus import Nexus

_FOR_ANY_LUN = frozenset({op.INQUIRY, op.REPORT_LUNS, op.REQUEST_SENSE})


def begin(cdb: bytes, lun_number: int | None, nexus: Nexus) -> Operation:
    """Check a command and return what remains to be done; after a failed check that is nothing."""
    try:
        return _begin(cdb, lun_number, nexus)
    except ScsiCheck as check:
        return already(Outcome(sense=check.sense))
    except ReservationConflict:
        return already(Outcome(is_conflict=True))


def finish(operation: Operation, data: bytes) -> Outcome:
    """Carry out an operation whose data has arrived."""
    try:
        return operation.finish(data)
    except ScsiCheck as check:
        return Outcome(sense=check.sense)
    except ReservationConflict:
        return Outcome(is_conflict=True)


def _begin(cdb: bytes, lun_number: int | None, nexus: Nexus) -> Operation:
    if cdb[0] in _FOR_ANY_LUN:
        return find_command(cdb).carry_out(Request(cdb, nexus, lun_number))
    unit = nexus.units.get(lun_number) if lun_number is not None else None
    if unit is None or lun_number is None:
        raise ScsiCheck(LUN_NOT_SUPPORTED)
    if attention := nexus.take_attention(lun_number):
        raise ScsiCheck(attention)
    command, device = find_command(cdb), nexus.devices[lun_number]
    if command.is_thin_only and not unit.is_thin:
        raise ScsiCheck(INVALID_OPCODE.at_cdb_byte(0))
    if device.reserved_by is not None or device.reservations.held is not None:
        check_access(command.access, device, nexus)
    if device.is_stopped and command.needs_medium:
        raise ScsiCheck(STOPPED)
    return command.carry_out(UnitRequest(cdb, nexus, lun_number, unit, device))
