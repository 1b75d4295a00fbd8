"""REPORT TARGET PORT GROUPS (SPC-4 §6.37): asymmetric access, with all ports alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.operation import Operation, Outcome, already
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, ScsiCheck

if TYPE_CHECKING:
    from simulators.iscsi.scsi.operation import UnitRequest

TARGET_PORT_GROUP = 1
_ACTIVE_OPTIMIZED = 0x00
_ACTIVE_OPTIMIZED_SUPPORTED = 0x01
_EXTENDED_HEADER = 1


def report_target_port_groups(request: UnitRequest) -> Operation:
    """One group, active and optimized, with a port for each portal group tag."""
    cdb = request.cdb
    header_format = cdb[1] >> 5
    if header_format > _EXTENDED_HEADER:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(1))
    ports = request.nexus.target_ports()
    group = bytes((_ACTIVE_OPTIMIZED, _ACTIVE_OPTIMIZED_SUPPORTED)) + TARGET_PORT_GROUP.to_bytes(2, "big")
    group += bytes((0, 0, 0, len(ports))) + b"".join(port.to_bytes(4, "big") for port in ports)
    body = bytes((0x10, 0, 0, 0)) + group if header_format == _EXTENDED_HEADER else group
    return already(Outcome((len(body).to_bytes(4, "big") + body)[: number(cdb, 6, 4)]))
