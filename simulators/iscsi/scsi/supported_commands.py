"""REPORT SUPPORTED OPERATION CODES and TASK MANAGEMENT FUNCTIONS (SPC-4 §6.35, §6.36), from the command table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, ScsiCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.iscsi.scsi.command_table import Command
    from simulators.iscsi.scsi.operation import UnitRequest

_ALL, _BY_OPCODE, _BY_ACTION, _BY_EITHER = 0, 1, 2, 3
_WITH_TIMEOUTS = 0x80
_HAS_ACTION, _HAS_TIMEOUTS = 0x01, 0x02
_NOT_SUPPORTED, _AS_STANDARD = 0x01, 0x03
# Zero seconds: no timeout is indicated.
_TIMEOUTS = bytes((0, 10)) + bytes(10)

# ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET, TARGET RESET; no CLEAR ACA, QUERY TASK, WAKEUP.
_TASK_MANAGEMENT = 0x80 | 0x40 | 0x10 | 0x08 | 0x02


def report_operation_codes(request: UnitRequest, commands: Sequence[Command]) -> Operation:
    """All commands in short, or one with its usage map."""
    cdb = request.cdb
    known = [each for each in commands if request.unit.is_thin or not each.is_thin_only]
    has_timeouts, option = bool(cdb[2] & _WITH_TIMEOUTS), cdb[2] & 0x07
    if option == _ALL:
        data = b"".join(_descriptor(each, has_timeouts=has_timeouts) for each in known)
        answer = len(data).to_bytes(4, "big") + data
    else:
        answer = _one(_find(cdb, option, known), has_timeouts=has_timeouts)
    return already(Outcome(answer[: number(cdb, 6, 4)]))


def _descriptor(command: Command, *, has_timeouts: bool) -> bytes:
    action = command.service_action
    flags = (_HAS_ACTION if action is not None else 0) | (_HAS_TIMEOUTS if has_timeouts else 0)
    head = bytes((command.opcode, 0)) + (action or 0).to_bytes(2, "big") + bytes((0, flags))
    return head + command.length.to_bytes(2, "big") + (_TIMEOUTS if has_timeouts else b"")


def _find(cdb: bytes, option: int, known: Sequence[Command]) -> Command | None:
    """Return the command asked for; asking for it in the way of the other kind is an error (table 308)."""
    opcode, action = cdb[3], number(cdb, 4, 2)
    if option not in {_BY_OPCODE, _BY_ACTION, _BY_EITHER}:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    same = [each for each in known if each.opcode == opcode]
    if not same:
        return None
    has_actions = same[0].service_action is not None
    if (option == _BY_OPCODE and has_actions) or (option == _BY_ACTION and not has_actions):
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    wanted = action if has_actions else None
    is_possible = has_actions or option == _BY_OPCODE or action == 0
    return next((each for each in same if each.service_action == wanted and is_possible), None)


def _one(command: Command | None, *, has_timeouts: bool) -> bytes:
    if command is None:
        return bytes((0, _NOT_SUPPORTED, 0, 0))
    usage = bytearray(command.usage)
    usage[0] = command.opcode
    if command.service_action is not None:
        usage[1] = usage[1] & 0xE0 | command.service_action
    support = _AS_STANDARD | (_WITH_TIMEOUTS if has_timeouts else 0)
    head = bytes((0, support)) + command.length.to_bytes(2, "big")
    return head + bytes(usage) + (_TIMEOUTS if has_timeouts else b"")


def report_task_management(request: UnitRequest) -> Operation:
    """Task management functions; the extended format adds twelve bytes of timeouts, none of them indicated."""
    cdb = request.cdb
    is_extended = bool(cdb[2] & _WITH_TIMEOUTS)
    data = bytes((_TASK_MANAGEMENT, 0, 0, 12)) + bytes(12) if is_extended else bytes((_TASK_MANAGEMENT, 0, 0, 0))
    return already(Outcome(data[: number(cdb, 6, 4)]))
