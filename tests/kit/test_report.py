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
from conformance.session import EXIT_INTERRUPTED, Result, with_untried
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


def interrupted() -> Result:
    """The same run, ended by Ctrl-C before one that is the plugin's own."""
    whole = result()
    return replace(
        whole,
        was_interrupted=True,
        chosen=8,
        outcomes=with_untried(whole.outcomes, [*REQUIREMENTS.values(), requirement_not_tried()]),
    )


def requirement_not_tried() -> Requirement:
    return replace(CREATE, id="PRV-002")


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
    nothing = result(was_interrupted=True, outcomes={}, ranked=[], chosen=7)
    expect_snapshot("summary-interrupted", as_text.summary(nothing, REPLAY))


def test_what_was_not_tried_is_in_the_denominator_and_told_first() -> None:
    run = interrupted()
    assert (run.score, result().score) == ((1, 6), (1, 5))
    assert (run.not_tried, run.exit_status) == (1, EXIT_INTERRUPTED)
    first, _, rest = as_text.summary(run, REPLAY).partition("\n\n")
    assert first == "Interrupted: 1 of 8 chosen requirements were not tried, and count as not passed."
    assert rest.startswith("1 of 6 requirements passed: acme 1.2,")
    assert "   NOT_TRIED         1\n" in rest
    assert "Not tried\n   interrupted: PRV-002\n" in rest


def test_the_record_of_an_interrupted_run_names_what_was_not_tried() -> None:
    record = json.loads(as_json.text(interrupted(), REPLAY, "2024-05-01T12:00:00+00:00"))
    assert (record["was_interrupted"], record["not_tried"], record["chosen"]) == (True, 1, 8)
    assert record["score"] == {"passed": 1, "of": 6}
    assert [each["id"] for each in record["requirements"] if each["verdict"] == "NOT_TRIED"] == ["PRV-002"]


def test_an_interrupted_run_is_an_error_to_a_build_server() -> None:
    passed = {"PRV-001": Outcome(CREATE, Verdict.PASSED)}
    fine = replace(result(), was_interrupted=True, chosen=2, ranked=[])
    found = suite(replace(fine, outcomes=with_untried(passed, [CREATE, requirement_not_tried()])))
    assert found.get("name") == "storage-conformance acme 1.2, interrupted"
    assert [found.get(each) for each in ("tests", "failures", "errors", "skipped")] == ["3", "0", "1", "1"]
    [first, _, last] = found
    [error] = first
    assert (error.tag, error.get("message")) == (
        "error",
        "Interrupted: 1 of 2 chosen requirements were not tried, and count as not passed.",
    )
    [skipped] = last
    assert (skipped.tag, skipped.get("type")) == ("skipped", "NOT_TRIED")


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
