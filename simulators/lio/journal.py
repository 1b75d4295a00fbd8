"""What one owner has made, noted before it is made, so that whoever comes after a crash can remove it."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISKS: Final = "disks"
_TARGETS: Final = "targets"
_LOCK: Final = "lock"


class Journal:
    """A directory that is locked as long as its owner lives; `prefix` begins the names of its storage objects."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.prefix = f"{directory.name}-"
        (directory / DISKS).mkdir(parents=True, mode=0o700, exist_ok=True)
        self._lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        self.is_held = _locked(self._lock)
        (directory / _TARGETS).mkdir(exist_ok=True)

    @property
    def disks(self) -> Path:
        """Where the owner's disks are."""
        return self.directory / DISKS

    def targets(self) -> list[str]:
        """Names of the targets that were made, or were about to be."""
        return sorted(each.name for each in (self.directory / _TARGETS).iterdir())

    def add(self, iqn: str) -> None:
        """Note a target that is about to be made."""
        (self.directory / _TARGETS / iqn).touch()

    def remove(self, iqn: str) -> None:
        """Forget a target that is gone."""
        (self.directory / _TARGETS / iqn).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go, without removing anything."""
        os.close(self._lock)


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Let nobody else come or go."""
    directory.mkdir(parents=True, exist_ok=True)
    door = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield
    finally:
        os.close(door)


def _locked(file: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
