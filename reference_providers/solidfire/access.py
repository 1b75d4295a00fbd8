"""Who may see a LUN: one volume access group per host, and CHAP for each of the host's initiators.

An initiator can be in one group only, so a host's LUNs are the LUNs of its group. Its initiator objects
require CHAP with a secret of the host's own (`chap_scope` host), which the array keeps; it is read back for
each `connection`. Groups are made at the first grant and shared by all stores on the array: every change of a
group happens under the host's lock.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence

from conformance.contract import (
    AccessNotGranted,
    ChapCredentials,
    Conflict,
    Host,
    InUse,
    InvalidRequest,
    LimitReached,
    ObjectNotFound,
    Secret,
)

from . import names
from .element import Element
from .limits import GROUPS_PER_LUN
from .objects import AccessGroup, HostInitiator, Lun


def iqns_of(host: Host) -> frozenset[str]:
    """The host's initiators that this array can serve."""
    iqns = frozenset(str(each) for each in host.iqns)
    if not iqns:
        raise InvalidRequest("host.initiators", [str(each) for each in host.initiators], "at least one IQN")
    return iqns


def grant(element: Element, lun: Lun, host: Host) -> None:
    """Put the LUN into the host's group. Call this under the host's lock."""
    iqns = iqns_of(host)
    if lun.is_locked:  # by a `cut_off` that was interrupted
        element.unlock_lun(lun.lun_id)
    group = group_of(element, host)
    if group is not None and lun.lun_id in group.lun_ids and group.iqns == iqns:
        return
    if len(lun.group_ids) >= GROUPS_PER_LUN and (group is None or group.group_id not in lun.group_ids):
        raise LimitReached("groups_per_lun", GROUPS_PER_LUN)
    if group is None:
        group = _new_group(element, host)
    refresh(element, group, host)
    element.put_lun_in_group(group.group_id, lun.lun_id)


def holders(element: Element, lun: Lun) -> Sequence[AccessGroup]:
    """Groups that the LUN is in; also those that others have made."""
    return element.groups(lun.group_ids) if lun.group_ids else ()


def check_not_granted(element: Element, lun: Lun) -> None:
    """Refuse what must not happen to a LUN that somebody has access to."""
    groups = () if lun.is_deleted else holders(element, lun)
    if groups:
        users = tuple(each.host_uuid or f"volume access group {each.group_id}" for each in groups)
        raise InUse(lun.external_id, users)


def cut_off(element: Element, lun: Lun, hosts: Collection[Host]) -> None:
    """Take the LUN out of the groups of these hosts, and end their sessions."""
    uuids = {each.uuid for each in hosts}
    groups = [each for each in holders(element, lun) if each.host_uuid in uuids]
    for group in groups:
        element.take_lun_from_group(group.group_id, lun.lun_id)
    _end_sessions(element, lun, _all_iqns(groups, hosts))


def group_of(element: Element, host: Host) -> AccessGroup | None:
    """The group that stands for a host."""
    ours = _groups_of(element, host)
    return ours[0] if ours else None


def refresh(element: Element, group: AccessGroup, host: Host) -> None:
    """Make the group's initiators those that the host has now. Call this under the host's lock."""
    iqns = frozenset(str(each) for each in host.iqns)
    if group.iqns == iqns:
        return
    known = members(element, group)
    stale = [each.initiator_id for each in known if each.iqn not in iqns]
    if stale:
        element.delete_initiators(stale)
    kept = [each for each in known if each.iqn in iqns]
    missing = iqns - {each.iqn for each in kept}
    if missing:
        _let_in(element, group, host, missing, _chap_of(kept, host))


def members(element: Element, group: AccessGroup) -> Sequence[HostInitiator]:
    """The group's initiator objects."""
    return element.initiators(group.initiator_ids) if group.initiator_ids else ()


def group_of_holder(element: Element, lun: Lun, host: Host) -> AccessGroup:
    """The group through which the host has access to the LUN."""
    for each in holders(element, lun):
        if each.host_uuid == host.uuid:
            return each
    raise AccessNotGranted(lun.external_id, host.uuid)


def new_chap(host: Host) -> ChapCredentials:
    """A secret that nobody has had before, under the host's own name."""
    # 16 characters of 6 bits: RFC 7143 §9.2.1 wants 96 bits at least, the array takes 16 characters at most.
    return ChapCredentials(names.of_host(host.uuid), Secret(secrets.token_urlsafe(12)))


def forget(element: Element, host: Host) -> None:
    """Remove the host's group with its initiators. Call this under the host's lock."""
    for group in _groups_of(element, host):
        element.delete_group(group.group_id)


def _new_group(element: Element, host: Host) -> AccessGroup:
    element.create_group(names.of_host(host.uuid), names.host_mark(host.uuid))
    # Names are not unique: a request that was delivered twice has made two.
    made = _groups_of(element, host)
    for each in made[1:]:
        element.delete_group(each.group_id)
    if not made:
        raise ObjectNotFound("volume access group", names.of_host(host.uuid))
    return made[0]


def _groups_of(element: Element, host: Host) -> Sequence[AccessGroup]:
    """The host's group; several only while one is being made. Oldest first."""
    ours = (each for each in element.groups() if names.is_ours(each.attributes) and each.host_uuid == host.uuid)
    return sorted(ours, key=lambda each: each.group_id)


def _let_in(element: Element, group: AccessGroup, host: Host, iqns: Iterable[str], chap: ChapCredentials) -> None:
    # In one call: an initiator that was in the group first and required CHAP later would have had a moment
    # without.
    wanted = [
        {
            "name": iqn,
            "volumeAccessGroupID": group.group_id,
            "requireChap": True,
            "chapUsername": chap.username,
            "initiatorSecret": chap.secret.reveal(),
            "attributes": names.host_mark(host.uuid),
        }
        for iqn in sorted(iqns)
    ]
    if element.create_initiators(wanted):
        return
    for each in element.initiators():
        if each.iqn in iqns:
            _release(element, each, host)
    if not element.create_initiators(wanted):
        raise Conflict(host.uuid, "initiators", "made by somebody else just now", ", ".join(sorted(iqns)))


def _release(element: Element, initiator: HostInitiator, host: Host) -> None:
    """Free a name that an earlier host of this plugin left behind; in use or not ours, it stays."""
    if not names.is_ours(initiator.attributes):
        raise Conflict(host.uuid, f"initiator {initiator.iqn}", "an object that others manage", "one of its own")
    others = element.groups(initiator.group_ids) if initiator.group_ids else ()
    used = [each.host_uuid for each in others if each.lun_ids and each.host_uuid != host.uuid]
    if used:
        raise Conflict(host.uuid, f"initiator {initiator.iqn}", f"host {used[0]}", f"host {host.uuid}")
    element.delete_initiators([initiator.initiator_id])


def _chap_of(kept: Iterable[HostInitiator], host: Host) -> ChapCredentials:
    """The host's CHAP: what its other initiators have, or a new one."""
    known = next((each.chap for each in kept if each.chap is not None), None)
    return known or new_chap(host)


def _all_iqns(groups: Iterable[AccessGroup], hosts: Iterable[Host]) -> frozenset[str]:
    now = {str(iqn) for host in hosts for iqn in host.iqns}
    return frozenset(now.union(*(each.iqns for each in groups)))


def _end_sessions(element: Element, lun: Lun, iqns: Collection[str]) -> None:
    """See to it that none of these initiators stays logged in.

    Element has no call that ends one initiator's session. Locking the volume ends all of them, and those that
    still have access log in again; so this is done only when a session is left, which a host that was
    unhooked first does not have.
    """
    is_left = any(each.lun_id == lun.lun_id and each.initiator_iqn in iqns for each in element.sessions())
    if not (is_left or lun.is_locked):
        return
    try:
        if is_left:
            element.lock_lun(lun.lun_id)
    finally:
        element.unlock_lun(lun.lun_id)
