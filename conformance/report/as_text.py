"""A result for people: the score, then each failure in seven parts, then what else there is to know.

The seven parts, in this order: id, strength and sentence; expected, observed and by whom; the calls that show it;
the last exchanges on the wire; what was declared; whose move it is; the command that replays it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from conformance.report.version import kit_version
from conformance.session import Result
from conformance.verdict import Finding, Outcome, Verdict

Replay = Callable[[str], str]
SHORT_STEPS: Final = 3
MOVES: Final = {
    "plugin": "plugin: it did not do what the contract asks for",
    "environment": "environment: what the run was wired to is not as it should be; the plugin is not to blame",
    "kit": "kit: this is a bug in the kit; please report it with this text",
}
_GROUPS: Final[Mapping[Verdict, str]] = {
    Verdict.KIT_ERROR: "The kit is at fault",
    Verdict.STALE_WAIVER: "Waivers that are over",
    Verdict.BLOCKED: "Blocked, because another requirement failed",
    Verdict.NOT_VERIFIED: "Not verified: could not be looked at here",
    Verdict.NOT_APPLICABLE: "Not applicable: the plugin says that it cannot do this",
    Verdict.WAIVED: "Waived",
}


def summary(result: Result, replay: Replay, *, verbose: bool = False) -> str:
    """The whole text; the cause in full, the other failures in short unless `verbose`."""
    parts = [score_line(result)]
    if result.was_interrupted:
        parts.append("Interrupted: this is about what ran until then.")
    for place, identifier in enumerate(result.ranked, 1):
        tell = failure if verbose or place == 1 else short_failure
        parts.append(f"{place}. {tell(result.outcomes[identifier], replay)}")
    parts += [*_counts(result), *_groups(result)]
    return "\n\n".join(parts) + "\n"


def score_line(result: Result) -> str:
    """The first line of every report: the score with its denominator, and of what."""
    passed, of = result.score
    return (
        f"{passed} of {of} requirements passed: {result.provider} {result.version}, "
        f"hookup {result.hookup}, profile {result.profile}, seed {result.seed}, "
        f"kit {kit_version()}, contract {result.contract_version}, {result.seconds:.1f} s"
    )


def failure(outcome: Outcome, replay: Replay) -> str:
    """All seven parts."""
    finding = _finding(outcome)
    rows = [
        *_seen(finding),
        ("Calls", _calls(finding)),
        ("Wire", finding.wire or ("nothing was sent to the array",)),
        ("Declared", (", ".join(finding.declared) or "nothing that this depends on",)),
        ("Move", (_move(finding),)),
        ("Replay", (replay(finding.found_by or finding.requirement_id),)),
    ]
    return _laid_out(outcome, rows)


def short_failure(outcome: Outcome, replay: Replay) -> str:
    """What was expected and seen, the last calls, and the command that shows the rest."""
    finding = _finding(outcome)
    rows = [
        *_seen(finding),
        ("Calls", _last_calls(finding)),
        ("Move", (_move(finding),)),
        ("Replay", (replay(finding.found_by or finding.requirement_id),)),
    ]
    return _laid_out(outcome, rows)


def brief(outcome: Outcome) -> str:
    """Why a requirement that did not fail did not pass either, in one line."""
    if outcome.verdict is Verdict.BLOCKED:
        return f"blocked by {outcome.blocked_by}"
    return outcome.reason or str(outcome.verdict).lower().replace("_", " ")


def _finding(outcome: Outcome) -> Finding:
    if outcome.finding is None:
        raise ValueError(f"{outcome.requirement.id} is {outcome.verdict} and has no finding to tell")
    return outcome.finding


def _seen(finding: Finding) -> list[tuple[str, tuple[str, ...]]]:
    violation = finding.violation
    observed = [f"{violation.observed} (by {violation.observer})"]
    if finding.intermittent:
        observed.append("intermittent: the same input did not fail when it was tried again")
    if finding.found_by not in {"", finding.requirement_id}:
        observed.append(f"met while {finding.found_by} was tried")
    return [("Expected", (violation.expected,)), ("Observed", tuple(observed))]


def _calls(finding: Finding) -> tuple[str, ...]:
    given = [f"with {name} = {as_argument(value)}" for name, value in finding.arguments.items()]
    return (*given, *finding.steps) or ("none were made",)


def _last_calls(finding: Finding) -> tuple[str, ...]:
    hidden = len(finding.steps) - SHORT_STEPS
    before = (f"({hidden} calls before)",) if hidden > 0 else ()
    return (*before, *finding.steps[-SHORT_STEPS:]) or ("none were made",)


def as_argument(value: object) -> str:
    """``Granules(count=3)`` for ``{"Granules": {"count": 3}}``."""
    if isinstance(value, Mapping) and len(value) == 1:
        [(kind, fields)] = value.items()
        if isinstance(fields, Mapping):
            return f"{kind}({', '.join(f'{name}={as_argument(each)}' for name, each in fields.items())})"
    if isinstance(value, list):
        return f"[{', '.join(as_argument(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False, default=repr)


def _move(finding: Finding) -> str:
    return MOVES.get(finding.violation.move, finding.violation.move)


def _laid_out(outcome: Outcome, rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    requirement = outcome.requirement
    lines = [f"{requirement.id} {requirement.strength}: {requirement.sentence}"]
    for title, texts in rows:
        shown = [line for text in texts for line in text.splitlines() or [""]]
        lines += [f"   {title if first else '':<9} {line}" for first, line in _marked(shown)]
    return "\n".join(lines)


def _marked(lines: Iterable[str]) -> Iterator[tuple[bool, str]]:
    for number, line in enumerate(lines):
        yield number == 0, line


def _counts(result: Result) -> Iterator[str]:
    counted = [(each, result.count(each)) for each in Verdict]
    if result.outcomes:
        yield "\n".join(["Verdicts", *(f"   {each:<14} {count:>4}" for each, count in counted if count)])


def _groups(result: Result) -> Iterator[str]:
    for verdict, title in _GROUPS.items():
        by_reason: dict[str, list[str]] = {}
        for identifier, outcome in result.outcomes.items():
            if outcome.verdict is verdict:
                by_reason.setdefault(brief(outcome), []).append(identifier)
        if by_reason:
            lines = [f"   {reason}: {' '.join(identifiers)}" for reason, identifiers in by_reason.items()]
            yield "\n".join([title, *lines])
