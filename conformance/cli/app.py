"""The command and its sub-commands, and what becomes of errors: one line, and the exit status that says so."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from conformance.cli import listing, run, simulate, upkeep
from conformance.errors import KitError
from conformance.report.version import kit_version
from conformance.session import EXIT_COULD_NOT_RUN

app = typer.Typer(
    name="storage-conformance",
    no_args_is_help=True,
    add_completion=False,
    # Plain text: the same on a terminal, in a file and in the generated docs.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:  # noqa: FBT001  (called so by typer)
    if asked:
        typer.echo(f"storage-conformance {kit_version()}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print a traceback when the kit itself fails.")
    ] = False,
) -> None:
    """Find out whether a cloud storage plugin is right before its customers do.

    \b
    Start here:
      storage-conformance doctor                          what works on this machine
      storage-conformance run --provider module:attribute try your plugin
      storage-conformance explain ID                      understand what it found
    """


app.command("run")(run.run)
app.command("list")(listing.list_requirements)
app.command("explain")(listing.explain)
app.command("simulate")(simulate.simulate)
app.command("doctor")(upkeep.doctor)
app.command("clean")(upkeep.clean)


def call(arguments: Sequence[str]) -> int:
    """Run the command line; answers the exit status."""
    stderr = sys.stderr
    try:
        typer.main.get_command(app)(args=list(arguments), prog_name="storage-conformance")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except KitError as error:
        stderr.writelines(f"storage-conformance: {line}\n" for line in str(error).splitlines())
    except Exception as error:
        stderr.write(f"storage-conformance: this is a bug in the kit: {type(error).__name__}: {error}\n")
        if "--verbose" in arguments:
            traceback.print_exception(error, file=stderr)
    return EXIT_COULD_NOT_RUN
