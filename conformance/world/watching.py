"""A look at the array after every step that a property arranges: what each step promises, whatever the property is about.

A step may go wrong only in company that its own property does not keep: on the third volume, after a resize. What is seen
here is charged to the requirement that names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from conformance.contract import AccessGranularity, AccessMechanism, Hookup, Host, Iqn, WitnessedLun, WitnessPower
from conformance.verdict import Broken, Violation

if TYPE_CHECKING:
    from conformance.world.volumes import Made, WithVolumes


def after_create(world: WithVolumes, made: Made) -> None:
    """The LUN is as large as asked; the others are as they were."""
    _check_size(world, made, made.volume.request.size_bytes, "PRV-001")
    _check_others(world, made, "PRV-004", "PRV-004")


def after_resize(world: WithVolumes, made: Made, asked: int) -> None:
    """The LUN has grown; the others have not."""
    _check_size(world, made, asked, "EXT-001")
    _check_others(world, made, "EXT-008", "EXT-010")


def after_grant(world: WithVolumes, made: Made, host: Host) -> None:
    """The host is let in to this LUN, and nobody to another."""
    _check_hosts(world, made, missing="ACC-001", extra="ACC-003")
    _check_others(world, made, "ACC-016", "ACC-016")


def after_revoke(world: WithVolumes, made: Made, host: Host) -> None:
    """The host is out of this LUN; other hosts, and this host on other LUNs, are still in."""
    _check_hosts(world, made, missing="ACC-007", extra="ACC-004")
    _check_others(world, made, "ACC-010", "ACC-010")


def after_delete(world: WithVolumes, made: Made) -> None:
    """The LUN is gone; the others are not."""
    trash_allowed = world.subject.declared.traits.trash_seconds > 0
    for each in world.view().luns if made.lun is not None and _sees(world, WitnessPower.LUNS) else ():
        if made.lun is not None and each.external_id == made.lun.external_id and not (each.in_trash and trash_allowed):
            _broken("DEL-001", "the LUN to be gone", "it is in the trash" if each.in_trash else "it is still there")
    _check_others(world, made, "DEL-004", "DEL-004")


def _check_size(world: WithVolumes, made: Made, asked: int, home: str) -> None:
    lun = _lun(world, made, home)
    granule = world.subject.declared.limits.granularity_bytes
    if lun is None or world.subject.hookup is Hookup.PLUGIN:
        return
    if not asked <= lun.size_bytes < asked + granule:
        _broken(home, f"a LUN of {asked} bytes or less than {granule} more", f"{lun.size_bytes} bytes")


def _check_hosts(world: WithVolumes, made: Made, *, missing: str, extra: str) -> None:
    lun = _lun(world, made, missing)
    if lun is None or not _is_masked_by_host(world):
        return
    probes, wanted = set(_iqns(world.probe_hosts)), set(_iqns(made.granted))
    if lost := wanted - lun.visible_to:
        _broken(missing, "every granted host to be let in", f"not let in: {_names(lost)}")
    if strangers := (lun.visible_to & probes) - wanted:
        _broken(extra, "only granted hosts to be let in", f"let in: {_names(strangers)}")


def _check_others(world: WithVolumes, made: Made, gone: str, hosts: str) -> None:
    for other in world.volumes:
        if other is not made and other.lun is not None:
            lun = _lun(world, other, gone)
            if lun is not None and lun.size_bytes != other.lun_bytes:
                _broken(gone, f"another LUN to stay at {other.lun_bytes} bytes", f"{lun.size_bytes} bytes")
            _check_hosts(world, other, missing=hosts, extra=hosts)


def _lun(world: WithVolumes, made: Made, home: str) -> WitnessedLun | None:
    if made.lun is None or not _sees(world, WitnessPower.SIZE):
        return None
    for each in world.view().live:
        if each.external_id == made.lun.external_id:
            return each
    _broken(home, "the LUN to be on the array", "it is gone")


def _sees(world: WithVolumes, power: WitnessPower) -> bool:
    return power in world.witness.powers


def _is_masked_by_host(world: WithVolumes) -> bool:
    traits = world.subject.declared.traits
    by_host = traits.access_granularity is AccessGranularity.HOST
    return by_host and traits.access_mechanism is not AccessMechanism.CHAP and _sees(world, WitnessPower.ACCESS)


def _iqns(hosts: Iterable[Host]) -> Iterable[Iqn]:
    return (iqn for host in hosts for iqn in host.iqns)


def _names(iqns: Iterable[Iqn]) -> str:
    return ", ".join(sorted(map(str, iqns)))


def _broken(home: str, expected: str, observed: str) -> NoReturn:
    raise Broken(Violation(expected, observed, "the array", home))
