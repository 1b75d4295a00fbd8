"""TEST UNIT READY, REQUEST SENSE and REPORT LUNS (SPC-4 §6.47, §6.39, §6.33)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.lun_address import encode_lun
from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import GOOD_SENSE, INVALID_FIELD_IN_CDB, LUN_NOT_SUPPORTED, ScsiCheck

if TYPE_CHECKING:
    from simulators.iscsi.scsi.operation import Request, UnitRequest

_SELECT_ALL = 0x02
_SELECT_WELL_KNOWN = 0x01


def be_ready(_request: UnitRequest) -> Operation:
    """Ready, or it would not have come here."""
    return already(Outcome())


def request_sense(request: Request) -> Operation:
    """REQUEST SENSE: sense as parameter data, "logical unit not supported" included."""
    sense, nexus, lun_number = LUN_NOT_SUPPORTED, request.nexus, request.lun_number
    if lun_number is not None and lun_number in nexus.units:
        sense = nexus.take_attention(lun_number) or GOOD_SENSE
    return already(Outcome(sense.fixed()[: request.cdb[4]]))


def report_luns(request: Request) -> Operation:
    """REPORT LUNS; there is no well-known logical unit, so SELECT REPORT 01h finds none."""
    nexus = request.nexus
    select, allocation = request.cdb[2], number(request.cdb, 6, 4)
    if select > _SELECT_ALL:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    if allocation < 16:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(6))
    numbers = [] if select == _SELECT_WELL_KNOWN else sorted(nexus.units)
    listed = b"".join(encode_lun(each) for each in numbers)
    nexus.inventory_was_reported()
    return already(Outcome((len(listed).to_bytes(4, "big") + bytes(4) + listed)[:allocation]))
