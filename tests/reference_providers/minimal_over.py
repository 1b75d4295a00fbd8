"""The minimal plugin over connections: its own way out is a function that sends one request, others' are connectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from reference_providers.minimal import MinimalProvider, send_https

Connect = Callable[[str, str | None, bool, float], Any]
"""url, ca_file, verify, seconds -> what requests are made on, and closed."""


class OneRequestEach:
    """A connector whose connections open anew for each request, as the plugin's own way does."""

    def __init__(self, url: str, ca_file: str | None, _verify: bool, _seconds: float) -> None:
        self._url, self._ca_file = url, ca_file

    def request(
        self, method: str, _path: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, bytes]:
        return send_https(method, self._url, self._ca_file, headers, body, seconds)

    def close(self) -> None: ...


def minimal_over(connect: Connect = OneRequestEach) -> MinimalProvider:
    """The plugin, sending through this connector."""

    def send(
        method: str, url: str, ca_file: str | None, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, bytes]:
        with closing(connect(url, ca_file, True, seconds)) as connection:  # noqa: FBT003
            status, answer = connection.request(method, urlsplit(url).path or "/json-rpc/12.3", headers, body, seconds)
        return int(status), bytes(answer)

    return MinimalProvider(send=send)
