"""A look at the array after every step that a property arranges: what each step promises, whatever the property is
about.

A step may go wrong only in company that its own property does not keep: on the third volume, after a resize. What is
seen here is charged to the requirement that names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.contract import BlockConnection, Capability, Host, IscsiPath, ProbeRefused, ProbeSession, WitnessPower
from conformance.world.glance import Glance, broken, check_identity, names_of

if TYPE_CHECKING:
    from conformance.world.hosts import WithHosts
    from conformance.world.volumes import Made, WithVolumes


def after_create(world: WithVolumes, made: Made) -> None:
    """The LUN is as large as asked; the others are as they were."""
    glance = Glance(world)
    glance.check_size(made, made.volume.request.size_bytes, "PRV-001")
    check_identity(made, made.volume.identity)
    glance.check_qos(made, "QOS-001")
    glance.check_hosts(made, missing="ACC-001", extra="ACC-002")
    glance.check_datastores(made, made.volume.request.size_bytes, "DST-001")
    glance.check_others(made, "PRV-004")


def after_resize(world: WithVolumes, made: Made, asked: int) -> None:
    """The LUN has grown; the others have not."""
    glance = Glance(world)
    glance.check_size(made, asked, "EXT-001")
    glance.check_qos(made, "EXT-010")
    glance.check_datastores(made, asked, "DST-005")
    glance.check_hosts(made, missing="EXT-010", extra="EXT-010")
    glance.check_others(made, "EXT-008")


def after_set_qos(world: WithVolumes, made: Made) -> None:
    """The LUN has the QoS asked; its size and the others are as they were."""
    glance = Glance(world)
    glance.check_qos(made, "QOS-002")
    glance.check_same_size(made, "QOS-005")
    glance.check_others(made, "QOS-005")


def after_migration(world: WithVolumes, made: Made) -> None:
    """Lifted, the volume has what it had at least; its size, its hosts and the others are as they were."""
    glance = Glance(world)
    if made.is_lifted:
        glance.check_qos(made, "MIG-003")
    glance.check_same_size(made, "MIG-001")
    glance.check_hosts(made, missing="MIG-004", extra="MIG-004")
    glance.check_others(made, "MIG-003")


def after_connection(world: WithVolumes, made: Made, connection: BlockConnection) -> None:
    """The connection tells this LUN, its size, and credentials where CHAP is declared."""
    check_identity(made, connection.identity)
    lun = Glance(world).lun(made, "PRV-009")
    if lun is not None and connection.size_bytes != lun.size_bytes:
        broken("PRV-009", f"connection to tell {lun.size_bytes} bytes", f"{connection.size_bytes}")
    chaps = [each.chap for each in connection.paths if isinstance(each, IscsiPath)]
    if world.subject.supports(Capability.CHAP) and None in chaps:
        broken("CHP-001", "credentials on every path", "a path without")


def after_login(world: WithHosts, made: Made, host: Host, connection: BlockConnection, session: ProbeSession) -> None:
    """The path leads to this LUN, and where CHAP is declared only with credentials."""
    if made.lun is not None and session.wwid != made.lun.wwid:
        broken(_wrong_way(world, made, session.wwid), f"the path to lead to LUN {made.lun.wwid}", session.wwid)
    is_new = world.is_first_look("login", made.uuid, host.uuid)
    if is_new and world.subject.supports(Capability.CHAP) and _logs_in_without_chap(world, host, connection):
        broken("CHP-001", "a login without CHAP to be refused", "it was accepted")


def after_grant(world: WithVolumes, made: Made, host: Host) -> None:
    """The host is let in to this LUN beside those that were, and nobody to another."""
    glance = Glance(world)
    lun = glance.lun(made, "ACC-001")
    if lun is not None and glance.is_masked_by_host and not set(host.iqns) <= lun.visible_to:
        broken("ACC-001", "the granted host to be let in", f"not let in: {names_of([host])}")
    glance.check_hosts(made, missing="ACC-012", extra="ACC-003")
    glance.check_datastores(made, 0, "DST-008")
    glance.check_others(made, "ACC-016")


def after_revoke(world: WithVolumes, made: Made) -> None:
    """The host is out of this LUN; other hosts, and this host on other LUNs, are still in."""
    glance = Glance(world)
    glance.check_hosts(made, missing="ACC-007", extra="ACC-004")
    glance.check_datastores(made, 0, "DST-008")
    glance.check_others(made, "ACC-010")


def after_delete(world: WithVolumes, made: Made) -> None:
    """The LUN is gone; the others are not."""
    glance = Glance(world)
    trash_allowed = world.subject.declared.traits.trash_seconds > 0
    for each in glance.view.luns if made.lun is not None and glance.sees(WitnessPower.LUNS) else ():
        if made.lun is not None and each.external_id == made.lun.external_id and not (each.in_trash and trash_allowed):
            where = "in the trash, and no trash is declared" if each.in_trash else "still there"
            broken("DEL-001", "the LUN to be gone", f"LUN {each.external_id} is {where}")
    glance.check_others(made, "DEL-004")


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
