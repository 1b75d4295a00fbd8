"""Waivers: what a file may say, and what becomes of a requirement that is waived."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path

import pytest

from conformance.catalogue import catalogue
from conformance.contract import Hookup
from conformance.errors import WiringError
from conformance.report import as_json, as_junit, as_text
from conformance.run import inputs_digest
from conformance.session import Result, attempts, run_session
from conformance.settle import ranking
from conformance.verdict import Finding, Outcome, Verdict, Violation
from conformance.waivers import Waiver, Waivers, applied, read_waivers, template
from tests.faulty_providers.corpus import all_faults
from tests.kit.chain import QUICK, running

REQUIREMENTS = catalogue()
TODAY = datetime.date(2026, 5, 1)
UNTIL = datetime.date(2026, 5, 31)
DIGEST = "ab12" * 16
GOOD = """
[[waiver]]
reason = "ACME-1: grows twice"
ids = ["EXT-003", "EXT-004"]
owner = "storage team"
until = 2026-05-31

[[waiver]]
reason = "ACME-2"
ids = ["ACC-001"]
owner = "jane"
until = 2020-01-01
digest = "ab12ab12ab12"
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "waivers.toml"
    file.write_text(text, encoding="utf-8")
    return file


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_file_gives_each_id_its_reason_owner_and_day(tmp_path: Path) -> None:
    first = Waiver("ACME-1: grows twice", "storage team", UNTIL)
    assert read_waivers(written(tmp_path, GOOD), REQUIREMENTS) == {
        "EXT-003": first,
        "EXT-004": first,
        "ACC-001": Waiver("ACME-2", "jane", datetime.date(2020, 1, 1), "ab12ab12ab12"),
    }


def test_without_a_file_nothing_is_waived() -> None:
    assert read_waivers(None, REQUIREMENTS) == {}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("owner = ", "owners = ", "unknown key waiver.0.owners (did you mean owner?); expected reason"),
        ('owner = "storage team"\n', "", "waiver.0.owner is missing; expected who answers for it"),
        ('"storage team"', '" "', "waiver.0.owner: expected who answers for it, found ' '"),
        ('reason = "ACME-1: grows twice"\n', "", "waiver.0.reason is missing; expected why it fails, in a few words"),
        ('"EXT-003"', '"EXT-03"', "waiver.0.ids: there is no requirement EXT-03 (did you mean EXT-0"),
        ('"EXT-003"', '"EXT"', "waiver.0.ids: there is no requirement EXT"),
        ('"EXT-003"', '"ACC-001"', "waiver.1.ids: ACC-001 is waived twice; expected each id once"),
        ('["EXT-003", "EXT-004"]', "[]", "waiver.0.ids: expected a list of requirement ids"),
        ('["EXT-003", "EXT-004"]', '"EXT-003"', "waiver.0.ids: expected a list of requirement ids"),
        ('["EXT-003", "EXT-004"]', "[3]", "waiver.0.ids.0: expected a list of requirement ids"),
        ("2026-05-31", '"2026-05-31"', "waiver.0.until: expected the last day, a date such"),
        ("2026-05-31", "2026-05-31T12:00:00", "waiver.0.until: expected the last day"),
        ("2026-05-31", "2026-02-31", "is no TOML"),
        ('"ab12ab12ab12"', '"ab12"', "waiver.1.digest: expected 12 to 64 hexadecimal digits"),
        ("until = 2026-05-31\n", 'until = 2026-05-31\ndigest = "ab12ab12ab12"\n', "waiver.0.digest: a digest"),
        ("[[waiver]]", "[[wavier]]", "unknown key wavier (did you mean waiver?); expected waiver"),
        (GOOD, "", "waiver is missing; expected one table [[waiver]] or more"),
        (GOOD, "waiver = []", "waiver: expected one table [[waiver]] or more, found []"),
        (GOOD, "waiver =", "is no TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line_that_names_key_and_remedy(before: str, after: str, told: str, tmp_path: Path) -> None:
    file = written(tmp_path, GOOD.replace(before, after))
    with pytest.raises(WiringError) as caught:
        read_waivers(file, REQUIREMENTS)
    assert told in str(caught.value)
    assert str(file) in str(caught.value)
    assert str(caught.value).endswith("; nothing was started")
    assert "\n" not in str(caught.value).replace(str(caught.value).rpartition("found")[2], "")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "w.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WiringError, match=r"w.toml.*nothing was started"):
        read_waivers(file, REQUIREMENTS)


# --- verdicts --------------------------------------------------------------------------------------------------------

FINDING = Finding("EXT-003", Violation("this", "that", "the array"), {}, ("1. plugin.resize()",), (), ())
FAILED = Outcome(REQUIREMENTS["EXT-003"], Verdict.FAILED, finding=FINDING, inputs_digest=DIGEST)


def waived(outcome: Outcome, until: datetime.date = UNTIL, digest: str = "") -> Outcome:
    name = outcome.requirement.id
    return applied({name: Waiver("ACME-1", "jane", until, digest)}, {name: outcome}, TODAY)[name]


@pytest.mark.parametrize("until", [TODAY, UNTIL])
@pytest.mark.parametrize("digest", ["", DIGEST[:12], DIGEST])
def test_a_failure_that_is_waived_says_why_and_until_when(until: datetime.date, digest: str) -> None:
    outcome = waived(FAILED, until, digest)
    assert (outcome.verdict, outcome.reason) == (Verdict.WAIVED, f"ACME-1; owner jane; until {until}")


def test_a_waiver_ends() -> None:
    outcome = waived(FAILED, TODAY - datetime.timedelta(days=1))
    assert outcome.verdict is Verdict.STALE_WAIVER
    assert outcome.reason == "it fails, and its waiver ended: ACME-1; owner jane; until 2026-04-30"


def test_a_waiver_is_for_the_inputs_that_it_was_granted_for() -> None:
    outcome = waived(FAILED, digest="cd34cd34cd34")
    assert outcome.verdict is Verdict.STALE_WAIVER
    assert "waived for other inputs (digest cd34cd34cd34, this run's is ab12ab12ab12)" in outcome.reason


@pytest.mark.parametrize("until", [UNTIL, TODAY - datetime.timedelta(days=1)])
def test_a_waiver_of_what_passes_is_over(until: datetime.date) -> None:
    outcome = waived(Outcome(REQUIREMENTS["EXT-003"], Verdict.PASSED), until)
    assert outcome.verdict is Verdict.STALE_WAIVER
    assert outcome.reason.startswith("it passes now: take it out of the waivers (ACME-1; owner jane;")


def test_a_waiver_of_what_is_not_applicable_is_over() -> None:
    outcome = waived(Outcome(REQUIREMENTS["EXT-003"], Verdict.NOT_APPLICABLE, "resize: no"))
    assert outcome.verdict is Verdict.STALE_WAIVER
    assert outcome.reason.startswith("it is not applicable (resize: no): take it out")


@pytest.mark.parametrize("verdict", [Verdict.NOT_VERIFIED, Verdict.KIT_ERROR, Verdict.BLOCKED])
def test_what_was_not_seen_is_neither_waived_nor_stale(verdict: Verdict) -> None:
    assert waived(Outcome(REQUIREMENTS["EXT-003"], verdict)).verdict is verdict


def behind(waivers: Waivers) -> dict[str, Verdict]:
    """EXT-003 fails, and EXT-002 rests on it."""
    blocked = Outcome(REQUIREMENTS["EXT-002"], Verdict.BLOCKED, blocked_by="EXT-003")
    found = applied(waivers, {"EXT-003": FAILED, "EXT-002": blocked}, TODAY)
    return {name: each.verdict for name, each in found.items()}


def test_what_rests_on_a_waived_failure_has_to_be_waived_by_name() -> None:
    waiver = Waiver("ACME-1", "jane", UNTIL)
    over = Waiver("ACME-1", "jane", TODAY - datetime.timedelta(days=1))
    assert behind({"EXT-003": waiver}) == {"EXT-003": Verdict.WAIVED, "EXT-002": Verdict.BLOCKED}
    assert behind({"EXT-003": waiver, "EXT-002": waiver}) == {"EXT-003": Verdict.WAIVED, "EXT-002": Verdict.WAIVED}
    assert behind({"EXT-003": waiver, "EXT-002": over})["EXT-002"] is Verdict.BLOCKED
    assert behind({"EXT-002": waiver}) == {"EXT-003": Verdict.FAILED, "EXT-002": Verdict.BLOCKED}


# --- reports and exit status -----------------------------------------------------------------------------------------

PASSED = Outcome(REQUIREMENTS["PRV-001"], Verdict.PASSED)
OK = Waiver("ACME-1", "jane", UNTIL)
OVER = Waiver("ACME-1", "jane", TODAY - datetime.timedelta(days=1))


def result(waivers: Waivers, *outcomes: Outcome) -> Result:
    settled = applied(waivers, {each.requirement.id: each for each in outcomes}, TODAY)
    return Result(
        "acme",
        "1.2",
        "0.1",
        Hookup.FRAMEWORK,
        "certify",
        0,
        is_certifying=True,
        outcomes=settled,
        ranked=ranking(settled, REQUIREMENTS),
        seconds=1.0,
        waivers=waivers,
        today=TODAY,
    )


@pytest.mark.parametrize(
    ("waivers", "outcomes", "status"),
    [
        ({}, [PASSED, FAILED], 1),
        ({"EXT-003": OK}, [PASSED, FAILED], 0),
        ({"EXT-003": OVER}, [PASSED, FAILED], 1),
        ({"PRV-001": OK}, [PASSED], 1),
        ({"EXT-003": OK}, [FAILED], 2),
    ],
)
def test_the_exit_status_counts_waivers_that_are_over(waivers: Waivers, outcomes: list[Outcome], status: int) -> None:
    assert result(waivers, *outcomes).exit_status == status


def test_waived_is_in_the_denominator_and_never_passed() -> None:
    whole = result({"EXT-003": OK}, PASSED, FAILED)
    assert whole.score == (1, 2)
    text = as_text.summary(whole, lambda finding: "again")
    assert text.startswith("1 of 2 requirements passed (1 waived): acme 1.2,")
    assert "\nWaived\n   EXT-003 MUST: ACME-1; owner jane; until 2026-05-31\n" in text


def test_a_failure_whose_waiver_is_over_is_told_in_full() -> None:
    text = as_text.summary(result({"EXT-003": OVER}, PASSED, FAILED), lambda finding: "again")
    assert "1. EXT-003 MUST: " in text
    assert "   Waiver    it fails, and its waiver ended: ACME-1; owner jane; until 2026-04-30\n" in text


def test_a_record_holds_the_waivers() -> None:
    record = as_json.report(result({"EXT-003": OK}, PASSED, FAILED), lambda finding: "again", "now")
    assert record["waivers"] == {
        "EXT-003": {"reason": "ACME-1", "owner": "jane", "until": "2026-05-31", "digest": None}
    }


def test_a_build_server_sees_a_waived_requirement_as_skipped_and_a_stale_one_as_failed() -> None:
    assert '<skipped message="WAIVED: ACME-1;' in as_junit.text(result({"EXT-003": OK}, FAILED), str, "now")
    assert '<failure message="STALE_WAIVER: it passes' in as_junit.text(result({"PRV-001": OK}, PASSED), str, "now")


def test_a_failure_shows_a_waiver_that_could_be_used_as_it_is(tmp_path: Path) -> None:
    text = template(FAILED, TODAY)
    assert tomllib.loads(text)["waiver"][0]["digest"] == DIGEST[:12]
    assert waived(FAILED, digest=read_waivers(written(tmp_path, text), REQUIREMENTS)["EXT-003"].digest).verdict is (
        Verdict.WAIVED
    )
    told = as_text.summary(result({}, FAILED), lambda finding: "again")
    assert 'Waive     ids = ["EXT-003"], digest = "ab12ab12ab12" in a file for --waivers\n' in told
    assert "   [[waiver]]\n" in told


# --- a run -----------------------------------------------------------------------------------------------------------

SHORT = next(each for each in all_faults() if each.name == "EXT-001 a granule short")


def test_a_waived_failure_is_run_and_not_shrunk() -> None:
    digest = inputs_digest(REQUIREMENTS["EXT-001"], QUICK, 0)
    waivers = {"EXT-001": Waiver("ACME-1", "jane", UNTIL, digest[:12])}
    with running(SHORT) as subject:
        chosen = [REQUIREMENTS["PRV-001"], REQUIREMENTS["EXT-001"]]
        whole = run_session(subject, chosen, REQUIREMENTS, waivers=waivers, today=TODAY)
        (plain,) = attempts(subject, chosen[1:], REQUIREMENTS)
        (quick,) = attempts(subject, chosen[1:], REQUIREMENTS, waived=waivers)
    assert whole.outcomes["EXT-001"].verdict is Verdict.WAIVED
    assert whole.exit_status == 0
    assert quick.examples < plain.examples
