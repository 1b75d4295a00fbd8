"""The command and its sub-commands, and what becomes of errors: one line, and the exit status that says so."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from conformance.cli import listing, new, replay, report, run, simulate, upkeep
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


def help_of(function: Callable[..., object]) -> str:
    """The docstring; its paragraphs with indented lines are shown as they are written."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n\n".join(f"\b\n{each}" if "\n  " in each else each for each in paragraphs)


def _all_commands(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print a traceback when the kit itself fails.")] = False,
) -> None:
    """Find out whether a cloud storage plugin is right before its customers do.

    Start here:
      storage-conformance doctor                          what works on this machine
      storage-conformance new NAME                        begin a plugin
      storage-conformance run --provider module:attribute try your plugin
      storage-conformance explain ID                      understand what it found
    """


_COMMANDS: Final[Mapping[str, Callable[..., None]]] = {
    "run": run.run,
    "replay": replay.replay,
    "list": listing.list_requirements,
    "explain": listing.explain,
    "report": report.report,
    "new": new.new,
    "simulate": simulate.simulate,
    "doctor": upkeep.doctor,
    "clean": upkeep.clean,
}
app.callback(help=help_of(_all_commands))(_all_commands)
for _name, _command in _COMMANDS.items():
    app.command(_name, help=help_of(_command))(_command)


def call(arguments: Sequence[str]) -> int:
    """Run the command line; answers the exit status."""
    stderr = sys.stderr
    # Last, so that a plugin in this folder is found, and nothing in it hides what is installed.
    sys.path.append(str(Path.cwd()))
    try:
        typer.main.get_command(app)(args=list(arguments), prog_name="storage-conformance")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except KitError as error:
        stderr.writelines(f"storage-conformance: {line}\n" for line in str(error).splitlines())
    except Exception as error:
        _told_bug(error, stderr, verbose="--verbose" in arguments)
    return EXIT_COULD_NOT_RUN


def _told_bug(error: Exception, stderr: TextIO, *, verbose: bool) -> None:
    more = "" if verbose else "; --verbose shows the traceback, please report it"
    stderr.write(f"storage-conformance: this is a bug in the kit: {type(error).__name__}: {error}{more}\n")
    if verbose:
        traceback.print_exception(error, file=stderr)
