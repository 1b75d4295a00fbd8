"""Who may see a LUN: one volume access group per host, and CHAP for each of the host's initiators.

An initiator can be in one group only, so a host's LUNs are the LUNs of its group. Its initiator objects
require CHAP with a secret of the host's own (`chap_scope` host), which the array keeps; it is read back for
each `connection`. Groups are made at the first grant and shared by all stores on the array: every change of a
group happens under the host's lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from conformance.contract import (
    AccessNotGranted,
    Conflict,
    Host,
    InUse,
    LimitReached,
    ObjectNotFound,
)

from . import names
from .element import Element
from .initiators import iqns_of, members, refresh
from .limits import FEWEST_GROUPS
from .objects import AccessGroup, Lun


def grant(element: Element, lun: Lun, host: Host) -> None:
    """Put the LUN into the host's group. Call this under the host's lock."""
    iqns = iqns_of(host)
    if lun.is_locked:  # by a `cut_off` that was interrupted
        element.unlock_lun(lun.lun_id)
    group = group_of(element, host)
    if group is not None and lun.lun_id in group.lun_ids and group.iqns == iqns:
        return
    if group is None or group.group_id not in lun.group_ids:
        _check_one_more(element, lun)
    if group is not None:
        _let_in(element, group, lun, host)
        return
    group = _new_group(element, host)
    try:
        _let_in(element, group, lun, host)
    except (Conflict, LimitReached):
        # A host that was refused has no business on the array.
        element.delete_group(group.group_id)
        raise


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


def group_of_holder(element: Element, lun: Lun, host: Host) -> AccessGroup:
    """The group through which the host has access to the LUN."""
    for each in holders(element, lun):
        if each.host_uuid == host.uuid:
            return each
    raise AccessNotGranted(lun.external_id, host.uuid)


def forget(element: Element, host: Host) -> None:
    """Remove the host's group with its initiators. Call this under the host's lock."""
    for group in _groups_of(element, host):
        remove_group(element, group)


def remove_group(element: Element, group: AccessGroup) -> None:
    """Remove a group with its initiators; if others have put theirs into it, only our initiators."""
    known = members(element, group)
    ours = [each.initiator_id for each in known if names.is_ours(each.attributes)]
    if len(ours) == len(known):
        element.delete_group(group.group_id)
    elif ours:
        element.delete_initiators(ours)


def _let_in(element: Element, group: AccessGroup, lun: Lun, host: Host) -> None:
    refresh(element, group, host)
    element.put_lun_in_group(group.group_id, lun.lun_id)


def _check_one_more(element: Element, lun: Lun) -> None:
    # Releases differ; only what is near the smallest of their limits makes us ask.
    if len(lun.group_ids) >= FEWEST_GROUPS and len(lun.group_ids) >= (most := element.most().groups_per_lun):
        raise LimitReached("groups_per_lun", most)


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
