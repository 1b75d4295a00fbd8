"""Which commands a reservation lets through (SPC-4 table 65, SBC-3 table 13, SPC-2 table 9)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from simulators.iscsi.scsi.operation import ReservationConflict

if TYPE_CHECKING:
    from simulators.iscsi.scsi.device import Device
    from simulators.iscsi.scsi.nexus import Nexus


class Access(Enum):
    """How much of the unit a command touches."""

    FREE = "allowed whoever holds what, RESERVE of another nexus included"
    LOOKS = "allowed whatever persistent reservation there is"
    READS = "allowed to all under a write exclusive reservation"
    WRITES = "allowed only to who holds, or is registered where that is enough"


def check_access(access: Access, device: Device, nexus: Nexus) -> None:
    """Raise `ReservationConflict` when another nexus's reservation forbids the command."""
    if access is Access.FREE:
        return
    if device.reserved_by not in {None, nexus}:
        raise ReservationConflict
    reservations = device.reservations
    held = reservations.held
    if held is None or access is Access.LOOKS or reservations.holds(nexus.name):
        return
    is_admitted = held.kind.admits_registrants and nexus.name in reservations.keys
    if not is_admitted and not (held.kind.admits_readers and access is Access.READS):
        raise ReservationConflict
