"""What each failure leaves for a replay: a file to run again, and a script that can be mailed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from conformance.asked import Asked
from conformance.counterexample import (
    FORMAT,
    SCHEMA_VERSION,
    SIMULATED,
    Counterexample,
    Seen,
    ToldRequirement,
    ToldSubject,
    injected,
)
from conformance.report import as_script
from conformance.report.version import kit_version
from conformance.session import Result
from conformance.verdict import Finding, Outcome

FOLDER: Final = "counterexamples"


def files(result: Result, asked: Asked, also: Iterable[Outcome] = ()) -> dict[str, str]:
    """Names below the report folder and their contents: two for each requirement that failed.

    `also`: outcomes that were told as failures, whatever became of them when all were settled.
    """
    failed = [*result.ranked, *(name for name in result.uncounted if result.outcomes[name].finding)]
    outcomes = {each.requirement.id: each for each in also if each.finding is not None}
    outcomes |= {name: result.outcomes[name] for name in failed}
    told = {name: counterexample(each, result, asked) for name, each in outcomes.items()}
    return {
        **{f"{FOLDER}/{name}.json": each.text() for name, each in told.items()},
        **{f"{FOLDER}/{name}.py": as_script.text(each) for name, each in told.items()},
    }


def replay_of(folder: Path, asked: Asked) -> Callable[[Finding], str]:
    """Two commands: one runs the counterexample that was left in the folder, one looks for it anew."""

    def told(finding: Finding) -> str:
        file = folder / FOLDER / f"{finding.requirement_id}.json"
        return f"{shlex.join(['storage-conformance', 'replay', str(file)])}\nor anew: {asked.replay(finding)}"

    return told


def counterexample(outcome: Outcome, result: Result, asked: Asked) -> Counterexample:
    """The counterexample of a requirement that failed."""
    finding = outcome.finding
    if finding is None:
        raise ValueError(f"{outcome.requirement.id} is {outcome.verdict} and has no finding to keep")
    one = outcome.requirement
    return Counterexample(
        format=FORMAT,
        schema_version=SCHEMA_VERSION,
        kit_version=kit_version(),
        requirement=ToldRequirement(id=one.id, strength=one.strength, sentence=one.sentence),
        found_by=finding.found_by or one.id,
        arguments=dict(finding.arguments),
        subject=ToldSubject(reference=asked.provider, name=result.provider, version=result.version),
        environment=str(asked.environment) if asked.environment else SIMULATED,
        transport=result.transport,
        profile=result.profile,
        seed=asked.seed,
        parameters=dict(asked.parameters),
        inputs_digest=outcome.inputs_digest,
        injected=injected(finding.arguments),
        declared={**result.declarations, "led_here": list(finding.declared)},
        seen=_seen(finding),
    )


def _seen(finding: Finding) -> Seen:
    violation = finding.violation
    return Seen(
        expected=violation.expected,
        observed=violation.observed,
        observer=violation.observer,
        calls=list(finding.steps),
        intermittent=finding.intermittent,
    )
