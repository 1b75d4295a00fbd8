"""A result for machines: `report.json`, the record that every other report could be made from."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from conformance.grouping import causes
from conformance.messages import Message
from conformance.report.as_text import Replay
from conformance.report.record import SCHEMA_VERSION
from conformance.report.version import kit_version
from conformance.requirement import Requirement
from conformance.session import Result
from conformance.surroundings import Surroundings, place_of
from conformance.verdict import Certainty, Finding, Outcome, Verdict, Violation
from conformance.waivers import Waiver


def report(result: Result, replay: Replay, started: str) -> dict[str, object]:
    """The record; `started` is when, in ISO 8601."""
    passed, of = result.score
    return {
        "schema_version": SCHEMA_VERSION,
        "kit_version": kit_version(),
        "was_interrupted": result.was_interrupted,
        "not_tried": result.not_tried,
        "chosen": result.chosen,
        "contract_version": result.contract_version,
        "provider": {"name": result.provider, "version": result.version},
        "profile": result.profile,
        "seed": result.seed,
        "hookup": str(result.hookup),
        "declared": dict(result.declared),
        "started": started,
        "seconds": round(result.seconds, 3),
        "exit_status": result.exit_status,
        "score": {"passed": passed, "of": of},
        "counts": {str(each): result.count(each) for each in Verdict},
        "ranked": list(result.ranked),
        "causes": [asdict(each) for each in causes(result.ranked, result.outcomes)],
        "uncounted": sorted(result.uncounted),
        "waivers": {name: _waiver(each) for name, each in result.waivers.items()},
        "requirements": [_requirement(each, replay, result.surroundings) for each in result.outcomes.values()],
        "environment": asdict(result.surroundings) if result.surroundings else None,
        "operations": [asdict(each) for each in result.stories],
        "timings": [asdict(each) for each in result.timings],
    }


def text(result: Result, replay: Replay, started: str) -> str:
    """The record as a file's content."""
    return json.dumps(report(result, replay, started), indent=2, ensure_ascii=False, default=repr) + "\n"


def _waiver(waiver: Waiver) -> dict[str, object]:
    return {"reason": waiver.reason, "owner": waiver.owner, "until": str(waiver.until), "digest": waiver.digest or None}


def _requirement(outcome: Outcome, replay: Replay, around: Surroundings | None) -> dict[str, object]:
    requirement = outcome.requirement
    finding = outcome.finding
    told = None
    if finding is not None:
        told = {**finding_record(finding), "replay": replay(finding)}
    return {
        "id": requirement.id,
        "strength": requirement.strength,
        "area": requirement.area,
        "area_title": _first_line(inspect.getmodule(requirement.body)),
        "subject": str(requirement.subject),
        "sentence": requirement.sentence,
        "verdict": str(outcome.verdict),
        "reason": outcome.reason,
        "blocked_by": outcome.blocked_by,
        "examples": outcome.examples,
        "seconds": round(outcome.seconds, 3),
        "inputs_digest": outcome.inputs_digest,
        "place": asdict(place_of(requirement, around)) if around else {},
        "finding": told,
    }


def _first_line(module: object) -> str:
    """What a module says it is about: the title of the area whose properties it holds."""
    return (inspect.getdoc(module) or "").split("\n")[0].rstrip(".")


def finding_record(finding: Finding) -> dict[str, object]:
    """A finding as plain values."""
    violation = finding.violation
    return {
        "requirement_id": finding.requirement_id,
        "expected": violation.expected,
        "observed": violation.observed,
        "observer": violation.observer,
        "arguments": dict(finding.arguments),
        "steps": list(finding.steps),
        "wire": list(finding.wire),
        "declared": list(finding.declared),
        "move": violation.move,
        "certainty": str(violation.certainty),
        "unwritten": violation.unwritten,
        "intermittent": finding.intermittent,
        "found_by": finding.found_by,
        "messages": [asdict(each) for each in finding.messages],
    }


def outcome_record(outcome: Outcome) -> dict[str, object]:
    """An outcome as plain values, to be carried from one process to another."""
    return {
        "id": outcome.requirement.id,
        "verdict": str(outcome.verdict),
        "reason": outcome.reason,
        "finding": finding_record(outcome.finding) if outcome.finding else None,
        "charged": [finding_record(each) for each in outcome.charged],
        "blocked_by": outcome.blocked_by,
        "examples": outcome.examples,
        "seconds": outcome.seconds,
        "inputs_digest": outcome.inputs_digest,
    }


def outcome_from(record: Mapping[str, Any], requirements: Mapping[str, Requirement]) -> Outcome:
    """The outcome again."""
    finding = record["finding"]
    return Outcome(
        requirements[record["id"]],
        Verdict(record["verdict"]),
        record["reason"],
        _finding_from(finding) if finding else None,
        tuple(_finding_from(each) for each in record["charged"]),
        record["blocked_by"],
        record["examples"],
        record["seconds"],
        record["inputs_digest"],
    )


def _finding_from(record: Mapping[str, Any]) -> Finding:
    violation = Violation(
        record["expected"],
        record["observed"],
        record["observer"],
        record["requirement_id"],
        record["move"],
        Certainty(record["certainty"]),
        record["unwritten"],
    )
    return Finding(
        record["requirement_id"],
        violation,
        record["arguments"],
        tuple(record["steps"]),
        tuple(record["wire"]),
        tuple(record["declared"]),
        intermittent=record["intermittent"],
        found_by=record["found_by"],
        messages=tuple(Message(**each) for each in record["messages"]),
    )
