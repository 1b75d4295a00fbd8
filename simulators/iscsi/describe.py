"""One line of transcript for a PDU. Text keys are shown, CHAP responses and challenges are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi import pdu as p
from simulators.iscsi.errors import PeerViolation
from simulators.iscsi.text import parse_pairs

if TYPE_CHECKING:
    from simulators.iscsi.pdu import Chunk, Pdu

_MASKED = frozenset({"CHAP_R", "CHAP_C"})


def describe(pdu: Pdu) -> str:
    """Return what a person wants to know about a PDU."""
    match pdu:
        case p.LoginRequest() | p.LoginResponse() | p.TextRequest() | p.TextResponse():
            return f"{_name(pdu)} {_stages(pdu)}{_text(pdu.data)}"
        case p.ScsiCommand():
            cdb, tag = pdu.cdb.hex(), pdu.initiator_task_tag
            return f"ScsiCommand {cdb} lun={pdu.lun[:2].hex()} tag={tag:x} expects={pdu.expected_length}"
        case p.ScsiResponse():
            sense = bytes(pdu.data[2:]).hex()
            return f"ScsiResponse tag={pdu.initiator_task_tag:x} status={pdu.status:02x} {sense}".rstrip()
        case p.DataIn() | p.DataOut():
            end = " final" if pdu.final else ""
            return f"{_name(pdu)} tag={pdu.initiator_task_tag:x} {pdu.buffer_offset}+{len(pdu.data)}{end}"
        case p.Damaged():
            return f"{describe(pdu.pdu)} with a wrong data digest"
        case p.Reject():
            return f"Reject reason={pdu.reason:02x}"
        case p.TaskManagementRequest():
            return f"TaskManagementRequest function={pdu.function} tag={pdu.referenced_task_tag:x}"
        case _:
            return _name(pdu)


def _name(pdu: Pdu) -> str:
    return type(pdu).__name__


def _stages(pdu: p.LoginRequest | p.LoginResponse | p.TextRequest | p.TextResponse) -> str:
    if isinstance(pdu, p.TextRequest | p.TextResponse):
        return ""
    status = f"status={pdu.status[0]:02x}{pdu.status[1]:02x} " if isinstance(pdu, p.LoginResponse) else ""
    stages = f"{pdu.current_stage}->{pdu.next_stage}" if pdu.transit else f"{pdu.current_stage}"
    return f"{stages} {status}"


def _text(data: Chunk) -> str:
    try:
        pairs = parse_pairs(bytes(data))
    except PeerViolation:
        return f"({len(data)} bytes of a text)"
    return " ".join(f"{key}={'***' if key in _MASKED else value}" for key, value in pairs)
