"""The archive format of a Linux initramfs: `newc` of cpio(5)."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MAGIC: Final = b"070701"
_TRAILER: Final = "TRAILER!!!"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, with the mode bits of stat(2); a symbolic link's content is where it leads."""

    mode: int
    content: bytes = b""


def directory() -> Entry:
    """A directory that everybody may look into."""
    return Entry(stat.S_IFDIR | 0o755)


def file(content: bytes, *, is_executable: bool = False) -> Entry:
    """A regular file."""
    return Entry(stat.S_IFREG | (0o755 if is_executable else 0o644), content)


def link(target: str) -> Entry:
    """A symbolic link."""
    return Entry(stat.S_IFLNK | 0o777, target.encode())


def packed(entries: Mapping[str, Entry]) -> bytes:
    """One archive of all entries and the directories that they lie in; the same entries give the same bytes."""
    whole = {**{each: directory() for each in _parents(entries)}, **entries}
    pieces = [_record(number, path, whole[path]) for number, path in enumerate(sorted(whole), start=1)]
    return b"".join([*pieces, _record(0, _TRAILER, Entry(0))])


def _parents(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        parts = path.split("/")
        yield from ("/".join(parts[:count]) for count in range(1, len(parts)))


def _record(number: int, path: str, entry: Entry) -> bytes:
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    numbers = (number, entry.mode, 0, 0, links, 0, len(entry.content), 0, 0, 0, 0, len(name), 0)
    header = _MAGIC + b"".join(b"%08x" % each for each in numbers) + name
    return _padded(header) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
