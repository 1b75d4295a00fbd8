"""Which failures are one: what failed in the same way, and what was not tried because of it, stands under the first.

Two failures have one cause when the same call raised the same error, or when the same thing was expected and something
else seen in its place; names, ids and numbers are another's in each world and do not tell failures apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.verdict import Finding, Outcome, Verdict

_OF_ONE_WORLD: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{12,}\b|\d+")
_RAISED: Final = re.compile(r"\A\d+\. (?P<site>\w+\.\w+)\(.*\) -> raised (?P<error>\w+): (?P<said>.*)\Z", re.DOTALL)
Signature = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """The failure to read, those that look the same, and what was BLOCKED by any of them."""

    first: str
    others: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()


def causes(ranked: Sequence[str], outcomes: Mapping[str, Outcome]) -> list[Cause]:
    """The failures in their order, each cause once."""
    alike: dict[Signature, list[str]] = {}
    for identifier in ranked:
        alike.setdefault(_signature(identifier, outcomes[identifier].finding), []).append(identifier)
    return [Cause(first, tuple(others), _blocked(outcomes, {first, *others})) for first, *others in alike.values()]


def _blocked(outcomes: Mapping[str, Outcome], group: set[str]) -> tuple[str, ...]:
    return tuple(
        identifier
        for identifier, each in outcomes.items()
        if each.verdict is Verdict.BLOCKED and each.blocked_by in group
    )


def _signature(identifier: str, finding: Finding | None) -> Signature:
    if finding is None:
        return (identifier,)
    violation = finding.violation
    for step in reversed(finding.steps):
        raised = _RAISED.match(step)
        if raised and violation.observed == f"{raised['error']}: {raised['said']}":
            return raised["site"], raised["error"], _plain(raised["said"])
    return violation.observer, _plain(violation.expected), _plain(violation.observed)


def _plain(text: str) -> str:
    return _OF_ONE_WORLD.sub("#", text)
