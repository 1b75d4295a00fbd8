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
    NAME_TAKEN = "name taken"
    VOLUME_NOT_READY = "volume not ready"
    VOLUME_WOULD_SHRINK = "volume would shrink"
    SNAPSHOT_UNKNOWN = "snapshot unknown"
    GROUP_SNAPSHOT_UNKNOWN = "group snapshot unknown"
    TOO_MANY_SNAPSHOTS = "too many snapshots of a volume"
    TOO_MANY_CLONES_OF_VOLUME = "too many clones of a volume in the making"
    TOO_MANY_CLONES = "too many clones in the making"
    CLONE_UNKNOWN = "no such clone in the making"
    JOB_UNKNOWN = "job unknown"
    QOS_POLICY_UNKNOWN = "QoS policy unknown"
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
