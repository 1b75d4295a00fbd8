"""START STOP UNIT (SBC-3 §5.25) and PREVENT ALLOW MEDIUM REMOVAL (§5.8), for a medium that cannot be removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.medium import flush
from simulators.iscsi.scsi.operation import Operation, Outcome, ReservationConflict, already

if TYPE_CHECKING:
    from simulators.iscsi.scsi.operation import UnitRequest

_START = 0x01


def start_or_stop(request: UnitRequest) -> Operation:
    """Stop: commands on blocks then get 04/02 until a start. Power conditions and LOEJ are refused bits."""
    device = request.device
    if request.cdb[4] & _START:
        device.is_stopped = False
        return already(Outcome())
    held = device.reservations.held
    if held is not None and not device.reservations.holds(request.nexus.name):
        # SPC-4 table 65: only starting is allowed to who holds nothing.
        raise ReservationConflict
    flush(request.unit)
    device.is_stopped = True
    return already(Outcome())


def prevent_or_allow(_request: UnitRequest) -> Operation:
    """GOOD either way: what cannot be removed needs no preventing (§5.8)."""
    return already(Outcome())
