"""Real HTTPS requests to one server, over connections that are kept."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Mapping
from typing import Final

_TIMEOUT_SECONDS: Final = 30.0


class HttpsPool:
    """Any number of threads may send; each borrows a connection for one exchange. Nothing is sent twice."""

    def __init__(self, address: str, port: int, ca_file: str) -> None:
        self._address = address
        self._port = port
        self._context = ssl.create_default_context(cafile=ca_file)
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPSConnection] = []

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request and give back status, headers and body; what breaks is a `ConnectionError`."""
        connection = self._borrow()
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            answer = response.status, dict(response.headers.items()), response.read()
        except ConnectionError:
            connection.close()
            raise
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ConnectionError(f"no answer from {self._address}:{self._port}: {error}") from error
        self._give_back(connection)
        return answer

    def close(self) -> None:
        """Close the connections nobody is using."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _borrow(self) -> http.client.HTTPSConnection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return http.client.HTTPSConnection(self._address, self._port, timeout=_TIMEOUT_SECONDS, context=self._context)

    def _give_back(self, connection: http.client.HTTPSConnection) -> None:
        with self._lock:
            self._idle.append(connection)
