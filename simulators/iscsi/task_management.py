"""Task management functions of the target (RFC 7143 §11.5, §11.6; SAM-5 §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from simulators.iscsi.lun_address import decode_lun
from simulators.iscsi.scsi.sense import RESET_BY_FUNCTION

if TYPE_CHECKING:
    from simulators.iscsi.pdu import TaskManagementRequest
    from simulators.iscsi.target_core import Session, TargetCore

ABORT_TASK: Final = 1
ABORT_TASK_SET: Final = 2
CLEAR_TASK_SET: Final = 4
LUN_RESET: Final = 5
TARGET_WARM_RESET: Final = 6
TARGET_COLD_RESET: Final = 7
TASK_REASSIGN: Final = 8

FUNCTION_COMPLETE: Final = 0
TASK_DOES_NOT_EXIST: Final = 1
LUN_DOES_NOT_EXIST: Final = 2
REASSIGN_NOT_SUPPORTED: Final = 4
FUNCTION_NOT_SUPPORTED: Final = 5

_OF_A_LUN: Final = frozenset({ABORT_TASK_SET, CLEAR_TASK_SET, LUN_RESET})
_OF_THE_TARGET: Final = frozenset({TARGET_WARM_RESET, TARGET_COLD_RESET})


class Tasks(Protocol):
    """The tasks of one connection."""

    def abort_task(self, tag: int, ref_cmd_sn: int, cmd_sn: int) -> bool:
        """Forget one; say whether it was there."""

    def abort_tasks(self, lun_number: int) -> bool:
        """Forget those of one unit; say whether there were any."""

    def abort_waiting(self, lun_number: int | None, cmd_sn: int) -> None:
        """Forget those of one unit, or of all, that were sent before `cmd_sn` and wait for their turn."""


def manage(request: TaskManagementRequest, tasks: Tasks, session: Session, core: TargetCore) -> int:
    """Carry out a function, and return the response to it."""
    if request.function == ABORT_TASK:
        was_there = tasks.abort_task(request.referenced_task_tag, request.ref_cmd_sn, request.cmd_sn)
        return FUNCTION_COMPLETE if was_there else TASK_DOES_NOT_EXIST
    if request.function == TASK_REASSIGN:
        return REASSIGN_NOT_SUPPORTED
    if request.function in _OF_THE_TARGET:
        tasks.abort_waiting(None, request.cmd_sn)
        core.reset_target(session, is_cold=request.function == TARGET_COLD_RESET)
        return FUNCTION_COMPLETE
    if request.function not in _OF_A_LUN:
        return FUNCTION_NOT_SUPPORTED
    return _manage_unit(request, tasks, session)


def _manage_unit(request: TaskManagementRequest, tasks: Tasks, session: Session) -> int:
    lun_number, nexus = decode_lun(request.lun), session.nexus
    if lun_number is None or lun_number not in nexus.units:
        return LUN_DOES_NOT_EXIST
    tasks.abort_waiting(lun_number, request.cmd_sn)
    device = nexus.devices[lun_number]
    if request.function == LUN_RESET:
        device.reset(RESET_BY_FUNCTION)
    elif request.function == CLEAR_TASK_SET:
        device.clear_tasks(nexus)
    else:
        tasks.abort_tasks(lun_number)
    return FUNCTION_COMPLETE
