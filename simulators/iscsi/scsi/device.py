"""What a logical unit remembers beside its blocks, shared by all nexuses that see it.

Reservations, mode parameters, whether it was stopped: they belong to the unit, not to a session, so they are
kept by the unit's NAA. A unit that nobody sees and that has nothing to remember is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.mode_values import ModeValues
from simulators.iscsi.scsi.reservations import Reservations
from simulators.iscsi.scsi.sense import CLEARED_BY_ANOTHER

if TYPE_CHECKING:
    from simulators.iscsi.scsi.nexus import Nexus
    from simulators.iscsi.scsi.sense import Sense


class Device:
    """One logical unit's memory, and the nexuses that see it with the number each knows it by."""

    def __init__(self) -> None:
        self.reservations = Reservations()
        self.reserved_by: Nexus | None = None
        """Who holds it by RESERVE 6 or 10 (SPC-2 §5.5)."""
        self.modes = ModeValues()
        self.is_stopped = False
        self.audience: dict[Nexus, int] = {}

    def tell_others(self, than: Nexus, sense: Sense) -> None:
        """Raise a unit attention for every other nexus."""
        for nexus, lun_number in self.audience.items():
            if nexus is not than:
                nexus.raise_attention(lun_number, sense)

    def clear_tasks(self, by: Nexus) -> None:
        """CLEAR TASK SET (SAM-5 §7.5): the tasks of all nexuses; those of others are told, if they lost any."""
        for nexus, lun_number in self.audience.items():
            if nexus.abort_tasks(lun_number) and nexus is not by:
                nexus.raise_attention(lun_number, CLEARED_BY_ANOTHER)

    def reset(self, sense: Sense) -> None:
        """Logical unit reset (SAM-5 §6.3.3): no tasks, no RESERVE, default modes; every nexus is told."""
        self.reserved_by = None
        self.modes = ModeValues()
        self.is_stopped = False
        for nexus, lun_number in self.audience.items():
            nexus.abort_tasks(lun_number)
            nexus.raise_attention(lun_number, sense)

    def lose_power(self) -> None:
        """Forget what does not survive a power loss (SPC-4 §5.13.5, APTPL)."""
        self.reservations.lose_power()
        self.modes, self.is_stopped, self.reserved_by = ModeValues(), False, None

    def nexus_lost(self, nexus: Nexus) -> None:
        """Forget a nexus and what it held by RESERVE (SAM-5 §6.3.4)."""
        self.audience.pop(nexus, None)
        if self.reserved_by is nexus:
            self.reserved_by = None

    @property
    def is_forgettable(self) -> bool:
        """Whether nobody would notice if it began anew."""
        return not (self.audience or self.is_stopped) and self.reservations.is_pristine and self.modes.are_default


class Devices:
    """The devices of a target node, by NAA."""

    def __init__(self) -> None:
        self._by_naa: dict[str, Device] = {}

    def __len__(self) -> int:
        return len(self._by_naa)

    def enter(self, naa: str, nexus: Nexus, lun_number: int) -> Device:
        """Return the device that a nexus begins to see."""
        device = self._by_naa.get(naa)
        if device is None:
            device = self._by_naa[naa] = Device()
        device.audience[nexus] = lun_number
        return device

    def leave(self, naa: str, nexus: Nexus) -> None:
        """Take note that a nexus sees a device no longer."""
        device = self._by_naa.get(naa)
        if device is None:
            return
        device.nexus_lost(nexus)
        if device.is_forgettable:
            del self._by_naa[naa]

    def lose_power(self) -> None:
        """Let every device lose power, and forget those that have nothing to remember then."""
        for naa, device in list(self._by_naa.items()):
            device.lose_power()
            if not device.reservations.keys:
                del self._by_naa[naa]
