"""Hosts in a process of their own: ``python -m simulators.libvirt.daemon <socket>``.

Each line on the Unix socket is a request ``[world, call, arguments…]``, answered by ``["ok", result]`` or by
``["libvirt", code, domain, …]``. It ends when its standard input does: with whoever started it, however that ended.
"""

from __future__ import annotations

import contextlib
import os
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import libvirt

from simulators.iscsi.byte_stream import dial_socket
from simulators.libvirt.cluster import ClusterSimulator
from simulators.libvirt.initiator_login import login_over
from simulators.libvirt.rpc import RpcError, decode, encode
from simulators.libvirt.values import Value

READY = b"ready\n"


class Worlds:
    """All worlds of this daemon, by name."""

    def __init__(self) -> None:
        self._clusters: dict[str, ClusterSimulator] = {}

    def answer(self, request: Value) -> Value:
        """Carry out one request."""
        world, call, *arguments = cast("Sequence[Value]", request)
        if call == "open":
            self._clusters[str(world)] = ClusterSimulator(login_over(dial_socket))
            return None
        if call == "close":
            self._clusters.pop(str(world)).close()
            return None
        if world not in self._clusters or call not in _CALLS:
            raise RpcError(f"there is no world {world!r} or no call {call!r}")
        return _CALLS[str(call)](self._clusters[str(world)], *arguments)


_CALLS: Final[Mapping[str, Callable[..., Value]]] = {
    "add_host": ClusterSimulator.add_host,
    "remove_host": ClusterSimulator.remove_host,
    "reach": lambda cluster, uuid: cluster.set_reachable(uuid, is_reachable=True),
    "lose": lambda cluster, uuid: cluster.set_reachable(uuid, is_reachable=False),
    "call": ClusterSimulator.call,
    "plant": lambda cluster, uuid, xml, is_active: cluster.plant_pool(uuid, xml, is_active=is_active),
    "pools": ClusterSimulator.pool_states,
    "text": ClusterSimulator.text,
}


class _Client(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        worlds = cast("_Server", self.server).worlds
        for line in self.rfile:
            self.wfile.write(encode(_reply(worlds, line)))


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: str) -> None:
        self.worlds = Worlds()
        super().__init__(path, _Client)


def _reply(worlds: Worlds, line: bytes) -> Value:
    try:
        return ["ok", worlds.answer(decode(line))]
    except libvirt.libvirtError as error:
        return ["libvirt", *error.err]
    except Exception as error:
        # The client must hear of it, whatever it is: a silent daemon would look like a dead host.
        return ["bug", f"{type(error).__name__}: {error}"]


def _end_with_parent(socket: Path) -> None:
    sys.stdin.buffer.read()
    # Whoever started it was killed, or this process would have been: nobody else removes the directory.
    with contextlib.suppress(OSError):
        socket.unlink()
        socket.parent.rmdir()
    os._exit(0)


def main(path: str) -> None:
    """Serve until standard input ends."""
    libvirt.registerErrorHandler(lambda *_: None, None)
    threading.Thread(target=_end_with_parent, args=(Path(path),), daemon=True).start()
    with _Server(path) as server:
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        server.serve_forever(poll_interval=3600)


if __name__ == "__main__":
    main(sys.argv[1])
