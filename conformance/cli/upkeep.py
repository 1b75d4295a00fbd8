"""`storage-conformance doctor` and `storage-conformance clean`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from conformance import clean as cleaning
from conformance import doctor as health
from conformance.asked import Asked, parsed
from conformance.errors import WiringError
from conformance.opening import JOURNAL
from conformance.session import EXIT_COULD_NOT_RUN, EXIT_FINDINGS


def doctor(
    *,
    environment: Annotated[Path | None, typer.Option(metavar="FILE", help="Try this environment file too.")] = None,
) -> None:
    """Look at what works on this machine, and tell what to do about what does not.

    Exit status 0 if a run is possible, else 2.

    Example:
      storage-conformance doctor
    """
    checks = health.examine(environment)
    for each in checks:
        step = f"; {each.next_step}" if each.state is not health.State.FINE and each.next_step else ""
        typer.echo(f"{each.state:<8} {each.name:<24} {each.told}{step}")
    possible = health.can_run(checks)
    typer.echo(f"\nA run is {'possible' if possible else 'not possible'} here.")
    raise typer.Exit(0 if possible else EXIT_COULD_NOT_RUN)


def clean(
    *,
    provider: Annotated[str, typer.Option(metavar="NAME", help="The plugin that was run.")] = "",
    journal: Annotated[Path, typer.Option(metavar="FILE", help="The journal of the run that was killed.")] = JOURNAL,
    environment: Annotated[Path | None, typer.Option(metavar="FILE", help="The environment file of that run.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="The store parameters of that run.")
    ] = None,
) -> None:
    """Remove what a killed run left on an array: through the plugin, and only what the journal names.

    Exit status 0 if nothing is left, 1 if something could not be removed; it stays in the journal.

    Example:
      storage-conformance clean --provider acme:PROVIDER --environment lab.toml
    """
    if not provider:
        raise WiringError("no plugin was named; give --provider module:attribute")
    if not journal.exists():
        typer.echo(f"there is no journal {journal}: nothing was left behind")
        return
    asked = Asked(provider, environment, parameters=parsed(parameter or []))
    # Worlds replace sys.stdout while they are open.
    stdout = sys.stdout
    done = cleaning.clean(asked, journal, lambda told: typer.echo(told, file=stdout))
    for problem in done.problems:
        typer.echo(f"could not remove {problem}", err=True)
    typer.echo(f"{done.gone} removed, {len(done.problems)} left")
    raise typer.Exit(EXIT_FINDINGS if done.problems else 0)
