"""Command descriptor blocks: which operation codes exist, and which of their bits may be set.

Each command has a usage map, as REPORT SUPPORTED OPERATION CODES would return it (SPC-4 §6.35.3): a bit that
is zero there must be zero in the CDB. Reserved, obsolete and unsimulated fields are all refused by this one
rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, INVALID_OPCODE, ScsiCheck

TEST_UNIT_READY = 0x00
REQUEST_SENSE = 0x03
READ_6 = 0x08
WRITE_6 = 0x0A
INQUIRY = 0x12
MODE_SENSE_6 = 0x1A
READ_CAPACITY_10 = 0x25
READ_10 = 0x28
WRITE_10 = 0x2A
SYNCHRONIZE_CACHE_10 = 0x35
UNMAP = 0x42
MODE_SENSE_10 = 0x5A
READ_16 = 0x88
WRITE_16 = 0x8A
SYNCHRONIZE_CACHE_16 = 0x91
SERVICE_ACTION_IN_16 = 0x9E
REPORT_LUNS = 0xA0
READ_12 = 0xA8
WRITE_12 = 0xAA

READ_CAPACITY_16_ACTION = 0x10


@dataclass(frozen=True, slots=True)
class Shape:
    """The length of a CDB, its usage map, and its service action, if it has one."""

    usage: bytes
    service_action: int | None = None

    @property
    def length(self) -> int:
        """Bytes that count; the rest of the 16 that iSCSI sends is padding."""
        return len(self.usage)


def _shape(usage: str, service_action: int | None = None) -> Shape:
    return Shape(bytes.fromhex(usage), service_action)


# Byte 0 is the operation code. DPO (10h) and FUA (08h) are known in READ and WRITE (SBC-3 §5.11); protection
# information, grouping, RARC and the control byte's NACA are not.
SHAPES: dict[int, Shape] = {
    TEST_UNIT_READY: _shape("ff0000000000"),
    REQUEST_SENSE: _shape("ff000000ff00"),
    READ_6: _shape("ff1fffffff00"),
    WRITE_6: _shape("ff1fffffff00"),
    INQUIRY: _shape("ff01ffffff00"),
    MODE_SENSE_6: _shape("ff08ffffff00"),
    READ_CAPACITY_10: _shape("ff000000000000000000"),
    READ_10: _shape("ff18ffffffff00ffff00"),
    WRITE_10: _shape("ff18ffffffff00ffff00"),
    SYNCHRONIZE_CACHE_10: _shape("ff02ffffffff00ffff00"),
    UNMAP: _shape("ff000000000000ffff00"),
    MODE_SENSE_10: _shape("ff18ffff000000ffff00"),
    READ_16: _shape("ff18ffffffffffffffffffffffff0000"),
    WRITE_16: _shape("ff18ffffffffffffffffffffffff0000"),
    SYNCHRONIZE_CACHE_16: _shape("ff02ffffffffffffffffffffffff0000"),
    SERVICE_ACTION_IN_16: _shape("ff1f0000000000000000ffffffff0000", READ_CAPACITY_16_ACTION),
    REPORT_LUNS: _shape("ff00ff000000ffffffff0000"),
    READ_12: _shape("ff18ffffffffffffffff0000"),
    WRITE_12: _shape("ff18ffffffffffffffff0000"),
}
_FORBIDDEN = {code: ~int.from_bytes(shape.usage, "big") for code, shape in SHAPES.items()}


def check_cdb(cdb: bytes) -> None:
    """Refuse an unknown operation code (20/00), service action or bit (24/00, with the field pointer)."""
    shape = SHAPES.get(cdb[0])
    if shape is None:
        raise ScsiCheck(INVALID_OPCODE.at_cdb_byte(0))
    length = shape.length
    if shape.service_action is not None and cdb[1] & 0x1F != shape.service_action:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(1))
    if wrong := int.from_bytes(cdb[:length], "big") & _FORBIDDEN[cdb[0]]:
        first = length - (wrong.bit_length() + 7) // 8
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(first))


def number(cdb: bytes, first: int, length: int) -> int:
    """Return a big-endian field."""
    return int.from_bytes(cdb[first : first + length], "big")
