"""The least that has to be done to get from what is exported to what is wanted.

Sessions live on as far as they may: an initiator is thrown out when it loses its way in, or when it would have to prove
that it is somebody else than it was; a new secret under the same name holds for new logins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from simulators.lio.values import Acl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulators.lio.values import Chap, Lun, Target, Unit


@dataclass(frozen=True, slots=True)
class CreateTarget:
    """Make a target that nobody gets in to yet."""

    iqn: str


@dataclass(frozen=True, slots=True)
class DeleteTarget:
    """Remove a target and all that is in it; its sessions end."""

    iqn: str


@dataclass(frozen=True, slots=True)
class AddUnit:
    """Put a disk behind a target, under this number where anybody may come."""

    iqn: str
    disk: str
    unit: Unit
    number: int | None


@dataclass(frozen=True, slots=True)
class RemoveUnit:
    """Take a disk away from a target."""

    iqn: str
    disk: str


@dataclass(frozen=True, slots=True)
class AddAcl:
    """Know an initiator."""

    iqn: str
    initiator: str
    chap: Chap | None


@dataclass(frozen=True, slots=True)
class ChangeChap:
    """Ask an initiator for other things from its next login on."""

    iqn: str
    initiator: str
    chap: Chap | None


@dataclass(frozen=True, slots=True)
class RemoveAcl:
    """Forget an initiator; its sessions end."""

    iqn: str
    initiator: str


@dataclass(frozen=True, slots=True)
class MapLun:
    """Show a disk to an initiator."""

    iqn: str
    initiator: str
    number: int
    lun: Lun


@dataclass(frozen=True, slots=True)
class UnmapLun:
    """Hide a disk from an initiator."""

    iqn: str
    initiator: str
    number: int


@dataclass(frozen=True, slots=True)
class OpenToAnybody:
    """Let whoever proves it knows this name and secret see all disks."""

    iqn: str
    chap: Chap | None
    is_read_only: bool


@dataclass(frozen=True, slots=True)
class CloseToOthers:
    """Refuse initiators that are not known; sessions of such end."""

    iqn: str


@dataclass(frozen=True, slots=True)
class Switch:
    """Open or close a target as a whole; closing it ends its sessions."""

    iqn: str
    is_enabled: bool


Change: TypeAlias = (
    CreateTarget | DeleteTarget | AddUnit | RemoveUnit | AddAcl | ChangeChap | RemoveAcl | MapLun | UnmapLun
    | OpenToAnybody | CloseToOthers | Switch
)  # fmt: skip


def changes_between(present: Target | None, wanted: Target | None) -> Iterator[Change]:
    """What makes one target of the other, in an order in which each step can be done; None is no target."""
    if present == wanted:
        return
    if present is not None and wanted is not None and not _must_be_made_anew(present, wanted):
        yield from _changed(present, wanted)
        return
    if present is not None:
        yield DeleteTarget(present.iqn)
    if wanted is not None:
        yield CreateTarget(wanted.iqn)
        yield from _opened(wanted, {}, {}, None)
        if wanted.is_enabled:
            yield Switch(wanted.iqn, is_enabled=True)


def _must_be_made_anew(present: Target, wanted: Target) -> bool:
    """LIO remembers who came as anybody, and what they were shown, as long as there is the target."""
    if present.anybody is None:
        return False
    if wanted.anybody is None:
        return not any(_may_stay(acl, wanted.acls.get(name)) for name, acl in present.acls.items())
    return present.anybody.luns != wanted.anybody.luns


def _changed(present: Target, wanted: Target) -> Iterator[Change]:
    if present.is_enabled and not wanted.is_enabled:
        yield Switch(wanted.iqn, is_enabled=False)
    known = {name: acl for name, acl in present.acls.items() if _may_stay(acl, wanted.acls.get(name))}
    yield from (RemoveAcl(wanted.iqn, name) for name in present.acls if name not in known)
    if present.anybody is not None and not _may_stay(present.anybody, wanted.anybody):
        yield CloseToOthers(wanted.iqn)
    units = {disk: unit for disk, unit in present.units.items() if _is_kept(disk, present, wanted)}
    left = {name: Acl(_kept_luns(acl, wanted.acls[name], units), acl.chap) for name, acl in known.items()}
    for name, acl in known.items():
        yield from (UnmapLun(wanted.iqn, name, number) for number in acl.luns if number not in left[name].luns)
    yield from (RemoveUnit(wanted.iqn, disk) for disk in present.units if disk not in units)
    yield from _opened(wanted, units, left, present.anybody)
    if wanted.is_enabled and not present.is_enabled:
        yield Switch(wanted.iqn, is_enabled=True)


def _may_stay(present: Acl, wanted: Acl | None) -> bool:
    """Whether who is in by the one would be let in by the other without saying another name."""
    if wanted is None:
        return False
    return wanted.chap is None or (present.chap is not None and present.chap.username == wanted.chap.username)


def _is_kept(disk: str, present: Target, wanted: Target) -> bool:
    is_same = present.units[disk] == wanted.units.get(disk)
    number = _number(wanted, disk)
    return is_same and (number is None or number == _number(present, disk))


def _kept_luns(present: Acl, wanted: Acl, units: Mapping[str, Unit]) -> Mapping[int, Lun]:
    return {number: lun for number, lun in present.luns.items() if wanted.luns.get(number) == lun and lun.disk in units}


def _opened(
    wanted: Target, units: Mapping[str, Unit], acls: Mapping[str, Acl], anybody: Acl | None
) -> Iterator[Change]:
    for disk, unit in wanted.units.items():
        if disk not in units:
            yield AddUnit(wanted.iqn, disk, unit, _number(wanted, disk))
    for name, acl in wanted.acls.items():
        yield from _let_in(wanted.iqn, name, acl, acls.get(name), anybody)
    if wanted.anybody is not None and wanted.anybody != anybody:
        is_read_only = any(each.is_read_only for each in wanted.anybody.luns.values())
        yield OpenToAnybody(wanted.iqn, wanted.anybody.chap, is_read_only)


def _let_in(iqn: str, name: str, wanted: Acl, present: Acl | None, anybody: Acl | None) -> Iterator[Change]:
    if present is None:
        yield AddAcl(iqn, name, wanted.chap)
        if anybody is not None and not _may_stay(anybody, wanted):
            # It may have come as anybody could; being known now it would stay.
            yield RemoveAcl(iqn, name)
            yield AddAcl(iqn, name, wanted.chap)
    elif present.chap != wanted.chap:
        yield ChangeChap(iqn, name, wanted.chap)
    shown = {} if present is None else present.luns
    yield from (MapLun(iqn, name, number, lun) for number, lun in wanted.luns.items() if shown.get(number) != lun)


def _number(target: Target, disk: str) -> int | None:
    luns = {} if target.anybody is None else target.anybody.luns
    return next((number for number, lun in luns.items() if lun.disk == disk), None)
