"""Reports of a result made by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conformance.asked import Asked, parsed
from conformance.contract import Hookup, Secret
from conformance.errors import WiringError
from conformance.report import as_json, as_junit, as_text, folder
from conformance.requirement import Owner, Requirement, requirement
from conformance.session import Result
from conformance.strategies.sizes import sizes
from conformance.verdict import Certainty, Finding, Outcome, Verdict, Violation
from tests.kit.snapshot import expect_snapshot

REPLAY = Asked("acme:PROVIDER", profile="smoke", seed=7).replay


def made(identifier: str, sentence: str, *rests_on: str, subject: Owner = Owner.PROVIDER) -> Requirement:
    def body(subject: object) -> None: ...

    body.__doc__ = sentence
    requirement(identifier, rests_on=rests_on, subject=subject)(body)
    found: Requirement = body.requirement  # type: ignore[attr-defined]
    return found


CREATE = made("PRV-001", "`create` MUST make one LUN.")
GROW = replace(
    made("EXT-001", "`resize` MUST grow the LUN to at least the asked size.", "PRV-001"), strategies={"start": sizes()}
)
KEEP = made("EXT-002", "`resize` MUST keep every byte.", "EXT-001")
SHRINK = made("EXT-007", "`resize` MUST refuse what it cannot do.", "PRV-001")
ROOM = made("EXT-009", "`resize` without room MUST raise CapacityExhausted.", "PRV-001")
LEAK = made("LEK-001", "Nothing MUST remain.")
DISK = made("DST-001", "A volume MUST be a disk.", subject=Owner.BRIDGE)
REQUIREMENTS = {each.id: each for each in (CREATE, GROW, KEEP, SHRINK, ROOM, LEAK, DISK)}

TOO_SMALL = Finding(
    requirement_id="EXT-001",
    violation=Violation("a LUN of at least 2147483648 bytes", "one of 2146435072 bytes", "the array"),
    arguments={"start": {"Granules": {"count": 1}}, "uses": [{"Growth": {"granules": 2}}, None]},
    steps=tuple(f"{number}. plugin.step_{number}(...) -> None" for number in range(1, 6)),
    wire=('during resize: POST /api {"token": "***"} -> 200 {"size": 2146435072} [injected: lost reply]',),
    declared=("resize supported", "hookup framework"),
    found_by="EXT-001",
)
LEFT = replace(
    TOO_SMALL,
    requirement_id="LEK-001",
    violation=Violation("nothing to be left on the array", "LUN sc-1", "the array", certainty=Certainty.CLEANUP),
    intermittent=True,
    found_by="EXT-002",
)


def result(**changes: object) -> Result:
    outcomes: Mapping[str, Outcome] = {
        "DST-001": Outcome(DISK, Verdict.NOT_VERIFIED, "no libvirt here"),
        "EXT-001": Outcome(GROW, Verdict.FAILED, finding=TOO_SMALL, examples=3, seconds=0.5, inputs_digest="ab12" * 16),
        "EXT-002": Outcome(KEEP, Verdict.BLOCKED, blocked_by="EXT-001"),
        "EXT-007": Outcome(SHRINK, Verdict.NOT_APPLICABLE, "resize_online is supported"),
        "EXT-009": Outcome(ROOM, Verdict.KIT_ERROR, "KeyError: 'lun'"),
        "LEK-001": Outcome(LEAK, Verdict.FAILED, finding=LEFT),
        "PRV-001": Outcome(CREATE, Verdict.PASSED, examples=3, seconds=0.25, inputs_digest="d1"),
    }
    whole = Result("acme", "1.2", "0.1", Hookup.FRAMEWORK, "smoke", 7, False, outcomes, ["EXT-001", "LEK-001"], 1.5)  # noqa: FBT003
    return replace(whole, **{"today": date(2024, 5, 1), **changes})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_text, "kit_version", lambda: "9.9")
    monkeypatch.setattr(as_json, "kit_version", lambda: "9.9")


# --- text ------------------------------------------------------------------------------------------------------------


def test_a_failure_explains_itself_in_seven_parts() -> None:
    expect_snapshot("failure", as_text.failure(result().outcomes["EXT-001"], REPLAY) + "\n")


def test_a_failure_met_elsewhere_is_replayed_where_it_was_met() -> None:
    expect_snapshot("failure-met-elsewhere", as_text.failure(result().outcomes["LEK-001"], REPLAY) + "\n")


def test_the_summary_tells_the_cause_in_full_and_the_rest_in_short() -> None:
    expect_snapshot("summary", as_text.summary(result(), REPLAY))


def test_the_summary_tells_all_in_full_when_asked() -> None:
    assert as_text.summary(result(), REPLAY, verbose=True).count("   Wire ") == 2


def test_the_summary_of_an_interrupted_run_says_so() -> None:
    nothing = result(was_interrupted=True, outcomes={}, ranked=[])
    expect_snapshot("summary-interrupted", as_text.summary(nothing, REPLAY))


def test_the_first_line_is_the_score_over_what_is_the_plugins_own() -> None:
    assert as_text.summary(result(), REPLAY).startswith("1 of 5 requirements passed: acme 1.2,")


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_the_record_holds_everything() -> None:
    record = json.loads(as_json.text(result(), REPLAY, "2024-05-01T12:00:00+00:00"))
    expect_snapshot("report.json", json.dumps(record, indent=2) + "\n")


def test_an_outcome_survives_the_way_between_processes() -> None:
    outcome = result().outcomes["EXT-001"].became(Verdict.FAILED, charged=(LEFT,))
    carried = json.loads(json.dumps(as_json.outcome_record(outcome)))
    assert as_json.outcome_from(carried, REQUIREMENTS) == outcome.became(
        Verdict.FAILED,
        finding=replace(TOO_SMALL, violation=replace(TOO_SMALL.violation, requirement_id="EXT-001")),
        charged=(replace(LEFT, violation=replace(LEFT.violation, requirement_id="LEK-001")),),
    )


# --- JUnit -----------------------------------------------------------------------------------------------------------


def suite(of: Result) -> ElementTree.Element:
    found = ElementTree.fromstring(as_junit.text(of, REPLAY, "2024-05-01T12:00:00+00:00")).find("testsuite")
    assert found is not None
    return found


def test_a_build_server_sees_one_case_for_each_requirement() -> None:
    counts = {name: suite(result()).get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "7", "failures": "3", "errors": "1", "skipped": "2"}


def test_a_build_server_is_told_what_people_are_told() -> None:
    (told,) = (each for each in suite(result()).iter("failure") if "EXT-001 MUST" in (each.text or ""))
    assert told.text == as_text.failure(result().outcomes["EXT-001"], REPLAY)


def test_characters_that_xml_may_not_have_are_replaced() -> None:
    violation = Violation("text", "a\x00b\x1b[31mc\ud800d\tend", "the plugin")
    broken = Outcome(GROW, Verdict.FAILED, finding=replace(TOO_SMALL, violation=violation))
    (told,) = suite(result(outcomes={"EXT-001": broken})).iter("failure")
    assert "a\ufffdb\ufffd[31mc\ufffdd\tend" in (told.text or "")


# --- the folder ------------------------------------------------------------------------------------------------------


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    folder.check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_found_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WiringError, match=r"cannot write reports to .*file/b: Not a directory; give another"):
        folder.check_writable(tmp_path / "file" / "b")


def test_reports_replace_older_ones_whole(tmp_path: Path) -> None:
    folder.write(tmp_path / "new", {"report.json": "old"})
    written = folder.write(tmp_path / "new", {"report.json": "a lone \ud800"})
    assert [each.read_text(encoding="utf-8") for each in written] == ["a lone \\ud800"]
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["report.json"]


# --- what was asked --------------------------------------------------------------------------------------------------


def test_the_replay_is_the_command_as_it_was_given() -> None:
    asked = Asked("acme:P", Path("my lab.toml"), "certify", 3, parsed(["pool=a b", "token=env:ACME_TOKEN"]))
    assert asked.replay(TOO_SMALL) == (
        "storage-conformance run --provider acme:P --environment 'my lab.toml' --parameter 'pool=a b' "
        "--parameter token=env:ACME_TOKEN --only EXT-001 --profile certify --seed 3"
    )


def test_a_parameter_can_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "do not tell")
    asked = Asked("acme:P", parameters=parsed(["token=env:ACME_TOKEN", "pool=gold=1"]))
    assert asked.values() == {"token": Secret("do not tell"), "pool": "gold=1"}
    assert asked.inline() == {"pool"}
    assert "do not tell" not in repr(asked)
