"""VPSA REST: one request, one answer, failures in the contract's words. Knows no operation of the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

from conformance.contract import ArrayUnreachable, ProviderContext, Secret

from .connections import Connections
from .errors import Interrupted, http_failure, refusal

LONGEST_CALL_SECONDS: Final = 60.0
SHORTEST_CALL_SECONDS: Final = 1.0

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Login:
    """Where the array is and who asks; taken from a store's parameters."""

    url: str
    access_key: Secret
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class VpsaClient:
    """One array. `must_finish`: requests are sent though the caller has given up."""

    login: Login
    connections: Connections
    context: ProviderContext
    must_finish: bool = False

    def in_any_case(self) -> VpsaClient:
        """The same for what has to be undone, whether or not anybody still waits for it."""
        return replace(self, must_finish=True)

    def get(self, path: str, read: Callable[[Any], _Value], **query: str) -> _Value:
        """Look something up."""
        suffix = f"?{urlencode(query)}" if query else ""
        answer = self._exchange("GET", path, suffix, b"")
        try:
            return read(answer)
        except (AttributeError, KeyError, TypeError, ValueError) as unreadable:
            raise self._garbled("GET", path, f"cannot be read ({type(unreadable).__name__})") from None

    def post(self, path: str, form: Mapping[str, str]) -> None:
        """Change something; what came of it is looked up, because an answer may be lost."""
        self._exchange("POST", path, "", urlencode(form).encode())

    def delete(self, path: str, **form: str) -> None:
        """Remove something."""
        self._exchange("DELETE", path, "", urlencode(form).encode())

    def _exchange(self, verb: str, path: str, suffix: str, body: bytes) -> dict[str, Any]:
        status, answer = self._sent(verb, f"{urlsplit(self.login.url).path.rstrip('/')}/api/{path}.json{suffix}", body)
        failed = http_failure(self.login.url, status)
        if failed is not None:
            raise failed
        try:
            response = json.loads(answer)["response"]
            code = int(response["status"])
        except (LookupError, TypeError, ValueError):
            raise self._garbled(verb, path, "has no status") from None
        if code != 0:
            # Arrays quote what they refuse.
            told = str(response.get("status-msg", "")).replace(self.login.access_key.reveal(), "***")
            raise refusal(self.login.url, f"{verb} {path}", code, told)
        return dict(response)

    def _sent(self, verb: str, path: str, body: bytes) -> tuple[int, bytes]:
        operation = self.context.operation()
        if not self.must_finish:
            operation.check()
        timeout = min(LONGEST_CALL_SECONDS, max(SHORTEST_CALL_SECONDS, operation.remaining_seconds))
        headers = {
            "X-Access-Key": self.login.access_key.reveal(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            with self.connections.lend((self.login.url, self.login.ca_file), timeout) as connection:
                return connection.request(verb, path, headers, body, timeout)
        except TimeoutError:
            # The array may still be at it: doing the operation again now could overtake the first attempt.
            raise ArrayUnreachable(self.login.url, f"no answer within {timeout:.0f} s") from None
        except OSError as lost:
            raise Interrupted(ArrayUnreachable(self.login.url, f"no answer: {type(lost).__name__}")) from None

    def _garbled(self, verb: str, path: str, how: str) -> ArrayUnreachable:
        return ArrayUnreachable(self.login.url, f"the answer to {verb} {path} {how}")
