"""The in-memory transport: a plugin whose HTTP connector is injected calls the array without sockets."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from urllib.parse import urlsplit

from conformance.contract import HttpHandler, HttpRequest


class MemoryConnection:
    """One connection to a handler."""

    def __init__(self, handler: HttpHandler) -> None:
        self._handler = handler

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        """Send one request; answers status and body. The timeout is the handler's affair here."""
        response = self._handler(HttpRequest(method, path, dict(headers), body))
        return response.status, response.body

    def close(self) -> None:
        """Nothing is held."""


class MemoryNetwork:
    """Addresses ``memory://N`` and what answers there."""

    def __init__(self) -> None:
        self._handlers: dict[str, HttpHandler] = {}
        self._numbers = itertools.count(1)

    def open(self, handler: HttpHandler) -> str:
        """Give a handler an address; answers its URL without a path."""
        host = f"m{next(self._numbers)}"
        self._handlers[host] = handler
        return f"memory://{host}"

    def close(self, url: str) -> None:
        """Take the address away."""
        self._handlers.pop(urlsplit(url).hostname or "", None)

    def connections(self, _url: str) -> int:
        """None is ever held."""
        return 0

    def connect(self, url: str, ca_file: str | None, verify: bool, timeout: float) -> MemoryConnection:  # noqa: FBT001
        """The connector to hand to a plugin; refuses unknown addresses as TCP would."""
        handler = self._handlers.get(urlsplit(url).hostname or "")
        if handler is None:
            raise ConnectionRefusedError(f"nobody answers at {url}")
        return MemoryConnection(handler)
