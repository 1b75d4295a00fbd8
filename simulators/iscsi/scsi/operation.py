"""What a command is, what it turns into, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.device import Device
    from simulators.iscsi.scsi.nexus import Nexus
    from simulators.iscsi.scsi.sense import Sense

GOOD = 0x00
CHECK_CONDITION = 0x02
BUSY = 0x08
RESERVATION_CONFLICT = 0x18
TASK_SET_FULL = 0x28


@dataclass(slots=True)
class Request:
    """A CDB that arrived on a nexus for a LUN number, whether or not there is a unit."""

    cdb: bytes
    nexus: Nexus
    lun_number: int | None


@dataclass(slots=True)
class UnitRequest(Request):
    """A CDB for a unit that exists, with what the unit remembers."""

    unit: LogicalUnit
    device: Device
    lun_number: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished command: its data for the initiator, its sense if it failed a check, and its status."""

    data_in: bytes = b""
    sense: Sense | None = None
    is_conflict: bool = False
    put_off: int | None = None
    """BUSY or TASK SET FULL: nothing was done, and the initiator may try again."""

    @property
    def status(self) -> int:
        """The SCSI status byte."""
        if self.put_off is not None:
            return self.put_off
        if self.is_conflict:
            return RESERVATION_CONFLICT
        return GOOD if self.sense is None else CHECK_CONDITION


class ReservationConflict(Exception):
    """A command ends with RESERVATION CONFLICT; raised and caught inside the device server."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A checked command. `finish` is called once, with at most `data_out_bytes` from the initiator."""

    finish: Callable[[bytes], Outcome]
    data_out_bytes: int = 0
    is_exact: bool = False
    """Whether the initiator must have promised just so many bytes: half of a pattern means nothing."""


def already(outcome: Outcome) -> Operation:
    """Return the operation that has nothing left to do."""
    return Operation(lambda _data: outcome)
