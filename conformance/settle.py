"""From what each property saw to what is wrong: whose failure is whose consequence, and in which order to read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from conformance.catalogue import depth, foundations
from conformance.requirement import Requirement
from conformance.verdict import Finding, Outcome, Verdict

_STRENGTHS: Final = ("MUST", "SHOULD", "MAY")


def settle(outcomes: Iterable[Outcome], requirements: Mapping[str, Requirement]) -> dict[str, Outcome]:
    """Charge findings where they belong, and block what rests on something that failed.

    A finding charged to a requirement that passed by itself makes it FAILED with that counterexample: a plugin may go
    wrong only in company that the requirement's own property does not keep.
    """
    settled = {each.requirement.id: each for each in outcomes}
    for finding in _shortest(settled.values()):
        home = settled.get(finding.requirement_id)
        if home is None or home.verdict not in {Verdict.FAILED, Verdict.KIT_ERROR}:
            base = home or Outcome(requirements[finding.requirement_id], Verdict.PASSED)
            settled[finding.requirement_id] = base.became(Verdict.FAILED, finding=finding, blocked_by=None)
    return _blocked(settled, requirements)


def _shortest(outcomes: Iterable[Outcome]) -> list[Finding]:
    """One finding for each requirement charged: the one with the fewest calls."""
    best: dict[str, Finding] = {}
    for finding in (each for outcome in outcomes for each in outcome.charged):
        known = best.get(finding.requirement_id)
        if known is None or len(finding.steps) < len(known.steps):
            best[finding.requirement_id] = finding
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

    return sorted((each for each, outcome in settled.items() if outcome.verdict is Verdict.FAILED), key=key)
