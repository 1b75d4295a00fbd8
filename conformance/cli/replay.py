"""`storage-conformance replay`, and what a script that stands alone does."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from conformance.asked import Asked, parsed
from conformance.catalogue import catalogue
from conformance.clean import tidy
from conformance.cli.interrupt import stoppable
from conformance.counterexample import SIMULATED, Counterexample, Example, example_of
from conformance.counterexample_source import load
from conformance.errors import WiringError
from conformance.opening import opened
from conformance.profile import DEFAULT_PROFILE, PROFILES
from conformance.replay import Replayed
from conformance.replay import replay as run_again
from conformance.report.as_text import failure
from conformance.session import EXIT_FINDINGS, EXIT_INTERRUPTED, EXIT_PASSED
from conformance.verdict import Finding

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Changed:
    """What is to be other than it was when the counterexample was found; empty: as it was."""

    provider: str = ""
    environment: str = ""
    parameters: Sequence[str] = ()
    times: int = 1


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A counterexample, a report folder, or its report.json.")
    ],
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Which requirement, where the report has several failures.")
    ] = "",
    *,
    provider: Annotated[str, typer.Option(metavar="NAME", help="Another plugin than it was found with.")] = "",
    environment: Annotated[
        str, typer.Option(metavar="FILE", help="Another environment; simulated is the built-in one.")
    ] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A store parameter; NAME=env:VARIABLE takes a secret."),
    ] = None,
    times: Annotated[int, typer.Option(metavar="N", help="Run it so often, for what fails sometimes.", min=1)] = 1,
) -> None:
    """Run a counterexample again, exactly: the same property with the same arguments.

    Examples:
      storage-conformance replay conformance-report/counterexamples/EXT-003.json
      storage-conformance replay conformance-report EXT-003 --times 20
      storage-conformance replay EXT-003.json --provider acme:PROVIDER --environment lab.toml

    Exit status:
      0    it passes now
      1    it fails again
      2    it could not be run: the line printed says what to change
      130  interrupted; everything was cleaned up
    """
    changed = Changed(provider, environment, parameter or [], times)
    command = shlex.join(["storage-conformance", "replay", str(file), *([identifier] if identifier else [])])
    # Worlds replace sys.stdout while they are open.
    stdout = sys.stdout
    status = replayed(load(file, identifier), changed, command, lambda line: typer.echo(line, file=stdout))
    raise typer.Exit(status)


def replayed(told: Counterexample, changed: Changed, command: str, say: Say) -> int:
    """Run it again and say what came of it; answers the exit status. Raises `WiringError` when it cannot be run."""
    requirements = catalogue()
    example = example_of(told, requirements)
    asked = asked_again(told, changed)
    try:
        with stoppable(), opened(asked) as subject:
            say(_heading(example, asked, subject.declared.version))
            result = run_again(example, subject, requirements, times=changed.times)
            left = tidy(subject, say).problems
    except KeyboardInterrupt:
        typer.echo("storage-conformance: interrupted; the counterexample was not run to its end", err=True)
        return EXIT_INTERRUPTED
    words = [command, *_options(changed)]
    say(_told(result, told, lambda finding: f"{' '.join(words)}\nor anew: {asked.replay(finding)}"))
    for problem in left:
        say(f"Left on the array: {problem}")
    return EXIT_FINDINGS if result.failures else EXIT_PASSED


def asked_again(told: Counterexample, changed: Changed) -> Asked:
    """What was asked for when it was found, but for what is to be other."""
    provider = changed.provider or told.subject.reference
    if not provider:
        raise WiringError(
            f"the counterexample knows its plugin as {told.subject.name} only; "
            "give --provider module:attribute; nothing was started"
        )
    # Another plugin has parameters of its own.
    kept = told.parameters if provider == told.subject.reference else {}
    profile = told.profile if told.profile in PROFILES else DEFAULT_PROFILE
    given = parsed(changed.parameters)
    return Asked(provider, _environment(told, changed), profile, told.seed, {**kept, **given})


def _environment(told: Counterexample, changed: Changed) -> Path | None:
    name = changed.environment or told.environment
    if name == SIMULATED:
        return None
    if not changed.environment and not Path(name).exists():
        raise WiringError(
            f"it was found in environment {name}, which is not here; give --environment FILE, "
            f"or --environment {SIMULATED}; nothing was started"
        )
    return Path(name)


def _options(changed: Changed) -> list[str]:
    pairs = [("--provider", changed.provider), ("--environment", changed.environment)]
    pairs += [("--parameter", each) for each in changed.parameters]
    pairs += [("--times", str(changed.times))] if changed.times > 1 else []
    return [f"{name} {shlex.quote(value)}" for name, value in pairs if value]


def _heading(example: Example, asked: Asked, version: str) -> str:
    told = example.told
    subject = f"{told.subject.name} {told.subject.version}"
    return (
        f"Replaying {told.requirement.id} on {asked.provider} {version} in environment "
        f"{asked.environment or SIMULATED}; found with kit {told.kit_version} on {subject} in {told.environment}\n"
    )


def _told(result: Replayed, told: Counterexample, command: Callable[[Finding], str]) -> str:
    identifier = told.requirement.id
    if result.outcome is None:
        return f"{identifier} passes now{_often(result.times, result.times)}"
    now, often = result.outcome.requirement.id, _often(result.failures, result.times)
    how = f"fails again{often}" if now == identifier else f"fails otherwise{often}: what is broken now is {now}"
    verdict = "FAILED(intermittent)" if result.is_intermittent else "FAILED"
    return f"{failure(result.outcome, command)}\n\n{verdict}: {identifier} {how}"


def _often(number: int, times: int) -> str:
    return f", {number} of {times} times" if times > 1 else ""
