"""From a CDB to an operation: the order in which a device server looks at a command (SAM-5 §5.2, SPC-4 §4.2).

LUN, then unit attention, then operation code and reserved bits, then the fields. INQUIRY, REPORT LUNS and
REQUEST SENSE are answered even for a LUN that does not exist, and neither report nor clear a unit attention
as CHECK CONDITION.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.lun_address import encode_lun
from simulators.iscsi.scsi import block_commands, cdb
from simulators.iscsi.scsi.inquiry import inquire
from simulators.iscsi.scsi.mode_pages import sense_modes
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import GOOD_SENSE, INVALID_FIELD_IN_CDB, LUN_NOT_SUPPORTED, ScsiCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.nexus import Nexus

_SELECT_ALL = 0x02
_SELECT_WELL_KNOWN = 0x01


def begin(command: bytes, lun_number: int | None, nexus: Nexus) -> Operation:
    """Check a command and return what remains to be done; after a failed check that is nothing."""
    try:
        return _begin(command, lun_number, nexus)
    except ScsiCheck as check:
        return already(Outcome(sense=check.sense))


def finish(operation: Operation, data: bytes) -> Outcome:
    """Carry out an operation whose data has arrived."""
    try:
        return operation.finish(data)
    except ScsiCheck as check:
        return Outcome(sense=check.sense)


def _begin(command: bytes, lun_number: int | None, nexus: Nexus) -> Operation:
    unit = nexus.units.get(lun_number) if lun_number is not None else None
    if command[0] in _FOR_ANY_LUN:
        cdb.check_cdb(command)
        return already(_FOR_ANY_LUN[command[0]](command, unit, lun_number, nexus))
    if unit is None or lun_number is None:
        raise ScsiCheck(LUN_NOT_SUPPORTED)
    if attention := nexus.take_attention(lun_number):
        raise ScsiCheck(attention)
    cdb.check_cdb(command)
    return _ON_A_UNIT[command[0]](command, unit)


def _inquiry(command: bytes, unit: LogicalUnit | None, _lun_number: int | None, nexus: Nexus) -> Outcome:
    return inquire(command, unit, nexus.target_iqn)


def _report_luns(command: bytes, _unit: LogicalUnit | None, _lun_number: int | None, nexus: Nexus) -> Outcome:
    """SPC-4 §6.33; there is no well-known logical unit, so SELECT REPORT 01h finds none."""
    select, allocation = command[2], cdb.number(command, 6, 4)
    if select > _SELECT_ALL:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    if allocation < 16:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(6))
    numbers = [] if select == _SELECT_WELL_KNOWN else sorted(nexus.units)
    listed = b"".join(encode_lun(number) for number in numbers)
    nexus.inventory_was_reported()
    return Outcome((len(listed).to_bytes(4, "big") + bytes(4) + listed)[:allocation])


def _request_sense(command: bytes, unit: LogicalUnit | None, lun_number: int | None, nexus: Nexus) -> Outcome:
    """SPC-4 §6.39: sense as parameter data, "logical unit not supported" included."""
    sense = LUN_NOT_SUPPORTED
    if unit is not None and lun_number is not None:
        sense = nexus.take_attention(lun_number) or GOOD_SENSE
    return Outcome(sense.fixed()[: command[4]])


def _test_unit_ready(_command: bytes, _unit: LogicalUnit) -> Operation:
    return already(Outcome())


def _mode_sense(command: bytes, unit: LogicalUnit) -> Operation:
    return already(sense_modes(command, unit))


_FOR_ANY_LUN: dict[int, Callable[[bytes, LogicalUnit | None, int | None, Nexus], Outcome]] = {
    cdb.INQUIRY: _inquiry,
    cdb.REPORT_LUNS: _report_luns,
    cdb.REQUEST_SENSE: _request_sense,
}

_ON_A_UNIT: dict[int, Callable[[bytes, LogicalUnit], Operation]] = {
    cdb.TEST_UNIT_READY: _test_unit_ready,
    cdb.MODE_SENSE_6: _mode_sense,
    cdb.MODE_SENSE_10: _mode_sense,
    cdb.READ_6: block_commands.read,
    cdb.READ_10: block_commands.read,
    cdb.READ_12: block_commands.read,
    cdb.READ_16: block_commands.read,
    cdb.WRITE_6: block_commands.write,
    cdb.WRITE_10: block_commands.write,
    cdb.WRITE_12: block_commands.write,
    cdb.WRITE_16: block_commands.write,
    cdb.READ_CAPACITY_10: block_commands.read_capacity_10,
    cdb.SERVICE_ACTION_IN_16: block_commands.read_capacity_16,
    cdb.SYNCHRONIZE_CACHE_10: block_commands.synchronize_cache,
    cdb.SYNCHRONIZE_CACHE_16: block_commands.synchronize_cache,
    cdb.UNMAP: block_commands.unmap,
}
