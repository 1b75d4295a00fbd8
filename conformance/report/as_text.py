"""A result for people: the score, then each failure in seven parts, then what else there is to know.

The seven parts, in this order: id, strength and sentence; expected, observed and by whom; the calls that show it;
the last exchanges on the wire; what was declared; whose move it is; the command that replays it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from conformance.grouping import Cause, causes
from conformance.report import next_step
from conformance.report.version import kit_version
from conformance.session import Result
from conformance.verdict import Finding, Outcome, Verdict
from conformance.waivers import digest_of, template

Replay = Callable[[Finding], str]
SHORT_STEPS: Final = 3
MOVES: Final = {
    "plugin": "plugin: it did not do what the contract asks for",
    "environment": "environment: what the run was wired to is not as it should be; the plugin is not to blame",
    "kit": "kit: this is a bug in the kit; please report it with this text",
}
_GROUPS: Final[Mapping[Verdict, str]] = {
    Verdict.KIT_ERROR: "The kit is at fault",
    Verdict.NOT_TRIED: "Not tried",
    Verdict.STALE_WAIVER: "Waivers that are over",
    Verdict.BLOCKED: "Blocked, because another requirement failed",
    Verdict.NOT_VERIFIED: "Not verified: could not be looked at here",
    Verdict.NOT_APPLICABLE: "Not applicable: the plugin says that it cannot do this",
    Verdict.WAIVED: "Waived",
}


# What somebody answers for is told with its strength, each by itself.
_ONE_BY_ONE: Final = frozenset({Verdict.WAIVED, Verdict.STALE_WAIVER})


def summary(result: Result, replay: Replay, *, verbose: bool = False) -> str:
    """The whole text; the cause in full, the other failures in short unless `verbose`."""
    parts = [*_interrupted(result), score_line(result)]
    wrong = [each for each in result.ranked if not result.outcomes[each].unwritten]
    for place, cause in enumerate(causes(wrong, result.outcomes), 1):
        tell = failure if verbose or place == 1 else short_failure
        parts.append(f"{place}. {tell(result.outcomes[cause.first], replay)}{_company(cause, result)}")
        if verbose:
            parts += [f"as {place}. {failure(result.outcomes[each], replay)}" for each in cause.others]
    parts += [*_how_to_waive(result), *_counts(result), *_groups(result), *_new(result), *next_step.told(result)]
    return "\n\n".join(parts) + "\n"


def interruption(not_tried: int, chosen: int) -> str:
    """What has to be known before the score of an interrupted run is read."""
    return f"Interrupted: {not_tried} of {chosen} chosen requirements were not tried, and count as not passed."


def _interrupted(result: Result) -> list[str]:
    return [interruption(result.not_tried, result.chosen)] if result.was_interrupted else []


def score_line(result: Result) -> str:
    """The first line of the report on a whole run: the score with its denominator, and of what."""
    passed, of = result.score
    waived = result.count(Verdict.WAIVED)
    besides = f" ({waived} waived)" if waived else ""
    return (
        f"{passed} of {of} requirements passed{besides}: {result.provider} {result.version}, "
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
        ("Replay", (replay(finding),)),
        *_waive(outcome),
    ]
    return _laid_out(outcome, rows)


def short_failure(outcome: Outcome, replay: Replay) -> str:
    """What was expected and seen, the last calls, and the command that shows the rest."""
    finding = _finding(outcome)
    rows = [
        *_seen(finding),
        ("Calls", _last_calls(finding)),
        ("Move", (_move(finding),)),
        ("Replay", (replay(finding),)),
        *_waive(outcome),
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
    given = [line for name, value in finding.arguments.items() for line in given_lines(name, value)]
    return (*given, *finding.steps) or ("none were made",)


def given_lines(name: str, value: object) -> list[str]:
    """An argument; a program step by step."""
    if isinstance(value, list):
        return [f"with {name} =", *(f"   {as_argument(each)}" for each in value)]
    return [f"with {name} = {as_argument(value)}"]


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


def _company(cause: Cause, result: Result) -> str:
    """What a failure stands for besides itself."""
    others = [result.outcomes[each].requirement for each in cause.others]
    rows = [
        ("Also", [f"{each.id} {each.strength}: {each.sentence}" for each in others]),
        ("Blocks", [" ".join(cause.blocks)] if cause.blocks else []),
    ]
    return "".join(f"\n{line}" for title, texts in rows for line in _row(title, texts))


def _waive(outcome: Outcome) -> list[tuple[str, tuple[str, ...]]]:
    """What a waiver would have to name; the summary shows a whole one."""
    if outcome.verdict is Verdict.STALE_WAIVER:
        return [("Waiver", (outcome.reason,))]
    digest = digest_of(outcome)
    named = f'ids = ["{outcome.requirement.id}"]' + (f', digest = "{digest}"' if digest else "")
    return [("Waive", (f"{named} in a file for --waivers",))]


def _laid_out(outcome: Outcome, rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    requirement = outcome.requirement
    lines = [f"{requirement.id} {requirement.strength}: {requirement.sentence}"]
    for title, texts in rows:
        lines += _row(title, texts)
    return "\n".join(lines)


def _row(title: str, texts: Iterable[str]) -> list[str]:
    shown = [line for text in texts for line in text.splitlines() or [""]]
    return [f"   {title if first else '':<9} {line}" for first, line in _marked(shown)]


def _marked(lines: Iterable[str]) -> Iterator[tuple[bool, str]]:
    for number, line in enumerate(lines):
        yield number == 0, line


def _how_to_waive(result: Result) -> Iterator[str]:
    failed = [each for each in map(result.outcomes.__getitem__, result.ranked) if each.verdict is Verdict.FAILED]
    if failed:
        entry = textwrap.indent(template(failed[0], result.today), "   ")
        yield f"A failure that is known, and that somebody answers for, can be waived in a file for --waivers:\n{entry}"


def _new(result: Result) -> Iterator[str]:
    """What came after the set was frozen: tried, told, and counted from the next version on."""
    lines = [f"   {_new_line(result.outcomes[each])}" for each in sorted(result.uncounted)]
    if lines:
        yield "\n".join([f"New since {result.profile}: tried, and does not count yet", *lines])


def _new_line(outcome: Outcome) -> str:
    told = f"{outcome.verdict:<14} {outcome.requirement.id} {outcome.requirement.strength}"
    if outcome.finding is not None:
        seen = outcome.finding.violation
        return f"{told}: expected {seen.expected}; {seen.observer} observed {seen.observed}"
    return told if outcome.verdict is Verdict.PASSED else f"{told}: {brief(outcome)}"


def _one_by_one(result: Result, verdict: Verdict, title: str) -> Iterator[str]:
    found = [each for each in result.counted if each.verdict is verdict]
    if found:
        lines = [f"   {each.requirement.id} {each.requirement.strength}: {brief(each)}" for each in found]
        yield "\n".join([title, *lines])


def _counts(result: Result) -> Iterator[str]:
    counted = [(each, result.count(each)) for each in Verdict]
    if result.outcomes:
        yield "\n".join(["Verdicts", *(f"   {each:<14} {count:>4}" for each, count in counted if count)])


def _groups(result: Result) -> Iterator[str]:
    for verdict, title in _GROUPS.items():
        if verdict in _ONE_BY_ONE:
            yield from _one_by_one(result, verdict, title)
            continue
        by_reason: dict[str, list[str]] = {}
        for outcome in result.counted:
            # What a failure blocks is told with that failure.
            if outcome.verdict is verdict and outcome.blocked_by not in result.ranked:
                identifier = outcome.requirement.id
                by_reason.setdefault(brief(outcome), []).append(identifier)
        if by_reason:
            lines = [f"   {reason}: {' '.join(identifiers)}" for reason, identifiers in by_reason.items()]
            yield "\n".join([title, *lines])
