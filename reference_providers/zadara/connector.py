"""HTTPS to the array, and the door through which something else can be put in its place.

An error while connecting or talking is an `OSError`; certificates that do not check out are
`ssl.SSLCertVerificationError`.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from conformance.contract import InvalidRequest


class HttpConnection(Protocol):
    """One connection; requests follow each other on it."""

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        """Answer status and body. An `OSError` leaves open whether the array has carried out the request."""
        ...

    def close(self) -> None:
        """Close; twice is harmless."""
        ...


Connect = Callable[[str, str | None, bool, float], HttpConnection]
"""Connects to a URL: url, ca_file (None: the system's certificates), verify, timeout in seconds."""


class HttpsConnection:
    """`HttpConnection` of the standard library."""

    def __init__(self, connection: http.client.HTTPSConnection) -> None:
        self._connection = connection

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        if self._connection.sock is None:
            # http.client would connect again by itself, and hide that the last reply was lost.
            raise ConnectionError("the connection is closed")
        self._connection.sock.settimeout(timeout)
        try:
            self._connection.request(method, path, body, dict(headers))
            response = self._connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as broken:
            raise ConnectionError(f"the answer broke off: {type(broken).__name__}") from broken

    def close(self) -> None:
        self._connection.close()


def open_https(url: str, ca_file: str | None, verify: bool, timeout: float) -> HttpConnection:  # noqa: FBT001
    """Connect now, so that "nobody there" and "the reply was lost" stay apart."""
    address = urlsplit(url)
    if address.scheme != "https" or not address.hostname:
        raise InvalidRequest("url", url, "an address that begins with https://")
    try:
        trust = ssl.create_default_context(cafile=ca_file)
    except OSError:  # ssl.SSLError is one
        raise InvalidRequest("ca_file", ca_file, "a readable file with certificates in PEM form") from None
    if not verify:
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address.hostname, address.port or 443, timeout=timeout, context=trust)
    try:
        connection.connect()
    except UnicodeError:
        raise InvalidRequest("url", url, "a host name of legal labels") from None
    return HttpsConnection(connection)
