"""Targets of LIO by rtslib: each change is carried out as it is asked for, on what this process made itself.

Everything has a name that begins with the owner's prefix, or is noted in a journal before it is made, so that a later
process can tell what an earlier one has left.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import singledispatchmethod
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtslib_fb import (
    LUN,
    TPG,
    BlockStorageObject,
    FabricModule,
    MappedLUN,
    NetworkPortal,
    NodeACL,
    RTSLibError,
    Target,
)

from simulators.lio import changes
from simulators.lio.errors import LioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulators.lio.disks import Disks
    from simulators.lio.journal import Journal
    from simulators.lio.values import Chap, Portal, Unit

TAG: Final = 1
HOLDER: Final = "iqn.1970-01.invalid.nobody:"
_OUI: Final = slice(1, 7)
_SERIAL: Final = slice(7, None)


class Behind:
    """A disk behind a target: LIO's storage object and the LUN of the target's portal group."""

    def __init__(self, storage: BlockStorageObject, lun: LUN) -> None:
        self.storage = storage
        self.lun = lun


class Exported:
    """A target with what is in it, so that nothing has to be looked up."""

    def __init__(self, target: Target, group: TPG) -> None:
        self.target = target
        self.group = group
        self.units: dict[str, Behind] = {}
        self.acls: dict[str, NodeACL] = {}
        self.maps: dict[tuple[str, int], MappedLUN] = {}
        self.portals: list[NetworkPortal] = []


class Exports:
    """Targets on all portals, with the disks of one directory behind them."""

    def __init__(self, disks: Disks, portals: Sequence[Portal], journal: Journal) -> None:
        self._disks = disks
        self._portals = portals
        self._journal = journal
        self._fabric = FabricModule("iscsi")
        self._targets: dict[str, Exported] = {}

    def hold_portals(self) -> None:
        """Have a target that nobody gets in to and that is not shown: LIO listens for targets only."""
        iqn = f"{HOLDER}{self._journal.prefix}portals"
        self.carry_out([changes.CreateTarget(iqn), changes.Switch(iqn, is_enabled=True)])

    def close(self) -> None:
        """Remove everything."""
        self.carry_out([changes.DeleteTarget(each) for each in list(self._targets)])

    def carry_out(self, wanted: Iterable[changes.Change]) -> None:
        """Make changes in their order; raises `LioError` at the first that LIO refuses."""
        for change in wanted:
            try:
                self._do(change)
            except (RTSLibError, OSError) as error:
                raise LioError(f"{type(change).__name__} of {change.iqn}: {error}") from error

    def abandon(self, iqn: str) -> None:
        """Remove what there is of a target, whatever state it is in."""
        if iqn in self._targets:
            self.carry_out([changes.DeleteTarget(iqn)])

    @singledispatchmethod
    def _do(self, change: changes.Change) -> None:
        raise TypeError(f"{change} is no change of an export")

    @_do.register
    def _create_target(self, change: changes.CreateTarget) -> None:
        self._journal.add(change.iqn)
        target = Target(self._fabric, change.iqn, "create")
        group = TPG(target, TAG, "create")
        group.set_attribute("authentication", "1")
        group.set_attribute("demo_mode_discovery", "0")
        self._targets[change.iqn] = Exported(target, group)

    @_do.register
    def _delete_target(self, change: changes.DeleteTarget) -> None:
        has = self._targets[change.iqn]
        _set_enabled(has.group, is_enabled=False)
        for each in has.maps.values():
            _unmap(each)
        for path in [each.path for each in (*has.portals, *has.acls.values())]:
            _remove(path)
        for disk in list(has.units):
            self._take_away(has, disk)
        _remove(has.group.path)
        _remove(has.target.path)
        del self._targets[change.iqn]
        self._journal.remove(change.iqn)

    @_do.register
    def _add_unit(self, change: changes.AddUnit) -> None:
        has = self._targets[change.iqn]
        path = self._disks.attach(change.disk, change.unit.block_bytes)
        try:
            storage = BlockStorageObject(self._journal.prefix + change.disk, path, wwn=change.unit.naa[_SERIAL])
            _present(storage, change.unit)
        except BaseException:
            self._disks.detach(change.disk)
            raise
        taken = {each.lun.lun for each in has.units.values()}
        number = next(each for each in count() if each not in taken) if change.number is None else change.number
        has.units[change.disk] = Behind(storage, LUN(has.group, number, storage))

    @_do.register
    def _remove_unit(self, change: changes.RemoveUnit) -> None:
        has = self._targets[change.iqn]
        self._take_away(has, change.disk)

    @_do.register
    def _add_acl(self, change: changes.AddAcl) -> None:
        has = self._targets[change.iqn]
        has.acls[change.initiator] = acl = NodeACL(has.group, change.initiator)
        _ask_for(acl, change.chap)

    @_do.register
    def _change_chap(self, change: changes.ChangeChap) -> None:
        _ask_for(self._targets[change.iqn].acls[change.initiator], change.chap)

    @_do.register
    def _remove_acl(self, change: changes.RemoveAcl) -> None:
        has = self._targets[change.iqn]
        for key in [each for each in has.maps if each[0] == change.initiator]:
            _unmap(has.maps.pop(key))
        _remove(has.acls.pop(change.initiator).path)

    @_do.register
    def _map_lun(self, change: changes.MapLun) -> None:
        has = self._targets[change.iqn]
        acl, lun = has.acls[change.initiator], has.units[change.lun.disk].lun
        has.maps[change.initiator, change.number] = MappedLUN(acl, change.number, lun, change.lun.is_read_only)

    @_do.register
    def _unmap_lun(self, change: changes.UnmapLun) -> None:
        _unmap(self._targets[change.iqn].maps.pop((change.initiator, change.number)))

    @_do.register
    def _open_to_anybody(self, change: changes.OpenToAnybody) -> None:
        group = self._targets[change.iqn].group
        group.set_attribute("authentication", str(int(change.chap is not None)))
        group.set_attribute("demo_mode_write_protect", str(int(change.is_read_only)))
        _set_chap(group, change.chap)
        group.set_attribute("generate_node_acls", "1")

    @_do.register
    def _close_to_others(self, change: changes.CloseToOthers) -> None:
        group = self._targets[change.iqn].group
        group.set_attribute("generate_node_acls", "0")
        # Whoever came before is remembered, and would be let in by what it knows.
        group.chap_userid, group.chap_password = secrets.token_hex(16), secrets.token_hex(16)
        for initiator in (Path(group.path) / "dynamic_sessions").read_text().strip("\0\n").split("\n"):
            # Known for a moment, its session is that of an ACL, and goes with it.
            if initiator and initiator not in self._targets[change.iqn].acls:
                _remove(NodeACL(group, initiator).path)

    @_do.register
    def _switch(self, change: changes.Switch) -> None:
        has = self._targets[change.iqn]
        if change.is_enabled and not has.portals:
            has.portals = [NetworkPortal(has.group, each.address, each.port) for each in self._portals]
        _set_enabled(has.group, is_enabled=change.is_enabled)

    def _take_away(self, has: Exported, disk: str) -> None:
        behind = has.units.pop(disk)
        _unlink(behind.lun.path)
        _remove(behind.lun.path)
        behind.storage.delete()
        self._disks.detach(disk)


def _present(storage: BlockStorageObject, unit: Unit) -> None:
    """LIO makes NAA 6 of the company's number and the digits of the serial number (spc_gen_naa_6h_vendor_specific)."""
    identity = {
        "company_id": f"0x{unit.naa[_OUI]}",
        "vendor_id": unit.vendor,
        "product_id": unit.product,
        "revision": unit.revision,
    }
    for name, value in identity.items():
        (Path(storage.path) / "wwn" / name).write_text(value)
    for name in ("emulate_tpu", "emulate_tpws", "unmap_zeroes_data"):
        storage.set_attribute(name, "1")


def _ask_for(acl: NodeACL, chap: Chap | None) -> None:
    acl.set_attribute("authentication", "0" if chap is None else "1")
    _set_chap(acl, chap)


def _set_chap(holder: NodeACL | TPG, chap: Chap | None) -> None:
    holder.chap_userid = "" if chap is None else chap.username
    holder.chap_password = "" if chap is None else chap.secret
    holder.chap_mutual_userid = (chap and chap.mutual_username) or ""
    holder.chap_mutual_password = (chap and chap.mutual_secret) or ""


def _set_enabled(group: TPG, *, is_enabled: bool) -> None:
    (Path(group.path) / "enable").write_text(str(int(is_enabled)))


def _unmap(lun: MappedLUN) -> None:
    _unlink(lun.path)
    _remove(lun.path)


def _unlink(path: str) -> None:
    """Take away the link by which a LUN's directory says what is behind it."""
    for each in Path(path).iterdir():
        if each.is_symlink():
            each.unlink()


def _remove(path: str) -> None:
    # What has gone already needs no removing.
    with suppress(FileNotFoundError):
        Path(path).rmdir()
