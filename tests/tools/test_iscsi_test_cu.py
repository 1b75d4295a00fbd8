"""How the log of libiscsi's suite is read, and what is said of it; no tool is run."""

from __future__ import annotations

import pytest

from tests.iscsi_test_cu import table
from tests.iscsi_test_cu.known_failures import KNOWN
from tests.iscsi_test_cu.suite import Verdict, parse
from tests.iscsi_test_cu.targets import TARGETS

LOG = """Suite: Read6
  Test: Simple ...passed
  Test: BeyondEol ...    [SKIPPED] LUN is too big for read-beyond-eol tests with READ6. Skipping test.
passed
  Test: Noisy ...    [FAILED] WRITE10 command failed with status 2, which the test wanted
passed
  Test: Wrong ...    [FAILED] READ16 successful but should have failed
FAILED
    1. test_read16_simple.c:52  - CU_ASSERT_EQUAL(_r,0)
  Test: Partly ...    [SKIPPED] No alignment restrictions on this LUN
    [OK] WRITEATOMIC16 returned SUCCESS
passed
  Test: Crashed ..."""


def test_a_skipped_test_is_not_a_passed_one() -> None:
    assert dict(parse(LOG)) == {
        "Simple": Verdict.PASSED,
        "BeyondEol": Verdict.SKIPPED,
        "Noisy": Verdict.PASSED,
        "Wrong": Verdict.FAILED,
        "Partly": Verdict.PASSED,
        "Crashed": Verdict.FAILED,
    }


def test_a_new_failure_and_a_known_one_that_passes_are_both_complaints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KNOWN, "other", {"A.Known": "because", "A.Passes": "because", "A.Gone": "because"})
    tests = {"A.Known": Verdict.FAILED, "A.Passes": Verdict.PASSED, "A.New": Verdict.FAILED, "A.Fine": Verdict.PASSED}
    said = list(table.complaints("other", tests))
    assert len(said) == 3
    assert [any(name in line for line in said) for name in ("A.Passes", "A.New", "A.Gone", "A.Known ")] == [
        True,
        True,
        True,
        False,
    ]


def test_what_differs_from_the_record_is_said() -> None:
    found = {"A.One": Verdict.PASSED, "A.New": Verdict.PASSED}
    recorded = {"A.One": Verdict.SKIPPED, "A.Gone": Verdict.PASSED}
    assert len(list(table.drift("other", found, recorded))) == 3
    assert list(table.drift("other", found, found)) == []


def test_the_page_is_what_the_record_says_and_gives_a_reason_for_each_failure() -> None:
    results = table.load()
    assert table.PAGE.read_text() == table.render(results)
    assert {each.name for each in TARGETS} <= results.keys()
    for target, tests in results.items():
        assert list(table.complaints(target, tests)) == []
