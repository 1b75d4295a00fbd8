"""What LIO does with changes, as far as it says no to the wrong order, and what becomes of sessions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulators.lio import changes
from simulators.lio.values import Acl, Chap, Lun, Target, Unit


@dataclass
class FakeTarget:
    """One target. `remembered` are initiators that came as anybody, `sessions` are names by initiator."""

    iqn: str
    units: dict[str, Unit] = field(default_factory=dict)
    numbers: dict[str, int | None] = field(default_factory=dict)
    chaps: dict[str, Chap | None] = field(default_factory=dict)
    maps: dict[str, dict[int, Lun]] = field(default_factory=dict)
    anybody: tuple[Chap | None, bool] | None = None
    is_enabled: bool = False
    sessions: dict[str, str | None] = field(default_factory=dict)

    def as_value(self) -> Target:
        """What an observer would see."""
        anybody = None
        if self.anybody is not None:
            chap, is_read_only = self.anybody
            luns = {self.numbers[disk]: Lun(disk, is_read_only) for disk in self.units}
            anybody = Acl({number: lun for number, lun in luns.items() if number is not None}, chap)
        acls = {name: Acl(self.maps[name], chap) for name, chap in self.chaps.items()}
        return Target(self.iqn, self.units, acls, anybody, self.is_enabled)

    def log_in(self, initiator: str) -> None:
        """Log in, where that is possible."""
        if self.is_enabled and initiator in self.chaps:
            chap = self.chaps[initiator]
        elif self.is_enabled and self.anybody is not None:
            chap = self.anybody[0]
        else:
            return
        self.sessions[initiator] = None if chap is None else chap.username


class FakeLio:
    """Carries changes out, and refuses what cannot be."""

    def __init__(self) -> None:
        self.targets: dict[str, FakeTarget] = {}

    def carry_out(self, wanted: Iterable[changes.Change]) -> None:
        for change in wanted:
            self._do(change)

    def _do(self, change: changes.Change) -> None:
        match change:
            case changes.CreateTarget(iqn):
                assert iqn not in self.targets
                self.targets[iqn] = FakeTarget(iqn)
            case changes.DeleteTarget(iqn):
                del self.targets[iqn]
            case _:
                self._change(self.targets[change.iqn], change)

    def _change(self, has: FakeTarget, change: changes.Change) -> None:
        match change:
            case changes.AddUnit(_, disk, unit, number):
                assert disk not in has.units
                has.units[disk], has.numbers[disk] = unit, number
            case changes.RemoveUnit(_, disk):
                assert not any(lun.disk == disk for luns in has.maps.values() for lun in luns.values())
                del has.units[disk]
            case changes.MapLun(_, initiator, number, lun):
                assert lun.disk in has.units
                assert number not in has.maps[initiator]
                has.maps[initiator][number] = lun
            case changes.UnmapLun(_, initiator, number):
                del has.maps[initiator][number]
            case _:
                self._change_access(has, change)

    def _change_access(self, has: FakeTarget, change: changes.Change) -> None:
        match change:
            case changes.AddAcl(_, initiator, chap):
                assert initiator not in has.chaps
                has.chaps[initiator], has.maps[initiator] = chap, {}
            case changes.ChangeChap(_, initiator, chap):
                assert initiator in has.chaps
                has.chaps[initiator] = chap
            case changes.RemoveAcl(_, initiator):
                del has.chaps[initiator], has.maps[initiator]
                has.sessions.pop(initiator, None)
            case changes.OpenToAnybody(_, chap, is_read_only):
                has.anybody = (chap, is_read_only)
            case changes.CloseToOthers():
                has.anybody = None
                has.sessions = {name: by for name, by in has.sessions.items() if name in has.chaps}
            case changes.Switch(_, is_enabled):
                has.is_enabled = is_enabled
                has.sessions = has.sessions if is_enabled else {}
            case _:
                raise AssertionError(f"{change} is not known")
