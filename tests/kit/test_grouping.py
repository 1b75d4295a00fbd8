"""Failures that are one are told once."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.catalogue import catalogue
from conformance.contract import Hookup
from conformance.grouping import Cause, causes
from conformance.report import as_json, as_text
from conformance.session import Result
from conformance.verdict import Finding, Outcome, Verdict, Violation

REQUIREMENTS = catalogue()
UUID, OTHER = "c02c4959-3fc6-4001-8c91-526931cde6c1", "3f11c026-7845-4001-8025-0486cbcf2293"


def failed(identifier: str, expected: str, observed: str, *steps: str, observer: str = "the array") -> Outcome:
    finding = Finding(identifier, Violation(expected, observed, observer), {}, steps, (), ())
    return Outcome(REQUIREMENTS[identifier], Verdict.FAILED, finding=finding)


def raised(identifier: str, method: str, said: str, expected: str = "it to succeed") -> Outcome:
    return failed(identifier, expected, said, "1. plugin.create(1) -> None", f"2. plugin.{method}(2) -> raised {said}")


def grouped(*outcomes: Outcome) -> list[list[str]]:
    found = causes([each.requirement.id for each in outcomes], {each.requirement.id: each for each in outcomes})
    return [[each.first, *each.others] for each in found]


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        (("resize", f"Conflict: {UUID} exists"), ("resize", f"Conflict: {OTHER} exists"), True),
        (("resize", "Conflict: LUN 17 exists"), ("resize", "Conflict: LUN 4 exists"), True),
        (("resize", "Conflict: it exists"), ("create", "Conflict: it exists"), False),
        (("resize", "Conflict: it exists"), ("resize", "Busy: it exists"), False),
        (("resize", "Conflict: it exists"), ("resize", "Conflict: it is gone"), False),
    ],
)
def test_the_same_error_of_the_same_call_is_one_cause(
    first: tuple[str, str], second: tuple[str, str], is_one: bool
) -> None:
    one, other = raised("EXT-001", *first), raised("ACC-001", *second, expected="something else to succeed")
    assert (len(grouped(one, other)) == 1) is is_one


@pytest.mark.parametrize(
    ("second", "is_one"),
    [
        (("no LUN left", f"LUN {OTHER}", "the array"), True),
        (("no LUN left", f"LUN {OTHER}", "the host"), False),
        (("no group left", f"LUN {OTHER}", "the array"), False),
        (("no LUN left", f"a group {OTHER}", "the array"), False),
    ],
)
def test_the_same_state_seen_by_the_same_is_one_cause(second: tuple[str, str, str], is_one: bool) -> None:
    expected, observed, observer = second
    other = failed("ACC-001", expected, observed, observer=observer)
    assert (len(grouped(failed("EXT-001", "no LUN left", f"LUN {UUID}"), other)) == 1) is is_one


def test_an_error_on_the_way_is_not_what_was_seen() -> None:
    one = failed("EXT-001", "a", "b", "1. plugin.resize(2) -> raised Conflict: x")
    other = failed("ACC-001", "c", "d", "1. plugin.resize(2) -> raised Conflict: x")
    assert grouped(one, other) == [["EXT-001"], ["ACC-001"]]


def test_groups_keep_the_order_of_the_ranking() -> None:
    alike = {"expected": "x", "observed": "y"}
    found = grouped(failed("LEK-001", **alike), failed("EXT-001", "a", "b"), failed("ACC-001", **alike))
    assert found == [["LEK-001", "ACC-001"], ["EXT-001"]]


def result() -> Result:
    """EXT-001 and ACC-001 are one; ACC-002 is another; two requirements could not be tried."""
    outcomes = {
        "ACC-001": failed("ACC-001", "no LUN left", f"LUN {OTHER}"),
        "ACC-002": failed("ACC-002", "nobody", "somebody"),
        "ACC-003": Outcome(REQUIREMENTS["ACC-003"], Verdict.BLOCKED, blocked_by="ACC-001"),
        "EXT-001": failed("EXT-001", "no LUN left", f"LUN {UUID}"),
        "EXT-002": Outcome(REQUIREMENTS["EXT-002"], Verdict.BLOCKED, blocked_by="EXT-001"),
        "EXT-003": Outcome(REQUIREMENTS["EXT-003"], Verdict.BLOCKED, blocked_by="PRV-001"),
    }
    return Result(
        "acme",
        "1",
        "0.1",
        Hookup.FRAMEWORK,
        "smoke",
        0,
        is_certifying=False,
        outcomes=outcomes,
        ranked=["EXT-001", "ACC-001", "ACC-002"],
        seconds=1,
    )


def test_what_was_blocked_stands_with_its_cause() -> None:
    whole = result()
    assert causes(whole.ranked, whole.outcomes) == [
        Cause("EXT-001", ("ACC-001",), ("ACC-003", "EXT-002")),
        Cause("ACC-002"),
    ]


def test_people_read_each_cause_once() -> None:
    text = as_text.summary(result(), lambda finding: "again")
    assert text.count(" MUST: ") == 3
    assert f"   Also      ACC-001 MUST: {REQUIREMENTS['ACC-001'].sentence}\n   Blocks    ACC-003 EXT-002\n" in text
    assert "\n2. ACC-002 MUST: " in text
    assert "Blocked, because another requirement failed\n   blocked by PRV-001: EXT-003\n" in text
    assert text.count("EXT-002") == 1


def test_people_read_all_when_they_ask() -> None:
    text = as_text.summary(result(), lambda finding: "again", verbose=True)
    assert "\nas 1. ACC-001 MUST: " in text
    assert text.count("   Wire ") == 3


def test_machines_get_the_same_groups() -> None:
    record: Any = as_json.report(result(), lambda finding: "again", "now")
    assert record["causes"][0] == {"first": "EXT-001", "others": ("ACC-001",), "blocks": ("ACC-003", "EXT-002")}
    assert record["ranked"] == ["EXT-001", "ACC-001", "ACC-002"]
