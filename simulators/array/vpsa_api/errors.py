"""Errors of the VPSA API: a status that is not 0, and a text. They travel with HTTP status 200."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from simulators.array.refusal import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

BAD_ACCESS_KEY: Final = 5
VOLUME_UNKNOWN: Final = 10081
SERVER_UNKNOWN: Final = 10086
# No source names these.
INTERNAL_ERROR: Final = 1
MISSING_PARAMETER: Final = 2
INVALID_PARAMETER: Final = 3
NOT_SIMULATED: Final = 4
POOL_UNKNOWN: Final = 10070
SNAPSHOT_UNKNOWN: Final = 10082
GROUP_UNKNOWN: Final = 10083
NAME_TAKEN: Final = 10084
VOLUME_ATTACHED: Final = 10085
NOT_ATTACHED: Final = 10087
SERVER_EXISTS: Final = 10088
HAS_SNAPSHOTS: Final = 10089
SERVER_IN_USE: Final = 10090
LIMIT_EXCEEDED: Final = 10091
NO_SPACE: Final = 10092

STATUSES: Final[Mapping[Reason, int]] = MappingProxyType(
    {
        Reason.VOLUME_UNKNOWN: VOLUME_UNKNOWN,
        Reason.SNAPSHOT_UNKNOWN: SNAPSHOT_UNKNOWN,
        Reason.GROUP_UNKNOWN: SERVER_UNKNOWN,
        Reason.INITIATOR_EXISTS: SERVER_EXISTS,
        Reason.NAME_TAKEN: NAME_TAKEN,
        Reason.NOT_IN_GROUP: NOT_ATTACHED,
        Reason.TOO_MANY_SNAPSHOTS: LIMIT_EXCEEDED,
        Reason.LIMIT_EXCEEDED: LIMIT_EXCEEDED,
        Reason.CAPACITY_EXHAUSTED: NO_SPACE,
        Reason.VALUE_NOT_ALLOWED: INVALID_PARAMETER,
    }
)
"""What the model refuses; the reasons that are missing never come from what this API asks of it."""


class ApiError(Exception):
    """An answer whose status is not 0."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text

    def __str__(self) -> str:
        return f"{self.status}: {self.text}"
