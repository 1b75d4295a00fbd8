"""An array that is already there: a vendor's own simulator, or a real one. Nothing of it is reset between examples."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from conformance.contract import (
    ArrayView,
    Dial,
    Endpoint,
    HttpRequest,
    HttpResponse,
    Iqn,
    Secret,
    WitnessPower,
)
from conformance.environments.file import ExternalArray
from conformance.errors import KitError, WiringError

_SECONDS: Final = 30.0
_HOP_BY_HOP: Final = frozenset({"connection", "host", "content-length", "transfer-encoding", "keep-alive"})


class NoWitness:
    """Sees nothing: requirements that need a witness are NOT_VERIFIED."""

    powers: frozenset[WitnessPower] = frozenset()

    def observe(self) -> ArrayView:
        """There is nothing to look with."""
        raise KitError("this array has no witness")

    def read(self, external_id: str, offset: int, length: int) -> bytes:
        """There is nothing to look with."""
        raise KitError("this array has no witness")

    def read_snapshot(self, external_id: str, offset: int, length: int) -> bytes:
        """There is nothing to look with."""
        raise KitError("this array has no witness")

    def plant(self, name: str, initiator: Iqn, content: bytes) -> str:
        """Never on an array that is not simulated."""
        raise KitError("this array has no witness")

    def plant_namesake(self, name: str, initiator: Iqn, content: bytes) -> str:
        """Never on an array that is not simulated."""
        raise KitError("this array has no witness")

    def plant_snapshot(self, external_id: str, name: str) -> str:
        """Never on an array that is not simulated."""
        raise KitError("this array has no witness")

    def remove_planted_snapshot(self, external_id: str) -> None:
        """Never on an array that is not simulated."""
        raise KitError("this array has no witness")

    def fill(self, free_bytes: int) -> None:
        """Never on an array that is not simulated."""
        raise KitError("this array has no witness")


class SocketStream:
    """A TCP connection; satisfies the contract's `ByteStream`."""

    def __init__(self, address: str, port: int) -> None:
        self._socket = socket.create_connection((address, port), timeout=_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def receive(self, limit: int) -> bytes:
        """Receive at most `limit` bytes."""
        return self._socket.recv(limit)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


class Upstream:
    """Sends requests to the management endpoint over HTTP or HTTPS, one kept connection for each thread."""

    def __init__(self, url: str, ca_file: str | None) -> None:
        self._parts = urlsplit(url)
        if self._parts.scheme not in {"http", "https"} or not self._parts.hostname:
            raise WiringError(f"[array] url {url!r} is no http or https URL; nothing was started")
        try:
            self._context = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise WiringError(f"[array] ca_file {ca_file}: {error.strerror or error}; nothing was started") from None
        self._local = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """Close every connection, of whatever thread."""
        for connection in self._opened:
            connection.close()

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Send one request and wait for its answer. Not repeated here: that is the plugin's business."""
        connection = self._connection()
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP}
        try:
            connection.request(request.method, request.path, request.body or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ConnectionError(f"{self._parts.netloc}: {error}") from error
        return HttpResponse(answer.status, dict(answer.getheaders()), body)

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._new()
            self._local.connection = found
            self._opened.append(found)
        return found

    def _new(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=self._context)


class ExternalWorld:
    """The array as it is now; closing leaves it alone."""

    witness = NoWitness()
    transcript: Sequence[str] = ()

    def __init__(self, endpoint: Endpoint, parameters: Mapping[str, str | Secret]) -> None:
        self.endpoints = (endpoint,)
        self.parameters = parameters
        self.dial: Dial = SocketStream

    def close(self) -> None:
        """Nothing: what the plugin made was removed through the plugin."""


class ExternalEntry:
    """Satisfies the contract's `ArrayEntry`."""

    def __init__(self, table: ExternalArray) -> None:
        ca_file = str(table.ca_file) if table.ca_file else None
        self._upstream = Upstream(table.url, ca_file)
        self._endpoint = Endpoint(table.url, self._upstream.handle, ca_file)
        self._parameters: dict[str, str | Secret] = {}
        if table.username is not None:
            self._parameters["username"] = table.username
        if table.password is not None:
            self._parameters["password"] = table.password.read()

    def open_world(self) -> ExternalWorld:
        """The array itself: it is not private to an example, so only what a run made is counted."""
        return ExternalWorld(self._endpoint, self._parameters)

    def close(self) -> None:
        """Nothing was started but connections."""
        self._upstream.close()
