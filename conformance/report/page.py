"""What `report.html` shows, made from the record alone: groups, matrix and pictures, ready to be laid out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from conformance.report import sequence, topology
from conformance.report.as_text import MOVES, given_lines, interruption
from conformance.report.record import CauseRecord, FindingRecord, PlaceRecord, Record, RequirementRecord, TimingRecord
from conformance.report.sequence import Diagram

_EXCHANGE: Final = re.compile(
    r"during (\w+): (\w+) (\S+) (.*?) -> (?:(\d+) (.*?)|no answer)(?: \[injected: ([^]]*)\])?", re.DOTALL
)
_MANY: Final = 12
_FEW: Final = 8
TITLES: Final[Mapping[str, str]] = {
    "PASSED": "passed",
    "FAILED": "failed",
    "BLOCKED": "blocked",
    "STALE_WAIVER": "waiver over",
    "KIT_ERROR": "kit error",
    "NOT_TRIED": "not tried",
    "NOT_VERIFIED": "not verified",
    "WAIVED": "waived",
    "NOT_APPLICABLE": "not applicable",
}
_GROUPS: Final[Mapping[str, str]] = {
    "KIT_ERROR": "The kit is at fault",
    "NOT_TRIED": "Not tried",
    "STALE_WAIVER": "Waivers that are over",
    "BLOCKED": "Blocked, because another requirement failed",
    "NOT_VERIFIED": "Not verified: could not be looked at here",
    "NOT_APPLICABLE": "Not applicable: the plugin says that it cannot do this",
    "WAIVED": "Waived",
}


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One exchange with the array; `head` is all there is where the line is not of the usual form."""

    head: str
    sent: str = ""
    got: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed requirement with its seven parts."""

    place: int
    requirement: RequirementRecord
    finding: FindingRecord
    arguments: Sequence[str]
    move: str
    picture: str
    cause: CauseRecord

    @property
    def before(self) -> Sequence[str]:
        """The calls that are not looked at first, where there are many."""
        return self.finding.steps[: -len(self.last)] if self.last else ()

    @property
    def wire(self) -> Sequence[Exchanged]:
        """The exchanges, taken apart where they are of the usual form."""
        return [_exchanged(each) for each in self.finding.wire]

    @property
    def last(self) -> Sequence[str]:
        """The calls that led to what was observed."""
        steps = self.finding.steps
        return steps if len(steps) <= _MANY else steps[-_FEW:]


@dataclass(frozen=True, slots=True)
class Reasons:
    """Requirements of one verdict, by the reason."""

    verdict: str
    title: str
    reasons: Sequence[tuple[str, Sequence[RequirementRecord]]]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with its picture; `timing` is missing where it never succeeded."""

    anchor: str
    name: str
    by_user: bool
    picture: str
    timing: TimingRecord | None


class Page:
    """A view of one record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.by_id = {each.id: each for each in record.requirements}
        self.titles = TITLES

    @property
    def started(self) -> str:
        """When, for people; as it was written if it is no time."""
        try:
            return f"{datetime.fromisoformat(self.record.started):%-d %B %Y, %H:%M %Z}"
        except ValueError:
            return self.record.started

    @property
    def interruption(self) -> str:
        """What has to be known before the score is read; empty where the run was whole."""
        if not self.record.was_interrupted:
            return ""
        if not self.record.chosen:
            # Written by a kit that did not count them.
            return "Interrupted: this is about what ran until then."
        return interruption(self.record.not_tried, self.record.chosen)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """Verdicts that occurred, the good one first."""
        known = [(each, self.record.counts.get(each, 0)) for each in TITLES]
        others = [(each, count) for each, count in self.record.counts.items() if each not in TITLES]
        return [(verdict, count) for verdict, count in (*known, *others) if count > 0]

    @property
    def failures(self) -> list[Failure]:
        """Ranked, the cause first."""
        found = [self.by_id[each] for each in self.record.ranked if each in self.by_id]
        causes = {name: each for each in self.record.causes for name in (each.first, *each.others)}
        return [
            _failure(place, each, each.finding, causes.get(each.id, CauseRecord(first=each.id)))
            for place, each in enumerate(found, 1)
            if each.finding is not None
        ]

    @property
    def groups(self) -> list[Reasons]:
        """What neither passed nor failed, and why."""
        return [each for each in (self._group(*pair) for pair in _GROUPS.items()) if each.reasons]

    def _group(self, verdict: str, title: str) -> Reasons:
        by_reason: dict[str, list[RequirementRecord]] = {}
        for each in self.record.requirements:
            if each.verdict == verdict:
                reason = f"blocked by {each.blocked_by}" if each.blocked_by else each.reason or TITLES[verdict]
                by_reason.setdefault(reason, []).append(each)
        return Reasons(verdict, title, list(by_reason.items()))

    @property
    def places(self) -> list[PlaceRecord]:
        """The matrix's columns: without a hypervisor first."""
        seen = {each.place for each in self.record.requirements}
        return sorted(seen, key=lambda each: (each.hypervisor, each.access_model))

    @property
    def areas(self) -> dict[str, list[RequirementRecord]]:
        """The matrix's rows."""
        found: dict[str, list[RequirementRecord]] = {}
        for each in self.record.requirements:
            found.setdefault(each.area, []).append(each)
        return found

    @property
    def operations(self) -> list[Operation]:
        """Each operation with its picture; operations of users first."""
        timings = {(each.party, each.name): each for each in self.record.timings}
        found = []
        for number, each in enumerate(self.record.operations, 1):
            anchor = f"operation-{number}"
            title = f"{each.name}: who called what when"
            party = "cloud" if each.by_user else "plugin"
            picture = sequence.drawn(Diagram(f"{anchor}-picture", title, each.messages))
            found.append(Operation(anchor, each.name, each.by_user, picture, timings.get((party, each.name))))
        return found

    @property
    def timings(self) -> dict[str, list[TimingRecord]]:
        """Times by who was called."""
        found: dict[str, list[TimingRecord]] = {}
        for each in self.record.timings:
            found.setdefault(each.party, []).append(each)
        return found

    @property
    def topology(self) -> str:
        """The picture of what the plugin was tried with."""
        return topology.drawn(self.record)


def _exchanged(line: str) -> Exchanged:
    found = _EXCHANGE.fullmatch(line)
    if found is None:
        return Exchanged(line)
    call, verb, path, sent, status, got, fault = found.groups(default="")
    answer = f"→ {status}" if status else "→ no answer"
    return Exchanged(f"{call}: {verb} {path} {answer}", sent, got, fault)


def place_title(place: PlaceRecord) -> str:
    """A column's head."""
    where = topology.hypervisor(place.hypervisor) if place.hypervisor else "array alone"
    return f"{where} · {place.access_model}" if place.access_model else where


def _failure(place: int, requirement: RequirementRecord, finding: FindingRecord, cause: CauseRecord) -> Failure:
    title = f"{requirement.id}: who called what when, until it failed"
    diagram = Diagram(f"failure-{place}-picture", title, finding.messages)
    arguments = [line for name, value in finding.arguments.items() for line in given_lines(name, value)]
    return Failure(
        place, requirement, finding, arguments, MOVES.get(finding.move, finding.move), sequence.drawn(diagram), cause
    )
