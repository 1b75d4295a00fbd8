"""Where a conversation with the array breaks off, or a host does not answer."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True, slots=True)
class Cut:
    """At the nth request of an operation, counted from 0: its reply is lost, or already the request.

    `is_refused`: the array is there, and answers HTTP 503 instead, or, `in_its_words`, an error of its API where the
    kit knows one. `lasts`: so it stays until the operation ends.
    """

    nth: int
    is_reply: bool
    is_refused: bool = False
    lasts: bool = False
    in_its_words: bool = False


def cuts(*, may_last: bool = True) -> SearchStrategy[Cut]:
    """Lost replies above all: what was done and is not known to be; once, or with nothing that follows."""
    lasts = st.sampled_from([False, True] if may_last else [False])
    return st.builds(Cut, st.integers(0, 7), st.sampled_from([True, True, False]), lasts=lasts)


def breakdowns() -> SearchStrategy[Cut]:
    """Whatever an array may do in the middle of an operation: it does not answer, or refuses, once or from then on."""
    whether = st.sampled_from([False, True])
    return st.builds(Cut, st.integers(0, 7), whether, is_refused=whether, lasts=whether)


@dataclass(frozen=True, slots=True)
class Silence:
    """The nth call of an operation to hypervisor hosts, counted from 0, fails."""

    nth: int


def silences() -> SearchStrategy[Silence]:
    """Any call of an operation; beyond the last, nothing fails."""
    return st.builds(Silence, st.integers(0, 9))
