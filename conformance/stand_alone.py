"""What the script of a counterexample calls: it needs this package and the plugin, and no file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from conformance.main import COULD_NOT_RUN, incomplete, shadowed


def main(content: Mapping[str, object], arguments: Sequence[str] | None = None) -> int:
    """Run the counterexample again; answers the exit status of `storage-conformance replay`."""
    trouble = shadowed() or incomplete()
    if trouble:
        sys.stderr.write(f"storage-conformance: {trouble}\n")
        return COULD_NOT_RUN
    asked = _parser().parse_args(arguments)
    # Last, so that a plugin in this folder is found, and nothing in it hides what is installed.
    sys.path.append(str(Path.cwd()))
    return _replayed(content, asked)


def _replayed(content: Mapping[str, object], asked: argparse.Namespace) -> int:
    from conformance.cli.replay import Changed, replayed
    from conformance.counterexample import read
    from conformance.errors import KitError

    script, stdout, stderr = Path(sys.argv[0]).name, sys.stdout, sys.stderr
    changed = Changed(asked.provider, asked.environment, asked.parameter, asked.times)
    try:
        return replayed(
            read(content, script), changed, f"python {script}", lambda line: print(line, file=stdout, flush=True)
        )
    except KitError as error:
        stderr.writelines(f"{script}: {line}\n" for line in str(error).splitlines())
        return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Run this counterexample again.",
        epilog="Exit status: 0 it passes now, 1 it fails again, 2 it could not be run.",
    )
    parser.add_argument("--provider", default="", metavar="NAME", help="another plugin than it was found with")
    parser.add_argument(
        "--environment", default="", metavar="FILE", help="another environment; simulated is the built-in one"
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a store parameter; NAME=env:VARIABLE takes a secret",
    )
    parser.add_argument("--times", type=_positive, default=1, metavar="N", help="run it so often")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return number
