"""The array's space: what is promised, and what is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.array.refusal import Reason, Refused

if TYPE_CHECKING:
    from simulators.array.store import Usage


@dataclass(slots=True)
class Capacity:
    """Space is used from when it is promised until the volume is purged; `extents` are what is written.

    Snapshots are promised nothing: what only they hold takes up space as it is written. Where `is_promised_freely`,
    more may be promised than there is.
    """

    total_bytes: int
    extents: Usage
    is_promised_freely: bool = False
    used_bytes: int = 0

    def check(self, more_bytes: int) -> None:
        """Refuse what does not fit any more."""
        if not self.is_promised_freely and self.used_bytes + more_bytes > self.total_bytes:
            raise Refused(
                Reason.CAPACITY_EXHAUSTED,
                f"Exceeded maxProvisionedSpace. provisionedSpace={self.used_bytes} asked={more_bytes} "
                f"limit={self.total_bytes}",
            )
