"""What is drawn depends on nothing that lies about."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from conformance.inputs import no_local_constants

NAME = "_get_local_constants"


def drawn() -> set[int]:
    found: set[int] = set()

    @hypothesis.seed(1)
    @hypothesis.settings(max_examples=400, database=None, deadline=None)
    @hypothesis.given(st.integers())
    def draw(number: int) -> None:
        found.add(number)

    draw()
    return found


def test_no_module_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    real = getattr(providers, NAME)

    def looking() -> object:
        looked.append(1)
        return real()

    monkeypatch.setattr(providers, NAME, looking)
    drawn()
    assert looked, "Hypothesis finds its constants in another way now: see conformance.inputs"
    looked.clear()
    with no_local_constants():
        drawn()
    assert not looked
