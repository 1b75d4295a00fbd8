"""`storage-conformance new`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from conformance.cli.interrupt import stoppable
from conformance.session import EXIT_INTERRUPTED
from conformance.skeleton.names import names_for
from conformance.skeleton.writing import write


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the plugin and its project, such as acme-flash.")],
    *,
    into: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder in which the plugin's own folder is made, named NAME.")
    ] = Path(),
    package: Annotated[
        str | None, typer.Option(metavar="PACKAGE", help="What is imported; made from NAME if left out: acme_flash.")
    ] = None,
) -> None:
    """Begin a plugin: write a project that can be registered, and that a run leads through to the end.

    The project has a driver, a life cycle, a client that talks JSON over HTTPS, and what is declared. Everything
    optional is declared as unsupported. Each `run` ends with the method to write next, and the requirement that
    answers for it.

    Then:
      cd acme-flash
      storage-conformance run --provider acme_flash:PROVIDER --profile smoke
      storage-conformance explain initialize              what the contract asks of a method

    Examples:
      storage-conformance new acme-flash
      storage-conformance new acme-flash --into plugins --package acme_flash_driver
    """
    names = names_for(name, package)
    try:
        with stoppable():
            folder = write(names, into)
    except KeyboardInterrupt:
        typer.echo("storage-conformance: interrupted; nothing was written", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    typer.echo(f"Wrote {folder}; its README.md says what to do in which order. To begin:\n")
    typer.echo(f"  cd {shlex.quote(str(folder))}")
    typer.echo(f"  storage-conformance run --provider {names.package}:PROVIDER --profile smoke")
