"""What an initiator's connection reports to whoever drives it: facts, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from simulators.iscsi.text import Pairs


@dataclass(frozen=True, slots=True)
class LoginCompleted:
    """The full feature phase has begun."""

    tsih: int
    auth_method: str
    chap_algorithm: int | None


@dataclass(frozen=True, slots=True)
class LoginWasRefused:
    """The target ended the login with a status; the connection is of no more use."""

    status: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TargetWasNotAuthenticated:
    """The target's proof was missing or wrong; the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class CommandCompleted:
    """A SCSI command ended."""

    tag: int
    status: int
    data: bytes
    sense: bytes
    residual_flags: int
    residual: int
    response: int = 0


@dataclass(frozen=True, slots=True)
class TextAnswered:
    """A text request was answered in full."""

    tag: int
    pairs: Pairs


@dataclass(frozen=True, slots=True)
class Pinged:
    """Our NOP-Out came back."""

    tag: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TaskManaged:
    """A task management function was answered."""

    tag: int
    response: int


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The target agreed to the logout (response 0) or did not."""

    tag: int
    response: int


@dataclass(frozen=True, slots=True)
class WasRejected:
    """The target rejected a PDU; `tag` is the task tag of what it quotes."""

    tag: int
    reason: int


@dataclass(frozen=True, slots=True)
class TargetAnnounced:
    """An asynchronous message, such as a request to log out."""

    event: int


Event: TypeAlias = (
    LoginCompleted
    | LoginWasRefused
    | TargetWasNotAuthenticated
    | CommandCompleted
    | TextAnswered
    | Pinged
    | TaskManaged
    | LoggedOut
    | WasRejected
    | TargetAnnounced
)
