"""Texts that people read, compared with what was read and found good. Delete a file to have it written anew."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"


def expect_snapshot(name: str, text: str) -> None:
    file = FOLDER / f"{name}.txt"
    if not file.exists():
        file.write_text(text, encoding="utf-8")
        raise AssertionError(f"{file.name} was written: read it, then run again")
    assert text == file.read_text(encoding="utf-8")
