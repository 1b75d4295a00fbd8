"""A host's initiators on the array: objects of the host's own, in the host's group, with the host's CHAP.

The array knows an initiator name once, and lets it be in one group. So a name may be taken: by an earlier host
of this plugin, whose leftovers are cleared away if nothing uses them, or by somebody else, and then the host
cannot be let in before they have let go of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence

from conformance.contract import ChapCredentials, Conflict, Host, InvalidRequest, LimitReached, Secret

from . import names
from .element import Element
from .limits import FEWEST_INITIATORS
from .objects import AccessGroup, HostInitiator


def iqns_of(host: Host) -> frozenset[str]:
    """The host's initiators that this array can serve."""
    iqns = frozenset(str(each) for each in host.iqns)
    if not iqns:
        raise InvalidRequest("host.initiators", [str(each) for each in host.initiators], "at least one IQN")
    return iqns


def refresh(element: Element, group: AccessGroup, host: Host) -> None:
    """Make the group's initiators those that the host has now. Call this under the host's lock."""
    iqns = frozenset(str(each) for each in host.iqns)
    if group.iqns == iqns:
        return
    _check_count(element, iqns)
    known = members(element, group)
    kept = [each for each in known if each.iqn in iqns]
    missing = iqns - {each.iqn for each in kept}
    # The new ones first: they may be refused, and then everything is as it was.
    if missing:
        _let_in(element, group, host, missing, _chap_of(kept, host))
    stale = [each.initiator_id for each in known if each.iqn not in iqns and names.is_ours(each.attributes)]
    if stale:
        element.delete_initiators(stale)


def members(element: Element, group: AccessGroup) -> Sequence[HostInitiator]:
    """The group's initiator objects."""
    return element.initiators(group.initiator_ids) if group.initiator_ids else ()


def new_chap(host: Host) -> ChapCredentials:
    """A secret that nobody has had before, under the host's own name."""
    # 16 characters of 6 bits: RFC 7143 §9.2.1 wants 96 bits at least, the array takes 16 characters at most.
    return ChapCredentials(names.of_host(host.uuid), Secret(secrets.token_urlsafe(12)))


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
    groups = element.groups(initiator.group_ids) if initiator.group_ids else ()
    foreign = [each.group_id for each in groups if not names.is_ours(each.attributes)]
    if foreign or not names.is_ours(initiator.attributes):
        where = f"in volume access group {foreign[0]}, which others manage" if foreign else "an object of others"
        raise Conflict(
            host.uuid, f"initiator {initiator.iqn}", where, "an initiator that the host's own group can have"
        )
    used = [each.host_uuid for each in groups if each.lun_ids and each.host_uuid != host.uuid]
    if used:
        raise Conflict(host.uuid, f"initiator {initiator.iqn}", f"host {used[0]}", f"host {host.uuid}")
    element.delete_initiators([initiator.initiator_id])


def _check_count(element: Element, iqns: Collection[str]) -> None:
    # Releases differ, and few hosts come near the smallest of their limits: only those make us ask.
    if len(iqns) > FEWEST_INITIATORS and len(iqns) > (most := element.most().initiators_per_group):
        raise LimitReached("initiators_per_group", most)


def _chap_of(kept: Iterable[HostInitiator], host: Host) -> ChapCredentials:
    """The host's CHAP: what its other initiators have, or a new one."""
    known = next((each.chap for each in kept if each.chap is not None), None)
    return known or new_chap(host)
