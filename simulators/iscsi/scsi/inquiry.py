"""INQUIRY (SPC-4 §6.6) and vital product data: 00, 80, 83, 86 (SPC-4 §7.8), B0, B1 and B2 (SBC-3 §6.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.backend import ProvisionedUnit
from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.limits import (
    MAX_ATOMIC_BLOCKS,
    MAX_COMPARE_BLOCKS,
    MAX_TRANSFER_BYTES,
    MAX_UNMAP_BYTES,
    MAX_UNMAP_DESCRIPTORS,
    MAX_WRITE_SAME_BYTES,
    THRESHOLD_EXPONENT,
)
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, LUN_NOT_SUPPORTED, ScsiCheck
from simulators.iscsi.scsi.target_ports import TARGET_PORT_GROUP

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.nexus import Nexus
    from simulators.iscsi.scsi.operation import Request

_DIRECT_ACCESS = 0x00
_NO_SUCH_LOGICAL_UNIT = 0x7F  # peripheral qualifier 011b, device type 1Fh

_BINARY, _ASCII, _UTF8 = 1, 2, 3
_UNIT, _PORT, _DEVICE = 0x00, 0x10, 0x20
_T10_VENDOR, _EUI64, _NAA, _RELATIVE_PORT, _PORT_GROUP, _SCSI_NAME = 1, 2, 3, 4, 5, 8
_ISCSI_PROTOCOL = 0x50
_IMPLICIT_ALUA_AND_THIRD_PARTY_COPY = 0x18
_HEAD_ORDERED_SIMPLE, _VOLATILE_CACHE = 0x07, 0x01
_NOT_ROTATING = 0x0001

# SAM-5, iSCSI, SPC-4, SBC-3, each "no version claimed" (SPC-4 table 144).
_VERSION_DESCRIPTORS = bytes.fromhex("00a00960046004c0")


def inquire(request: Request) -> Operation:
    """Answer INQUIRY; also for a LUN that does not exist, which only standard data can say."""
    cdb, nexus = request.cdb, request.nexus
    unit = nexus.units.get(request.lun_number) if request.lun_number is not None else None
    allocation = number(cdb, 3, 2)
    if cdb[1] & 1:
        return already(Outcome(_vital_product_data(cdb[2], unit, nexus)[:allocation]))
    if cdb[2]:
        # "If EVPD is zero and the PAGE CODE is not zero: CHECK CONDITION, INVALID FIELD IN CDB" (§6.6.1).
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    return already(Outcome(_standard(unit)[:allocation]))


def _standard(unit: LogicalUnit | None) -> bytes:
    identity = unit.identity if unit else None
    # Version 6: SPC-4. Response data format 2 with HISUP. TPGS and 3PC. MULTIP. CMDQUE.
    kind, abilities = (_DIRECT_ACCESS, _IMPLICIT_ALUA_AND_THIRD_PARTY_COPY) if unit else (_NO_SUCH_LOGICAL_UNIT, 0)
    head = bytes((kind, 0, 6, 0x12, 91, abilities, 0x10, 0x02))
    vendor = _ascii(identity.vendor if identity else "", 8)
    product = _ascii(identity.product if identity else "", 16)
    revision = _ascii(identity.revision if identity else "", 4)
    return (head + vendor + product + revision + bytes(22) + _VERSION_DESCRIPTORS).ljust(96, b"\0")


def _vital_product_data(page: int, unit: LogicalUnit | None, nexus: Nexus) -> bytes:
    if unit is None:
        raise ScsiCheck(LUN_NOT_SUPPORTED)
    build = _PAGES.get(page)
    if build is None:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    body = build(unit, nexus)
    return bytes((_DIRECT_ACCESS, page)) + len(body).to_bytes(2, "big") + body


def _supported_pages(_unit: LogicalUnit, _nexus: Nexus) -> bytes:
    return bytes(sorted(_PAGES))


def _serial_number(unit: LogicalUnit, _nexus: Nexus) -> bytes:
    return unit.identity.serial.encode("ascii", "replace")


def _device_identification(unit: LogicalUnit, nexus: Nexus) -> bytes:
    identity = unit.identity
    t10 = _ascii(identity.vendor, 8) + identity.serial.encode("ascii", "replace")
    designators = [
        _designator(_BINARY, _UNIT, _NAA, bytes.fromhex(identity.naa)),
        _designator(_ASCII, _UNIT, _T10_VENDOR, t10),
        _designator(_BINARY, _PORT, _RELATIVE_PORT, nexus.name.relative_port.to_bytes(4, "big")),
        _designator(_BINARY, _PORT, _PORT_GROUP, TARGET_PORT_GROUP.to_bytes(4, "big")),
        _designator(_UTF8, _PORT, _SCSI_NAME, _scsi_name(nexus.name.target_port)),
        _designator(_UTF8, _DEVICE, _SCSI_NAME, _scsi_name(nexus.target_iqn)),
    ]
    if identity.eui is not None:
        designators.insert(1, _designator(_BINARY, _UNIT, _EUI64, bytes.fromhex(identity.eui)))
    return b"".join(designators)


def _designator(code_set: int, association: int, kind: int, value: bytes) -> bytes:
    # §7.8.6.1: the protocol identifier counts (PIV) for ports and devices only.
    protocol, piv = (_ISCSI_PROTOCOL, 0x80) if association != _UNIT else (0, 0)
    return bytes((protocol | code_set, piv | association | kind, 0, len(value))) + value


def _scsi_name(name: str) -> bytes:
    """§7.8.6.11: UTF-8, null-terminated, padded to a multiple of four."""
    encoded = name.encode() + b"\0"
    return encoded + bytes(-len(encoded) % 4)


def _block_limits(unit: LogicalUnit, _nexus: Nexus) -> bytes:
    block = unit.block_bytes
    granularity = max(1, unit.physical_block_bytes // block)
    page = bytearray(60)
    page[1] = MAX_COMPARE_BLOCKS
    page[2:4] = granularity.to_bytes(2, "big")
    page[4:8] = (MAX_TRANSFER_BYTES // block).to_bytes(4, "big")
    if unit.is_thin:
        page[16:20] = (MAX_UNMAP_BYTES // block).to_bytes(4, "big")
        page[20:24] = MAX_UNMAP_DESCRIPTORS.to_bytes(4, "big")
        page[24:28] = granularity.to_bytes(4, "big")
        page[28:32] = (0x80000000).to_bytes(4, "big")  # UGAVALID, alignment 0
    page[32:40] = (MAX_WRITE_SAME_BYTES // block).to_bytes(8, "big")
    page[40:44] = page[52:56] = MAX_ATOMIC_BLOCKS.to_bytes(4, "big")  # with and without an atomic boundary: none
    return bytes(page)


def _extended_inquiry(_unit: LogicalUnit, _nexus: Nexus) -> bytes:
    """Task attributes (all treated as SIMPLE), and that there is a volatile cache (SPC-4 §7.8.7)."""
    return bytes((0, _HEAD_ORDERED_SIMPLE, _VOLATILE_CACHE)).ljust(60, b"\0")


def _block_device_characteristics(_unit: LogicalUnit, _nexus: Nexus) -> bytes:
    """SBC-3 §6.6.1."""
    return _NOT_ROTATING.to_bytes(2, "big").ljust(60, b"\0")


def _logical_block_provisioning(unit: LogicalUnit, _nexus: Nexus) -> bytes:
    if not unit.is_thin:
        return bytes(4)
    exponent = THRESHOLD_EXPONENT if isinstance(unit, ProvisionedUnit) else 0
    return bytes((exponent, 0xE4, 0x02, 0))  # LBPU, LBPWS, LBPWS10, LBPRZ; provisioning type: thin


_PAGES: dict[int, Callable[[LogicalUnit, Nexus], bytes]] = {
    0x00: _supported_pages,
    0x80: _serial_number,
    0x83: _device_identification,
    0x86: _extended_inquiry,
    0xB0: _block_limits,
    0xB1: _block_device_characteristics,
    0xB2: _logical_block_provisioning,
}


def _ascii(text: str, width: int) -> bytes:
    return text.encode("ascii", "replace")[:width].ljust(width)
