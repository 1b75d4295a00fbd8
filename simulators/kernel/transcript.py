"""What was said on the wire, in order, with virtual time: a bounded list of lines without secrets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.kernel.manual_clock import Clock

DEFAULT_LIMIT = 4096


class Direction(Enum):
    """Seen from the simulator."""

    RECEIVED = "<-"
    SENT = "->"
    NOTE = "--"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when, which way, what."""

    time: float
    direction: Direction
    text: str

    def __str__(self) -> str:
        return f"{self.time:.6f} {self.direction.value} {self.text}"


class Transcript:
    """The last entries of a conversation. Whoever records is responsible for masking secrets in the text."""

    def __init__(self, clock: Clock, limit: int = DEFAULT_LIMIT) -> None:
        self._clock = clock
        self._kept: deque[tuple[float, Direction, str | Callable[[], str]]] = deque(maxlen=limit)

    def now(self) -> float:
        """The time that a line recorded now would carry."""
        return self._clock.now()

    def record(self, direction: Direction, text: str | Callable[[], str]) -> None:
        """Append one line; the oldest is forgotten when the limit is reached.

        A text that is costly to make is given as a function: it is made when somebody reads.
        """
        self._kept.append((self._clock.now(), direction, text))

    def entries(self) -> list[Entry]:
        """Return what is remembered, oldest first."""
        return [
            Entry(time, direction, text if isinstance(text, str) else text()) for time, direction, text in self._kept
        ]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
