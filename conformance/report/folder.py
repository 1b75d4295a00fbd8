"""The folder that reports go to: known to be writable before a run, written whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from conformance.errors import WiringError

_OURS: Final = re.compile(r"[A-Z]{3}-\d{3}\.(json|py)")


def check_writable(folder: Path) -> None:
    """Write there for a try; raises `WiringError`. What was made for the try is removed again."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WiringError(
            f"cannot write reports to {folder}: {error.strerror or error}; "
            "give another folder with --report; nothing was started"
        ) from None
    finally:
        _remove(made)


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write each file under its name; a reader sees the old one or the new one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write_one(folder / name, content) for name, content in files.items()]
    except OSError as error:
        raise WiringError(f"cannot write reports to {folder}: {error.strerror or error}") from error


def remove_older(folder: Path, names: Collection[str]) -> None:
    """Remove counterexamples of an earlier run: a report tells of one run only. `names` may end in what stays."""
    staying = {Path(each).name for each in names}
    try:
        for old in folder.glob("*") if folder.is_dir() else ():
            if _OURS.fullmatch(old.name) and old.name not in staying:
                old.unlink()
        if folder.is_dir() and not names and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise WiringError(f"cannot remove older counterexamples in {folder}: {error.strerror or error}") from error


def _write_one(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        # Lone surrogates, such as a name that is no text, must not cost the whole report.
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(content)
        # mkstemp lets only the owner read; a report is for whoever may read the folder.
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        if folder.is_dir():
            folder.rmdir()
