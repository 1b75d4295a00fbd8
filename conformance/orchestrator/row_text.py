"""Contract values as the text of a column."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

from conformance.contract.codec import decode_as, encode

T = TypeVar("T")


def to_text(value: object) -> str:
    """Write one contract value as JSON."""
    return json.dumps(encode(value), separators=(",", ":"))


def from_text(text: object, kind: type[T]) -> T:
    """Read one contract value of a known kind."""
    return decode_as(kind, json.loads(str(text)))


def list_to_text(values: Iterable[object]) -> str:
    """Write contract values as a JSON list."""
    return json.dumps([encode(each) for each in values], separators=(",", ":"))


def list_from_text(text: object, kind: type[T]) -> tuple[T, ...]:
    """Read a JSON list of contract values of one kind."""
    return tuple(decode_as(kind, each) for each in json.loads(str(text)))
