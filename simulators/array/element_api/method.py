"""What a method of the API is: a name, declared parameters and a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from simulators.array.element_api.parameters import Arguments, Json, Parameter, integer, optional, or_nothing, positive
from simulators.array.element_api.release import LATEST, Release

if TYPE_CHECKING:
    from simulators.array.management import Addresses
    from simulators.array.model import ArrayModel
    from simulators.iscsi.backend import SessionInfo

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a method works on, and the name of who asks. `sessions` is filled for methods that ask for them."""

    model: ArrayModel
    addresses: Addresses
    sessions: Sequence[SessionInfo] = ()
    administrator: str = "admin"
    release: Release = LATEST


@dataclass(frozen=True, slots=True)
class Method:
    """A method; `run` may raise `ApiError` or `Refused`, and then nothing has changed."""

    name: str
    run: Callable[[Scene, Arguments], Json]
    parameters: tuple[Parameter[Any], ...] = ()
    needs_sessions: bool = False

    @property
    def only_looks(self) -> bool:
        """Whether it changes nothing, by its name."""
        return self.name.startswith(("Get", "List"))


LIMIT = optional("limit", or_nothing(positive))


def start_at(name: str) -> Parameter[int | None]:
    """The number a list begins with, whether or not there is such a row."""
    return optional(name, integer)


def page(rows: Iterator[Row], arguments: Arguments) -> Iterator[Row]:
    """At most `limit` rows."""
    return islice(rows, arguments[LIMIT])
