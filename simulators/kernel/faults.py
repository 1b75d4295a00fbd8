"""What goes wrong and when, as data: faults that each wait for a call of a name, and go off a number of times."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Failure(StrEnum):
    """What may become of a call; those after `RESTART` befall PDUs, SCSI commands and logins."""

    ERROR_BEFORE = "error-before"
    """It is refused with an error of the API's own, and nothing is done."""
    LOST_REPLY = "lost-reply"
    """It is carried out; the connection closes without an answer."""
    DELAY = "delay"
    """It is carried out; the answer comes `seconds` later."""
    THROTTLE = "throttle"
    """Too many calls: it is refused, and may be repeated after `seconds`."""
    AUTH_EXPIRY = "auth-expiry"
    """Credentials that were good are refused."""
    RESTART = "restart"
    """The array starts anew and does not answer: sessions end, what is durable stays, and it takes calls again after
    `seconds`.
    """
    DROP = "drop"
    """The connection closes when the PDU arrives."""
    REFUSE_LOGIN = "refuse-login"
    """The login ends with status 0301, service unavailable."""
    BUSY = "busy"
    """The SCSI command ends with status BUSY."""
    TASK_SET_FULL = "task-set-full"
    """The SCSI command ends with status TASK SET FULL."""
    LATE_R2T = "late-r2t"
    """The target asks for the command's data `seconds` later."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: `times` times (0 is for ever) from the `nth` call (1 is the first) on whose name
    matches `call`, in which `*` and `?` stand for anything.
    """

    failure: Failure
    call: str = "*"
    nth: int = 1
    times: int = 1
    seconds: float = 0.0


class FaultPlan:
    """Faults with a count each of the calls they have seen. Not thread-safe: whoever asks holds a lock."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._counts = [0] * len(self._faults)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def strike(self, call: str, kinds: Collection[Failure] = frozenset(Failure)) -> Fault | None:
        """Count a call, and tell what becomes of it: the first fault of these kinds that goes off, or None."""
        struck = None
        for index, fault in enumerate(self._faults):
            if fault.failure in kinds and fnmatchcase(call, fault.call):
                self._counts[index] += 1
                if struck is None and _goes_off(fault, self._counts[index]):
                    struck = fault
        return struck


def _goes_off(fault: Fault, count: int) -> bool:
    return count >= fault.nth and (fault.times == 0 or count < fault.nth + fault.times)
