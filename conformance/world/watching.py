"""A look at the array after every step that a property arranges: what each step promises, whatever the property is
about.

A step may go wrong only in company that its own property does not keep: on the third volume, after a resize. What is
seen
here is charged to the requirement that names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from conformance.contract import (
    AccessGranularity,
    AccessMechanism,
    BlockConnection,
    BridgeError,
    Capability,
    DiskLocation,
    Hookup,
    Host,
    HypervisorBridge,
    Iqn,
    IscsiPath,
    LunIdentity,
    ProbeRefused,
    ProbeSession,
    WitnessedLun,
    WitnessPower,
)
from conformance.verdict import Broken, Violation

if TYPE_CHECKING:
    from conformance.world.hosts import WithHosts
    from conformance.world.volumes import Made, WithVolumes


def after_create(world: WithVolumes, made: Made) -> None:
    """The LUN is as large as asked; the others are as they were."""
    _check_size(world, made, made.volume.request.size_bytes, "PRV-001")
    _check_identity(made, made.volume.identity)
    _check_qos(world, made, "QOS-001")
    _check_hosts(world, made, missing="ACC-001", extra="ACC-002")
    _check_datastores(world, made, made.volume.request.size_bytes, "DST-001")
    _check_others(world, made, "PRV-004", "PRV-004", "PRV-004")


def after_resize(world: WithVolumes, made: Made, asked: int) -> None:
    """The LUN has grown; the others have not."""
    _check_size(world, made, asked, "EXT-001")
    _check_qos(world, made, "EXT-010")
    _check_datastores(world, made, asked, "DST-005")
    _check_hosts(world, made, missing="EXT-010", extra="EXT-010")
    _check_others(world, made, "EXT-008", "EXT-008", "EXT-008")


def after_set_qos(world: WithVolumes, made: Made) -> None:
    """The LUN has the QoS asked; its size and the others are as they were."""
    _check_qos(world, made, "QOS-002")
    lun = _lun(world, made, "QOS-005")
    if lun is not None and lun.size_bytes != made.lun_bytes:
        _broken("QOS-005", f"the LUN to stay at {made.lun_bytes} bytes", f"{lun.size_bytes}")
    _check_others(world, made, "QOS-005", "QOS-005", "QOS-005")


def after_connection(world: WithVolumes, made: Made, connection: BlockConnection) -> None:
    """The connection tells this LUN, its size, and credentials where CHAP is declared."""
    _check_identity(made, connection.identity)
    lun = _lun(world, made, "PRV-009")
    if lun is not None and connection.size_bytes != lun.size_bytes:
        _broken("PRV-009", f"connection to tell {lun.size_bytes} bytes", f"{connection.size_bytes}")
    chaps = [each.chap for each in connection.paths if isinstance(each, IscsiPath)]
    if world.subject.supports(Capability.CHAP) and None in chaps:
        _broken("CHP-001", "credentials on every path", "a path without")


def after_login(world: WithHosts, made: Made, host: Host, connection: BlockConnection, session: ProbeSession) -> None:
    """The path leads to this LUN, and where CHAP is declared only with credentials."""
    if made.lun is not None and session.wwid != made.lun.wwid:
        _broken(_wrong_way(world, made, session.wwid), f"the path to lead to LUN {made.lun.wwid}", session.wwid)
    if world.subject.supports(Capability.CHAP) and _logs_in_without_chap(world, host, connection):
        _broken("CHP-001", "a login without CHAP to be refused", "it was accepted")


def _wrong_way(world: WithVolumes, made: Made, wwid: str) -> str:
    if any(each.lun is not None and each.lun.wwid == wwid for each in world.volumes):
        return "PRV-012"
    return "ACC-012" if len(made.granted) > 1 else "ACC-001"


def _logs_in_without_chap(world: WithHosts, host: Host, connection: BlockConnection) -> bool:
    try:
        session = world.probe(host).open_without_chap(connection)
    except ProbeRefused:
        return False
    session.close()
    return True


def after_grant(world: WithVolumes, made: Made, host: Host) -> None:
    """The host is let in to this LUN beside those that were, and nobody to another."""
    lun = _lun(world, made, "ACC-001")
    if lun is not None and _is_masked_by_host(world) and (lost := set(host.iqns) - lun.visible_to):
        _broken("ACC-001", "the granted host to be let in", f"not let in: {_names(lost)}")
    _check_hosts(world, made, missing="ACC-012", extra="ACC-003")
    _check_datastores(world, made, 0, "DST-008")
    _check_others(world, made, "ACC-016", "ACC-016", "ACC-016")


def after_revoke(world: WithVolumes, made: Made) -> None:
    """The host is out of this LUN; other hosts, and this host on other LUNs, are still in."""
    _check_hosts(world, made, missing="ACC-007", extra="ACC-004")
    _check_datastores(world, made, 0, "DST-008")
    _check_others(world, made, "ACC-010", "ACC-010", "ACC-010")


def after_delete(world: WithVolumes, made: Made) -> None:
    """The LUN is gone; the others are not."""
    trash_allowed = world.subject.declared.traits.trash_seconds > 0
    for each in world.view().luns if made.lun is not None and _sees(world, WitnessPower.LUNS) else ():
        if made.lun is not None and each.external_id == made.lun.external_id and not (each.in_trash and trash_allowed):
            where = "in the trash, and no trash is declared" if each.in_trash else "still there"
            _broken("DEL-001", "the LUN to be gone", f"LUN {each.external_id} is {where}")
    _check_others(world, made, "DEL-004", "DEL-004", "DEL-004")


def _check_size(world: WithVolumes, made: Made, asked: int, home: str) -> None:
    lun = _lun(world, made, home)
    granule = world.subject.declared.limits.granularity_bytes
    if lun is None or world.subject.hookup is Hookup.PLUGIN:
        return
    if not asked <= lun.size_bytes < asked + granule:
        _broken(home, f"a LUN of at least {asked} bytes and less than {granule} more", f"{lun.size_bytes} bytes")


def _check_hosts(world: WithVolumes, made: Made, *, missing: str, extra: str) -> None:
    lun = _lun(world, made, missing)
    if lun is None or not _is_masked_by_host(world):
        return
    probes, wanted = set(_iqns(world.probe_hosts)), set(_iqns(made.granted))
    if lost := wanted - lun.visible_to:
        _broken(missing, "every granted host to be let in", f"not let in: {_names(lost)}")
    if strangers := (lun.visible_to & probes) - wanted:
        _broken(extra, "only granted hosts to be let in", f"let in: {_names(strangers)}")


def _check_others(world: WithVolumes, made: Made, sizes: str, hosts: str, qos: str) -> None:
    for other in world.volumes:
        if other is not made and other.lun is not None:
            lun = _lun(world, other, sizes)
            if lun is not None and lun.size_bytes != other.lun_bytes:
                _broken(sizes, f"another LUN to stay at {other.lun_bytes} bytes", f"{lun.size_bytes} bytes")
            _check_hosts(world, other, missing=hosts, extra=hosts)
            _check_qos(world, other, qos)


def _check_datastores(world: WithVolumes, made: Made, asked: int, home: str) -> None:
    """In hookup PLUGIN every hypervisor host that has access sees the volume's datastore in its whole size."""
    disk = made.volume.disk
    if world.subject.hookup is not Hookup.PLUGIN or disk is None:
        return
    bridge = world.open_bridge()
    size = bridge.list_disks(disk.datastore).get(disk.disk, 0) if asked else asked
    if size < asked:
        _broken(home, f"a disk of {asked} bytes", f"{size} bytes")
    for host in [each for each in made.granted if each in world.placement.hosts]:
        seen = _datastore_bytes(bridge, disk, host)
        if seen < made.volume.size_bytes:
            _broken(home, f"{host.name} to see a datastore of {made.volume.size_bytes} bytes", f"{seen}")


def _datastore_bytes(bridge: HypervisorBridge, disk: DiskLocation, host: Host) -> int:
    try:
        return bridge.datastore_bytes(disk.datastore, host)
    except BridgeError:
        return 0


def _check_identity(made: Made, identity: LunIdentity | None) -> None:
    if made.lun is not None and identity is not None and identity.wwid not in {None, made.lun.wwid}:
        _broken("PRV-010", f"the identity {made.lun.wwid}", str(identity.wwid))


def _check_qos(world: WithVolumes, made: Made, home: str) -> None:
    lun = _lun(world, made, home)
    if lun is None or lun.qos is None or not world.subject.supports(Capability.QOS):
        return
    for name in ("min_iops", "max_iops", "burst_iops"):
        wanted, found = getattr(made.qos, name), getattr(lun.qos, name)
        if wanted is not None and found != wanted:
            _broken(home, f"{name} of {wanted}", str(found))


def _lun(world: WithVolumes, made: Made, home: str) -> WitnessedLun | None:
    if made.lun is None or not _sees(world, WitnessPower.SIZE):
        return None
    found = next((each for each in world.view().live if each.external_id == made.lun.external_id), None)
    if found is None:
        _broken(home, "the LUN to be on the array", "it is gone")
    return found


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
