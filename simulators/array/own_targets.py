"""A target for each volume, which is its only LUN.

An initiator in a group that holds the volume gets in without CHAP, unless the initiator object itself
requires CHAP; any other has to authenticate as the volume's account. Where that is no way in (the account
is locked, or has CHAP switched off) it is forbidden (login status 0x0202: the target is there, and not for
this initiator). A deleted volume has no target (0x0203), a locked one lets nobody in (0x0202).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.array.admission import Decision, Door, by_account, by_initiator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.array.initiators import Initiator
    from simulators.array.model import ArrayModel
    from simulators.array.volume import Volume


class OwnTargets:
    """`Addressing`. LUN numbers are 0, or from the model's `lun_numbers_from` on by the volume's id, beyond 255 too."""

    def __init__(self, model: ArrayModel) -> None:
        self._model = model

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        """Targets of the volumes in the initiator's group; what CHAP alone opens is not shown unasked."""
        initiator = self._model.initiators.find_at_login(initiator_iqn)
        if initiator is None or initiator.group_id is None:
            return ()
        volumes = map(self._model.volumes.rows.find, self._model.groups.get(initiator.group_id).volumes)
        return tuple(each.iqn for each in volumes if each is not None and each.has_target)

    def decide(self, initiator_iqn: str, target_iqn: str) -> Decision:
        volume = self._model.volumes.find_target(target_iqn)
        if volume is None:
            return Decision(Door.ABSENT)
        if volume.access.is_closed:
            return Decision(Door.CLOSED)
        member = self._member_for(initiator_iqn, volume)
        if member is None:
            return by_account(self._model.accounts.get(volume.account_id))
        return by_initiator(member) if member.requires_chap else Decision(Door.OPEN)

    def is_still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        """Where sessions survive regrouping, what came through a group stays until its volume is locked or deleted;
        else it stays while it would be let in again.
        """
        volume = self._model.volumes.find_target(target_iqn)
        if volume is None or since < volume.sessions_ended_at:
            return False
        if self._model.sessions_survive_regrouping and not self._came_by_account(volume, chap_username):
            return True
        return self.decide(initiator_iqn, target_iqn).lets_in(chap_username)

    def luns(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, Volume]:
        volume = self._model.volumes.find_target(target_iqn)
        if volume is None:
            return {}
        start = self._model.lun_numbers_from
        return {0 if start is None else start + volume.volume_id: volume}

    def _member_for(self, initiator_iqn: str, volume: Volume) -> Initiator | None:
        """The initiator object of that name, if it is in a group with the volume."""
        initiator = self._model.initiators.find_at_login(initiator_iqn)
        return None if initiator is None or initiator.group_id not in volume.groups else initiator

    def _came_by_account(self, volume: Volume, chap_username: str | None) -> bool:
        return chap_username is not None and chap_username == self._model.accounts.get(volume.account_id).username
