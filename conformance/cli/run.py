"""`storage-conformance run`."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from hypothesis.configuration import set_hypothesis_home_dir
from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.theme import Theme

from conformance.asked import Asked, parsed
from conformance.catalogue import catalogue
from conformance.clean import tidy
from conformance.cli.interrupt import stoppable
from conformance.cli.progress import COLOURS, shown
from conformance.environments.file import read_environment
from conformance.errors import WiringError
from conformance.opening import journal_path, opened, profile_named
from conformance.profile import DEFAULT_PROFILE
from conformance.report import as_text, folder
from conformance.report.whole import DEFAULT, Reports
from conformance.requirement import Requirement
from conformance.session import EXIT_INTERRUPTED, Result, Trying, choose, run_session
from conformance.waivers import read_waivers
from conformance.workers import side_by_side

_MOST_WORKERS: Final = 4


class Order(StrEnum):
    """In which order requirements are tried."""

    CATALOGUE = "catalogue"
    RANDOM = "random"


def run(
    *,
    provider: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="module:attribute of the plugin's factory, or the name it is installed under."
        ),
    ] = "",
    environment: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Environment file; without one everything is simulated.")
    ] = None,
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="smoke, certify (a version of it: certify-0.1) or soak.")
    ] = DEFAULT_PROFILE,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID|AREA", help="Only this requirement or area; can be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="What random inputs are drawn from.", min=0)] = None,
    order: Annotated[
        Order, typer.Option(metavar="catalogue|random", help="In which order requirements are tried.")
    ] = Order.CATALOGUE,
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A store parameter; NAME=env:VARIABLE takes a secret."),
    ] = None,
    report: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Folder for report.json, report.html, junit.xml and counterexamples."),
    ] = DEFAULT,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to note what is made, for `clean`; a real array always has one."),
    ] = None,
    waivers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known failures: why, who answers for them, until when.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-n",
            metavar="N",
            min=1,
            help="Processes that try requirements side by side; by default one for each core, up to four.",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell every failure in full.")] = False,
) -> None:
    """Try a plugin against the requirements, and say what holds.

    Examples:
      storage-conformance run --provider minimal --profile smoke
      storage-conformance run --provider acme:PROVIDER --only ACC --only EXT-001
      storage-conformance run --provider acme:PROVIDER --environment lab.toml
          --parameter pool=gold --parameter token=env:ACME_TOKEN

    Exit status:
      0    at least one requirement passed, and nothing was found
      1    there are findings
      2    the run could not be made, or the kit is at fault
      3    certify: nothing failed, and a MUST could not be verified here
      130  interrupted; the report holds what ran
    """
    console = told_on(sys.stdout)
    asked = Asked(provider, environment, profile_named(profile).name, _seed(seed, profile), parsed(parameter or []))
    if not provider:
        raise WiringError("no plugin was named; give --provider module:attribute; nothing was started")
    try:
        with stoppable(), leaves_no_cache():
            result, started, left = _result(asked, only or [], order, console, report, journal, waivers, workers)
            reports = Reports(report, asked, started)
            written = reports.write(result)
    except KeyboardInterrupt:
        # Not left to typer, which ends without a word.
        typer.echo("storage-conformance: interrupted; nothing was run", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    console.print(as_text.summary(result, reports.replay, verbose=verbose), soft_wrap=True)
    for problem in left:
        console.print(f"Left on the array: {problem}", soft_wrap=True)
    # Last: whatever is wrong with the page, the record and what it says have been told.
    written.append(reports.write_page())
    console.print(f"Reports: {', '.join(written)}", soft_wrap=True)
    raise typer.Exit(result.exit_status)


def _result(
    asked: Asked,
    only: Sequence[str],
    order: Order,
    console: Console,
    report: Path,
    journal: Path | None,
    waivers: Path | None,
    workers: int | None,
) -> tuple[Result, str, Sequence[str]]:
    """The result, when the run started, and what could not be removed after it."""
    requirements = catalogue()
    chosen = ordered(choose(requirements, only), order, asked.seed)
    known = read_waivers(waivers, requirements)
    folder.check_writable(report)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with _trying(asked, journal, workers, len(chosen)) as trying, opened(asked, journal=journal) as subject:
        with shown(console, [each.id for each in chosen]) as progress:
            result = run_session(
                subject,
                chosen,
                requirements,
                seed=asked.seed,
                listen=progress.ended,
                waivers=known,
                trying=trying,
            )
        # An interrupt ends a world in the middle; on an array that is not simulated things may be left then.
        return result, started, tidy(subject, lambda told: console.print(told, soft_wrap=True)).problems


def _trying(
    asked: Asked, journal: Path | None, workers: int | None, requirements: int
) -> AbstractContextManager[Trying | None]:
    """Side by side where all is simulated and there is more than one core; else one after the other."""
    if journal_path(read_environment(asked.environment, asked.provider), journal) is not None:
        if workers is not None and workers > 1:
            raise WiringError("--workers is for runs without a journal: one process keeps it; nothing was started")
        return nullcontext()
    count = min(workers or min(len(os.sched_getaffinity(0)), _MOST_WORKERS), requirements)
    return side_by_side(asked, count) if count > 1 else nullcontext()


@contextmanager
def leaves_no_cache() -> Iterator[None]:
    """Hypothesis keeps what it computes once in the current directory, where it is nothing of ours."""
    with TemporaryDirectory(prefix="storage-conformance-") as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


def ordered(chosen: Sequence[Requirement], order: Order, seed: int) -> list[Requirement]:
    """The requirements in the order they are tried in."""
    mixed = list(chosen)
    if order is Order.RANDOM:
        random.Random(seed).shuffle(mixed)
    return mixed


def _seed(given: int | None, profile: str) -> int:
    """A random profile without a seed draws one, and the report tells it."""
    if given is None and profile_named(profile).is_random:
        return random.SystemRandom().randrange(2**32)
    return given or 0


class _Verdicts(RegexHighlighter):
    """Colours verdicts and the titles of the seven parts."""

    base_style = "verdict."
    highlights = [  # noqa: RUF012  (the base class declares it so)
        *(rf"\b(?P<{each}>{each})\b" for each in COLOURS),
        r"^   (?P<title>Expected|Observed|Calls|Wire|Declared|Move|Replay|Waive|Waiver|Also|Blocks) ",
        r"^(?P<score>\d+ of \d+ requirements passed)",
    ]


def told_on(stream: object) -> Console:
    """A console that keeps writing to this stream, whatever becomes of sys.stdout."""
    styles = {f"verdict.{verdict}": colour for verdict, colour in COLOURS.items()}
    theme = Theme({**styles, "verdict.title": "dim", "verdict.score": "bold"})
    return Console(file=stream, highlighter=_Verdicts(), theme=theme, markup=False, emoji=False)  # type: ignore[arg-type]
