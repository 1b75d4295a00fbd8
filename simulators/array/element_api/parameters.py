"""Named parameters with types: declared once, read everywhere.

Real clients send numbers as text ("5") and truth values as text ("false"), null for what they leave out, and
parameters of other releases; all of these are taken as meant, the last are ignored as the real array does. Clients
whose language has no null send 0 and empty text for what they leave out: `or_nothing` is for where those mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from simulators.array.element_api.errors import ApiError

_LARGEST: Final = (1 << 63) - 1
_DIGITS: Final = re.compile(r"-?[0-9]{1,19}")
_NOTHING: Final = frozenset({"", "0"})

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)
Json = Mapping[str, object]


class WrongValue(ValueError):
    """What a reader raises; its text is what was expected. Never the value: it may be a secret."""


@dataclass(frozen=True, slots=True)
class Parameter(Generic[Value_co]):
    """A parameter of that name; `read` turns what JSON gave into a value, or raises `WrongValue`."""

    name: str
    read: Callable[[object], Value_co]
    is_required: bool


def required(name: str, read: Callable[[object], Value]) -> Parameter[Value]:
    """A parameter that must be there."""
    return Parameter(name, read, is_required=True)


def optional(name: str, read: Callable[[object], Value]) -> Parameter[Value | None]:
    """A parameter that may be missing or null, and is None then."""
    return Parameter(name, read, is_required=False)


class Arguments:
    """The values of a method's parameters, by parameter."""

    def __init__(self, given: Json, declared: Sequence[Parameter[Any]]) -> None:
        self._values = {each.name: _value_of(each, given.get(each.name)) for each in declared}

    def __getitem__(self, parameter: Parameter[Value]) -> Value:
        return cast("Value", self._values[parameter.name])


def _value_of(parameter: Parameter[Any], given: object) -> object:
    if given is None:
        if parameter.is_required:
            raise ApiError("xMissingParameter", f"Missing member=[{parameter.name}]")
        return None
    try:
        return parameter.read(given)
    except WrongValue as wrong:
        raise ApiError("xInvalidParameter", f"member=[{parameter.name}]: expected {wrong}") from None


def integer(given: object) -> int:
    """A whole number, perhaps as text."""
    if isinstance(given, str) and _DIGITS.fullmatch(given):
        given = int(given)
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or abs(given) > _LARGEST:
        raise WrongValue("a whole number")
    return given


def positive(given: object) -> int:
    """A whole number above zero."""
    number = integer(given)
    if number <= 0:
        raise WrongValue("a whole number above 0")
    return number


def or_nothing(read: Callable[[object], Value]) -> Callable[[object], Value | None]:
    """As `read`, and None for 0 and empty text."""

    def read_something(given: object) -> Value | None:
        return None if str(given) in _NOTHING else read(given)

    return read_something


identifier: Final = or_nothing(integer)
"""The number of an object: no object has the number 0."""


def boolean(given: object) -> bool:
    """A truth value, perhaps as text: "false" is false."""
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in {"true", "false"}:
        return given.lower() == "true"
    raise WrongValue("true or false")


def text(given: object) -> str:
    """Text that can be printed: what is not could not be a name or secret on the data path."""
    if not isinstance(given, str) or not given.isprintable():
        raise WrongValue("printable text")
    return given


def mapping(given: object) -> Json:
    """A JSON object."""
    if not isinstance(given, dict):
        raise WrongValue("a JSON object")
    return given


def list_of(read: Callable[[object], Value]) -> Callable[[object], list[Value]]:
    """A JSON list of something; null elements, which one client sends, are left out."""

    def read_list(given: object) -> list[Value]:
        if not isinstance(given, list):
            raise WrongValue("a list")
        return [read(each) for each in given if each is not None]

    return read_list
