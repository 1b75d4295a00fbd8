"""From an HTTP request to an HTTP answer: path, format, access key, transcript."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from simulators.array.management import Reply, header
from simulators.array.refusal import Refused
from simulators.array.vpsa_api import pools, servers, snapshots, volumes
from simulators.array.vpsa_api.errors import BAD_ACCESS_KEY, INTERNAL_ERROR, STATUSES, ApiError
from simulators.array.vpsa_api.form import Form, Unreadable
from simulators.array.vpsa_api.route import Asked, Members, Route
from simulators.array.vpsa_api.xml_form import to_xml
from simulators.kernel.faults import Failure
from simulators.kernel.transcript import Direction

if TYPE_CHECKING:
    from simulators.array.management import Premises
    from simulators.kernel.faults import Fault

ROUTES: Final[Mapping[tuple[str, ...], Route]] = {
    each.key: each for area in (pools, volumes, servers, snapshots) for each in area.ROUTES
}
_PATH: Final = re.compile(r"/api/(?P<path>[^?]+)\.(?P<format>json|xml)(?:\?(?P<query>.*))?", re.DOTALL)
_SECRETIVE: Final = "(?:secret|password|access[_-]key)"
# In JSON as text and otherwise, in XML, in a form.
_SECRET: Final = re.compile(
    rf'({_SECRETIVE}"\s*:\s*")(?:[^"\\]|\\.)*|({_SECRETIVE}"\s*:\s*)[^",}}\s]+|({_SECRETIVE}>)[^<]*|({_SECRETIVE}=)[^&\s]*',
    re.IGNORECASE,
)
_LINE_CHARACTERS: Final = 2000
_KEPT_BODY_BYTES: Final = 8192
_BODY_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class VpsaApi:
    """One array's management API."""

    premises: Premises

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        self._note(Direction.RECEIVED, f"{method} {path} ", body)
        reply = self._answer(method, path, headers, body)
        self._note(Direction.SENT, f"{reply.status} ", reply.body)
        return reply

    def call_name(self, method: str, path: str, _body: bytes) -> str:
        """Verb and path of the operation, such as `POST volumes/*/expand`, or nothing where it is none."""
        place = _PATH.fullmatch(path)
        found = None if place is None else _routed(method, place["path"])
        return "" if found is None else f"{found[0].verb} {found[0].path}"

    def refusal(self, fault: Fault, path: str, _body: bytes) -> Reply:
        """The status of a bad access key, or one that no client knows; and 503, as no source tells of throttling."""
        if fault.failure is Failure.THROTTLE:
            return Reply(503, {"Retry-After": str(ceil(fault.seconds))}, b"503 Service Unavailable")
        if fault.failure is Failure.AUTH_EXPIRY:
            return _written(_format_of(path), "hash", _refusal(BAD_ACCESS_KEY, "Invalid access key"))
        return _written(_format_of(path), "hash", _refusal(INTERNAL_ERROR, "Internal error"))

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        place = _PATH.fullmatch(path)
        found = None if place is None else _routed(method, place["path"])
        if place is None or found is None:
            return _plain(404, "The page you were looking for doesn't exist.")
        if len(body) > _BODY_BYTES_MAX:
            return _plain(413, "Content Too Large")
        route, name = found
        try:
            form = Form(place["query"] or "", body)
        except Unreadable:
            return _plain(400, "Bad Request")
        return _written(place["format"], *self._members(route, name, headers, form))

    def _members(self, route: Route, name: str, headers: Mapping[str, str], form: Form) -> tuple[str, Members]:
        try:
            # Clients of the first releases give the key as a parameter, others in the header of other products.
            key = header(headers, "X-Access-Key") or header(headers, "X-Token") or form.find("access_key") or ""
            if route.needs_key and not self.premises.administrator.has_key(key):
                raise ApiError(BAD_ACCESS_KEY, "Invalid access key")
            return route.root, {**self._run(route, name, form), "status": 0}
        except ApiError as error:
            return "hash", _refusal(error.status, error.text)
        except Refused as refused:
            return "hash", _refusal(STATUSES[refused.reason], refused.text)

    def _run(self, route: Route, name: str, form: Form) -> Members:
        premises, model = self.premises, self.premises.model
        with premises.lock:
            model.settle()
            result = route.run(Asked(model, premises.addresses, premises.administrator, form, name))
            if route.verb != "GET":
                model.events.record(f"{route.verb} {route.path}")
            return result

    def _note(self, direction: Direction, start: str, body: bytes) -> None:
        def text() -> str:
            told = start + body[:_LINE_CHARACTERS].decode(errors="replace")
            # Before names are spelled out, as a secret may have what ends it then, and after.
            return _masked(unquote(_masked(told)))[:_LINE_CHARACTERS]

        # Most lines are never read; a large body is not kept for the few that are.
        self.premises.transcript.record(direction, text if len(body) <= _KEPT_BODY_BYTES else text())


def _masked(text: str) -> str:
    return _SECRET.sub(lambda found: f"{found[found.lastindex or 0]}***", text)


def _routed(method: str, path: str) -> tuple[Route, str] | None:
    """The operation, and the name that stands in its path, if it can be printed: an answer will tell it."""
    first, *rest = path.split("/")
    route = ROUTES.get((method, first, *rest))
    if route is not None:
        return route, ""
    route, name = (ROUTES.get((method, first, "*", *rest[1:])), unquote(rest[0])) if rest else (None, "")
    return None if route is None or not name.isprintable() else (route, name)


def _refusal(status: int, text: str) -> Members:
    # Clients differ in the member that they read the text from.
    return {"status": status, "status-msg": text, "status_msg": text, "message": text}


def _written(form: str, root: str, members: Members) -> Reply:
    if form == "xml":
        return Reply(200, {"Content-Type": "application/xml; charset=utf-8"}, to_xml(root, members))
    return _json({"response": members})


def _format_of(path: str) -> str:
    place = _PATH.fullmatch(path)
    return "json" if place is None else place["format"]


def _json(content: Members) -> Reply:
    return Reply(200, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(content).encode())


def _plain(status: int, text: str) -> Reply:
    return Reply(status, {"Content-Type": "text/plain; charset=utf-8"}, f"{status} {text}".encode())
