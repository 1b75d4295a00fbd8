"""What a run makes on something real, written to disk before each call, so that `clean` can undo what a killed run
left.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO


class Journal:
    """Lines of JSON: ``{"made": uuid, …}`` before a create, ``{"gone": uuid}`` after its delete. None: keep nothing."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def intend(self, kind: str, uuid: str, entry: Mapping[str, object]) -> None:
        """Write that something is about to be made; on disk when this returns."""
        self._write({"made": uuid, "kind": kind, **entry})

    def gone(self, uuid: str) -> None:
        """Write that it is gone."""
        self._write({"gone": uuid})

    def close(self) -> None:
        """Close the file; an empty account of leftovers removes it."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self.path is not None and self.path.exists() and not leftovers(self.path):
            self.path.unlink()

    def _write(self, line: Mapping[str, object]) -> None:
        if self.path is None:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._file = os.fdopen(descriptor, "a", encoding="utf-8")
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def leftovers(path: Path) -> list[dict[str, object]]:
    """What a journal says was made and is not known to be gone, newest first. A torn last line is ignored."""
    made: dict[str, dict[str, object]] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        if "gone" in line:
            gone = str(line["gone"])
            # A store takes all of its own with it, and a volume or template whoever was let in to it.
            above = ("store", "volume")
            made = {
                uuid: each for uuid, each in made.items() if gone not in {uuid, *(each.get(name) for name in above)}
            }
        else:
            made[str(line["made"])] = line
    return list(reversed(made.values()))
