"""`storage-conformance report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conformance.report import as_html, folder, reading


def report(
    source: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="A report.json, or the folder it is in.")],
    *,
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for report.html; by default beside report.json.")
    ] = None,
) -> None:
    """Write report.html again from a report.json, perhaps of another machine or an earlier version.

    Example:
      storage-conformance report conformance-report
    """
    found = reading.read(source)
    beside = source if source.is_dir() else source.parent
    (written,) = folder.write(into or beside, {as_html.FILE: as_html.render(found)})
    typer.echo(written)
