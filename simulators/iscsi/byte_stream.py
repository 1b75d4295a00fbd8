"""The transport an initiator runs over: a TCP socket, or anything else with the same three methods."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Protocol, TypeAlias

from simulators.iscsi.errors import ConnectionClosed, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable


class ByteStream(Protocol):
    """One connection, used by one thread at a time."""

    def send(self, data: bytes) -> None:
        """Send everything, or raise `ConnectionClosed` or `Timeout`."""

    def receive(self, limit: int) -> bytes:
        """Return at least one and at most `limit` bytes; b"" when the target has closed."""

    def close(self) -> None:
        """Hang up; repeating it is allowed."""


Dial: TypeAlias = "Callable[[str, int], ByteStream]"

DEFAULT_TIMEOUT = 10.0


class SocketStream:
    """A connected TCP socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def send(self, data: bytes) -> None:
        """Send everything."""
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise Timeout("the target did not take our data in time") from error
        except OSError as error:
            raise ConnectionClosed(f"the connection broke while sending: {error.strerror}") from error

    def receive(self, limit: int) -> bytes:
        """Return what has arrived, waiting for the first byte."""
        try:
            return self._socket.recv(limit)
        except TimeoutError as error:
            raise Timeout("the target did not answer in time") from error
        except OSError:
            return b""

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def dial_socket(address: str, port: int, timeout: float = DEFAULT_TIMEOUT) -> ByteStream:
    """Connect to a portal over TCP, without Nagle's delay."""
    try:
        connected = socket.create_connection((address, port), timeout)
    except TimeoutError as error:
        raise Timeout(f"{address}:{port} did not accept a connection in time") from error
    except OSError as error:
        raise ConnectionClosed(f"cannot connect to {address}:{port}: {error.strerror}") from error
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return SocketStream(connected)
