"""From an HTTP request to an HTTP answer: address, authentication, JSON-RPC, transcript."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final, NoReturn

from simulators.array.element_api import (
    accounts,
    clones,
    cluster,
    groups,
    hardware,
    initiators,
    many_volumes,
    qos,
    replication,
    sessions,
    snapshots,
    statistics,
    volumes,
)
from simulators.array.element_api.errors import CODE, ApiError, text_of
from simulators.array.element_api.method import Method, Scene
from simulators.array.element_api.parameters import Arguments, Json
from simulators.array.management import Reply
from simulators.array.refusal import Refused
from simulators.kernel.faults import Failure
from simulators.kernel.transcript import Direction

if TYPE_CHECKING:
    from simulators.array.element_api.release import Release
    from simulators.array.management import Premises
    from simulators.kernel.faults import Fault

_AREAS: Final = (
    cluster, hardware, accounts, volumes, many_volumes, snapshots, clones, qos, statistics, groups, initiators,
    sessions, replication,
)  # fmt: skip
METHODS: Final[Mapping[str, Method]] = {each.name: each for area in _AREAS for each in area.METHODS}
_PATH: Final = re.compile(r"/json-rpc/([0-9.]+)/?")
_SECRET: Final = re.compile(
    r'("[^"]*(?:secret|password)[^"]*": )(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|-?[0-9][^,}\]]*)', re.IGNORECASE
)
_LINE_CHARACTERS: Final = 2000
_KEPT_BODY_BYTES: Final = 8192
_BODY_BYTES_MAX: Final = 1 << 20
_NOT_FOUND: Final = (
    b"<html><head><title>404 Not Found</title></head>"
    b"<body><h1>404 Not Found</h1><p> There is no such version of the API. </p></body></html>"
)


@dataclass(frozen=True, slots=True)
class ElementApi:
    """One array's management API."""

    premises: Premises
    release: Release

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        self._note(Direction.RECEIVED, f"{method} {path} ", body, _readable)
        reply = self._refusal_of_transport(method, path, headers, body) or self._answer(body)
        self._note(Direction.SENT, f"{reply.status} ", reply.body[:_LINE_CHARACTERS], bytes.decode)
        return reply

    def call_name(self, _method: str, _path: str, body: bytes) -> str:
        """The method of the JSON-RPC request, or nothing where it is none."""
        return str(_request(body).get("method", ""))

    def refusal(self, fault: Fault, _path: str, body: bytes) -> Reply:
        """A transient error that clients try again after; 401; and 503, as no source names an error for it."""
        if fault.failure is Failure.AUTH_EXPIRY:
            return _unauthorized()
        if fault.failure is Failure.THROTTLE:
            return _plain(503, "503 Service Unavailable", {"Retry-After": str(ceil(fault.seconds))})
        answer = _error(_request(body).get("id"), "xDBOperationTimeout", "The database did not answer in time.")
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def _refusal_of_transport(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """Clients look for these texts, with the full stop and without."""
        version = _PATH.fullmatch(path)
        if not self.premises.administrator.is_named_in(headers):
            return _unauthorized()
        if version is None or version[1] not in self.release.api_versions:
            return _no_such_page()
        if method != "POST":
            return _plain(405, "405 Method Not Allowed", {"Allow": "POST"})
        if len(body) > _BODY_BYTES_MAX:
            return _plain(413, "413 Content Too Large")
        return None

    def _answer(self, body: bytes) -> Reply:
        request_id: object = None
        try:
            request = _parsed(body)
            request_id = request.get("id")
            answer: Json = {"id": request_id, "result": self._called(request)}
        except ApiError as error:
            answer = _error(request_id, error.name, error.text)
        except Refused as refused:
            answer = _error(request_id, self.release.name_of(refused.reason), text_of(refused))
        # Secrets are in answers because the administrator is meant to see them.
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())

    def _called(self, request: Json) -> Json:
        name = request.get("method")
        method = METHODS.get(name) if isinstance(name, str) else None
        if method is None:
            raise ApiError("xUnknownAPIMethod", f"Unknown API method: {str(name)[:64]}")
        given = request.get("params")
        if given is not None and not isinstance(given, dict):
            raise ApiError("xInvalidAPIParameter", "params: expected a JSON object")
        live = self.premises.sessions() if method.needs_sessions else ()
        premises, model = self.premises, self.premises.model
        with premises.lock:
            model.clones.count_call()
            model.settle()
            scene = Scene(model, premises.addresses, live, premises.administrator.username, self.release)
            result = method.run(scene, Arguments(given or {}, method.parameters))
            if not method.only_looks:
                model.events.record(method.name)
            return result

    def _note(self, direction: Direction, start: str, body: bytes, readable: Callable[[bytes], str]) -> None:
        def text() -> str:
            return _masked((start + readable(body))[:_LINE_CHARACTERS])

        # Most lines are never read; a large body is not kept for the few that are.
        self.premises.transcript.record(direction, text if len(body) <= _KEPT_BODY_BYTES else text())


def _unauthorized() -> Reply:
    return _plain(401, "401 Unauthorized.", {"WWW-Authenticate": 'Basic realm="Element API"'})


def _masked(text: str) -> str:
    folded = text.lower()  # most texts have no secrets, and the pattern is slow
    if "secret" in folded or "password" in folded:
        return _SECRET.sub(r'\1"***"', text)
    return text


def _parsed(body: bytes) -> Json:
    try:
        request = _JSON.decode(body.decode())
    except (ValueError, RecursionError):
        raise ApiError("xInvalidAPIParameter", "The request is not JSON") from None
    if not isinstance(request, dict):
        raise ApiError("xInvalidAPIParameter", "The request is not a JSON object")
    return request


def _request(body: bytes) -> Json:
    """The request, or nothing where it is none."""
    with suppress(ApiError):
        return _parsed(body)
    return {}


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_JSON: Final = json.JSONDecoder(parse_constant=_no_number)  # made once: json.loads makes one for each request


def _readable(body: bytes) -> str:
    """The request written anew, so that no spelling of a name hides a secret from the mask."""
    try:
        return json.dumps(json.loads(body))
    except (ValueError, RecursionError):
        return f"{len(body)} bytes that are not JSON"


def _error(request_id: object, name: str, text: str) -> Json:
    return {"id": request_id, "error": {"name": name, "code": CODE, "message": text}}


def _no_such_page() -> Reply:
    """As clients read it: they look for the title, and one for a reason between these marks."""
    return Reply(404, {"Content-Type": "text/html"}, _NOT_FOUND)


def _plain(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"Content-Type": "text/plain", **(headers or {})}, text.encode())
