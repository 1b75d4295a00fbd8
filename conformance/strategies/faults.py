"""Where a conversation with the array breaks off, or a host does not answer."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True, slots=True)
class Cut:
    """At the nth request of an operation, counted from 0: its reply is lost, or already the request."""

    nth: int
    is_reply: bool


def cuts() -> SearchStrategy[Cut]:
    """Lost replies above all: what was done and is not known to be."""
    return st.builds(Cut, st.integers(0, 7), st.sampled_from([True, True, False]))


@dataclass(frozen=True, slots=True)
class Silence:
    """The nth call of an operation to hypervisor hosts, counted from 0, fails."""

    nth: int


def silences() -> SearchStrategy[Silence]:
    """Any call of an operation; beyond the last, nothing fails."""
    return st.builds(Silence, st.integers(0, 9))
