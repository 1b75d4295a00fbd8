"""The Element API: one request, what became of it, and when it may be sent again."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from conformance import contract as c
from reference_providers.solidfire import Connect

from . import errors as e

Json = dict[str, Any]
PAGE: Final = 250
_URL: Final = re.compile(r"(?:https|memory)://([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[\w./-]*)?")
_PASSES: Final = frozenset(
    {
        "xDBConnectionLoss",
        "xDBNoSuchPath",
        "xDBOperationTimeout",
        "xDBVersionMismatch",
        "xMaxClonesPerNodeExceeded",
        "xMaxClonesPerVolumeExceeded",
        "xMaxSnapshotsPerNodeExceeded",
        "xNoHandler",
        "xNotPrimary",
        "xNotReadyForIO",
        "xRecvTimeout",
        "xSliceNotRegistered",
        "xSnapshotFailed",
    }
)
_ABSENT: Final = re.compile(r"x(Volume|Snapshot|Account|VolumeAccessGroup)I[Dd]DoesNotExist|xUnknownAccount")
_ATTEMPTS: Final = 5


class Refusal(Exception):
    """An error of the API that the caller wants to see by name; it never leaves the plugin."""

    def __init__(self, name: str, message: str) -> None:
        self.name, self.message = name, message
        super().__init__(name)


class _Passing(Exception):
    """It may go better next time. `error` is what it is called if it does not."""

    def __init__(self, error: c.ProviderError, pause: float, *, slow: bool = False) -> None:
        self.error, self.pause, self.slow = error, pause, slow
        super().__init__(str(error))


class Uncancelled:
    """An operation that goes on though the caller gave up, until all is in order again; its deadline stays."""

    def __init__(self, operation: c.Operation) -> None:
        self._operation, self.id = operation, operation.id

    @property
    def remaining_seconds(self) -> float:
        return self._operation.remaining_seconds

    def check(self) -> None:
        if self.remaining_seconds <= 0:
            raise c.OperationCancelled(self.id, "past its deadline")


class Array:
    """The array that a store names, for one call of the plugin; made on the thread that was called."""

    def __init__(
        self,
        request: c.StoreRequest,
        context: c.ProviderContext,
        readers: Callable[[], ThreadPoolExecutor],
        connect: Connect,
    ) -> None:
        self.request, self.context, self._readers, self._connect = request, context, readers, connect
        self.operation: c.Operation = context.operation()
        self.url = _url(request.parameters.get("mvip"))
        self._trust_file = request.parameters.get("trust_file")
        self._longest = _seconds(request.parameters.get("request_seconds"))
        username, password = request.parameters.get("username"), request.secrets.get("password")
        if not username or ":" in username:
            raise e.OddInvalid("username", username, "a cluster administrator")
        if password is None or not password.reveal():
            raise e.OddInvalid("password", None, "that administrator's password")
        pair = base64.b64encode(f"{username}:{password.reveal()}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json-rpc"}

    def ask(self, method: str, *, fine: Sequence[str] = (), once: bool = False, **params: object) -> Json:
        """Send a request, again while that can help. Errors named in `fine` are answers without content.

        With `once` it is sent once only: the caller looks first whether it was carried out.
        """
        slow = 0
        for attempt in range(_ATTEMPTS):
            self.operation.check()
            try:
                return self._send(method, params)
            except Refusal as refusal:
                if refusal.name in fine:
                    return {}
                raise self._named(method, refusal) from None
            except _Passing as passing:
                slow += passing.slow
                left = self.operation.remaining_seconds
                pause = max(passing.pause, 0.05 * 2**attempt)
                if once or attempt + 1 == _ATTEMPTS or slow > 1 or pause > min(2.0, left / 2):
                    raise passing.error from None
                self.context.clock.sleep(pause)
        raise AssertionError("unreachable")

    @contextmanager
    def unbroken(self) -> Iterator[None]:
        """Do what has begun to its end, or undo it: from here on only the deadline stops it."""
        before = self.operation
        self.operation = before if isinstance(before, Uncancelled) else Uncancelled(before)
        try:
            yield
        finally:
            self.operation = before

    def pages(self, method: str, rows: str, start: str, number: str, **params: Any) -> Iterator[Json]:
        """All rows of a list that the array gives in pages."""
        first = 0
        while True:
            asked: Json = {**params, start: first, "limit": PAGE}
            page = self.ask(method, **asked).get(rows) or []
            yield from page
            if len(page) < PAGE:
                return
            first = max(each[number] for each in page) + 1

    def at_once(self, *reads: Callable[[], Any]) -> list[Any]:
        """Do several reads side by side, on threads of our own; all have ended when this returns or raises."""
        futures = [self._readers().submit(each) for each in reads]
        wait(futures)
        return [each.result() for each in futures]

    def _send(self, method: str, params: Mapping[str, object]) -> Json:
        body = json.dumps({"id": 7, "method": method, "params": params}, separators=(",", ":")).encode()
        seconds = max(0.05, min(self._longest, self.operation.remaining_seconds))
        try:
            status, answer = self._exchange(body, seconds)
        except ssl.SSLCertVerificationError:
            raise e.OddUnreachable(self.url, "its certificate is not trusted", retryable=False) from None
        except TimeoutError:
            raise _Passing(e.OddUnreachable(self.url, f"no answer to {method} in time"), 0.0, slow=True) from None
        except (OSError, http.client.HTTPException) as failure:
            raise _Passing(e.OddUnreachable(self.url, f"{method}: {type(failure).__name__}"), 0.0) from None
        return self._result(method, status, answer)

    def _exchange(self, body: bytes, seconds: float) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        try:
            line = self._connect(self.url, self._trust_file or None, True, seconds)  # noqa: FBT003 - the form of Connect
        except (FileNotFoundError, ssl.SSLError) as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                raise
            raise e.OddInvalid("trust_file", self._trust_file, "a readable PEM file") from None
        with closing(line):
            return line.request("POST", parts.path or "/", self._headers, body, seconds)

    def _result(self, method: str, status: int, answer: bytes) -> Json:
        if status in (401, 403):
            raise e.OddLogin("password", self.url)
        try:
            reply = json.loads(answer)
            if "error" in reply:
                error = reply["error"]
                name, message = str(error["name"]), str(error.get("message", ""))
            else:
                return dict(reply["result"])
        except (ValueError, LookupError, TypeError, AttributeError):
            raise self._unreadable(method, status) from None
        if name in _PASSES:
            raise _Passing(e.OddBusy(1.0, f"{method}: {name}"), 0.1)
        raise Refusal(name, message)

    def _unreadable(self, method: str, status: int) -> Exception:
        if status in (429, 503):
            return _Passing(e.OddBusy(1.0, f"{method}: HTTP {status}"), 0.1)
        if status == 404:
            return e.OddUnreachable(self.url, "no Element API at this path", retryable=False)
        return _Passing(e.OddUnreachable(self.url, f"{method}: HTTP {status} without an answer"), 0.1)

    def _named(self, method: str, refusal: Refusal) -> Exception:
        name, message = refusal.name, refusal.message
        if name == "xExceededLimit" and "maxProvisionedSpace" in message:
            asked = re.search(r"asked=(\d+)", message)
            return e.OddFull(int(asked[1]) if asked else 0, None)
        if name == "xExceededLimit" or name.startswith("xMaxSnapshots"):
            number = re.search(r"limit=(\d+)", message)
            what = re.match(r"Exceeded max number of ([\w ]+)", message)
            return e.OddLimit(what[1].strip() if what else name, int(number[1]) if number else None)
        if _ABSENT.fullmatch(name):
            return e.OddMissing(method, message)
        if name == "xPermissionDenied":
            return e.OddLogin("username", self.url)
        if name == "xDuplicateUsername":
            return refusal
        if name in ("xInvalidParameter", "xVolumeShrinkProhibited", "xMissingParameter", "xUnrecognizedEnumString"):
            return e.OddInvalid(method, name, message)
        return e.OddUnreachable(self.url, f"{method}: {name}", retryable=False)


def _url(given: str | None) -> str:
    if not given or not _URL.fullmatch(given):
        raise e.OddInvalid("mvip", "not shown", "https://address[:port]/json-rpc/version, without a password in it")
    return given


def _seconds(given: str | None) -> float:
    if given is None or given == "":
        return 5.0
    if not given.isdecimal() or not 1 <= int(given) <= 300:
        raise e.OddInvalid("request_seconds", given, "1 to 300")
    return float(given)
