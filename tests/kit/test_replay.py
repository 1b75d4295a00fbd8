"""A counterexample runs again exactly: in memory and over sockets, as a command, and as a script that stands alone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from conformance.abstract import to_json
from conformance.asked import Asked
from conformance.catalogue import catalogue
from conformance.cli.replay import Changed, asked_again, replayed
from conformance.contract import Capability, Supported, Transport, Unsupported
from conformance.counterexample import Counterexample, Example, example_of
from conformance.environments.opened import open_environment
from conformance.errors import KitError, WiringError
from conformance.expect import broken
from conformance.profile import PROFILES
from conformance.replay import replay
from conformance.report.as_counterexample import counterexample
from conformance.requirement import Requirement, requirement
from conformance.run import inputs_digest, run_requirement
from conformance.session import run_session
from conformance.strategies.sizes import Granules, Growth
from conformance.subject import RunningSubject
from conformance.verdict import Outcome, Verdict
from tests.faulty_providers import operators as do
from tests.faulty_providers.corpus import all_faults
from tests.faulty_providers.fault import Call, Driver, Fault
from tests.faulty_providers.faulty import Injector, plan_for_fault
from tests.kit.chain import QUICK

REQUIREMENTS = catalogue()
FAULTS = {each.name: each for each in all_faults()}
SHORT = FAULTS["EXT-001 a granule short"]
CUT = FAULTS["FLT-006 a resize broken off is in progress for ever"]


@contextmanager
def running(fault: Fault | None, transport: Transport = Transport.MEMORY) -> Iterator[RunningSubject]:
    with (
        open_environment(None, transport) as environment,
        RunningSubject(plan_for_fault(Injector(fault), fault.base if fault else "solidfire"), environment, QUICK) as it,
    ):
        yield it


def found(subject: RunningSubject, identifier: str) -> Counterexample:
    """The counterexample that a run leaves."""
    result = run_session(subject, [REQUIREMENTS[identifier]], REQUIREMENTS)
    return counterexample(result.outcomes[identifier], result, Asked("acme:PROVIDER", profile="smoke"))


def again(told: Counterexample) -> Example:
    """As after a way through a file."""
    return example_of(Counterexample.model_validate(json.loads(told.text())), REQUIREMENTS)


# --- exactly, and anywhere -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("fault", [SHORT, CUT], ids=lambda each: each.requirement)
@pytest.mark.parametrize(
    ("here", "there"), [(Transport.MEMORY, Transport.SOCKETS), (Transport.SOCKETS, Transport.MEMORY)]
)
def test_what_was_found_in_one_environment_fails_in_another(fault: Fault, here: Transport, there: Transport) -> None:
    with running(fault, here) as subject:
        told = found(subject, fault.requirement)
    assert told.transport == here
    with running(fault, there) as subject:
        result = replay(again(told), subject, REQUIREMENTS)
    assert (result.failures, result.times) == (1, 1)
    assert result.outcome is not None
    assert result.outcome.finding is not None
    assert result.outcome.requirement.id == fault.requirement
    assert result.outcome.finding.arguments == told.arguments


def test_a_plugin_that_was_mended_passes() -> None:
    with running(CUT) as subject:
        told = found(subject, CUT.requirement)
    with running(None) as subject:
        result = replay(again(told), subject, REQUIREMENTS, times=2)
    assert (result.failures, result.outcome) == (0, None)


def test_the_failure_has_the_words_of_the_run() -> None:
    with running(SHORT) as subject:
        told = found(subject, "EXT-001")
        result = replay(again(told), subject, REQUIREMENTS)
    assert result.outcome is not None
    assert result.outcome.finding is not None
    violation = result.outcome.finding.violation
    assert (violation.expected, violation.observed) == (told.seen.expected, told.seen.observed)


def test_what_breaks_something_else_now_says_what() -> None:
    with running(SHORT) as subject:
        example = again(found(subject, "EXT-001"))
    with running(Fault("PRV-001", "makes nothing", Driver.create, do.fail(lambda call: ValueError("no")))) as subject:
        result = replay(example, subject, REQUIREMENTS)
    assert result.failures == 1
    assert result.outcome is not None
    assert result.outcome.requirement.id == "OPS-003"


def test_what_one_property_met_of_another_is_replayed_where_it_was_met() -> None:
    fault = FAULTS["EXT-003 a repeated resize grows by one granule more"]
    with running(fault) as subject:
        result = run_session(subject, [REQUIREMENTS["EXT-001"], REQUIREMENTS["EXT-003"]], REQUIREMENTS)
        told = counterexample(result.outcomes["EXT-001"], result, Asked("acme:PROVIDER"))
        assert (told.requirement.id, told.found_by) == ("EXT-001", "EXT-003")
        repeated = replay(again(told), subject, REQUIREMENTS)
    assert repeated.outcome is not None
    assert repeated.outcome.requirement.id == "EXT-001"


# --- sometimes -------------------------------------------------------------------------------------------------------


def every_other(change: str) -> Fault:
    """The first resize of every other world is short: two are made, unless the first fails."""
    turns = itertools.cycle([True, False, False])
    return replace(SHORT, title=change, when=lambda call: next(turns))


def sized(fault: Fault) -> Example:
    with running(fault) as subject:
        told = found(subject, "EXT-001")
    arguments = {"start": to_json(Granules(0)), "growth": to_json(Growth(1))}
    return again(told.model_copy(update={"arguments": arguments}))


def test_what_fails_sometimes_is_told_how_often() -> None:
    with running(every_other("sometimes")) as subject:
        result = replay(sized(SHORT), subject, REQUIREMENTS, times=5)
    assert (result.failures, result.is_intermittent) == (3, True)
    assert result.outcome is not None
    assert result.outcome.finding is not None
    assert result.outcome.finding.intermittent


def failing_once(call: Call, _seen: list[int] = []) -> bool:  # noqa: B006  (it is meant to be remembered)
    _seen.append(1)
    return len(_seen) == 1


def test_a_run_says_what_did_not_repeat_of_a_property_without_arguments() -> None:
    fault = Fault("OPS-003", "once", Driver.used, do.fail(lambda call: ValueError("once")), when=failing_once)
    with running(fault) as subject:
        outcome = run_requirement(REQUIREMENTS["OPS-003"], subject)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.finding is not None
    assert outcome.finding.intermittent


def test_what_repeats_is_not_called_intermittent() -> None:
    fault = Fault("OPS-003", "always", Driver.used, do.fail(lambda call: ValueError("always")))
    with running(fault) as subject:
        outcome = run_requirement(REQUIREMENTS["OPS-003"], subject)
    assert outcome.finding is not None
    assert not outcome.finding.intermittent
    assert outcome.examples == 1


# --- what cannot be run ----------------------------------------------------------------------------------------------


def test_what_the_plugin_need_not_do_is_not_replayed() -> None:
    with running(SHORT) as subject:
        example = again(found(subject, "EXT-001"))
        subject.declared.capabilities = {  # type: ignore[misc]
            each: Unsupported("sold separately") if each is Capability.RESIZE else Supported() for each in Capability
        }
        with pytest.raises(WiringError, match=r"EXT-001 cannot be asked here \(NOT_APPLICABLE: resize: sold separa"):
            replay(example, subject, REQUIREMENTS)


def test_a_bug_of_the_kit_is_not_a_failure_of_the_plugin() -> None:
    with running(None) as subject, pytest.raises(KitError, match=r"this is a bug in the kit: ZeroDivisionError"):
        replay(Example(sized(SHORT).told, crashing(), {}), subject, REQUIREMENTS)


def crashing() -> Requirement:
    def body(subject: object) -> None:
        """It MUST work."""
        raise ZeroDivisionError

    requirement("XXX-001")(body)
    made: Requirement = body.requirement  # type: ignore[attr-defined]
    return made


# --- budgets and digests ---------------------------------------------------------------------------------------------


def test_budgets_are_as_documented() -> None:
    assert (PROFILES["smoke"].shrink_seconds, PROFILES["certify"].shrink_seconds) == (2.0, 10.0)


def tried(seconds: float) -> tuple[Outcome, list[int]]:
    """A property that always fails, and what it was tried with."""
    seen: list[int] = []

    def body(subject: object, growth: Growth) -> None:
        seen.append(growth.count)
        broken("nothing", f"{growth.count}", "the test")

    with running(None) as subject:
        subject.profile = replace(QUICK, shrink_seconds=seconds)
        return run_requirement(replace(REQUIREMENTS["EXT-003"], body=body), subject, seed=3), seen


def test_with_no_time_to_shrink_nothing_new_is_tried_and_what_fails_really_runs() -> None:
    outcome, seen = tried(seconds=-1.0)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.finding is not None
    assert not outcome.finding.intermittent
    assert len(set(seen)) == 1
    assert len(seen) > 1


def test_the_digest_is_of_what_is_asked_whatever_becomes_of_it() -> None:
    with running(None) as subject:
        passed = run_requirement(REQUIREMENTS["EXT-001"], subject, seed=3)
    with running(SHORT) as subject:
        failed = run_requirement(REQUIREMENTS["EXT-001"], subject, seed=3)
        unshrunk = run_requirement(REQUIREMENTS["EXT-001"], subject, seed=3, shrink=False)
    assert (passed.verdict, failed.verdict) == (Verdict.PASSED, Verdict.FAILED)
    digest = inputs_digest(REQUIREMENTS["EXT-001"], QUICK, 3)
    assert [passed.inputs_digest, failed.inputs_digest, unshrunk.inputs_digest] == [digest] * 3
    assert inputs_digest(REQUIREMENTS["EXT-001"], QUICK, 4) != digest


# --- what is asked again ---------------------------------------------------------------------------------------------


def test_the_parameters_of_another_plugin_are_its_own() -> None:
    told = sized(SHORT).told.model_copy(update={"parameters": {"pool": "gold"}})
    assert asked_again(told, Changed()).parameters == {"pool": "gold"}
    assert asked_again(told, Changed(provider="other:P", parameters=["tier=1"])).parameters == {"tier": "1"}


def test_an_environment_that_is_not_here_is_asked_for() -> None:
    told = sized(SHORT).told.model_copy(update={"environment": "their/lab.toml"})
    with pytest.raises(WiringError, match=r"found in environment their/lab.toml, which is not here; give --environ"):
        replayed(told, Changed(), "replay", lambda line: None)


def test_a_profile_that_is_not_known_any_more_is_no_obstacle() -> None:
    told = sized(SHORT).told.model_copy(update={"profile": "gone"})
    assert asked_again(told, Changed()).profile in PROFILES
