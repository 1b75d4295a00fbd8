"""From what each property saw to what is wrong: whose failure is whose consequence, and in which order to read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from conformance.catalogue import depth, foundations
from conformance.requirement import Requirement
from conformance.verdict import Certainty, Finding, Outcome, Verdict

_STRENGTHS: Final = ("MUST", "SHOULD", "MAY")


def settle(outcomes: Iterable[Outcome], requirements: Mapping[str, Requirement]) -> dict[str, Outcome]:
    """Charge findings where they belong, and block what rests on something that failed.

    What was *seen* to break a requirement makes it FAILED with that counterexample, wherever it was met: a plugin may
    go
    wrong only in company that the requirement's own property does not keep. A *step* that failed says so only when its
    requirement cannot pass by itself; when it can, the failure is the finder's, the one that rests on least first. What
    failed only while cleaning up counts when there is nothing else.
    """
    settled = {each.requirement.id: each for each in outcomes}
    charged = _shortest(settled.values())
    for finding in charged:
        if finding.violation.certainty is Certainty.SEEN:
            _fail(settled, finding.requirement_id, finding, requirements)
    for finding in charged:
        if finding.violation.certainty is Certainty.STEP:
            _charge_step(settled, finding.requirement_id, requirements)
    if not any(each.verdict is Verdict.FAILED for each in settled.values()):
        for finding in charged:
            _fail(settled, finding.requirement_id, finding, requirements)
    return _blocked(settled, requirements)


def _fail(
    settled: dict[str, Outcome], identifier: str, finding: Finding, requirements: Mapping[str, Requirement]
) -> None:
    known = settled.get(identifier)
    if known is None or known.verdict not in {Verdict.FAILED, Verdict.KIT_ERROR}:
        base = known or Outcome(requirements[identifier], Verdict.PASSED)
        settled[identifier] = base.became(Verdict.FAILED, finding=finding, blocked_by=None)


def _charge_step(settled: dict[str, Outcome], home: str, requirements: Mapping[str, Requirement]) -> None:
    stopped = {
        each.requirement.id: finding
        for each in settled.values()
        if each.verdict is Verdict.BLOCKED and not each.requirement.watches
        for finding in each.charged
        if finding.requirement_id == home and each.blocked_by == home
    }
    if home in settled and settled[home].verdict is Verdict.PASSED and stopped:
        first = min(stopped, key=lambda each: (depth(each, requirements), len(stopped[each].steps), each))
        _fail(settled, first, replace(stopped.pop(first), requirement_id=first), requirements)
        for each in stopped:
            settled[each] = settled[each].became(Verdict.BLOCKED, blocked_by=first)
    elif home not in settled or settled[home].verdict is not Verdict.PASSED or not stopped:
        _fail(settled, home, _step_charged(settled, home), requirements)


def _step_charged(settled: Mapping[str, Outcome], home: str) -> Finding:
    return next(
        finding
        for each in settled.values()
        for finding in each.charged
        if finding.requirement_id == home and finding.violation.certainty is Certainty.STEP
    )


def _shortest(outcomes: Iterable[Outcome]) -> list[Finding]:
    """One finding for each requirement charged and each certainty: the one with the fewest calls."""
    best: dict[tuple[str, Certainty], Finding] = {}
    for finding in (each for outcome in outcomes for each in outcome.charged):
        key = finding.requirement_id, finding.violation.certainty
        known = best.get(key)
        if known is None or len(finding.steps) < len(known.steps):
            best[key] = finding
    return list(best.values())


def _blocked(settled: dict[str, Outcome], requirements: Mapping[str, Requirement]) -> dict[str, Outcome]:
    failed = {identifier for identifier, each in settled.items() if each.verdict is Verdict.FAILED}
    result = dict(settled)
    for identifier, outcome in settled.items():
        below = foundations(identifier, requirements) & failed
        if outcome.verdict is Verdict.FAILED and below:
            cause = min(below, key=lambda each: (depth(each, requirements), each))
            result[identifier] = outcome.became(Verdict.BLOCKED, blocked_by=cause)
    return result


def ranking(settled: Mapping[str, Outcome], requirements: Mapping[str, Requirement]) -> Sequence[str]:
    """Ids of the failed requirements, the cause first: depth in `rests_on`, strength, length of counterexample, id."""

    def key(identifier: str) -> tuple[int, int, int, int, str]:
        one, finding = settled[identifier].requirement, settled[identifier].finding
        steps = len(finding.steps) if finding else 0
        arguments = len(json.dumps(finding.arguments)) if finding else 0
        return depth(identifier, requirements), _STRENGTHS.index(one.strength), steps, arguments, identifier

    return sorted((each for each, outcome in settled.items() if _is_to_be_told(outcome)), key=key)


def _is_to_be_told(outcome: Outcome) -> bool:
    """A failure whose waiver is over is one that counts."""
    return outcome.finding is not None and outcome.verdict in {Verdict.FAILED, Verdict.STALE_WAIVER}
