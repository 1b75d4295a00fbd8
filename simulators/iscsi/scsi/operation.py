"""What a command turns into: how much data it wants from the initiator, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.scsi.sense import Sense

GOOD = 0x00
CHECK_CONDITION = 0x02


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished command: GOOD with data for the initiator, or CHECK CONDITION with sense."""

    data_in: bytes = b""
    sense: Sense | None = None

    @property
    def status(self) -> int:
        """The SCSI status byte."""
        return GOOD if self.sense is None else CHECK_CONDITION


@dataclass(frozen=True, slots=True)
class Operation:
    """A checked command. `finish` is called once, with at most `data_out_bytes` from the initiator."""

    finish: Callable[[bytes], Outcome]
    data_out_bytes: int = 0


def already(outcome: Outcome) -> Operation:
    """Return the operation that has nothing left to do."""
    return Operation(lambda _data: outcome)
