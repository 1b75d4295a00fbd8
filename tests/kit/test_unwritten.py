"""A method that is not written yet: told as a gap, in the order to fill gaps in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from conformance.catalogue import catalogue
from conformance.cli import listing
from conformance.cli.progress import Lines
from conformance.cli.run import told_on
from conformance.contract import Transport
from conformance.environments.opened import open_environment
from conformance.report import as_json, as_text
from conformance.session import Result, choose, run_session
from conformance.subject import RunningSubject, SubjectPlan
from conformance.unwritten import ORDER, contract_method, gaps
from conformance.verdict import NOT_TRIED, Finding, Outcome, Verdict
from reference_providers import solidfire
from tests.kit.chain import QUICK

CHOSEN = ("ACC-001", "ACC-003", "DEL-001", "EXT-001", "LEK-002", "LIF", "PRV-001", "PRV-002", "REG")


def without(methods: tuple[str, ...]) -> Callable[[Any], Any]:
    """A plugin that is right but for methods nobody has written."""

    def unwritten(method: Callable[..., object]) -> Callable[..., object]:
        @wraps(method)  # registration looks at the signature
        def raises(*_arguments: object, **_keywords: object) -> None:
            raise NotImplementedError

        return raises

    def made(network: Any) -> Any:
        plugin = solidfire.PROVIDER(connect=network.connect)
        for part in (plugin.driver, plugin.lifecycle):
            for name in methods:
                if hasattr(part, name):
                    setattr(part, name, unwritten(getattr(part, name)))
        return plugin

    return made


def run(*methods: str) -> Result:
    plan = SubjectPlan("unwritten", solidfire.PROVIDER, without(methods))
    with (
        open_environment(None, Transport.MEMORY) as environment,
        RunningSubject(plan, environment, QUICK) as subject,
    ):
        return run_session(subject, choose(catalogue(), CHOSEN), catalogue())


def replay(finding: Finding) -> str:
    return f"again {finding.requirement_id}"


# --- what is told ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_gap_to_fill_first_comes_first_and_the_rest_waits() -> None:
    result = run("list_objects", "create", "delete_datastore")
    found = gaps(result.outcomes)
    assert [each.method for each in found] == ["create", "delete_datastore"]
    assert [each.identifier for each in found] == ["PRV-001", "LIF-006"]
    # The property of LIF-001 makes a volume too.
    assert found[0].waiting[0] == "LIF-001"
    assert {"ACC-001", "DEL-001", "EXT-001", "LEK-002", "PRV-002"} <= set(found[0].waiting)
    assert "test_unwritten.py:" in found[0].place
    assert result.outcomes["REG-001"].verdict is Verdict.PASSED
    assert result.outcomes["LIF-002"].verdict is Verdict.PASSED
    assert result.exit_status == 1


@pytest.mark.slow
def test_the_report_ends_with_the_next_step_and_shows_no_consequences() -> None:
    told = as_text.summary(run("list_objects"), replay)
    assert "\n1. " not in told
    assert "Blocked" not in told
    *_, last = told.rstrip().split("\n\n")
    assert last.startswith(
        "Next: implement list_objects (LEK-002 LIF-001 LIF-011 LIF-008 LIF-014)\n   LEK-002 MUST: `list_objects` "
    )
    assert "\n   DataStoreDriver.list_objects(store: DataStore) -> Sequence[OwnedObject]\n" in last


@pytest.mark.slow
def test_a_fault_beside_a_gap_is_told_as_a_fault() -> None:
    result = run("list_objects")
    outcomes = {**result.outcomes}
    broken = outcomes["LEK-002"]
    assert broken.finding is not None
    violation = broken.finding.violation
    object.__setattr__(violation, "unwritten", "")
    result.outcomes = outcomes
    assert "\n1. LEK-002 MUST: " in as_text.summary(result, replay)
    assert "Next:" not in as_text.summary(result, replay)


@pytest.mark.slow
def test_a_gap_survives_the_way_between_processes() -> None:
    gap = run("list_objects").outcomes["LEK-002"]
    carried = json.loads(json.dumps(as_json.outcome_record(gap)))
    assert as_json.outcome_from(carried, catalogue()).unwritten == "list_objects"


@pytest.mark.slow
def test_what_the_plugin_cannot_do_is_not_applicable_whatever_is_missing_below() -> None:
    outcomes = run("initialize").outcomes
    assert outcomes["PRV-001"].verdict is Verdict.BLOCKED
    assert outcomes["LIF-001"].unwritten == "initialize"
    assert {outcomes[each].verdict for each in ("ACC-001", "DEL-001", "LEK-002")} == {Verdict.BLOCKED}


def test_rows_of_what_was_not_tried_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    every = list(catalogue().values())[:5]
    outcomes = [Outcome(each, Verdict.BLOCKED, NOT_TRIED, blocked_by="LIF-001") for each in every]
    outcomes[3] = Outcome(every[3], Verdict.PASSED)
    with Lines(told_on(sys.stdout), len(every)) as lines:
        for each in outcomes:
            lines.ended(each)
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:3] for line in told if line] == [
        ["[3/5]", "BLOCKED", "3"],
        ["[4/5]", "PASSED", every[3].id],
        ["[5/5]", "BLOCKED", every[4].id],
    ]


# --- what is explained -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ORDER)
def test_every_method_to_write_can_be_explained(method: str) -> None:
    known = contract_method(method)
    assert known is not None
    told = listing.method_explanation(method, *known, catalogue())
    assert known[0].split(".")[1].startswith(f"{method}(")
    assert " MUST: " in told


def test_what_is_no_method_is_not_explained_as_one() -> None:
    assert contract_method("EXT-001") is None
    assert contract_method("__init__") is None
    assert contract_method("nothing") is None
