"""Sense data in fixed format (SPC-4 §4.5.3), and the conditions this device server knows."""

from __future__ import annotations

from dataclasses import dataclass, replace

NO_SENSE = 0x0
NOT_READY = 0x2
MEDIUM_ERROR = 0x3
HARDWARE_ERROR = 0x4
ILLEGAL_REQUEST = 0x5
UNIT_ATTENTION = 0x6
DATA_PROTECT = 0x7
COPY_ABORTED = 0xA
ABORTED_COMMAND = 0xB
MISCOMPARE = 0xE

FIXED_SENSE_BYTES = 18


@dataclass(frozen=True, slots=True)
class Sense:
    """A sense key, an additional sense code with its qualifier, and where the offending field is."""

    key: int
    asc: int
    ascq: int
    field_byte: int | None = None
    is_field_in_cdb: bool = True
    information: int | None = None

    def at_cdb_byte(self, index: int) -> Sense:
        """Point at a byte of the CDB (sense-key specific field pointer, §4.5.2.4.2)."""
        return replace(self, field_byte=index, is_field_in_cdb=True)

    def at_parameter_byte(self, index: int) -> Sense:
        """Point at a byte of the parameter list."""
        return replace(self, field_byte=index, is_field_in_cdb=False)

    def about(self, information: int) -> Sense:
        """Fill the INFORMATION field: in a miscompare, the offset of the first byte that differs (SBC-3 §5.3)."""
        return replace(self, information=information)

    def fixed(self) -> bytes:
        """Return the 18 bytes of current, fixed format sense data."""
        valid, information = (0x80, self.information) if self.information is not None else (0, 0)
        head = bytes((valid | 0x70, 0, self.key)) + information.to_bytes(4, "big")
        return head + bytes((FIXED_SENSE_BYTES - 8, 0, 0, 0, 0, self.asc, self.ascq, 0)) + self._field_pointer()

    def _field_pointer(self) -> bytes:
        if self.field_byte is None:
            return bytes(3)
        valid_and_place = 0xC0 if self.is_field_in_cdb else 0x80
        return bytes((valid_and_place,)) + self.field_byte.to_bytes(2, "big")


class ScsiCheck(Exception):
    """A command ends with CHECK CONDITION and this sense; raised and caught inside the device server."""

    def __init__(self, sense: Sense) -> None:
        super().__init__(sense)
        self.sense = sense


def parse_fixed(data: bytes) -> Sense | None:
    """Return what fixed format sense data says, or None for any other bytes."""
    if len(data) < 14 or data[0] & 0x7F not in {0x70, 0x71}:
        return None
    return Sense(data[2] & 0x0F, data[12], data[13])


GOOD_SENSE = Sense(NO_SENSE, 0x00, 0x00)
INVALID_OPCODE = Sense(ILLEGAL_REQUEST, 0x20, 0x00)
LBA_OUT_OF_RANGE = Sense(ILLEGAL_REQUEST, 0x21, 0x00)
INVALID_FIELD_IN_CDB = Sense(ILLEGAL_REQUEST, 0x24, 0x00)
LUN_NOT_SUPPORTED = Sense(ILLEGAL_REQUEST, 0x25, 0x00)
INVALID_FIELD_IN_PARAMETERS = Sense(ILLEGAL_REQUEST, 0x26, 0x00)
PARAMETER_LIST_LENGTH_ERROR = Sense(ILLEGAL_REQUEST, 0x1A, 0x00)
INVALID_RELEASE = Sense(ILLEGAL_REQUEST, 0x26, 0x04)
TOO_MANY_TARGET_DESCRIPTORS = Sense(ILLEGAL_REQUEST, 0x26, 0x06)
UNSUPPORTED_TARGET_DESCRIPTOR = Sense(ILLEGAL_REQUEST, 0x26, 0x07)
TOO_MANY_SEGMENT_DESCRIPTORS = Sense(ILLEGAL_REQUEST, 0x26, 0x08)
UNSUPPORTED_SEGMENT_DESCRIPTOR = Sense(ILLEGAL_REQUEST, 0x26, 0x09)
SAVING_NOT_SUPPORTED = Sense(ILLEGAL_REQUEST, 0x39, 0x00)
STOPPED = Sense(NOT_READY, 0x04, 0x02)
MISCOMPARE_DURING_VERIFY = Sense(MISCOMPARE, 0x1D, 0x00)
COPY_FAILED = Sense(COPY_ABORTED, 0x00, 0x00)
COPY_TARGET_NOT_REACHABLE = Sense(COPY_ABORTED, 0x0D, 0x02)

POWER_ON = Sense(UNIT_ATTENTION, 0x29, 0x00)
RESET_BY_FUNCTION = Sense(UNIT_ATTENTION, 0x29, 0x03)
MODE_PARAMETERS_CHANGED = Sense(UNIT_ATTENTION, 0x2A, 0x01)
RESERVATIONS_PREEMPTED = Sense(UNIT_ATTENTION, 0x2A, 0x03)
RESERVATIONS_RELEASED = Sense(UNIT_ATTENTION, 0x2A, 0x04)
REGISTRATIONS_PREEMPTED = Sense(UNIT_ATTENTION, 0x2A, 0x05)
CAPACITY_CHANGED = Sense(UNIT_ATTENTION, 0x2A, 0x09)
SOFT_THRESHOLD_REACHED = Sense(UNIT_ATTENTION, 0x38, 0x07)
CLEARED_BY_ANOTHER = Sense(UNIT_ATTENTION, 0x2F, 0x00)
REPORTED_LUNS_CHANGED = Sense(UNIT_ATTENTION, 0x3F, 0x0E)

UNRECOVERED_READ = Sense(MEDIUM_ERROR, 0x11, 0x00)
WRITE_ERROR = Sense(MEDIUM_ERROR, 0x0C, 0x00)
WRITE_PROTECTED = Sense(DATA_PROTECT, 0x27, 0x00)
SOFTWARE_WRITE_PROTECTED = Sense(DATA_PROTECT, 0x27, 0x02)
SPACE_ALLOCATION_FAILED = Sense(DATA_PROTECT, 0x27, 0x07)

# RFC 7143 §11.4.7.2: sense for errors of the iSCSI data transfer itself.
UNEXPECTED_UNSOLICITED_DATA = Sense(ABORTED_COMMAND, 0x0C, 0x0C)
INCORRECT_AMOUNT_OF_DATA = Sense(ABORTED_COMMAND, 0x0C, 0x0D)
PROTOCOL_SERVICE_CRC_ERROR = Sense(ABORTED_COMMAND, 0x47, 0x05)
