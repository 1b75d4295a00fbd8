"""libiscsi.so by ctypes: logging in, SCSI commands as bytes, discovery. The structures are those of version 1.19."""

from __future__ import annotations

import ctypes as c
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

SONAME: Final = "libiscsi.so.7"
_DISCOVERY, _NORMAL = 1, 2
_NOTHING, _READ, _WRITE = 0, 1, 2
GOOD, CHECK_CONDITION, UNIT_ATTENTION = 0, 2, 6
_TIMEOUT_SECONDS: Final = 20
_STATUS: Final = re.compile(r"\((\d+)\)")


class LoginFailed(Exception):
    """The login ended early; `status` is class and detail in one number (0x0201), or None without an answer."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = _STATUS.search(text)
        self.status = int(found[1]) if found else None


class CommandFailed(Exception):
    """A command ended with another status than GOOD; of CHECK CONDITION, key and code."""

    def __init__(self, status: int, key: int, code: int, text: str) -> None:
        super().__init__(f"status {status:#x}, sense {key:#x}/{code:#06x}: {text}")
        self.status, self.key, self.code = status, key, code


class _Sense(c.Structure):
    _fields_ = (
        ("error_type", c.c_ubyte),
        ("key", c.c_int),
        ("ascq", c.c_int),
        # Three bits of an unsigned, and the next byte: gcc packs both into one word.
        ("specific", c.c_ubyte),
        ("bit_pointer", c.c_ubyte),
        ("field_pointer", c.c_uint16),
    )


class _Data(c.Structure):
    _fields_ = (("size", c.c_int), ("data", c.POINTER(c.c_ubyte)))


class _Task(c.Structure):
    _fields_ = (
        ("status", c.c_int),
        ("cdb_size", c.c_int),
        ("xfer_dir", c.c_int),
        ("expxferlen", c.c_int),
        ("cdb", c.c_ubyte * 16),
        ("residual_status", c.c_int),
        ("residual", c.c_size_t),
        ("sense", _Sense),
        ("datain", _Data),
    )


class _DataOut(c.Structure):
    _fields_ = (("size", c.c_size_t), ("data", c.c_char_p))


class _Address(c.Structure):
    pass


_Address._fields_ = (("next", c.POINTER(_Address)), ("target_name", c.c_char_p), ("portals", c.c_void_p))


@cache
def _library() -> Any:
    found = c.CDLL(SONAME)
    found.iscsi_create_context.restype = c.c_void_p
    found.iscsi_get_error.restype = c.c_char_p
    found.scsi_create_task.restype = c.POINTER(_Task)
    found.iscsi_scsi_command_sync.restype = c.POINTER(_Task)
    found.iscsi_discovery_sync.restype = c.POINTER(_Address)
    return found


class Connection:
    """A session with a target, or for discovery where there is none."""

    def __init__(self, initiator: str, portal: str, target: str, chap: tuple[str, str] | None) -> None:
        library = _library()
        self._context: c.c_void_p | None = c.c_void_p(library.iscsi_create_context(initiator.encode()))
        if target:
            library.iscsi_set_targetname(self._context, target.encode())
        library.iscsi_set_session_type(self._context, _NORMAL if target else _DISCOVERY)
        library.iscsi_set_timeout(self._context, _TIMEOUT_SECONDS)
        library.iscsi_set_noautoreconnect(self._context, 1)
        if chap is not None:
            library.iscsi_set_initiator_username_pwd(self._context, *(each.encode() for each in chap))
        if library.iscsi_connect_sync(self._context, portal.encode()) or library.iscsi_login_sync(self._context):
            text = self._error()
            self.abandon()
            raise LoginFailed(text)

    def command(self, lun: int, cdb: bytes, *, reads: int = 0, data: bytes = b"") -> bytes:
        """Carry out a command, once more after each unit attention; raises `CommandFailed`."""
        for _ in range(4):
            try:
                return self._command(lun, cdb, reads, data)
            except CommandFailed as failed:
                if failed.key != UNIT_ATTENTION:
                    raise
                last = failed
        raise last

    def discovered(self) -> Iterator[str]:
        """Names of targets that SendTargets shows."""
        library = _library()
        first = each = library.iscsi_discovery_sync(self._context)
        while each:
            yield each.contents.target_name.decode()
            each = each.contents.next
        if first:
            library.iscsi_free_discovery_data(self._context, first)

    def close(self) -> None:
        """Log out, if there still is anybody to hear it; twice is harmless."""
        if self._context is not None:
            _library().iscsi_logout_sync(self._context)
        self.abandon()

    def abandon(self) -> None:
        """Forget the session."""
        context, self._context = self._context, None
        if context is not None:
            _library().iscsi_destroy_context(context)

    def _command(self, lun: int, cdb: bytes, reads: int, data: bytes) -> bytes:
        if self._context is None:
            raise CommandFailed(-1, 0, 0, "the session has ended")
        library = _library()
        direction = _READ if reads else _WRITE if data else _NOTHING
        task = library.scsi_create_task(len(cdb), cdb, direction, reads or len(data))
        out = _DataOut(len(data), data)
        done = library.iscsi_scsi_command_sync(self._context, lun, task, c.byref(out) if data else None)
        if not done:
            # Where the connection is gone, the task goes with the context.
            raise CommandFailed(-1, 0, 0, self._error())
        try:
            return self._answer(done.contents)
        finally:
            library.scsi_free_scsi_task(done)

    def _answer(self, task: _Task) -> bytes:
        if task.status != GOOD:
            raise CommandFailed(task.status, task.sense.key, task.sense.ascq, self._error())
        return c.string_at(task.datain.data, task.datain.size) if task.datain.size else b""

    def _error(self) -> str:
        return str(_library().iscsi_get_error(self._context).decode(errors="replace"))
