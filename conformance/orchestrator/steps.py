"""A user operation is a list of named steps; each makes at most one kind of call and notes what it made.

Nothing here knows storage. An operation's file says who is called when; `runner` carries the steps out. Every
step can be repeated, and steps are chosen from what the database holds, so that an operation that was killed
between any two steps is carried on by choosing and running its steps again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

UNDO: Final = "undo "
"""What stands before an operation's name while it is being undone."""

BOOKKEEPING: Final = "bookkeeping"
"""The last step of every operation: its outcome is written down."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name is the same for every host; `about` names the host, cluster or store it is about."""

    name: str
    do: Callable[[], None]
    about: str = ""


class OrchestratorKilled(BaseException):
    """Raised by a hook or a call runner.

    The cloud's process dies here. Nothing cleans up; see `recover()`.
    """


class StepHooks:
    """Called around steps.

    Does nothing. A subclass may kill the cloud, or carry out operations wrongly on purpose.
    """

    def operation_began(self, operation: str, operation_id: int, object_uuid: str) -> None:
        """An operation has been journaled and no call has been made yet."""

    def operation_ended(self, operation: str, operation_id: int, error: BaseException | None) -> None:
        """It has ended well, or has been undone or parked after `error`."""

    def plan(self, operation: str, steps: Sequence[Step]) -> Sequence[Step]:
        """The steps that will be carried out; `operation` begins with `UNDO` when it is being undone."""
        return steps

    def before_step(self, operation: str, step: str, index: int) -> None:
        """Step number `index` comes next; the last one of every operation is `BOOKKEEPING`."""


class UserOperation(Protocol):
    """What the runner carries out.

    `begin`, `finish`, `undone` and `stuck` run inside a transaction and make no call.
    """

    kind: ClassVar[str]
    id: int
    """Its number in the journal; the runner sets it before everything else."""

    @property
    def object_uuid(self) -> str:
        """Whose operation it is: of a volume, store or host."""
        ...

    def begin(self) -> Sequence[str]:
        """Refuse, or note the first states; answers the uuids that nobody else may work on meanwhile."""
        ...

    def arguments(self) -> str:
        """What must be journaled so that it can be carried on, as it is after `begin`; JSON text."""
        ...

    def claims(self) -> Sequence[str]:
        """Those uuids again, when it is carried on after it was parked."""
        ...

    def steps(self) -> Sequence[Step]:
        """The way forward, from where the database says it stands."""
        ...

    def undo_steps(self) -> Sequence[Step] | None:
        """The way back, likewise; None: there is none, it must be carried on some time."""
        ...

    def finish(self) -> None:
        """Note the outcome of the way forward."""
        ...

    def undone(self) -> None:
        """Note that all is as it was before."""
        ...

    def stuck(self) -> None:
        """Note that it went neither forward nor back."""
        ...
