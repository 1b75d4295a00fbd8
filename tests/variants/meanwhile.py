"""Plugins that do things at other times: in the background, again, later, and not now."""

from __future__ import annotations

import functools
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from conformance.contract import Busy, Created, DataStore, Placement, ProviderError, VolumeRequest
from reference_providers import solidfire
from reference_providers.solidfire import Connect, luns, open_https
from reference_providers.solidfire.client import ElementClient
from reference_providers.solidfire.element import Element
from reference_providers.solidfire.errors import Interrupted
from reference_providers.solidfire.parameters import login_of
from tests.variants.own_calls import OwnCalls
from tests.variants.trash import WithTrash
from tests.variants.wrapping import DRIVER_METHODS, LIFECYCLE_METHODS, Variant, Wrapped, every_nth, everywhere

_LISTENING: Final = ("host_added", "host_connected", "host_disconnected", "host_about_to_be_removed", "host_removed")
_CHANGING: Final = ("Create", "Add", "Modify", "Delete", "Remove", "Purge", "Clone", "Rollback")


def busy_everywhere(connect: Any) -> Variant:
    """Cannot do it now, with stores and hosts as with volumes, and twice in a row."""
    plugin = solidfire.PROVIDER(connect=connect)
    counted = itertools.count()

    def now_and_then(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if next(counted) % 5 in (2, 3):
            raise Busy(0.0 if next(counted) % 2 else 10.0, "")
        return method(*arguments)

    lifecycle = everywhere(now_and_then, *LIFECYCLE_METHODS, "update", "attach_zone")
    made = Variant(
        plugin, {"name": "busy-everywhere"}, driver=everywhere(now_and_then, *DRIVER_METHODS), lifecycle=lifecycle
    )
    made.host_listener = Wrapped(plugin.host_listener, everywhere(now_and_then, *_LISTENING, "host_enabled"))
    return made


def with_heartbeat(connect: Any) -> Variant:
    """Looks after the array on a thread of its own, at each call."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def looked_after(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        looking = threading.Thread(target=_look, args=(own, arguments[0]), daemon=True)
        looking.start()
        try:
            return method(*arguments)
        finally:
            looking.join()

    return Variant(plugin, {"name": "with-heartbeat"}, driver=everywhere(looked_after, *DRIVER_METHODS))


class _NoOperation:
    """A context for a thread that works for no operation: nobody waits."""

    remaining_seconds: Final = 5.0

    def operation(self) -> _NoOperation:
        return self

    def check(self) -> None:
        """Nobody gives up."""


def _look(own: OwnCalls, store: DataStore) -> None:
    """Ask the array how it is; whatever it says, the call goes on."""
    with suppress(Exception):
        client = ElementClient(login_of(store.request), own.arrays._connections, cast("Any", _NoOperation()))
        Element(client).facts()


def asking_twice(connect: Any) -> Variant:
    """Does not trust the first answer: what only reads is asked twice."""
    plugin = solidfire.PROVIDER(connect=lambda *place: _Twice(connect(*place)))
    return Variant(plugin, {"name": "asking-twice"})


class _Twice:
    """A connection on which each reading request is sent twice."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        asked = str(json.loads(body)["method"])
        if not asked.startswith(_CHANGING) and asked != "GetAsyncResult":
            self._connection.request(method, path, headers, body, timeout)
        answer: tuple[int, bytes] = self._connection.request(method, path, headers, body, timeout)
        return answer

    def close(self) -> None:
        self._connection.close()


def over_a_bad_line(connect: Any) -> Variant:
    """Its connections break now and then, before the request is sent or after it was carried out; it goes on."""
    breaks = every_nth(61)
    plugin = solidfire.PROVIDER(connect=lambda *place: _Breaking(connect(*place), breaks))
    return Variant(plugin, {"name": "over-a-bad-line"})


class _Breaking:
    """A connection that breaks when `breaks` says so."""

    def __init__(self, connection: Any, breaks: Callable[[], bool]) -> None:
        self._connection, self._breaks = connection, breaks

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        answer: tuple[int, bytes] = self._connection.request(method, path, headers, body, timeout)
        if self._breaks():
            raise ConnectionResetError("the line is bad")
        return answer

    def close(self) -> None:
        self._connection.close()


class PurgingLater(WithTrash):
    """Deletes at once, and empties the store's trash at the next create."""

    def __init__(self, *, connect: Connect = open_https) -> None:
        super().__init__(connect=connect)
        own, create = OwnCalls(self._arrays), self._driver.create

        def sweeping(store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
            with suppress(ProviderError, Interrupted):
                self._empty(own.element(store), store)
            return create(store, request, placement)

        self._driver.create = functools.wraps(create)(sweeping)  # type: ignore[method-assign]

    @property
    def name(self) -> str:
        return "purging-later"

    def _empty(self, element: Element, store: DataStore) -> None:
        self._emptying.now = True
        try:
            for each in luns.of_store(element, store.request.uuid):
                if each.is_deleted:
                    element.purge_lun(each.lun_id)
        finally:
            self._emptying.now = False
