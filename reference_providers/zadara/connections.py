"""Open connections, kept and lent to one request at a time: the only thing this plugin remembers."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from conformance.contract import ArrayUnreachable

from .connector import Connect, HttpConnection

Place = tuple[str, str | None]
"""Where a connection leads and how it is checked: url, ca_file."""


class Connections:
    """Idle connections by place."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._guard = Lock()
        self._idle: dict[Place, list[HttpConnection]] = {}
        self._is_closed = False

    @contextmanager
    def lend(self, place: Place, timeout: float) -> Iterator[HttpConnection]:
        """A connection for one request; after a failure neither it nor what is idle is used again."""
        connection = self._take(place) or self._open(place, timeout)
        try:
            yield connection
        except BaseException:
            connection.close()
            self._drop_idle()
            raise
        with self._guard:
            if not self._is_closed:
                self._idle.setdefault(place, []).append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        self._is_closed = True
        self._drop_idle()

    def _drop_idle(self) -> None:
        with self._guard:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for each in connections:
                each.close()

    def _take(self, place: Place) -> HttpConnection | None:
        with self._guard:
            idle = self._idle.get(place)
            return idle.pop() if idle else None

    def _open(self, place: Place, timeout: float) -> HttpConnection:
        url, ca_file = place
        try:
            return self._connect(url, ca_file, True, timeout)  # noqa: FBT003
        except ssl.SSLCertVerificationError:
            # Trying again does not make a certificate better.
            raise ArrayUnreachable(url, "its certificate is not trusted", retryable=False) from None
        except OSError as failure:
            raise ArrayUnreachable(url, f"no connection: {type(failure).__name__}") from None
