"""One initiator's view of one target: its logical units and its unit attentions (SAM-5 §5.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.sense import CAPACITY_CHANGED, POWER_ON, REPORTED_LUNS_CHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.sense import Sense


class Nexus:
    """The I_T nexus. It notices changes by comparing what it is shown with what it saw last."""

    def __init__(self, target_iqn: str, units: Mapping[int, LogicalUnit], *, power_on_attention: bool = False) -> None:
        self.target_iqn = target_iqn
        self.units = dict(units)
        self._identities = _identities(self.units)
        self._generations = {number: unit.generation for number, unit in self.units.items()}
        self._has_new_inventory = False
        self._attentions: dict[int, list[Sense]] = {}
        if power_on_attention:
            self._attentions = {number: [POWER_ON] for number in self.units}

    def show(self, units: Mapping[int, LogicalUnit]) -> None:
        """Take the current view; a changed inventory raises 3F/0E, a replaced unit is not a resized one."""
        new = dict(units)
        identities = _identities(new)
        if identities != self._identities:
            self._has_new_inventory = True
            unchanged = {number for number, naa in identities.items() if self._identities.get(number) == naa}
            generations = {number: unit.generation for number, unit in new.items()}
            self._generations = generations | {number: self._generations[number] for number in unchanged}
            self._attentions = {number: kept for number, kept in self._attentions.items() if number in unchanged}
        self.units, self._identities = new, identities

    def raise_attention(self, lun_number: int, sense: Sense) -> None:
        """Queue a unit attention, once."""
        waiting = self._attentions.setdefault(lun_number, [])
        if sense not in waiting:
            waiting.append(sense)

    def take_attention(self, lun_number: int) -> Sense | None:
        """Return the next unit attention for this unit and forget it."""
        if waiting := self._attentions.get(lun_number):
            return waiting.pop(0)
        if self._has_new_inventory:
            self._has_new_inventory = False
            return REPORTED_LUNS_CHANGED
        generation = self.units[lun_number].generation
        if generation != self._generations[lun_number]:
            self._generations[lun_number] = generation
            return CAPACITY_CHANGED
        return None

    def inventory_was_reported(self) -> None:
        """Forget 3F/0E: REPORT LUNS has just told the news (SPC-4 §6.33)."""
        self._has_new_inventory = False


def _identities(units: Mapping[int, LogicalUnit]) -> dict[int, str]:
    return {number: unit.identity.naa for number, unit in units.items()}
