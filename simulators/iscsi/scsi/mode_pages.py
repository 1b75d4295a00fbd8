"""MODE SENSE 6 and 10 (SPC-4 §6.11) with the caching (SBC-3 §6.4.5) and control (SPC-4 §7.5.8) pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.cdb import MODE_SENSE_6, number
from simulators.iscsi.scsi.operation import Outcome
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, SAVING_NOT_SUPPORTED, ScsiCheck

if TYPE_CHECKING:
    from simulators.iscsi.backend import LogicalUnit

CACHING_PAGE = 0x08
CONTROL_PAGE = 0x0A
_ALL_PAGES = 0x3F
_CHANGEABLE = 1
_SAVED = 3
_DPO_AND_FUA = 0x10
_WRITE_PROTECTED = 0x80

# WCE: writes may be volatile until SYNCHRONIZE CACHE or FUA, so that initiators do send both.
_CURRENT: dict[int, bytes] = {
    CACHING_PAGE: bytes((CACHING_PAGE, 18, 0x04)) + bytes(17),
    CONTROL_PAGE: bytes((CONTROL_PAGE, 10)) + bytes(10),
}


def sense_modes(cdb: bytes, unit: LogicalUnit) -> Outcome:
    """Answer MODE SENSE of either length."""
    is_short = cdb[0] == MODE_SENSE_6
    pages = _select(cdb[2] >> 6, cdb[2] & 0x3F, cdb[3])
    has_no_descriptor = bool(cdb[1] & 0x08)
    has_long_descriptor = bool(cdb[1] & 0x10) and not is_short
    descriptor = b"" if has_no_descriptor else _block_descriptor(unit, is_long=has_long_descriptor)
    header = _short_header if is_short else _long_header
    allocation = cdb[4] if is_short else number(cdb, 7, 2)
    parameter = _DPO_AND_FUA | (_WRITE_PROTECTED if unit.is_read_only else 0)
    return Outcome(header(parameter, descriptor, pages)[:allocation])


def _select(control: int, page: int, subpage: int) -> bytes:
    if control == _SAVED:
        raise ScsiCheck(SAVING_NOT_SUPPORTED)
    if subpage not in {0x00, 0xFF} or (subpage == 0xFF and page != _ALL_PAGES):
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(3))
    chosen = sorted(_CURRENT) if page == _ALL_PAGES else [page]
    if any(code not in _CURRENT for code in chosen):
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    return b"".join(_page(code, control) for code in chosen)


def _page(code: int, control: int) -> bytes:
    current = _CURRENT[code]
    # MODE SELECT is not simulated, so nothing is changeable.
    return current[:2] + bytes(len(current) - 2) if control == _CHANGEABLE else current


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
