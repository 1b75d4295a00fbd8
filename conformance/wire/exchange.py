"""What happens to one request on its way: it is recorded, and a plan may break it."""

from __future__ import annotations

from collections.abc import Callable

from conformance.contract import HttpHandler, HttpRequest, HttpResponse
from conformance.trace import Trace

Passage = Callable[[HttpRequest, HttpHandler], HttpResponse]
"""How a request passes; the default hands it on. Lost replies and refusals are other passages."""


def hand_on(request: HttpRequest, handler: HttpHandler) -> HttpResponse:
    """Send the request and give the answer back."""
    return handler(request)


def unavailable(_request: HttpRequest) -> HttpResponse:
    """HTTP 503 (RFC 9110 §15.6.4)."""
    return HttpResponse(503, {"Content-Type": "text/plain"}, b"Service Unavailable")


def cut(nth: int, *, after: bool, refusal: HttpHandler | None = None, lasts: bool = False) -> Passage:
    """Drop the connection at the nth request, counted from 0: before it reaches the array, or after it was carried
    out.

    `refusal`: answer this instead. `lasts`: let no later request reach the array either.
    """
    seen = 0

    def pass_or_cut(request: HttpRequest, handler: HttpHandler) -> HttpResponse:
        nonlocal seen
        seen += 1
        if seen <= nth or (seen > nth + 1 and not lasts):
            return handler(request)
        is_carried_out = after and seen == nth + 1
        if is_carried_out:
            handler(request)
        if refusal is not None:
            return refusal(request)
        raise ConnectionResetError("the reply was lost" if is_carried_out else "the request was lost")

    return pass_or_cut


def pause(nth: int, until: Callable[[], object]) -> Passage:
    """Hold the nth request back, counted from 0, until that returns."""
    seen = 0

    def pass_or_pause(request: HttpRequest, handler: HttpHandler) -> HttpResponse:
        nonlocal seen
        seen += 1
        if seen == nth + 1:
            until()
        return handler(request)

    return pass_or_pause


class Recorder:
    """Hands requests of one plugin instance to the array and notes them in the trace; closed, it refuses all."""

    def __init__(self, handler: HttpHandler, trace: Trace) -> None:
        self._handler, self._trace = handler, trace
        self.passage: Passage = hand_on
        self.count = 0
        self._is_closed = False

    def close(self) -> None:
        """Refuse late calls of a plugin that is gone."""
        self._is_closed = True

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Pass one request."""
        if self._is_closed:
            raise ConnectionRefusedError("this endpoint is closed")
        self.count += 1
        note = self._trace.exchange(request.path, request.body, request.method)
        try:
            response = self.passage(request, self._handler)
        except ConnectionError as error:
            note.fault = str(error)
            raise
        self._trace.answered(note, response.status, response.body)
        return response
