"""The array's words in the contract's, and the failures after which an operation is done again."""

from __future__ import annotations

import re
from typing import Final

from conformance.contract import (
    ArrayUnreachable,
    AuthenticationFailed,
    Busy,
    CapacityExhausted,
    Conflict,
    InUse,
    InvalidRequest,
    LimitReached,
    ObjectNotFound,
    ProviderError,
)

ABSENT: Final = frozenset(
    {
        "xUnknownAccount",
        "xAccountIDDoesNotExist",
        "xVolumeIDDoesNotExist",
        "xVolumeAccessGroupIDDoesNotExist",
        "xInitiatorDoesNotExist",
        "xQoSPolicyDoesNotExist",
        "xSnapshotIDDoesNotExist",
    }
)
TRANSIENT: Final = frozenset(
    {
        "xDBConnectionLoss",
        "xDBOperationTimeout",
        "xDBVersionMismatch",
        "xMaxClonesPerNodeExceeded",  # the array fills a few clones at a time
        "xMaxClonesPerVolumeExceeded",
        "xMaxSnapshotsPerNodeExceeded",
        "xNoHandler",
        "xNotPrimary",
        "xNotReadyForIO",
        "xRecvTimeout",
        "xSliceNotRegistered",
        "xSnapshotFailed",
    }
)
REFUSED_VALUES: Final = frozenset(
    {
        "xInvalidAPIParameter",
        "xInvalidParameter",
        "xMissingParameter",
        "xUnrecognizedEnumString",
        "xVolumeShrinkProhibited",
    }
)
TAKEN: Final = frozenset({"xDuplicateUsername", "xInitiatorExists"})
WRONG_VERSION: Final = frozenset({"xUnknownAPIMethod", "xUnknownAPIVersion"})

_KINDS: Final = (
    ("Account", "account"),
    ("AccessGroup", "volume access group"),
    ("Initiator", "initiator"),
    ("QoSPolicy", "QoS policy"),
    ("Snapshot", "snapshot"),
)
_NAMED_LIMITS: Final = (
    ("snapshots per volume", "snapshots_per_volume"),
    ("initiators per volumeaccessgroup", "initiators_per_group"),
    ("volumeaccessgroups per volume", "groups_per_lun"),
    ("volumes per volumeaccessgroup", "luns_per_host"),
)
_LIMIT: Final = re.compile(r"limit=(\d+)")
# Seconds to wait before each repetition; together well below what a caller waits for one operation.
_AT_ONCE: Final = (0.0,)
_AFTER_A_WHILE: Final = (0.5, 1.0, 2.0)
_CALLER_WAITS: Final = 5.0


class Interrupted(Exception):
    """Doing the whole operation again may cure this failure; `outcome` is for when it does not."""

    def __init__(self, outcome: ProviderError, waits: tuple[float, ...]) -> None:
        self.outcome, self.waits = outcome, waits
        super().__init__(outcome)


def reply_lost(endpoint: str, cause: OSError) -> Interrupted:
    """The request was sent and no answer came: it may have been carried out."""
    return Interrupted(ArrayUnreachable(endpoint, f"no answer: {type(cause).__name__}"), _AT_ONCE)


def refusal(endpoint: str, method: str, name: str, message: str) -> ProviderError | Interrupted:
    """What to raise when the array answers `method` with the error `name`."""
    if name in TRANSIENT:
        return Interrupted(Busy(_CALLER_WAITS, f"{method}: {name}"), _AFTER_A_WHILE)
    if name in ABSENT:
        return ObjectNotFound(_kind(name), message)
    if name in REFUSED_VALUES:
        return InvalidRequest(method, name, message or "a value the array accepts")
    return _other_refusal(endpoint, method, name, message)


def _other_refusal(endpoint: str, method: str, name: str, message: str) -> ProviderError:
    if name == "xMaxSnapshotsPerVolumeExceeded":
        return LimitReached("snapshots_per_volume", _limit_in(message))
    if name == "xExceededLimit":
        return _limit_reached(method, message)
    if name in TAKEN:
        return Conflict(method, "name", message, "one that is free")
    if name == "xPermissionDenied":
        return AuthenticationFailed("username", endpoint)
    if name == "xAccountHasVolumes":
        return InUse(message)
    return ArrayUnreachable(endpoint, f"{method}: {name}: {message}", retryable=name not in WRONG_VERSION)


def _limit_reached(method: str, message: str) -> ProviderError:
    # One name for every limit: only the text tells that it is space that has run out.
    if "provisionedspace" in message.lower():
        return CapacityExhausted(0, None)
    named = (name for words, name in _NAMED_LIMITS if words in message.lower())
    return LimitReached(next(named, f"{method}: {message}"), _limit_in(message))


def _limit_in(message: str) -> int | None:
    found = _LIMIT.search(message)
    return int(found[1]) if found else None


def http_failure(endpoint: str, status: int) -> ProviderError | None:
    """What to raise for an HTTP status that comes without an answer of the API; None: the body tells."""
    if status == 401:
        return AuthenticationFailed("password", endpoint)
    if status == 403:
        return AuthenticationFailed("username", endpoint)
    if status == 404:
        return ArrayUnreachable(endpoint, "there is no Element API of this version", retryable=False)
    if status in (429, 502, 503, 504):
        return ArrayUnreachable(endpoint, f"HTTP status {status}")
    return None


def _kind(name: str) -> str:
    return next((kind for part, kind in _KINDS if part in name), "volume")
