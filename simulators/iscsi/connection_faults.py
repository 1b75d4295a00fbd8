"""What a plan lets go wrong on a target's connections, and by which name a PDU is struck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.iscsi import pdu as p
from simulators.iscsi.scsi.command_table import find_command
from simulators.iscsi.scsi.operation import BUSY, TASK_SET_FULL
from simulators.iscsi.scsi.sense import ScsiCheck
from simulators.kernel.faults import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.iscsi.pdu import Pdu
    from simulators.kernel.faults import Fault, FaultPlan

ON_CONNECTIONS: Final = frozenset(
    {Failure.DROP, Failure.REFUSE_LOGIN, Failure.BUSY, Failure.TASK_SET_FULL, Failure.LATE_R2T}
)
STATUSES: Final[Mapping[Failure, int]] = {Failure.BUSY: BUSY, Failure.TASK_SET_FULL: TASK_SET_FULL}
_ON_ANY: Final = frozenset({Failure.DROP})
_ON_LOGIN: Final = frozenset({Failure.REFUSE_LOGIN})
_ON_COMMAND: Final = frozenset(STATUSES)
_ON_R2T: Final = frozenset({Failure.LATE_R2T})


def name_of(pdu: Pdu) -> str:
    """The SCSI command, such as `WRITE (10)`, or what RFC 7143 calls the PDU, in one word: `LoginRequest`."""
    if not isinstance(pdu, p.ScsiCommand):
        return type(pdu).__name__
    try:
        return find_command(pdu.cdb).name
    except ScsiCheck:
        return f"operation code {pdu.cdb[0]:02X}h"


def on_arrival(plan: FaultPlan, pdu: Pdu) -> Fault | None:
    """What becomes of the connection, or of the login, when this arrives."""
    kinds = _ON_ANY | _ON_LOGIN if isinstance(pdu, p.LoginRequest) else _ON_ANY
    return plan.strike(name_of(pdu), kinds)


def on_command(plan: FaultPlan, command: p.ScsiCommand) -> Fault | None:
    """With which status the device server puts the command off."""
    return plan.strike(name_of(command), _ON_COMMAND)


def on_transfer(plan: FaultPlan, command: p.ScsiCommand) -> Fault | None:
    """Whether the next data of this command are asked for later."""
    return plan.strike(name_of(command), _ON_R2T)
