"""Long programs that are pinned are told short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.catalogue import catalogue
from conformance.machines.tours import tours
from conformance.profile import PROFILES
from conformance.run import run_requirement
from conformance.shorten import shortened
from conformance.verdict import Outcome, Verdict
from tests.faulty_providers.corpus import all_faults
from tests.kit.chain import QUICK, running

REQUIREMENTS = catalogue()
UNLISTED = next(each for each in all_faults() if each.name.startswith("OPS-010 a volume with a host and QoS"))


@given(size=st.integers(1, 40), data=st.data())
def test_what_is_needed_to_fail_is_what_stays(size: int, data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=4))

    def fails(values: Sequence[int]) -> bool:
        return needed <= set(values)

    assert list(shortened(range(size), fails)) == sorted(needed)


def test_the_last_one_is_never_left_out() -> None:
    assert list(shortened([1], lambda values: True)) == [1]
    assert len(shortened([1, 2, 3], lambda values: True)) == 1


def outcome(seconds: float = 60.0, *, shrink: bool = True) -> Outcome:
    with running(UNLISTED) as subject:
        subject.profile = replace(
            QUICK, shrink_seconds=seconds, completion_ceiling=PROFILES["smoke"].completion_ceiling
        )
        return run_requirement(REQUIREMENTS["OPS-010"], subject, shrink=shrink)


@pytest.mark.slow
def test_a_pinned_program_is_told_without_the_steps_that_it_can_do_without() -> None:
    short = outcome()
    assert short.verdict is Verdict.FAILED
    assert short.finding is not None
    program = short.finding.arguments["program"]
    assert isinstance(program, list)
    kinds = [next(iter(each)) for each in program]
    assert kinds[0] == "CreateVolume"
    assert len(kinds) < 6


@pytest.mark.parametrize("words", [{"shrink": False}, {"seconds": -1.0}])
def test_without_time_for_it_the_program_stays_whole(words: dict[str, float]) -> None:
    whole = outcome(**words)  # type: ignore[arg-type]
    assert whole.finding is not None
    program = whole.finding.arguments["program"]
    assert isinstance(program, list)
    assert len(program) == len(tours()[0])
