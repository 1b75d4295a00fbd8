"""Accounts: who owns volumes, and the CHAP name and secrets that let an initiator in to all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from simulators.array.limits import check_count, check_length
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.array.limits import Limits
    from simulators.array.surroundings import Chance, Revision


class AccountStatus(StrEnum):
    """A locked account keeps its volumes, but its CHAP lets nobody in."""

    ACTIVE = "active"
    LOCKED = "locked"


@dataclass(slots=True)
class Account:
    """The volumes are those that exist or wait to be purged."""

    account_id: int
    username: str
    initiator_secret: str = field(repr=False)
    target_secret: str = field(repr=False)
    attributes: Mapping[str, object]
    uses_chap: bool = True
    status: AccountStatus = AccountStatus.ACTIVE
    volumes: dict[int, None] = field(default_factory=dict)
    secret_changes: int = 0

    @property
    def lets_in_by_chap(self) -> bool:
        """Whether its CHAP name and secret open its volumes."""
        return self.uses_chap and self.status is AccountStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What a caller wants changed; None leaves a value as it is."""

    username: str | None = None
    initiator_secret: str | None = field(default=None, repr=False)
    target_secret: str | None = field(default=None, repr=False)
    attributes: Mapping[str, object] | None = None
    uses_chap: bool | None = None
    status: AccountStatus | None = None


class Accounts:
    """The array's accounts, by number and by name."""

    def __init__(self, limits: Limits, chance: Chance, revision: Revision) -> None:
        self._limits = limits
        self._chance = chance
        self._revision = revision
        self.rows: Register[Account] = Register()
        self._by_username: dict[str, Account] = {}

    def get(self, account_id: int) -> Account:
        """The account of that number."""
        account = self.rows.find(account_id)
        if account is None:
            raise Refused(Reason.ACCOUNT_ID_UNKNOWN, f"accountID={account_id} does not exist.")
        return account

    def get_named(self, username: str) -> Account:
        """The account of that name."""
        account = self._by_username.get(username)
        if account is None:
            raise Refused(Reason.ACCOUNT_NAME_UNKNOWN, f"Unknown account username={username}")
        return account

    def add(self, username: str, wanted: AccountChange) -> Account:
        """Open an account; secrets that are not given are made up."""
        self._check_username(username)
        self._check_secrets(wanted)
        check_count(len(self.rows) + 1, self._limits.accounts, "accounts.")
        account = Account(
            account_id=self.rows.next_number,
            username=username,
            initiator_secret=wanted.initiator_secret or self._chance.chap_secret(),
            target_secret=wanted.target_secret or self._chance.chap_secret(),
            attributes=wanted.attributes or {},
            uses_chap=wanted.uses_chap is not False,
        )
        self.rows.add(account)
        self._by_username[username] = account
        return account

    def modify(self, account_id: int, change: AccountChange) -> Account:
        """Change what is given; new secrets hold for new logins."""
        account = self.get(account_id)
        self._check_secrets(change)
        if change.username is not None and change.username != account.username:
            self._check_username(change.username)
            del self._by_username[account.username]
            account.username = change.username
            self._by_username[account.username] = account
        self._apply(account, change)
        self._revision.advance()
        return account

    def remove(self, account_id: int) -> None:
        """Close an account that has no volumes any more, not even deleted ones."""
        account = self.get(account_id)
        if account.volumes:
            raise Refused(
                Reason.ACCOUNT_IN_USE,
                f"accountID={account_id} still owns {len(account.volumes)} volumes: delete and purge them.",
            )
        self.rows.remove(account_id)
        del self._by_username[account.username]
        self._revision.advance()

    def _check_username(self, username: str) -> None:
        check_length(username, 1, self._limits.account_name_length, "username")
        if username in self._by_username:
            raise Refused(Reason.ACCOUNT_NAME_TAKEN, f"username={username} is already in use.")

    def _check_secrets(self, wanted: AccountChange) -> None:
        least, most = self._limits.secret_length_min, self._limits.secret_length_max
        if wanted.initiator_secret is not None:
            check_length(wanted.initiator_secret, least, most, "initiatorSecret")
        if wanted.target_secret is not None:
            check_length(wanted.target_secret, least, most, "targetSecret")

    @staticmethod
    def _apply(account: Account, change: AccountChange) -> None:
        if change.initiator_secret is not None:
            account.initiator_secret = change.initiator_secret
        if change.target_secret is not None:
            account.target_secret = change.target_secret
        if change.initiator_secret is not None or change.target_secret is not None:
            account.secret_changes += 1
        if change.attributes is not None:
            account.attributes = change.attributes
        if change.uses_chap is not None:
            account.uses_chap = change.uses_chap
        if change.status is not None:
            account.status = change.status
