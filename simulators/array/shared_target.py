"""One target for the whole array, behind which each access group sees its volumes by LUN numbers of its own.

Only an initiator that is in a group may log in, and always with CHAP: its own if it has one, else that of the
array's account. Its session lives as long as that holds; volumes that come into the group or leave it appear and
disappear on the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.array.admission import Decision, Door, by_account, by_initiator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.array.initiators import Initiator
    from simulators.array.model import ArrayModel
    from simulators.array.volume import Volume


class SharedTarget:
    """`Addressing`."""

    def __init__(self, model: ArrayModel) -> None:
        self._model = model
        self.iqn = model.make.target_of(model.unique_id, "", 0)

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        return (self.iqn,) if self._member(initiator_iqn) is not None else ()

    def decide(self, initiator_iqn: str, target_iqn: str) -> Decision:
        if target_iqn.lower() != self.iqn:
            return Decision(Door.ABSENT)
        member = self._member(initiator_iqn)
        if member is None:
            return Decision(Door.CLOSED)
        return by_initiator(member) if member.requires_chap else by_account(self._model.owner)

    def is_still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        return self.decide(initiator_iqn, target_iqn).lets_in(chap_username)

    def luns(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, Volume]:
        member = self._member(initiator_iqn)
        if member is None or member.group_id is None or target_iqn.lower() != self.iqn:
            return {}
        numbered = self._model.groups.get(member.group_id).volumes.items()
        found = {number: self._model.volumes.get(volume_id) for volume_id, number in numbered}
        return {number: volume for number, volume in sorted(found.items()) if volume.has_target}

    def _member(self, initiator_iqn: str) -> Initiator | None:
        """The initiator of that name, if it is in a group."""
        initiator = self._model.initiators.find_at_login(initiator_iqn)
        return None if initiator is None or initiator.group_id is None else initiator
