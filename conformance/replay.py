"""Run a counterexample again, exactly: the same property with the same arguments, on any subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from conformance.counterexample import Example
from conformance.errors import KitError, WiringError
from conformance.requirement import Requirement
from conformance.run import run_example
from conformance.subject import RunningSubject
from conformance.verdict import Certainty, Finding, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Replayed:
    """How often it failed, and the first failure; None when there was none."""

    times: int
    failures: int
    outcome: Outcome | None

    @property
    def is_intermittent(self) -> bool:
        """Whether it failed at some times and not at others."""
        return 0 < self.failures < self.times


def replay(
    example: Example, subject: RunningSubject, requirements: Mapping[str, Requirement], *, times: int = 1
) -> Replayed:
    """Run it `times` times. Raises `WiringError` when it cannot be asked here, `KitError` when the kit goes wrong."""
    ground = subject.ground()
    failed: list[Outcome] = []
    for _ in range(times):
        outcome = run_example(example.requirement, subject, example.arguments, ground=ground)
        finding = _finding(_ran(outcome), example.told.requirement.id)
        if finding is not None:
            one = requirements.get(finding.requirement_id, example.requirement)
            failed.append(_as_told(outcome, one, finding, example))
    first = failed[0] if failed else None
    if first is not None and first.finding is not None and len(failed) < times:
        first = first.became(Verdict.FAILED, finding=replace(first.finding, intermittent=True))
    return Replayed(times, len(failed), first)


def _as_told(outcome: Outcome, one: Requirement, finding: Finding, example: Example) -> Outcome:
    """A failure as a run would tell it: with the digest of all that the requirement was asked with."""
    digest = example.told.inputs_digest if one.id == example.told.requirement.id else ""
    return outcome.became(Verdict.FAILED, requirement=one, finding=finding, blocked_by=None, inputs_digest=digest)


def _ran(outcome: Outcome) -> Outcome:
    if outcome.verdict is Verdict.KIT_ERROR:
        raise KitError(f"this is a bug in the kit: {outcome.reason}; please report it with the counterexample")
    if outcome.verdict in {Verdict.NOT_APPLICABLE, Verdict.NOT_VERIFIED}:
        raise WiringError(
            f"{outcome.requirement.id} cannot be asked here ({outcome.verdict}: {outcome.reason}); "
            "name another --provider or --environment"
        )
    return outcome


def _finding(outcome: Outcome, identifier: str) -> Finding | None:
    """The finding that is meant; else another one that stands in its place."""
    found = [*([outcome.finding] if outcome.finding else []), *outcome.charged]
    same = next((each for each in found if each.requirement_id == identifier), None)
    if same is not None or not found:
        return same
    steps = [each for each in found if each.violation.certainty is Certainty.STEP]
    if steps and outcome.requirement.id == identifier:
        # A step that fails in this company alone was charged to the property, as after a whole run.
        return replace(steps[0], requirement_id=identifier)
    return found[0]
