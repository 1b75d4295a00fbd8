"""Element JSON-RPC: one request, one answer, failures in the contract's words. Knows no method of the API."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from conformance.contract import ArrayUnreachable, ProviderContext, Secret

from .connections import Connections, Place
from .errors import http_failure, refusal, reply_lost

API_VERSION: Final = "12.0"
LONGEST_CALL_SECONDS: Final = 60.0
SHORTEST_CALL_SECONDS: Final = 1.0
_SECRET_FIELDS: Final = frozenset({"initiatorSecret", "targetSecret"})

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Login:
    """Where the array is and who asks; taken from a store's parameters."""

    url: str
    username: str
    password: Secret
    ca_file: str | None = None
    verify_tls: bool = True

    @property
    def place(self) -> Place:
        """What a connection has to be opened with."""
        return self.url, self.ca_file, self.verify_tls

    @property
    def path(self) -> str:
        """The API's, in the request line; a URL that names it, with a version, is taken as it is."""
        path = urlsplit(self.url).path.rstrip("/")
        return path if "/json-rpc/" in path else f"{path}/json-rpc/{API_VERSION}"

    def headers(self) -> dict[str, str]:
        """HTTP basic authentication (RFC 7617)."""
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/json-rpc",
        }


class ElementClient:
    """One array, asked by one store's administrator."""

    def __init__(self, login: Login, connections: Connections, context: ProviderContext) -> None:
        self._login = login
        self._connections = connections
        self._context = context

    def call(
        self,
        method: str,
        params: Mapping[str, object],
        read: Callable[[Any], _Value],
        *,
        must_finish: bool = False,
    ) -> _Value:
        """Send a request and `read` its result. `must_finish`: send it though the caller has given up."""
        answer = self._exchange(method, params, must_finish=must_finish)
        if "error" in answer:
            raise self._refusal(method, params, *_name_and_message(answer["error"]))
        return self._understood(method, answer, read)

    def call_unless(
        self,
        tolerated: frozenset[str],
        method: str,
        params: Mapping[str, object],
        read: Callable[[Any], _Value],
    ) -> _Value | None:
        """As `call`; None when the array refuses with one of the tolerated errors."""
        answer = self._exchange(method, params, must_finish=False)
        if "error" not in answer:
            return self._understood(method, answer, read)
        name, message = _name_and_message(answer["error"])
        if name not in tolerated:
            raise self._refusal(method, params, name, message)
        return None

    def refused(self, method: str, error: object) -> Exception:
        """What to raise for an error that came as part of a result."""
        return self._refusal(method, {}, *_name_and_message(error))

    def _exchange(self, method: str, params: Mapping[str, object], *, must_finish: bool) -> dict[str, Any]:
        timeout = self._timeout(must_finish=must_finish)
        body = json.dumps({"method": method, "params": params, "id": 1}).encode()
        status, answer = self._post(body, timeout)
        failed = http_failure(self._login.url, status)
        if failed is not None:
            raise failed
        return self._decoded(method, answer)

    def _timeout(self, *, must_finish: bool) -> float:
        operation = self._context.operation()
        if not must_finish:
            operation.check()
        return min(LONGEST_CALL_SECONDS, max(SHORTEST_CALL_SECONDS, operation.remaining_seconds))

    def _post(self, body: bytes, timeout: float) -> tuple[int, bytes]:
        login = self._login
        try:
            with self._connections.lend(login.place, timeout) as connection:
                return connection.request("POST", login.path, login.headers(), body, timeout)
        except TimeoutError:
            # The array may still be at it: doing the operation again now could overtake the first attempt.
            raise ArrayUnreachable(login.url, f"no answer within {timeout:.0f} s") from None
        except OSError as failure:
            raise reply_lost(login.url, failure) from None

    def _decoded(self, method: str, answer: bytes) -> dict[str, Any]:
        try:
            decoded = json.loads(answer)
        except ValueError:
            raise self._garbled(method, "is no JSON") from None
        if not isinstance(decoded, dict) or not ({"result", "error"} & decoded.keys()):
            raise self._garbled(method, "has neither result nor error")
        return decoded

    def _understood(self, method: str, answer: dict[str, Any], read: Callable[[Any], _Value]) -> _Value:
        try:
            return read(answer["result"])
        except (AttributeError, KeyError, TypeError, ValueError) as unreadable:
            raise self._garbled(method, f"cannot be read ({type(unreadable).__name__})") from None

    def _refusal(self, method: str, params: Mapping[str, object], name: str, message: str) -> Exception:
        # Arrays quote what they refuse; some of it is secret.
        for secret in (self._login.password.reveal(), *_secrets_in(params)):
            message = message.replace(secret, "***")
        return refusal(self._login.url, method, name, message)

    def _garbled(self, method: str, how: str) -> ArrayUnreachable:
        return ArrayUnreachable(self._login.url, f"the answer to {method} {how}")


def nothing(_result: object) -> None:
    """Read a result that says nothing."""


def done(_result: object) -> bool:
    """Read a result that says nothing, where a refusal would give None."""
    return True


def _name_and_message(error: object) -> tuple[str, str]:
    if not isinstance(error, dict):
        return "unnamed", ""
    return str(error.get("name", "unnamed")), str(error.get("message", ""))


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _SECRET_FIELDS:
                yield str(inner)
            else:
                yield from _secrets_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets_in(inner)
