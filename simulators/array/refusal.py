"""Why the array does not do what it was asked; each management API has its own words for these."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """One reason per thing that a caller can do about it."""

    ACCOUNT_ID_UNKNOWN = "account id unknown"
    ACCOUNT_NAME_UNKNOWN = "account name unknown"
    ACCOUNT_NAME_TAKEN = "account name taken"
    ACCOUNT_IN_USE = "account in use"
    VOLUME_UNKNOWN = "volume unknown"
    VOLUME_WOULD_SHRINK = "volume would shrink"
    GROUP_UNKNOWN = "group unknown"
    ALREADY_IN_GROUP = "already in group"
    NOT_IN_GROUP = "not in group"
    INITIATOR_UNKNOWN = "initiator unknown"
    INITIATOR_EXISTS = "initiator exists"
    LIMIT_EXCEEDED = "limit exceeded"
    CAPACITY_EXHAUSTED = "capacity exhausted"
    VALUE_NOT_ALLOWED = "value not allowed"


class Refused(Exception):
    """The array refuses, and nothing has changed."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(reason, text)
        self.reason = reason
        self.text = text

    def __str__(self) -> str:
        return self.text
