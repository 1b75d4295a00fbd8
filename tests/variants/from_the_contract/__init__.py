"""A plugin for the SolidFire Element API that was written from the contract alone, and is right in an unusual way.

A LUN has an account of its own; whoever knows its CHAP gets in, and nobody is in an access group. A store is nothing on
the array. A volume that is deleted while it has snapshots stays, for nobody to reach, until the last of them is gone.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from conformance import contract as c
from reference_providers.solidfire import Connect, open_https

from . import shape
from .driver import OddDriver
from .lifecycle import MODELS, OddLifeCycle, OddListener
from .shelf import Shelf
from .wire import Array


class OddProvider:
    """`DataStoreProvider`."""

    def __init__(self, connect: Connect = open_https, ids: Any = shape.PlainIds, name: str = "odd-solidfire") -> None:
        self._connect, self._name = connect, name
        self._context: c.ProviderContext | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._driver = OddDriver(self._shelf, ids)
        self._lifecycle = OddLifeCycle(self._shelf, self._driver.used)
        self._listener = OddListener(self._shelf)

    name = property(lambda self: self._name)
    version = property(lambda self: "0.7.1")
    contract_version = property(lambda self: c.CONTRACT_VERSION)
    capabilities = property(lambda self: shape.CAPABILITIES)
    traits = property(lambda self: shape.TRAITS)
    limits = property(lambda self: shape.LIMITS)
    access_models = property(lambda self: MODELS)
    hookup = property(lambda self: c.Hookup.FRAMEWORK)
    parameters = property(lambda self: shape.PARAMETERS)
    driver = property(lambda self: self._driver)
    lifecycle = property(lambda self: self._lifecycle)
    host_listener = property(lambda self: self._listener)
    image_store_driver = property(lambda self: None)

    def configure(self, context: c.ProviderContext) -> None:
        self._context = context

    def close(self) -> None:
        with self._lock:
            readers, self._readers = self._readers, None
        if readers is not None:
            readers.shutdown(wait=True, cancel_futures=True)

    def _shelf(self, request: c.StoreRequest) -> Shelf:
        if self._context is None:
            raise RuntimeError("configure() has not been called")
        return Shelf(Array(request, self._context, self._pool, self._connect), request.uuid)

    def _pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._readers is None:
                self._readers = ThreadPoolExecutor(max_workers=3, thread_name_prefix="odd-reader")
            return self._readers


def opaque(connect: Connect = open_https) -> OddProvider:
    """The same with external ids that are JSON."""
    return OddProvider(connect, shape.OpaqueIds, "odd-solidfire-opaque")
