"""LOG SENSE (SPC-4 §6.7): supported pages, and logical block provisioning (SBC-3 §6.3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.backend import ProvisionedUnit
from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.medium import threshold_sets
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, ScsiCheck

if TYPE_CHECKING:
    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.operation import UnitRequest

_SUPPORTED = 0x00
_PROVISIONING = 0x0C
_CUMULATIVE = 1
_AVAILABLE, _USED = 0x0001, 0x0002
_BINARY_LIST = 0x03
_DEDICATED = 0x01


def sense_log(request: UnitRequest) -> Operation:
    """Answer LOG SENSE: cumulative values, from the parameter that the pointer names."""
    cdb, unit = request.cdb, request.unit
    page, control, pointer = cdb[2] & 0x3F, cdb[2] >> 6, number(cdb, 5, 2)
    if page not in _pages(unit) or control != _CUMULATIVE:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    if cdb[3]:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(3))
    if pointer > (_USED if page == _PROVISIONING else 0):
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(5))
    body = _provisioning(unit, pointer) if page == _PROVISIONING else bytes(_pages(unit))
    return already(Outcome((bytes((page, 0)) + len(body).to_bytes(2, "big") + body)[: number(cdb, 7, 2)]))


def _pages(unit: LogicalUnit) -> list[int]:
    has_numbers = unit.is_thin and isinstance(unit, ProvisionedUnit)
    return [_SUPPORTED, _PROVISIONING] if has_numbers else [_SUPPORTED]


def _provisioning(unit: LogicalUnit, pointer: int) -> bytes:
    used = unit.allocated_bytes if isinstance(unit, ProvisionedUnit) else 0
    counts = {_AVAILABLE: max(unit.size_bytes - used, 0), _USED: used}
    return b"".join(
        code.to_bytes(2, "big")
        + bytes((_BINARY_LIST, 8))
        + threshold_sets(unit, count).to_bytes(4, "big")
        + bytes((_DEDICATED, 0, 0, 0))
        for code, count in counts.items()
        if code >= pointer
    )
