"""A server in a loop of its own, for tests that block."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from simulators.iscsi.server import TargetServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.iscsi.portal import Portal
    from tests.simulators.iscsi.fake_fabric import FakeFabric


@contextmanager
def serving(fabric: FakeFabric, *more_portals: Portal, ping_seconds: float | None = None) -> Iterator[TargetServer]:
    """Run a server in a loop of its own."""
    server = TargetServer(fabric, more_portals=more_portals, ping_seconds=ping_seconds)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
