"""Every command that is simulated, in one table: dispatch, REPORT SUPPORTED OPERATION CODES and documentation.

Each has a usage map, as REPORT SUPPORTED OPERATION CODES returns it (SPC-4 §6.35.3): a bit that is zero there
must be zero in the CDB. Reserved, obsolete and unsimulated fields are all refused by this one rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.iscsi.scsi import block_commands as block
from simulators.iscsi.scsi import capacity, inquiry, log_pages, mode_pages, power, supported_commands, target_ports
from simulators.iscsi.scsi import opcodes as op
from simulators.iscsi.scsi import persistent_reserve as pr
from simulators.iscsi.scsi import primary_commands as primary
from simulators.iscsi.scsi import third_party_copy as copy
from simulators.iscsi.scsi import unmap as provisioning
from simulators.iscsi.scsi import verify as checked
from simulators.iscsi.scsi.access import Access
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, INVALID_OPCODE, ScsiCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.scsi.operation import Operation

FREE, LOOKS, READS, WRITES = Access.FREE, Access.LOOKS, Access.READS, Access.WRITES
_SERVICE_ACTION = 0x1F


@dataclass(frozen=True, slots=True)
class Command:
    """One command: how it is recognised, which bits of it count, and who carries it out."""

    name: str
    opcode: int
    service_action: int | None
    usage: bytes
    access: Access
    carry_out: Callable[[Any], Operation]
    is_thin_only: bool = False
    needs_medium: bool = False
    """Refused while the unit is stopped."""
    forbidden: int = 0
    """The bits that must be zero, as one number."""
    length: int = 0
    """Bytes that count; the rest of the 16 that iSCSI sends is padding."""


def _command(
    name: str,
    opcode: int | tuple[int, int],
    usage: str,
    access: Access,
    carry_out: Callable[[Any], Operation],
    **flags: bool,
) -> Command:
    code, action = opcode if isinstance(opcode, tuple) else (opcode, None)
    bits = bytes.fromhex(usage)
    forbidden = ~int.from_bytes(bits, "big")
    return Command(name, code, action, bits, access, carry_out, **flags, forbidden=forbidden, length=len(bits))


def _on_blocks(name: str, opcode: int | tuple[int, int], usage: str, access: Access, carry_out: Any) -> Command:
    return _command(name, opcode, usage, access, carry_out, needs_medium=True)


_IN, _OUT = op.PERSISTENT_RESERVE_IN, op.PERSISTENT_RESERVE_OUT
_SERVICE, _MAINTENANCE = op.SERVICE_ACTION_IN_16, op.MAINTENANCE_IN

# Byte 0 is the operation code. DPO (10h) and FUA (08h) are known in READ and WRITE (SBC-3 §5.11); protection
# information, grouping (but in PRE-FETCH), RARC and the control byte's NACA are not.
COMMANDS: tuple[Command, ...] = (
    _on_blocks("TEST UNIT READY", op.TEST_UNIT_READY, "ff0000000000", LOOKS, primary.be_ready),
    _command("REQUEST SENSE", op.REQUEST_SENSE, "ff000000ff00", FREE, primary.request_sense),
    _on_blocks("READ (6)", op.READ_6, "ff1fffffff00", READS, block.read),
    _on_blocks("WRITE (6)", op.WRITE_6, "ff1fffffff00", WRITES, block.write),
    _command("INQUIRY", op.INQUIRY, "ff01ffffff00", FREE, inquiry.inquire),
    _command("MODE SELECT (6)", op.MODE_SELECT_6, "ff100000ff00", WRITES, mode_pages.select_modes),
    _command("RESERVE (6)", op.RESERVE_6, "ff0000000000", LOOKS, pr.reserve),
    _command("RELEASE (6)", op.RELEASE_6, "ff0000000000", FREE, pr.release),
    _command("MODE SENSE (6)", op.MODE_SENSE_6, "ff08ffffff00", READS, mode_pages.sense_modes),
    _command("START STOP UNIT", op.START_STOP_UNIT, "ff0100000500", LOOKS, power.start_or_stop),
    _command("PREVENT ALLOW MEDIUM REMOVAL", op.PREVENT_ALLOW, "ff0000000300", LOOKS, power.prevent_or_allow),
    _on_blocks("READ CAPACITY (10)", op.READ_CAPACITY_10, "ff000000000000000000", FREE, capacity.read_capacity_10),
    _on_blocks("READ (10)", op.READ_10, "ff18ffffffff00ffff00", READS, block.read),
    _on_blocks("WRITE (10)", op.WRITE_10, "ff18ffffffff00ffff00", WRITES, block.write),
    _on_blocks(
        "WRITE AND VERIFY (10)", op.WRITE_AND_VERIFY_10, "ff12ffffffff00ffff00", WRITES, checked.write_and_verify
    ),
    _on_blocks("VERIFY (10)", op.VERIFY_10, "ff16ffffffff00ffff00", READS, checked.verify),
    _on_blocks("PRE-FETCH (10)", op.PRE_FETCH_10, "ff02ffffffff1fffff00", READS, block.pre_fetch),
    _on_blocks(
        "SYNCHRONIZE CACHE (10)", op.SYNCHRONIZE_CACHE_10, "ff02ffffffff00ffff00", WRITES, block.synchronize_cache
    ),
    _on_blocks("READ DEFECT DATA (10)", op.READ_DEFECT_DATA_10, "ff001f00000000ffff00", READS, block.read_defect_data),
    _on_blocks("WRITE SAME (10)", op.WRITE_SAME_10, "ff08ffffffff00ffff00", WRITES, provisioning.write_same),
    _command(
        "UNMAP", op.UNMAP, "ff000000000000ffff00", WRITES, provisioning.unmap, is_thin_only=True, needs_medium=True
    ),
    _command("LOG SENSE", op.LOG_SENSE, "ff00ffff00ffffffff00", FREE, log_pages.sense_log),
    _command("MODE SELECT (10)", op.MODE_SELECT_10, "ff100000000000ffff00", WRITES, mode_pages.select_modes),
    _command("RESERVE (10)", op.RESERVE_10, "ff000000000000000000", LOOKS, pr.reserve),
    _command("RELEASE (10)", op.RELEASE_10, "ff000000000000000000", FREE, pr.release),
    _command("MODE SENSE (10)", op.MODE_SENSE_10, "ff18ffff000000ffff00", READS, mode_pages.sense_modes),
    _command("PERSISTENT RESERVE IN, READ KEYS", (_IN, op.READ_KEYS), "ff1f0000000000ffff00", LOOKS, pr.reserve_in),
    _command(
        "PERSISTENT RESERVE IN, READ RESERVATION",
        (_IN, op.READ_RESERVATION),
        "ff1f0000000000ffff00",
        LOOKS,
        pr.reserve_in,
    ),
    _command(
        "PERSISTENT RESERVE IN, REPORT CAPABILITIES",
        (_IN, op.REPORT_CAPABILITIES),
        "ff1f0000000000ffff00",
        LOOKS,
        pr.reserve_in,
    ),
    _command(
        "PERSISTENT RESERVE IN, READ FULL STATUS",
        (_IN, op.READ_FULL_STATUS),
        "ff1f0000000000ffff00",
        LOOKS,
        pr.reserve_in,
    ),
    *(
        _command(f"PERSISTENT RESERVE OUT, {name}", (_OUT, action), "ff1fff0000ffffffff00", LOOKS, pr.reserve_out)
        for name, action in (
            ("REGISTER", op.REGISTER),
            ("RESERVE", op.RESERVE),
            ("RELEASE", op.RELEASE),
            ("CLEAR", op.CLEAR),
            ("PREEMPT", op.PREEMPT),
            ("PREEMPT AND ABORT", op.PREEMPT_AND_ABORT),
            ("REGISTER AND IGNORE EXISTING KEY", op.REGISTER_AND_IGNORE),
        )
    ),
    _on_blocks(
        "EXTENDED COPY (LID1)",
        (op.EXTENDED_COPY, op.EXTENDED_COPY_LID1),
        "ff1f0000000000000000ffffffff0000",
        WRITES,
        copy.extended_copy,
    ),
    _command(
        "RECEIVE COPY STATUS (LID1)",
        (op.RECEIVE_COPY_RESULTS, op.COPY_STATUS),
        "ff1fff00000000000000ffffffff0000",
        READS,
        copy.receive_copy_status,
    ),
    _command(
        "RECEIVE COPY OPERATING PARAMETERS",
        (op.RECEIVE_COPY_RESULTS, op.COPY_OPERATING_PARAMETERS),
        "ff1f0000000000000000ffffffff0000",
        READS,
        copy.receive_copy_parameters,
    ),
    _on_blocks("READ (16)", op.READ_16, "ff18ffffffffffffffffffffffff0000", READS, block.read),
    _on_blocks(
        "COMPARE AND WRITE", op.COMPARE_AND_WRITE, "ff18ffffffffffffffff000000ff0000", WRITES, checked.compare_and_write
    ),
    _on_blocks("WRITE (16)", op.WRITE_16, "ff18ffffffffffffffffffffffff0000", WRITES, block.write),
    _on_blocks("ORWRITE (16)", op.ORWRITE, "ff18ffffffffffffffffffffffff0000", WRITES, checked.or_write),
    _on_blocks(
        "WRITE AND VERIFY (16)",
        op.WRITE_AND_VERIFY_16,
        "ff12ffffffffffffffffffffffff0000",
        WRITES,
        checked.write_and_verify,
    ),
    _on_blocks("VERIFY (16)", op.VERIFY_16, "ff16ffffffffffffffffffffffff0000", READS, checked.verify),
    _on_blocks("PRE-FETCH (16)", op.PRE_FETCH_16, "ff02ffffffffffffffffffffffff1f00", READS, block.pre_fetch),
    _on_blocks(
        "SYNCHRONIZE CACHE (16)",
        op.SYNCHRONIZE_CACHE_16,
        "ff02ffffffffffffffffffffffff0000",
        WRITES,
        block.synchronize_cache,
    ),
    _on_blocks(
        "WRITE SAME (16)", op.WRITE_SAME_16, "ff09ffffffffffffffffffffffff0000", WRITES, provisioning.write_same
    ),
    _on_blocks(
        "WRITE ATOMIC (16)", op.WRITE_ATOMIC_16, "ff18ffffffffffffffff0000ffff0000", WRITES, block.write_atomically
    ),
    _on_blocks(
        "READ CAPACITY (16)",
        (_SERVICE, op.READ_CAPACITY_16),
        "ff1f0000000000000000ffffffff0000",
        FREE,
        capacity.read_capacity_16,
    ),
    _on_blocks(
        "GET LBA STATUS",
        (_SERVICE, op.GET_LBA_STATUS),
        "ff1fffffffffffffffffffffffff0000",
        READS,
        capacity.get_lba_status,
    ),
    _command("REPORT LUNS", op.REPORT_LUNS, "ff00ff000000ffffffff0000", FREE, primary.report_luns),
    _command(
        "REPORT TARGET PORT GROUPS",
        (_MAINTENANCE, op.REPORT_TARGET_PORT_GROUPS),
        "ffff00000000ffffffff0000",
        LOOKS,
        target_ports.report_target_port_groups,
    ),
    _command(
        "REPORT SUPPORTED OPERATION CODES",
        (_MAINTENANCE, op.REPORT_SUPPORTED_OPERATION_CODES),
        "ff1f87ffffffffffffff0000",
        READS,
        lambda request: supported_commands.report_operation_codes(request, COMMANDS),
    ),
    _command(
        "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
        (_MAINTENANCE, op.REPORT_SUPPORTED_TASK_MANAGEMENT),
        "ff1f80000000ffffffff0000",
        READS,
        supported_commands.report_task_management,
    ),
    _on_blocks("READ (12)", op.READ_12, "ff18ffffffffffffffff0000", READS, block.read),
    _on_blocks("WRITE (12)", op.WRITE_12, "ff18ffffffffffffffff0000", WRITES, block.write),
    _on_blocks(
        "WRITE AND VERIFY (12)", op.WRITE_AND_VERIFY_12, "ff12ffffffffffffffff0000", WRITES, checked.write_and_verify
    ),
    _on_blocks("VERIFY (12)", op.VERIFY_12, "ff16ffffffffffffffff0000", READS, checked.verify),
    _on_blocks(
        "READ DEFECT DATA (12)", op.READ_DEFECT_DATA_12, "ff1f00000000ffffffff0000", READS, block.read_defect_data
    ),
)

_PLAIN = {each.opcode: each for each in COMMANDS if each.service_action is None}
_WITH_ACTION = {(each.opcode, each.service_action): each for each in COMMANDS if each.service_action is not None}
_OPCODES_WITH_ACTION = frozenset(code for code, _ in _WITH_ACTION)


def find_command(cdb: bytes) -> Command:
    """Refuse an unknown operation code (20/00), service action or bit (24/00, with the field pointer)."""
    command = _PLAIN.get(cdb[0]) or _find_by_action(cdb)
    length = command.length
    if wrong := int.from_bytes(cdb[:length], "big") & command.forbidden:
        first = length - (wrong.bit_length() + 7) // 8
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(first))
    return command


def _find_by_action(cdb: bytes) -> Command:
    if cdb[0] not in _OPCODES_WITH_ACTION:
        raise ScsiCheck(INVALID_OPCODE.at_cdb_byte(0))
    command = _WITH_ACTION.get((cdb[0], cdb[1] & _SERVICE_ACTION))
    if command is None:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(1))
    return command
