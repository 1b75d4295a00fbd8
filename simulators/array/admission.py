"""Who may log in to which target.

An initiator in a group that holds the volume gets in without CHAP, unless the initiator object itself
requires CHAP; any other has to authenticate as the volume's account. Where that is no way in (the account
is locked, or has CHAP switched off) it is forbidden (login status 0x0202: the target is there, and not for
this initiator). A deleted volume has no target (0x0203), a locked one lets nobody in (0x0202).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from simulators.array.volume import Access

if TYPE_CHECKING:
    from simulators.array.initiators import Initiator
    from simulators.array.model import ArrayModel
    from simulators.array.volume import Volume


class Door(Enum):
    """How an initiator finds a target."""

    OPEN = "open"
    CHAP = "CHAP"
    CLOSED = "closed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a login; with `Door.CHAP` the name and the secrets of both directions."""

    door: Door
    username: str = ""
    secret: str = field(default="", repr=False)
    mutual_secret: str = field(default="", repr=False)


def decide(model: ArrayModel, initiator_iqn: str, target_iqn: str) -> Decision:
    """Apply the access rule as of now."""
    volume = model.volumes.find_target(target_iqn)
    if volume is None:
        return Decision(Door.ABSENT)
    if volume.access is Access.LOCKED:
        return Decision(Door.CLOSED)
    member = member_for(model, initiator_iqn, volume)
    if member is not None and not member.requires_chap:
        return Decision(Door.OPEN)
    if member is not None:
        return Decision(Door.CHAP, member.chap_username, member.initiator_secret, member.target_secret)
    return _by_account(model, volume)


def is_still_admitted(
    model: ArrayModel, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int
) -> bool:
    """Whether a session that began at revision `since` may live on.

    Where sessions survive regrouping, what was let in through a group stays until its volume is locked or deleted; else
    it stays while it would be let in again: its secret may have changed since, its name may not.
    """
    volume = model.volumes.find_target(target_iqn)
    if volume is None or since < volume.sessions_ended_at:
        return False
    if model.sessions_survive_regrouping and not _came_by_account(model, volume, chap_username):
        return True
    decision = decide(model, initiator_iqn, target_iqn)
    return decision.door is Door.OPEN or (
        decision.door is Door.CHAP and chap_username is not None and chap_username == decision.username
    )


def member_for(model: ArrayModel, initiator_iqn: str, volume: Volume) -> Initiator | None:
    """The initiator object of that name, if it is in a group with the volume."""
    initiator = model.initiators.find_named(initiator_iqn)
    if initiator is None or initiator.group_id not in volume.groups:
        return None
    return initiator


def _came_by_account(model: ArrayModel, volume: Volume, chap_username: str | None) -> bool:
    return chap_username is not None and chap_username == model.accounts.get(volume.account_id).username


def _by_account(model: ArrayModel, volume: Volume) -> Decision:
    account = model.accounts.get(volume.account_id)
    if not account.lets_in_by_chap:
        return Decision(Door.CLOSED)
    return Decision(Door.CHAP, account.username, account.initiator_secret, account.target_secret)
