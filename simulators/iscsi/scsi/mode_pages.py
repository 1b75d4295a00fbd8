"""MODE SENSE and MODE SELECT, 6 and 10 (SPC-4 §6.9 to §6.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.mode_values import PAGES
from simulators.iscsi.scsi.opcodes import MODE_SELECT_6, MODE_SENSE_6
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import (
    INVALID_FIELD_IN_CDB,
    INVALID_FIELD_IN_PARAMETERS,
    MODE_PARAMETERS_CHANGED,
    PARAMETER_LIST_LENGTH_ERROR,
    SAVING_NOT_SUPPORTED,
    ScsiCheck,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.mode_values import ModeValues
    from simulators.iscsi.scsi.operation import UnitRequest

_ALL_PAGES = 0x3F
_ALL_SUBPAGES = 0xFF
_CHANGEABLE = 1
_DEFAULT = 2
_SAVED = 3
_DPO_AND_FUA = 0x10
_WRITE_PROTECTED = 0x80
_PAGE_FORMAT = 0x10
_HAS_SUBPAGE = 0x40
_LONG_LBA = 0x01


def sense_modes(request: UnitRequest) -> Operation:
    """Answer MODE SENSE of either length."""
    cdb, unit, modes = request.cdb, request.unit, request.device.modes
    is_short = cdb[0] == MODE_SENSE_6
    pages = _select(cdb[2] >> 6, cdb[2] & 0x3F, cdb[3], unit, modes)
    has_no_descriptor = bool(cdb[1] & 0x08)
    has_long_descriptor = bool(cdb[1] & 0x10) and not is_short
    descriptor = b"" if has_no_descriptor else _block_descriptor(unit, is_long=has_long_descriptor)
    header = _short_header if is_short else _long_header
    allocation = cdb[4] if is_short else number(cdb, 7, 2)
    is_protected = unit.is_read_only or modes.is_write_protected
    parameter = _DPO_AND_FUA | (_WRITE_PROTECTED if is_protected else 0)
    return already(Outcome(header(parameter, descriptor, pages)[:allocation]))


def _select(control: int, page: int, subpage: int, unit: LogicalUnit, modes: ModeValues) -> bytes:
    if control == _SAVED:
        raise ScsiCheck(SAVING_NOT_SUPPORTED)
    known = [each for each in PAGES if unit.is_thin or not PAGES[each].is_thin_only]
    chosen = [
        each for each in known if page in {_ALL_PAGES, each[0]} and (each[1] == subpage or subpage == _ALL_SUBPAGES)
    ]
    if not chosen:
        wrong = 3 if any(page == each[0] for each in known) or page == _ALL_PAGES else 2
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(wrong))
    return b"".join(_value(each, control, modes) for each in sorted(chosen))


def _value(page: tuple[int, int], control: int, modes: ModeValues) -> bytes:
    if control == _CHANGEABLE:
        return PAGES[page].changeable
    return PAGES[page].default if control == _DEFAULT else modes.current(page)


def _block_descriptor(unit: LogicalUnit, *, is_long: bool) -> bytes:
    blocks = unit.size_bytes // unit.block_bytes
    if is_long:
        return blocks.to_bytes(8, "big") + bytes(4) + unit.block_bytes.to_bytes(4, "big")
    return min(blocks, 0xFFFFFFFF).to_bytes(4, "big") + b"\0" + unit.block_bytes.to_bytes(3, "big")


def _short_header(parameter: int, descriptor: bytes, pages: bytes) -> bytes:
    length = 3 + len(descriptor) + len(pages)
    return bytes((length, 0, parameter, len(descriptor))) + descriptor + pages


def _long_header(parameter: int, descriptor: bytes, pages: bytes) -> bytes:
    length = 6 + len(descriptor) + len(pages)
    is_long = len(descriptor) == 16
    header = length.to_bytes(2, "big") + bytes((0, parameter, int(is_long), 0))
    return header + len(descriptor).to_bytes(2, "big") + descriptor + pages


def select_modes(request: UnitRequest) -> Operation:
    """Answer MODE SELECT of either length: all pages are checked before the first is taken."""
    cdb = request.cdb
    is_short = cdb[0] == MODE_SELECT_6
    length = cdb[4] if is_short else number(cdb, 7, 2)
    if not cdb[1] & _PAGE_FORMAT:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(1))

    def take(parameters: bytes) -> Outcome:
        if parameters:
            _take(parameters, request, is_short=is_short)
        return Outcome()

    return Operation(take, length)


def _take(parameters: bytes, request: UnitRequest, *, is_short: bool) -> None:
    start = _check_header(parameters, request.unit, is_short=is_short)
    device = request.device
    changes = list(_pages_in(parameters, start, request.unit, device.modes))
    has_changed = [device.modes.change(page, value) for page, value in changes]
    if any(has_changed):
        # SPC-4 §6.9: "for the I_T nexus associated with every other initiator port".
        device.tell_others(request.nexus, MODE_PARAMETERS_CHANGED)


def _check_header(parameters: bytes, unit: LogicalUnit, *, is_short: bool) -> int:
    """Return where the pages begin."""
    header_bytes = 4 if is_short else 8
    if len(parameters) < header_bytes:
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    length = parameters[3] if is_short else number(parameters, 6, 2)
    start = header_bytes + length
    is_long = not is_short and bool(parameters[4] & _LONG_LBA)
    if length == 0:
        return start
    if start > len(parameters):
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    # The size and the block length are not for the initiator to choose: only what is true is taken.
    if parameters[header_bytes:start] != _block_descriptor(unit, is_long=is_long):
        raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(header_bytes))
    return start


def _pages_in(
    parameters: bytes, at: int, unit: LogicalUnit, modes: ModeValues
) -> Iterator[tuple[tuple[int, int], bytes]]:
    while at < len(parameters):
        page, header_bytes = _identify(parameters, at)
        known = PAGES.get(page)
        if known is None or (known.is_thin_only and not unit.is_thin):
            raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(at))
        value = parameters[at : at + len(known.default)]
        if len(value) < len(known.default):
            raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
        _check_values(value, modes.current(page), known.changeable, header_bytes, at)
        yield page, value
        at += len(value)


def _identify(parameters: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Return page and subpage code, and the length of the header that says them."""
    if not parameters[at] & _HAS_SUBPAGE:
        return (parameters[at] & 0x3F, 0), 2
    if at + 4 > len(parameters):
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    return (parameters[at] & 0x3F, parameters[at + 1]), 4


def _check_values(value: bytes, current: bytes, changeable: bytes, header_bytes: int, at: int) -> None:
    """Refuse a change of a bit that may not change, and a wrong page length (SPC-4 §6.9)."""
    for index, (new, old) in enumerate(zip(value, current, strict=True)):
        fixed = 0xFF if index < header_bytes else 0xFF & ~changeable[index]
        if (new ^ old) & fixed:
            raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(at + index))
