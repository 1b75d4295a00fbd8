"""The client's side of the daemon: start it, and reach the hosts of one world in it."""

from __future__ import annotations

import contextlib
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from simulators.libvirt.daemon import READY
from simulators.libvirt.faults import ErrorTuple, from_tuple, unreachable
from simulators.libvirt.rpc import RpcError, decode, encode
from simulators.libvirt.values import Value

_START_SECONDS = 20.0
_ANSWER_SECONDS = 30.0


class DaemonProcess:
    """The daemon, in a private directory; it ends with `close` or with this process."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="libvirt-"))
        self.socket_path = str(self._folder / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulators.libvirt.daemon", self.socket_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            # Ctrl-C is for whoever started it, who may still want to look at the hosts while cleaning up.
            start_new_session=True,
        )
        self._await_ready()

    def close(self) -> None:
        """Stop it and remove its directory."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _await_ready(self) -> None:
        output = self._process.stdout
        readable = [] if output is None else select.select([output], [], [], _START_SECONDS)[0]
        if output is None or not readable or output.readline() != READY:
            self.close()
            raise RpcError(f"the libvirt daemon did not start within {_START_SECONDS:g} s; see its stderr")


class RemoteCluster:
    """A world in the daemon. Every thread has a connection of its own, so hosts are called in parallel."""

    def __init__(self, socket_path: str, world: str) -> None:
        self._path, self._world = socket_path, world
        self._lock = threading.Lock()
        self._idle: list[_Line] = []
        self._is_closed = False
        self._ask("open")

    def add_host(self, uuid: str, name: str) -> None:
        """A host joins."""
        self._ask("add_host", uuid, name)

    def remove_host(self, uuid: str) -> None:
        """A host is gone with all that was on it."""
        self._ask("remove_host", uuid)

    def set_reachable(self, uuid: str, *, is_reachable: bool) -> None:
        """A host stops answering, or answers again."""
        self._ask("reach" if is_reachable else "lose", uuid)

    def call(self, uuid: str, procedure: str, arguments: Sequence[Value]) -> Value:
        """Run one procedure of one host; a dead daemon is a dead host."""
        try:
            return self._ask("call", uuid, procedure, list(arguments))
        except OSError:
            raise unreachable(uuid) from None

    def plant_pool(self, uuid: str, xml: str, *, is_active: bool) -> None:
        """Somebody else makes a storage pool on one host."""
        self._ask("plant", uuid, xml, is_active)

    def pool_states(self, uuid: str) -> Sequence[Value]:
        """Every storage pool of one host with its XML and its state."""
        return cast("Sequence[Value]", self._ask("pools", uuid))

    def text(self) -> str:
        """All XML and the log."""
        return str(self._ask("text"))

    def close(self) -> None:
        """End the world; a daemon that is gone has ended it already."""
        with contextlib.suppress(OSError, RpcError):
            self._ask("close")
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    def _ask(self, call: str, *arguments: Value) -> Value:
        line = self._take()
        try:
            reply = line.ask([self._world, call, *arguments])
        except BaseException:
            line.close()
            raise
        self._give_back(line)
        return _result(reply)

    def _take(self) -> _Line:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Line(self._path)

    def _give_back(self, line: _Line) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(line)
                return
        line.close()


class _Line:
    """One connection, used by one thread at a time."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(_ANSWER_SECONDS)
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise
        self._file = self._socket.makefile("rb")

    def ask(self, request: Value) -> Value:
        self._socket.sendall(encode(request))
        line = self._file.readline()
        if not line:
            raise ConnectionResetError("the daemon closed the connection")
        return decode(line)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def _result(reply: Value) -> Value:
    kind, *details = cast("Sequence[Value]", reply)
    if kind == "libvirt":
        raise from_tuple(cast("ErrorTuple", tuple(details)))
    if kind != "ok":
        raise RpcError(str(details[0]))
    return details[0]
