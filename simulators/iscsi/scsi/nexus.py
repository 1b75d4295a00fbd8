"""One initiator's view of one target: its logical units and its unit attentions (SAM-5 §5.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi.device import Devices
from simulators.iscsi.scsi.reservations import NexusName
from simulators.iscsi.scsi.sense import CAPACITY_CHANGED, POWER_ON, REPORTED_LUNS_CHANGED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.device import Device
    from simulators.iscsi.scsi.sense import Sense
    from simulators.iscsi.scsi.third_party_copy import CopyStatus

_ANY_INITIATOR_PORT = "iqn.2010-01.org.example:nobody,i,0x000000000000"


def _abort_nothing(_lun_number: int) -> bool:
    """Serve where nothing can be under way."""
    return False


class Nexus:
    """The I_T nexus. It notices changes by comparing what it is shown with what it saw last."""

    def __init__(
        self,
        target_iqn: str,
        units: Mapping[int, LogicalUnit],
        *,
        initiator_port: str = _ANY_INITIATOR_PORT,
        relative_port: int = 1,
        target_ports: Callable[[], Sequence[int]] = lambda: (1,),
        devices: Devices | None = None,
        abort_tasks: Callable[[int], bool] = _abort_nothing,
        power_on_attention: bool = False,
    ) -> None:
        self.target_iqn = target_iqn
        self.name = NexusName(initiator_port, f"{target_iqn},t,0x{relative_port:04x}", relative_port)
        self.target_ports = target_ports
        self.abort_tasks = abort_tasks
        self.units = dict(units)
        self.copies: dict[int, CopyStatus] = {}
        """What became of copies by EXTENDED COPY, by list identifier, until it is asked for."""
        self._registry = Devices() if devices is None else devices
        self._identities = _identities(self.units)
        self.devices = self._enter()
        self._generations = {number: unit.generation for number, unit in self.units.items()}
        self._attentions: dict[int, list[Sense]] = {}
        if power_on_attention:
            self._attentions = {number: [POWER_ON] for number in self.units}

    def show(self, units: Mapping[int, LogicalUnit]) -> None:
        """Take the current view; a changed inventory raises 3F/0E, a replaced unit is not a resized one."""
        new = dict(units)
        identities = _identities(new)
        if identities != self._identities:
            unchanged = {number for number, naa in identities.items() if self._identities.get(number) == naa}
            generations = {number: unit.generation for number, unit in new.items()}
            self._generations = generations | {number: self._generations[number] for number in unchanged}
            self._attentions = {number: kept for number, kept in self._attentions.items() if number in unchanged}
            self._leave(set(self._identities.values()) - set(identities.values()))
            # SAM-5 §5.14: each logical unit tells it, not only the first that is asked; new ones if none has stayed.
            for number in (identities.keys() & self._identities.keys()) or identities:
                self.raise_attention(number, REPORTED_LUNS_CHANGED)
            self._identities = identities
            self.devices = self._enter()
        self.units = new

    def close(self) -> None:
        """End the nexus: what it held by RESERVE is free."""
        self._leave(set(self._identities.values()))

    def raise_attention(self, lun_number: int, sense: Sense) -> None:
        """Queue a unit attention, once."""
        waiting = self._attentions.setdefault(lun_number, [])
        if sense not in waiting:
            waiting.append(sense)

    def take_attention(self, lun_number: int) -> Sense | None:
        """Return the next unit attention for this unit and forget it."""
        if waiting := self._attentions.get(lun_number):
            return waiting.pop(0)
        generation = self.units[lun_number].generation
        if generation != self._generations[lun_number]:
            self._generations[lun_number] = generation
            return CAPACITY_CHANGED
        return None

    def inventory_was_reported(self) -> None:
        """Forget 3F/0E: REPORT LUNS has just told the news (SPC-4 §6.33)."""
        for waiting in self._attentions.values():
            if REPORTED_LUNS_CHANGED in waiting:
                waiting.remove(REPORTED_LUNS_CHANGED)

    def _enter(self) -> dict[int, Device]:
        return {number: self._registry.enter(naa, self, number) for number, naa in self._identities.items()}

    def _leave(self, naas: set[str]) -> None:
        for naa in naas:
            self._registry.leave(naa, self)


def _identities(units: Mapping[int, LogicalUnit]) -> dict[int, str]:
    return {number: unit.identity.naa for number, unit in units.items()}
