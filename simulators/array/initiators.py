"""Initiators the array has been told of: a name, perhaps a CHAP of its own, and the one group it is in.

Any text can be a name here, as on real arrays. Who logs in has an iSCSI name: by another one, nobody gets in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulators.array.limits import check_count, check_length
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.array.limits import Limits
    from simulators.array.surroundings import Chance

InitiatorRef = int | str
"""How callers point at an initiator: by number, or by IQN or WWPN."""

# RFC 7143 §4.2.7.
_ISCSI_NAME: Final = re.compile(
    r"iqn\.\d{4}-(0[1-9]|1[0-2])\.[a-z0-9][a-z0-9.-]*(:[^\s,;]+)?|eui\.[0-9a-f]{16}|naa\.[0-9a-f]{16}([0-9a-f]{16})?",
    re.ASCII,
)


def is_iscsi_name(name: str) -> bool:
    """Whether an iSCSI initiator can have that name."""
    return _ISCSI_NAME.fullmatch(name.lower()) is not None


@dataclass(slots=True)
class Initiator:
    """An initiator; names are kept in lower case (RFC 3722), Fibre Channel names too.

    The array proves itself to it by `target_username`, or without one by the name that the initiator uses.
    """

    initiator_id: int
    name: str
    alias: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
    group_id: int | None = None
    requires_chap: bool = False
    chap_username: str = ""
    initiator_secret: str = field(default="", repr=False)
    target_secret: str = field(default="", repr=False)
    target_username: str = ""
    secret_changes: int = 0


@dataclass(frozen=True, slots=True)
class InitiatorWish:
    """What a caller wants of a new initiator."""

    name: str
    alias: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)
    group_id: int | None = None
    requires_chap: bool = False
    chap_username: str | None = None
    initiator_secret: str | None = field(default=None, repr=False)
    target_secret: str | None = field(default=None, repr=False)
    target_username: str | None = None


@dataclass(frozen=True, slots=True)
class InitiatorChange:
    """What a caller wants changed; None leaves a value as it is."""

    initiator_id: int
    alias: str | None = None
    attributes: Mapping[str, object] | None = None
    group_id: int | None = None
    requires_chap: bool | None = None
    chap_username: str | None = None
    initiator_secret: str | None = field(default=None, repr=False)
    target_secret: str | None = field(default=None, repr=False)
    target_username: str | None = None


class Initiators:
    """The array's initiators, by number and by name."""

    def __init__(self, limits: Limits, chance: Chance) -> None:
        self._limits = limits
        self._chance = chance
        self.rows: Register[Initiator] = Register()
        self._by_name: dict[str, Initiator] = {}

    def get(self, initiator_id: int) -> Initiator:
        """The initiator of that number."""
        initiator = self.rows.find(initiator_id)
        if initiator is None:
            raise Refused(Reason.INITIATOR_UNKNOWN, f"initiatorID={initiator_id} does not exist.")
        return initiator

    def find_named(self, name: str) -> Initiator | None:
        """The initiator of that name, or None."""
        return self._by_name.get(name.lower())

    def find_at_login(self, name: str) -> Initiator | None:
        """The initiator that logs in by that name, or None."""
        found = self.find_named(name)
        return found if found is not None and is_iscsi_name(name) else None

    def find(self, reference: InitiatorRef) -> Initiator | None:
        """The initiator meant, or None if there is no such name; an unknown number is refused."""
        return self.find_named(reference) if isinstance(reference, str) else self.get(reference)

    def check_new(self, wishes: Iterable[InitiatorWish]) -> None:
        """Refuse names that are too long or are taken, and more initiators than allowed."""
        names = set()
        for wish in wishes:
            self._check(wish)
            if wish.name.lower() in names or self.find_named(wish.name) is not None:
                raise Refused(Reason.INITIATOR_EXISTS, f"initiator {wish.name} exists already.")
            names.add(wish.name.lower())
        check_count(len(self.rows) + len(names), self._limits.initiators, "initiators.")

    def add(self, wish: InitiatorWish) -> Initiator:
        """Keep a checked initiator, in no group yet."""
        initiator = Initiator(
            initiator_id=self.rows.next_number,
            name=wish.name.lower(),
            alias=wish.alias,
            attributes=wish.attributes,
            requires_chap=wish.requires_chap,
        )
        self._arm(initiator, wish)
        self.rows.add(initiator)
        self._by_name[initiator.name] = initiator
        return initiator

    def check_change(self, change: InitiatorChange) -> None:
        """Refuse values that cannot be."""
        self._check_words(change.alias or "", change.initiator_secret, change.target_secret)

    def change(self, initiator: Initiator, change: InitiatorChange) -> None:
        """Apply a checked change, but for the group; who has to use CHAP from now on is given what is missing."""
        if change.alias is not None:
            initiator.alias = change.alias
        if change.attributes is not None:
            initiator.attributes = change.attributes
        if change.requires_chap is not None:
            initiator.requires_chap = change.requires_chap
        initiator.secret_changes += change.initiator_secret is not None or change.target_secret is not None
        self._arm(initiator, change)

    def _arm(self, initiator: Initiator, given: InitiatorChange | InitiatorWish) -> None:
        has_to, made_up = initiator.requires_chap, self._chance.chap_secret
        initiator.chap_username = given.chap_username or initiator.chap_username or (initiator.name if has_to else "")
        initiator.initiator_secret = (
            given.initiator_secret or initiator.initiator_secret or (made_up() if has_to else "")
        )
        initiator.target_username = given.target_username or initiator.target_username
        initiator.target_secret = given.target_secret or initiator.target_secret or (made_up() if has_to else "")

    def remove(self, initiator: Initiator) -> None:
        """Forget an initiator that is in no group."""
        self.rows.remove(initiator.initiator_id)
        del self._by_name[initiator.name]

    def _check(self, wish: InitiatorWish) -> None:
        check_length(wish.name, 1, self._limits.initiator_name_length, "initiator name")
        self._check_words(wish.alias, wish.initiator_secret, wish.target_secret)

    def _check_words(self, alias: str, *secrets: str | None) -> None:
        check_length(alias, 0, self._limits.initiator_alias_length, "alias")
        for secret in secrets:
            if secret is not None:
                check_length(secret, self._limits.secret_length_min, self._limits.secret_length_max, "CHAP secret")
