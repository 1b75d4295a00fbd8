"""Errors of the Element API: a name that clients look at, the code 500, and a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.refusal import Reason

if TYPE_CHECKING:
    from simulators.array.refusal import Refused

# Never 400: the vendor's own SDK then forgets the name.
CODE: Final = 500

UNKNOWN_ACCOUNT: Final = "xUnknownAccount"

NAMES: Final[dict[Reason, str]] = {
    Reason.ACCOUNT_ID_UNKNOWN: "xAccountIDDoesNotExist",
    Reason.ACCOUNT_NAME_UNKNOWN: UNKNOWN_ACCOUNT,
    Reason.ACCOUNT_NAME_TAKEN: "xDuplicateUsername",
    # No source names this one; xPermissionDenied would make clients try again for half a minute.
    Reason.ACCOUNT_IN_USE: "xAccountHasVolumes",
    Reason.VOLUME_UNKNOWN: "xVolumeIDDoesNotExist",
    Reason.VOLUME_WOULD_SHRINK: "xVolumeShrinkProhibited",
    # What clients try again after a while.
    Reason.VOLUME_NOT_READY: "xSliceNotRegistered",
    Reason.SNAPSHOT_UNKNOWN: "xSnapshotIDDoesNotExist",
    # By analogy: no source names it.
    Reason.GROUP_SNAPSHOT_UNKNOWN: "xGroupSnapshotIDDoesNotExist",
    Reason.TOO_MANY_SNAPSHOTS: "xMaxSnapshotsPerVolumeExceeded",
    Reason.TOO_MANY_CLONES_OF_VOLUME: "xMaxClonesPerVolumeExceeded",
    Reason.TOO_MANY_CLONES: "xMaxClonesPerNodeExceeded",
    # No source names this one.
    Reason.CLONE_UNKNOWN: "xInvalidParameter",
    Reason.JOB_UNKNOWN: "xAsyncHandleDoesNotExist",
    Reason.QOS_POLICY_UNKNOWN: "xQoSPolicyDoesNotExist",
    Reason.GROUP_UNKNOWN: "xVolumeAccessGroupIDDoesNotExist",
    Reason.ALREADY_IN_GROUP: "xAlreadyInVolumeAccessGroup",
    Reason.NOT_IN_GROUP: "xNotInVolumeAccessGroup",
    Reason.INITIATOR_UNKNOWN: "xInitiatorDoesNotExist",
    Reason.INITIATOR_EXISTS: "xInitiatorExists",
    Reason.LIMIT_EXCEEDED: "xExceededLimit",
    # No source names this one either; the text says maxProvisionedSpace.
    Reason.CAPACITY_EXHAUSTED: "xExceededLimit",
    Reason.VALUE_NOT_ALLOWED: "xInvalidParameter",
    # Never with this make: other names than usernames may occur more than once.
    Reason.NAME_TAKEN: "xInvalidParameter",
}

# Clients compare the text as well.
_TEXTS: Final = {Reason.ACCOUNT_NAME_UNKNOWN: UNKNOWN_ACCOUNT}


class ApiError(Exception):
    """An answer with `error` instead of `result`."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name, text)
        self.name = name
        self.text = text

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


def text_of(refused: Refused) -> str:
    """What the array says when it refuses."""
    return _TEXTS.get(refused.reason, refused.text)
