"""Plugins that hang, raise anything, answer nonsense or talk too much: a verdict that says so, and the run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from conformance.catalogue import catalogue
from conformance.contract import Created
from conformance.run import run_requirement
from conformance.session import run_session
from conformance.settle import settle
from conformance.verdict import Outcome, Verdict
from tests.faulty_providers import operators as do
from tests.faulty_providers.fault import Change, Driver, Fault, LifeCycle, Provider, Site
from tests.kit.chain import running

REQUIREMENTS = catalogue()


def judged(fault: Fault, *identifiers: str) -> dict[str, Outcome]:
    """The settled outcomes of these requirements on a plugin with this fault."""
    with running(fault) as subject:
        outcomes = [run_requirement(REQUIREMENTS[each], subject, shrink=False) for each in identifiers]
    return settle(outcomes, REQUIREMENTS)


def broken(change: Change, at: Site = Driver.create) -> Fault:
    return Fault("OPS-001", "is broken", at, change)


def raiser(error: BaseException) -> Callable[[object], BaseException]:
    return lambda call: error


@pytest.mark.parametrize(
    ("change", "at", "home", "said"),
    [
        (do.hang(), Driver.create, "OPS-001", "had not returned"),
        (do.fail(raiser(SystemExit(3))), Driver.create, "OPS-003", "SystemExit: 3"),
        (do.fail(raiser(KeyboardInterrupt())), Driver.create, "OPS-003", "KeyboardInterrupt"),
        (do.fail(raiser(GeneratorExit())), Driver.create, "OPS-003", "GeneratorExit"),
        (do.fail(raiser(ValueError("oops"))), Driver.create, "OPS-003", "ValueError: oops"),
        (do.skip("volume-1"), Driver.create, "OPS-004", "'volume-1'"),
        (do.skip(None), Driver.connection, "OPS-004", "None"),
        (do.skip([1, 2]), Driver.list_objects, "OPS-004", "[1, 2]"),
        (do.skip("all"), LifeCycle.attach_cluster, "OPS-004", "'all'"),
        (do.lie(identity=lambda identity: "naa.6000"), Driver.create, "OPS-004", "Created("),
        (do.leave_thread(), Driver.create, "OPS-005", "poller"),
        (do.fail(raiser(RuntimeError("no"))), Provider.close, "OPS-005", "RuntimeError: no"),
        (do.hang(), Provider.close, "OPS-005", "no return"),
    ],
)
def test_bad_behaviour_is_charged_where_it_belongs(change: Change, at: Site, home: str, said: str) -> None:
    outcomes = judged(broken(change, at), home)
    assert outcomes[home].verdict is Verdict.FAILED
    finding = outcomes[home].finding
    assert finding is not None
    assert said in finding.violation.observed


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (do.print_it(lambda call: _secret(call)), "standard output"),
        (do.log_it(lambda call: _secret(call)), "the log"),
        (do.note_on_error(lambda call: _secret(call)), "errors"),
    ],
)
def test_a_secret_that_can_be_read_is_found(change: Change, place: str) -> None:
    outcomes = judged(broken(change, LifeCycle.initialize), "SEC-001")
    assert outcomes["SEC-001"].verdict is Verdict.FAILED
    finding = outcomes["SEC-001"].finding
    assert finding is not None
    assert place in finding.violation.observed


def _secret(call: object) -> str:
    request = call.arguments["request"]  # type: ignore[attr-defined]
    return f"password {request.secrets['password'].reveal()}"


def test_findings_never_show_the_secret() -> None:
    kept: list[str] = []

    def remember(call: object) -> str:
        kept.append(_secret(call).removeprefix("password "))
        return kept[-1]

    outcomes = judged(broken(do.print_it(remember), LifeCycle.initialize), "SEC-001")
    text = repr(outcomes["SEC-001"].finding)
    assert kept
    assert not any(secret in text for secret in kept)


def test_what_others_stumble_over_is_blocked_and_the_cause_comes_first() -> None:
    fault = broken(do.fail(raiser(ValueError("oops"))))
    with running(fault) as subject:
        chosen = [REQUIREMENTS[each] for each in ("DEL-001", "EXT-001", "PRV-001", "ACC-001")]
        result = run_session(subject, chosen, REQUIREMENTS)
    assert result.ranked == ["OPS-003"]
    assert {each.verdict for name, each in result.outcomes.items() if name != "OPS-003"} == {Verdict.BLOCKED}
    assert result.exit_status == 1


def test_everything_is_cleaned_up_after_a_hang() -> None:
    before = {each for each in threading.enumerate() if not each.daemon}
    outcomes = judged(broken(do.hang()), "PRV-001", "REG-001")
    assert outcomes["REG-001"].verdict is Verdict.PASSED
    assert {each for each in threading.enumerate() if not each.daemon} == before


def test_a_plugin_that_fails_only_sometimes_is_said_to() -> None:
    flips = iter([True, False] * 1000)
    fault = broken(do.alter_result(lambda made: _larger(made) if next(flips) else made))
    with running(fault) as subject:
        outcome = run_requirement(REQUIREMENTS["PRV-001"], subject)
    assert outcome.verdict is Verdict.FAILED


def _larger(made: Created) -> Created:
    return Created(made.external_id, made.size_bytes * 2, made.identity, made.disk, made.details)


def test_two_subjects_in_one_process_do_not_meet() -> None:
    with running(broken(do.fail(raiser(ValueError())))) as bad, running() as good:
        first = run_requirement(REQUIREMENTS["PRV-002"], bad)
        second = run_requirement(REQUIREMENTS["PRV-002"], good)
    assert (first.verdict, second.verdict) == (Verdict.BLOCKED, Verdict.PASSED)
