"""Who is charged, who is blocked, and who is read first."""

from __future__ import annotations

from typing import Any

from conformance.requirement import Requirement, given, requirement
from conformance.settle import ranking, settle
from conformance.verdict import Certainty, Finding, Outcome, Verdict, Violation


def made(identifier: str, *rests_on: str, strength: str = "MUST") -> Requirement:
    def body(subject: object) -> None: ...

    body.__doc__ = f"It {strength} work."
    requirement(identifier, rests_on=rests_on)(given()(body))
    found: Requirement = body.requirement  # type: ignore[attr-defined]
    return found


def finding(identifier: str, steps: int = 1, certainty: Certainty = Certainty.SEEN, **more: Any) -> Finding:
    violation = Violation("this", "that", "the array", certainty=certainty)
    return Finding(identifier, violation, {}, ("step",) * steps, (), (), **more)


A, B, C = made("AAA-001"), made("BBB-001", "AAA-001"), made("CCC-001", "BBB-001")
ALL = {each.id: each for each in (A, B, C)}


def test_a_charge_makes_a_passed_requirement_fail_with_that_counterexample() -> None:
    settled = settle(
        [
            Outcome(A, Verdict.PASSED),
            Outcome(B, Verdict.BLOCKED, blocked_by="AAA-001", charged=(finding("AAA-001", 5), finding("AAA-001", 2))),
        ],
        ALL,
    )
    assert settled["AAA-001"].verdict is Verdict.FAILED
    assert settled["AAA-001"].finding == finding("AAA-001", 2)
    assert settled["BBB-001"].verdict is Verdict.BLOCKED


def test_a_charge_is_shown_even_if_its_requirement_was_not_run() -> None:
    settled = settle([Outcome(B, Verdict.PASSED, charged=(finding("AAA-001"),))], ALL)
    assert settled["AAA-001"].verdict is Verdict.FAILED


def test_a_charge_beats_not_verified() -> None:
    settled = settle([Outcome(A, Verdict.NOT_VERIFIED), Outcome(B, Verdict.PASSED, charged=(finding("AAA-001"),))], ALL)
    assert settled["AAA-001"].verdict is Verdict.FAILED


def stopped(one: Requirement, home: str, steps: int = 1) -> Outcome:
    """A property that could not go on, because a step failed that `home` answers for."""
    charge = finding(home, steps, Certainty.STEP, found_by=one.id)
    return Outcome(one, Verdict.BLOCKED, blocked_by=home, charged=(charge,))


def test_a_failed_step_is_the_finders_when_its_requirement_passes_by_itself() -> None:
    settled = settle([Outcome(A, Verdict.PASSED), stopped(B, "AAA-001", 3), stopped(C, "AAA-001")], ALL)
    assert [settled[each].verdict for each in ALL] == [Verdict.PASSED, Verdict.FAILED, Verdict.BLOCKED]
    assert settled["CCC-001"].blocked_by == "BBB-001"
    assert settled["BBB-001"].finding == finding("BBB-001", 3, Certainty.STEP, found_by="BBB-001")


def test_a_failed_step_blocks_when_its_requirement_fails_too() -> None:
    settled = settle([Outcome(A, Verdict.FAILED, finding=finding("AAA-001")), stopped(B, "AAA-001")], ALL)
    assert (settled["BBB-001"].verdict, settled["BBB-001"].blocked_by) == (Verdict.BLOCKED, "AAA-001")


def test_a_failed_step_fails_a_requirement_that_was_not_asked() -> None:
    assert settle([stopped(B, "AAA-001")], ALL)["AAA-001"].verdict is Verdict.FAILED


def test_what_failed_while_cleaning_up_counts_only_alone() -> None:
    left = Outcome(B, Verdict.PASSED, charged=(finding("AAA-001", 1, Certainty.CLEANUP),))
    assert settle([Outcome(A, Verdict.PASSED), left], ALL)["AAA-001"].verdict is Verdict.FAILED
    other = Outcome(C, Verdict.FAILED, finding=finding("CCC-001"))
    assert settle([Outcome(A, Verdict.PASSED), left, other], ALL)["AAA-001"].verdict is Verdict.PASSED


def test_an_own_counterexample_is_kept() -> None:
    own = Outcome(A, Verdict.FAILED, finding=finding("AAA-001", 9))
    settled = settle([own, Outcome(B, Verdict.PASSED, charged=(finding("AAA-001", 1),))], ALL)
    assert settled["AAA-001"].finding == finding("AAA-001", 9)


def test_what_rests_on_a_failure_is_blocked_by_the_deepest() -> None:
    settled = settle([Outcome(each, Verdict.FAILED, finding=finding(each.id)) for each in (A, B, C)], ALL)
    assert [settled[each].verdict for each in ALL] == [Verdict.FAILED, Verdict.BLOCKED, Verdict.BLOCKED]
    assert settled["CCC-001"].blocked_by == "AAA-001"


def test_the_ranking_goes_by_depth_then_strength_then_length() -> None:
    deep, should = made("DDD-001", "EEE-001"), made("SSS-001", strength="SHOULD")
    long, brief = made("LLL-001"), made("MMM-001")
    every = {each.id: each for each in (deep, should, long, brief, made("EEE-001"))}
    failed = {
        each.id: Outcome(each, Verdict.FAILED, finding=finding(each.id, steps))
        for each, steps in ((deep, 1), (should, 1), (long, 9), (brief, 2))
    }
    assert ranking(failed, every) == ["MMM-001", "LLL-001", "SSS-001", "DDD-001"]
