"""Open connections, kept and lent to one call at a time: the only thing this plugin remembers."""

from __future__ import annotations

import ssl
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from conformance.contract import ArrayUnreachable

from .connector import Connect, HttpConnection

Place = tuple[str, str | None, bool]
"""Where a connection leads and how it is checked: url, ca_file, verify."""


class Connections:
    """Idle connections by place."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._guard = Lock()
        self._idle: defaultdict[Place, list[HttpConnection]] = defaultdict(list)
        self._is_closed = False

    @contextmanager
    def lend(self, place: Place, timeout: float) -> Iterator[HttpConnection]:
        """A connection for one request; after a failure neither it nor what is idle is used again."""
        connection = self._take(place) or self._open(place, timeout)
        try:
            yield connection
        except BaseException:
            connection.close()
            self._drop(place)
            raise
        self._give_back(place, connection)

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        with self._guard:
            self._is_closed = True
            places = list(self._idle)
        for place in places:
            self._drop(place)

    def _open(self, place: Place, timeout: float) -> HttpConnection:
        try:
            return self._connect(*place, timeout)
        except ssl.SSLCertVerificationError:
            # Trying again does not make a certificate better.
            raise ArrayUnreachable(place[0], "its certificate is not trusted", retryable=False) from None
        except OSError as failure:
            raise ArrayUnreachable(place[0], f"no connection: {type(failure).__name__}") from None

    def _take(self, place: Place) -> HttpConnection | None:
        with self._guard:
            idle = self._idle[place]
            return idle.pop() if idle else None

    def _give_back(self, place: Place, connection: HttpConnection) -> None:
        with self._guard:
            if not self._is_closed:
                self._idle[place].append(connection)
                return
        connection.close()

    def _drop(self, place: Place) -> None:
        with self._guard:
            idle = self._idle.pop(place, [])
        for each in idle:
            each.close()
