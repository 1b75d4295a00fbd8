"""Texts that people read, compared with what was read and found good.

`python -m pytest tests/kit --update-golden` writes those that differ: read them in the diff before they are committed.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "snapshots"
UPDATE: Final = "CONFORMANCE_UPDATE_GOLDEN"
"""Set by --update-golden; a variable, so that workers of pytest-xdist see it too."""


def expect_snapshot(name: str, text: str) -> None:
    file = FOLDER / f"{name}.txt"
    known = file.read_text(encoding="utf-8") if file.exists() else ""
    if text == known:
        return
    if os.environ.get(UPDATE):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return
    differing = "\n".join(
        difflib.unified_diff(known.splitlines(), text.splitlines(), str(file.name), "now", lineterm="")
    )
    raise AssertionError(f"{differing}\nif this is better: python -m pytest tests/kit --update-golden")
