"""What has happened on the array: the latest of what was asked of it and done."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from simulators.array.surroundings import Now

KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `operation` is what was asked, in the words of the API it was asked through."""

    event_id: int
    at: datetime
    operation: str


class Events:
    """The latest events, the oldest first."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._last = 0
        self._kept: deque[Event] = deque(maxlen=KEPT)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._kept)

    def record(self, operation: str) -> None:
        """Something was asked and done."""
        self._last += 1
        self._kept.append(Event(self._last, self._now(), operation))
