from __future__ import annotations

import stat
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from simulators.lio import cpio_codec as cpio

PATHS = st.lists(st.sampled_from(["bin", "lib", "x", "file"]), min_size=1, max_size=3).map("/".join)


def unpacked(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Read it as the kernel does: 110 bytes of header, name and content each padded to four."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        header = archive[at : at + 110]
        assert header[:6] == b"070701"
        numbers = [int(header[6 + 8 * n : 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        name = archive[at + 110 : at + 109 + name_size].decode()
        at = -(-(at + 110 + name_size) // 4) * 4
        content, at = archive[at : at + size], -(-(at + size) // 4) * 4
        if name == "TRAILER!!!":
            assert at == len(archive)
            return found
        found[name] = (mode, content)


@given(st.dictionaries(PATHS, st.binary(max_size=9).map(cpio.file), min_size=1))
def test_what_is_packed_can_be_unpacked(entries: Mapping[str, cpio.Entry]) -> None:
    found = unpacked(cpio.packed(entries))
    assert {path: content for path, (mode, content) in found.items() if stat.S_ISREG(mode)} == {
        path: each.content for path, each in entries.items()
    }


def test_directories_come_before_what_is_in_them() -> None:
    found = unpacked(cpio.packed({"usr/lib/b": cpio.file(b"x"), "lib": cpio.link("usr/lib")}))
    assert list(found) == ["lib", "usr", "usr/lib", "usr/lib/b"]
    assert stat.S_ISDIR(found["usr/lib"][0])
    assert stat.S_ISLNK(found["lib"][0])
    assert found["lib"][1] == b"usr/lib"


def test_programs_can_be_run() -> None:
    found = unpacked(cpio.packed({"init": cpio.file(b"#!/bin/sh", is_executable=True)}))
    assert found["init"][0] == stat.S_IFREG | 0o755
