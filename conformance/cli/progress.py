"""What is seen while a run runs. It writes to the stream it was given: worlds replace sys.stdout meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance.report.as_text import brief
from conformance.verdict import Outcome, Verdict

COLOURS: Final = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.BLOCKED: "red",
    Verdict.KIT_ERROR: "bold magenta",
    Verdict.NOT_VERIFIED: "yellow",
}
_QUIET: Final = frozenset({Verdict.PASSED, Verdict.NOT_APPLICABLE, Verdict.NOT_VERIFIED})


class Shown(Protocol):
    """Something that shows progress."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def ended(self, outcome: Outcome) -> None:
        """Show that a requirement was judged."""


def shown(console: Console, identifiers: Sequence[str]) -> Shown:
    """A bar on a terminal, else a line for each requirement."""
    return Bar(console, identifiers) if console.is_terminal else Lines(console, len(identifiers))


class Lines:
    """One line for each requirement, as it ends."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._done = console, total, 0
        self._not_tried: list[Outcome] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell_not_tried()
        self._console.print()

    def ended(self, outcome: Outcome) -> None:
        """Those that are not tried come in rows, and each row is one line."""
        if not outcome.was_tried:
            self._not_tried.append(outcome)
            return
        self._tell_not_tried()
        self._done += 1
        self._out(_line(outcome))

    def _tell_not_tried(self) -> None:
        if self._not_tried:
            self._done += len(self._not_tried)
            self._out(_not_tried(self._not_tried))
            self._not_tried = []

    def _out(self, line: str) -> None:
        place = f"[{self._done}/{self._total}]"
        self._console.out(f"{place:>9} {line}", highlight=False)
        self._console.file.flush()


class Bar:
    """A bar with counts and the requirement that is being tried; what is found is printed above it."""

    def __init__(self, console: Console, identifiers: Sequence[str]) -> None:
        self._console, self._identifiers = console, identifiers
        self._done, self._counts = 0, Counter[Verdict]()
        # The streams stay as they are: replacing them is the worlds' business.
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(self._current(), total=len(identifiers), counts="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def ended(self, outcome: Outcome) -> None:
        self._done += 1
        self._counts[outcome.verdict] += 1
        if outcome.verdict not in _QUIET and outcome.was_tried:
            colour = COLOURS.get(outcome.verdict, "default")
            self._console.print(f"[{colour}]{escape(_line(outcome))}[/]", highlight=False, soft_wrap=True)
        counts = "  ".join(f"{verdict} {count}" for verdict, count in sorted(self._counts.items()))
        self._progress.update(self._task, advance=1, description=self._current(), counts=counts)

    def _current(self) -> str:
        return self._identifiers[self._done] if self._done < len(self._identifiers) else "done"


def _not_tried(outcomes: Sequence[Outcome]) -> str:
    if len(outcomes) == 1:
        return _line(outcomes[0])
    causes = sorted({str(each.blocked_by) for each in outcomes})
    return f"{Verdict.BLOCKED:<14} {len(outcomes)} not tried: they rest on {', '.join(causes)}"


def _line(outcome: Outcome) -> str:
    requirement = outcome.requirement
    text = f"{outcome.verdict:<14} {requirement.id}  {outcome.seconds:6.2f} s"
    if outcome.verdict is Verdict.PASSED:
        return text
    told = outcome.finding.violation.observed if outcome.finding else brief(outcome)
    return f"{text}  {told}".replace("\n", " ")[:200]
