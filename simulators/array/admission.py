"""Who may log in to which target, and what is behind it: the questions, and the words of the answers.

How they are answered is `own_targets`, for arrays with a target for each volume, or `shared_target`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from simulators.array.accounts import Account
    from simulators.array.initiators import Initiator
    from simulators.array.volume import Volume


class Door(Enum):
    """How an initiator finds a target."""

    OPEN = "open"
    CHAP = "CHAP"
    CLOSED = "closed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a login; with `Door.CHAP` the name and the secrets of both directions.

    Without `mutual_username` the array proves itself by the same name.
    """

    door: Door
    username: str = ""
    secret: str = field(default="", repr=False)
    mutual_secret: str = field(default="", repr=False)
    mutual_username: str = ""

    def lets_in(self, chap_username: str | None) -> bool:
        """Whether who came in by this name may stay: a secret may have changed since, a name may not."""
        if self.door is Door.CHAP:
            return chap_username is not None and chap_username == self.username
        return self.door is Door.OPEN


class Addressing(Protocol):
    """What an array shows to initiators."""

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        """Targets that are shown to an initiator that asks for all."""
        ...

    def decide(self, initiator_iqn: str, target_iqn: str) -> Decision:
        """Apply the access rule as of now."""
        ...

    def is_still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        """Whether a session that began at revision `since` may live on."""
        ...

    def luns(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, Volume]:
        """Volumes behind a target by LUN number, as this initiator sees them."""
        ...


def by_account(account: Account) -> Decision:
    """The way in for who knows an account's CHAP."""
    if not account.lets_in_by_chap:
        return Decision(Door.CLOSED)
    return Decision(Door.CHAP, account.username, account.initiator_secret, account.target_secret)


def by_initiator(initiator: Initiator) -> Decision:
    """The way in for an initiator with a CHAP of its own."""
    return Decision(
        Door.CHAP,
        initiator.chap_username,
        initiator.initiator_secret,
        initiator.target_secret,
        initiator.target_username,
    )
