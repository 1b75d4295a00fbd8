"""Volume names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.contract import Limits


class Name(Protocol):
    """Something that is a name once the world's own prefix is known."""

    def resolve(self, plain: str, limits: Limits) -> str:
        """The name; `plain` is unique in this world."""
        ...


@dataclass(frozen=True, slots=True)
class PlainName:
    """The name the kit would give."""

    def resolve(self, plain: str, limits: Limits) -> str:
        """That name."""
        return plain


@dataclass(frozen=True, slots=True)
class NameOfLength:
    """A name of a given length, unique only in its last characters: what truncation makes equal."""

    length: int

    def resolve(self, plain: str, limits: Limits) -> str:
        """The name, filled up in the middle."""
        return plain if self.length <= len(plain) else "sc-" + "n" * (self.length - len(plain) - 3) + plain


@dataclass(frozen=True, slots=True)
class NameWith:
    """A name that ends in what users type and arrays do not like."""

    text: str

    def resolve(self, plain: str, limits: Limits) -> str:
        """The name with that text."""
        return f"{plain} {self.text}"


@dataclass(frozen=True, slots=True)
class SameName:
    """A name that other volumes have too: users' names need not be unique, uuids are."""

    text: str = "data"

    def resolve(self, plain: str, limits: Limits) -> str:
        """The common name."""
        return f"sc-{self.text}"


@dataclass(frozen=True, slots=True)
class CapitalName:
    """The kit's name in capitals: another name, unless case is folded."""

    def resolve(self, plain: str, limits: Limits) -> str:
        """The name."""
        return plain.upper()


def fitted(name: str, limits: Limits) -> str:
    """The name, without its middle where it is longer than names may be: both ends tell whose it is and which."""
    if len(name) <= limits.name_length:
        return name
    head = limits.name_length // 4
    return name[:head] + name[len(name) - (limits.name_length - head) :]


def names() -> SearchStrategy[Name]:
    """Names of all kinds that a cloud lets through."""
    odd = ["ROOT-12", "a/b", "../x", "übergröße", "名前", "a'b\"c", "$(id)", "<&>", "x" * 40, "-", "."]
    return st.one_of(
        st.builds(PlainName),
        st.builds(NameOfLength, st.sampled_from([31, 32, 63, 64, 65, 127, 200, 255])),
        st.builds(NameWith, st.sampled_from(odd)),
        st.builds(SameName),
        st.builds(CapitalName),
    )
