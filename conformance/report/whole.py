"""All files of a report, in one folder: the same from the command and from pytest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance.asked import Asked
from conformance.report import as_counterexample, as_html, as_json, as_junit, folder, reading
from conformance.report.as_text import Replay
from conformance.session import Result
from conformance.verdict import Outcome

DEFAULT: Final = Path("conformance-report")


@dataclass(frozen=True, slots=True)
class Reports:
    """Where the reports on one run go; `started` is when it did, in ISO 8601."""

    folder: Path
    asked: Asked
    started: str

    @property
    def replay(self) -> Replay:
        """How a finding is looked at again."""
        return as_counterexample.replay_of(self.folder, self.asked)

    def write(self, result: Result, told: Iterable[Outcome] = ()) -> list[str]:
        """Write record, JUnit and counterexamples; answers where, the counterexamples by their folder.

        `told`: outcomes whose failure was shown before all were settled. Each has its counterexample too.
        """
        record = as_json.text(result, self.replay, self.started)
        files = {reading.FILE: record, "junit.xml": as_junit.text(result, self.replay, self.started)}
        counterexamples = as_counterexample.files(result, self.asked, told)
        place = self.folder / as_counterexample.FOLDER
        folder.remove_older(place, counterexamples)
        written = folder.write(self.folder, files)
        folder.write(self.folder, counterexamples)
        return [*map(str, written), *([f"{place}/"] if counterexamples else [])]

    def write_page(self) -> str:
        """Write the page, from the record alone; answers where."""
        [page] = folder.write(self.folder, {as_html.FILE: as_html.render(reading.read(self.folder))})
        return str(page)
