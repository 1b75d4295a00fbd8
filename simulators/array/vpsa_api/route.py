"""What an operation of the API is: a verb, a path, and a function of what was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from simulators.array.administrator import Administrator
    from simulators.array.management import Addresses
    from simulators.array.model import ArrayModel
    from simulators.array.vpsa_api.form import Form

Members = Mapping[str, object]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: `name` is what stands in the path in place of `*`, empty where there is none."""

    model: ArrayModel
    addresses: Addresses
    administrator: Administrator
    form: Form
    name: str


@dataclass(frozen=True, slots=True)
class Route:
    """An operation; `run` may raise `ApiError` or `Refused`, and then nothing has changed.

    `path` is what follows /api/, without the format; `root` is the root of an answer in XML.
    """

    verb: str
    path: str
    run: Callable[[Asked], Members]
    root: str = "hash"
    needs_key: bool = True

    @property
    def key(self) -> tuple[str, ...]:
        """What a request has to look like."""
        return (self.verb, *self.path.split("/"))


def listed(name: str, rows: Sequence[Row], form: Form, told: Callable[[Row], Members]) -> Members:
    """The part of a list that was asked for, and how long the whole list is."""
    return {name: [told(each) for each in _page(rows, form)], "count": len(rows)}


def _page(rows: Sequence[Row], form: Form) -> list[Row]:
    """The part of a list that was asked for; a limit of 0 is none."""
    limit = form.number("limit")
    start = form.number("start") or limit * max(0, form.number("page") - 1)
    return list(islice(rows, start, start + limit if limit else None))
