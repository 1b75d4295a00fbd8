"""Certificates: what is frozen, what is mandatory, what may be declared at most, and what came later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from conformance.asked import Asked
from conformance.catalogue import catalogue
from conformance.contract import DataStoreProvider
from conformance.profile import PROFILES, Profile
from conformance.report import as_counterexample, as_json, as_junit, as_text
from conformance.requirement import Requirement
from conformance.run import run_requirement
from conformance.session import EXIT_FINDINGS, EXIT_PASSED, Result, run_session
from conformance.standard import Ceilings, counted_only, newest, standards
from conformance.verdict import Outcome, Verdict
from reference_providers.solidfire import PROVIDER
from tests.faulty_providers.corpus import all_faults
from tests.kit.chain import running
from tools.profiles import FILES, frozen, problems
from tools.profiles import as_text as profile_text

REQUIREMENTS = catalogue()
FAULTS = {each.name: each for each in all_faults()}


# --- what is frozen --------------------------------------------------------------------------------------------------


def test_no_id_was_removed_since_it_was_frozen() -> None:
    assert list(problems(frozen(FILES), list(REQUIREMENTS))) == []


def test_every_file_is_as_it_is_cut() -> None:
    for name, each in frozen(FILES).items():
        assert (FILES / f"{name}.json").read_text(encoding="utf-8") == profile_text(each)


def test_certify_is_its_newest_version() -> None:
    assert PROFILES["certify"] == PROFILES[newest().name]
    assert PROFILES["certify"].name == list(standards())[-1]
    assert PROFILES["certify"].is_certifying


def test_only_a_certificate_has_a_frozen_set() -> None:
    assert PROFILES["smoke"].counts("ZZZ-001")
    assert not PROFILES["certify"].counts("ZZZ-001")
    assert PROFILES["certify"].counts("EXT-001")
    assert PROFILES["smoke"].seen(REQUIREMENTS) is REQUIREMENTS


# --- ceilings -----------------------------------------------------------------------------


def declaring(**changed: Any) -> DataStoreProvider:
    good: Any = PROVIDER()
    made = type("Declaring", (), {"__getattr__": lambda self, name: changed.get(name, getattr(good, name))})()
    return cast("DataStoreProvider", made)


CEILINGS = Ceilings(completion_seconds=30, completion_of={"clone": 3600}, stats_lag_seconds=300, trash_seconds=1000)


@pytest.mark.parametrize(
    ("changed", "above"),
    [
        ({"default_completion_seconds": 30.0, "stats_lag_seconds": 300.0, "trash_seconds": 1000}, []),
        ({"default_completion_seconds": 30.5}, ["default_completion_seconds is 30.5 s, the ceiling is 30 s"]),
        ({"completion_seconds": {"a": 1.0, "b": 31.0}}, ["completion_seconds of b is 31 s, the ceiling is 30 s"]),
        ({"completion_seconds": {"clone": 3600.0}}, []),
        ({"completion_seconds": {"clone": 3601.0}}, ["completion_seconds of clone is 3601 s, the ceiling is 3600 s"]),
        ({"stats_lag_seconds": 301.0}, ["stats_lag_seconds is 301 s, the ceiling is 300 s"]),
        ({"trash_seconds": 1001}, ["trash_seconds is 1001 s, the ceiling is 1000 s"]),
    ],
)
def test_declared_times_have_ceilings(changed: dict[str, Any], above: list[str]) -> None:
    assert list(CEILINGS.above(replace(PROVIDER().traits, **changed))) == above


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("REG-004 the trash is emptied once a year", "trash_seconds is 31536000 s, the ceiling is 604800 s"),
        ("REG-004 a delete may take an hour", "completion_seconds of delete is 3600 s, the ceiling is 30 s"),
    ],
)
def test_a_declaration_that_the_profile_does_not_take_is_a_failure_that_names_it(fault: str, told: str) -> None:
    with running(FAULTS[fault]) as subject:
        outcome = run_requirement(REQUIREMENTS[fault[:7]], subject)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.finding is not None
    assert told in outcome.finding.violation.observed
    assert "certify-0.1" in outcome.finding.violation.expected


# --- what came later -------------------------------------------------------------------------------------------------

SHORT = FAULTS["EXT-001 a granule short"]


def against(*frozen_ids: str) -> Profile:
    """A certificate of which only these requirements count."""
    standard = newest().model_copy(update={"requirements": frozenset(frozen_ids)})
    return replace(PROFILES["certify"], examples=2, shrink_seconds=0.1, standard=standard)


def judged(profile: Profile, *chosen: str) -> Result:
    with running(SHORT) as subject:
        subject.profile = profile
        return run_session(subject, [REQUIREMENTS[each] for each in chosen], REQUIREMENTS)


def test_a_requirement_that_came_later_is_tried_and_told_and_does_not_count() -> None:
    result = judged(against("PRV-001"), "PRV-001", "EXT-001")
    assert result.outcomes["EXT-001"].verdict is Verdict.FAILED
    assert (result.score, result.ranked, result.exit_status) == ((1, 1), [], EXIT_PASSED)
    told = as_text.summary(result, lambda finding: "again")
    assert "New since certify-0.1: tried, and does not count yet\n   FAILED         EXT-001 MUST: expected" in told
    record: Any = as_json.report(result, lambda finding: "again", "now")
    assert record["uncounted"] == ["EXT-001"]
    assert record["counts"]["FAILED"] == 0
    assert 'failures="0"' in as_junit.text(result, lambda finding: "again", "now")
    assert "counterexamples/EXT-001.json" in as_counterexample.files(result, Asked("acme:P"))


def test_what_is_frozen_counts() -> None:
    result = judged(against("PRV-001", "EXT-001"), "PRV-001", "EXT-001")
    assert (result.score, result.ranked, result.exit_status) == ((1, 2), ["EXT-001"], EXIT_FINDINGS)


def test_what_came_later_blocks_nothing_that_counts() -> None:
    result = judged(against("PRV-001", "EXT-004"), "PRV-001", "EXT-001", "EXT-004")
    assert "EXT-001" in REQUIREMENTS["EXT-004"].rests_on
    assert result.outcomes["EXT-001"].verdict is Verdict.FAILED
    assert result.outcomes["EXT-004"].examples > 0
    assert judged(against("PRV-001", "EXT-001", "EXT-004"), "EXT-001", "EXT-004").outcomes["EXT-004"].examples == 0


def test_only_what_counts_is_taken_off_what_it_rests_on() -> None:
    seen = counted_only(REQUIREMENTS, frozenset({"EXT-003", "PRV-001"}))
    assert seen["EXT-003"].rests_on == ()
    assert seen["EXT-002"] == REQUIREMENTS["EXT-002"]


def test_a_passed_requirement_that_came_later_is_told_too() -> None:
    one: Requirement = REQUIREMENTS["PRV-001"]
    result = replace(judged(against("PRV-001"), "PRV-001"), uncounted={"PRV-001"})
    result.outcomes = {"PRV-001": Outcome(one, Verdict.PASSED)}
    assert "   PASSED         PRV-001 MUST\n" in as_text.summary(result, lambda finding: "again")
    assert result.score == (0, 0)
