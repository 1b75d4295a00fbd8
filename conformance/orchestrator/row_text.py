"""Contract values as the text of a column."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar

from conformance.contract.codec import decode, decode_as, encode

T = TypeVar("T")


def to_text(value: object) -> str:
    """Write one contract value as JSON."""
    return json.dumps(encode(value), separators=(",", ":"))


def from_text(text: object, kind: type[T]) -> T:
    """Read one contract value of a known kind; never one with secrets, for texts are remembered."""
    value = _value(str(text))
    if not isinstance(value, kind):
        raise TypeError(f"a column holds {type(value).__name__}; expected {kind.__name__}")
    return value


def from_secret_text(text: object, kind: type[T]) -> T:
    """Read one contract value of a known kind that may hold secrets."""
    return decode_as(kind, json.loads(str(text)))


def list_to_text(values: Iterable[object]) -> str:
    """Write contract values as a JSON list."""
    return json.dumps([encode(each) for each in values], separators=(",", ":"))


def list_from_text(text: object, kind: type[T]) -> tuple[T, ...]:
    """Read a JSON list of contract values of one kind."""
    values = _values(str(text))
    wrong = [type(each).__name__ for each in values if not isinstance(each, kind)]
    if wrong:
        raise TypeError(f"a column holds {wrong[0]}; expected {kind.__name__}")
    return tuple(each for each in values if isinstance(each, kind))


@lru_cache(maxsize=512)
def _value(text: str) -> object:
    # Values are frozen and the same few rows are read again and again: decoding was most of an operation's time.
    return decode(json.loads(text))


@lru_cache(maxsize=128)
def _values(text: str) -> tuple[object, ...]:
    return tuple(decode(each) for each in json.loads(text))
