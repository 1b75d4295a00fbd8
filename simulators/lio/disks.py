"""Disks: sparse files, and the loop devices by which LIO sees them, so that they can grow while they are used."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from simulators.lio.errors import LioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# linux/loop.h and linux/falloc.h
_LOOP_SET_FD: Final = 0x4C00
_LOOP_CLR_FD: Final = 0x4C01
_LOOP_SET_CAPACITY: Final = 0x4C07
_LOOP_SET_BLOCK_SIZE: Final = 0x4C09
_LOOP_CTL_GET_FREE: Final = 0x4C82
_KEEP_SIZE: Final = 1
_PUNCH_HOLE: Final = 2
_TRIES: Final = 16
_PIECE_BYTES: Final = 1 << 20
_ST_BLOCK_BYTES: Final = 512


class Disks:
    """Sparse files in one directory, some of them with a loop device."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loops: dict[str, str] = {}

    def create(self, name: str, size_bytes: int) -> None:
        """Make a disk of zeros."""
        with self._opened(name, os.O_RDWR | os.O_CREAT | os.O_EXCL) as file:
            os.ftruncate(file, size_bytes)

    def copy(self, source: str, name: str) -> None:
        """Make a disk that holds what another holds."""
        with self._opened(source) as old, self._opened(name, os.O_RDWR | os.O_CREAT | os.O_EXCL) as new:
            os.ftruncate(new, os.fstat(old).st_size)
            _copy_extents(old, new)

    def overwrite(self, source: str, name: str) -> None:
        """Let a disk hold what another holds, as much of it as fits; it keeps its size and stays in use."""
        with self._opened(source) as old, self._opened(name) as new:
            size_bytes = os.fstat(new).st_size
            _punch(new, 0, size_bytes)
            _copy_extents(old, new)
            os.ftruncate(new, size_bytes)

    def resize(self, name: str, size_bytes: int) -> None:
        """Change a disk's size; what uses it sees the new one at once."""
        with self._opened(name) as file:
            os.ftruncate(file, size_bytes)
        if name in self._loops:
            with _device(self._loops[name]) as loop:
                fcntl.ioctl(loop, _LOOP_SET_CAPACITY, 0)

    def delete(self, name: str) -> None:
        """Forget a disk and what is on it."""
        self.detach(name)
        (self._directory / name).unlink()

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Exactly so many bytes; zeros where nothing was written or the disk ends."""
        with self._opened(name) as file:
            return os.pread(file, length, offset).ljust(length, b"\0")

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Store bytes."""
        with self._opened(name) as file:
            _write(file, offset, data)

    def punch(self, name: str, offset: int, length: int) -> None:
        """Give bytes back: they read as zeros."""
        with self._opened(name) as file:
            _punch(file, offset, length)

    def allocated(self) -> Mapping[str, int]:
        """Bytes that each disk takes up."""
        return {each.name: each.stat().st_blocks * _ST_BLOCK_BYTES for each in self._directory.iterdir()}

    def attach(self, name: str, block_bytes: int) -> str:
        """Give a disk a loop device, whose path is returned."""
        with self._opened(name) as file:
            path = _attached(file)
        self._loops[name] = path
        with _device(path) as loop:
            fcntl.ioctl(loop, _LOOP_SET_BLOCK_SIZE, block_bytes)
        return path

    def detach(self, name: str) -> None:
        """Take its loop device away, if it has one."""
        path = self._loops.pop(name, None)
        if path is not None:
            with _device(path) as loop:
                fcntl.ioctl(loop, _LOOP_CLR_FD, 0)

    @contextmanager
    def _opened(self, name: str, flags: int = os.O_RDWR) -> Iterator[int]:
        try:
            file = os.open(self._directory / name, flags, 0o600)
        except OSError as error:
            raise LioError(f"disk {name}: {error.strerror}") from error
        try:
            yield file
        finally:
            os.close(file)


@contextmanager
def _device(path: str) -> Iterator[int]:
    device = os.open(path, os.O_RDWR)
    try:
        yield device
    finally:
        os.close(device)


def _attached(file: int) -> str:
    """Bind a file to a free loop device; somebody else may be faster each time."""
    with _device("/dev/loop-control") as control:
        for _ in range(_TRIES):
            path = f"/dev/loop{fcntl.ioctl(control, _LOOP_CTL_GET_FREE)}"
            with _device(path) as loop:
                try:
                    fcntl.ioctl(loop, _LOOP_SET_FD, file)
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        raise
                else:
                    return path
    raise LioError("no loop device is free: remove some with losetup -d")


def _punch(file: int, offset: int, length: int) -> None:
    """fallocate(2): `os` has none that makes holes."""
    wanted = (
        ctypes.c_int(file),
        ctypes.c_int(_PUNCH_HOLE | _KEEP_SIZE),
        ctypes.c_int64(offset),
        ctypes.c_int64(length),
    )
    if length > 0 and _libc().fallocate(*wanted) != 0:
        code = ctypes.get_errno()
        raise LioError(f"no hole can be made at {offset}: {os.strerror(code)}")


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _copy_extents(source: int, destination: int) -> None:
    for start, end in _data_extents(source):
        for offset in range(start, end, _PIECE_BYTES):
            _write(destination, offset, os.pread(source, min(_PIECE_BYTES, end - offset), offset))


def _data_extents(file: int) -> Iterator[tuple[int, int]]:
    end = 0
    # ENXIO: there is no more data.
    with suppress(OSError):
        while True:
            start = os.lseek(file, end, os.SEEK_DATA)
            end = os.lseek(file, start, os.SEEK_HOLE)
            yield start, end


def _write(file: int, offset: int, data: bytes) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(file, data[done:], offset + done)
