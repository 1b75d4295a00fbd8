"""An array whose deleted volumes stay in the trash, where the plugin leaves them until their store goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from conformance.contract import StoreRequest, Traits
from reference_providers.solidfire import Connect, HttpConnection, SolidFireProvider, open_https

TRASH_SECONDS: Final = 8 * 3600
"""How long Element keeps a deleted volume."""


class WithTrash(SolidFireProvider):
    """Deletes and does not purge; what is in the trash is not there for it."""

    def __init__(self, *, connect: Connect = open_https) -> None:
        self._emptying = threading.local()
        super().__init__(connect=lambda *place: _Unpurging(connect(*place), self._emptying))
        delete_datastore = self._lifecycle.delete_datastore

        def emptying(request: StoreRequest) -> None:
            """The store's account can only go when its trash is empty."""
            self._emptying.now = True
            try:
                delete_datastore(request)
            finally:
                self._emptying.now = False

        self._lifecycle.delete_datastore = emptying  # type: ignore[method-assign]

    @property
    def name(self) -> str:
        return "with-trash"

    @property
    def traits(self) -> Traits:
        return replace(super().traits, trash_seconds=TRASH_SECONDS)


class _Unpurging:
    """A connection on which nothing is purged, and what is in the trash is not listed, unless it is being emptied."""

    def __init__(self, connection: HttpConnection, emptying: threading.local) -> None:
        self._connection, self._emptying = connection, emptying

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        asked = json.loads(body)["method"]
        if getattr(self._emptying, "now", False):
            return self._connection.request(method, path, headers, body, timeout)
        if asked == "PurgeDeletedVolume":
            return 200, b'{"id": 1, "result": {}}'
        status, answer = self._connection.request(method, path, headers, body, timeout)
        is_list = asked == "ListVolumes" and status == 200
        return status, _without_trash(json.loads(answer)) if is_list else answer

    def close(self) -> None:
        self._connection.close()


def _without_trash(answer: dict[str, Any]) -> bytes:
    result = answer.get("result") or {}
    if "volumes" in result:
        result["volumes"] = [each for each in result["volumes"] if each["status"] != "deleted"]
    return json.dumps(answer).encode()
