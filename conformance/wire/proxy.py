"""The HTTPS proxies of a run: every plugin instance gets a port of its own, so that its calls are known and fenced."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from conformance.contract import HttpHandler, HttpRequest, HttpResponse
from conformance.wire.certificates import Authority

T = TypeVar("T")
_START_SECONDS = 10.0


class ProxyServer:
    """One event loop thread that keeps all proxies of a run."""

    def __init__(self, *, is_upstream_here: bool = False) -> None:
        self._is_upstream_here = is_upstream_here
        self._folder = Path(tempfile.mkdtemp(prefix="storage-conformance-"))
        self.trusted = Authority(self._folder, "proxy")
        self.untrusted = Authority(self._folder, "stranger")
        self._context = self.trusted.server_context()
        self._loop = asyncio.new_event_loop()
        self._workers = ThreadPoolExecutor(8, thread_name_prefix="storage-conformance proxy")
        self._thread = threading.Thread(target=self._loop.run_forever, name="storage-conformance proxies", daemon=True)
        self._thread.start()
        self._runners: dict[str, web.ServerRunner] = {}

    @property
    def ca_file(self) -> str:
        """The authority that signed every proxy's certificate."""
        return str(self.trusted.ca_file)

    def open(self, handler: HttpHandler) -> str:
        """Start a proxy on a free port; answers its URL without a path."""
        return self._run(self._start(handler))

    def close(self, url: str) -> None:
        """Stop a proxy: later calls are refused."""
        runner = self._runners.pop(url, None)
        if runner is not None:
            self._run(runner.cleanup())

    def connections(self, url: str) -> int:
        """Connections to a proxy that are open."""
        return self._run(self._count(self._runners[url]))

    def shut_down(self) -> None:
        """Stop all proxies and the thread, and remove the files."""
        for url in list(self._runners):
            self.close(url)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)
        self._loop.close()
        self._workers.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self, handler: HttpHandler) -> str:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await self._answer(request, handler)

        # aiohttp logs a traceback for each connection that a plugin breaks off: that is no news here.
        quiet = logging.getLogger("storage-conformance.proxy")
        quiet.propagate = False
        server = web.Server(answer, access_log=None, logger=quiet)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        port = runner.addresses[0][1]
        url = f"https://127.0.0.1:{port}"
        self._runners[url] = runner
        return url

    async def _count(self, runner: web.ServerRunner) -> int:
        return 0 if runner.server is None else len(runner.server.connections)

    async def _answer(self, request: web.BaseRequest, handler: HttpHandler) -> web.StreamResponse:
        asked = HttpRequest(request.method, request.raw_path, dict(request.headers), await request.read())
        try:
            got = await self._passed_on(handler, asked)
        except ConnectionError:
            # The plugin must see what a dropped connection looks like, not an HTTP answer.
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)
        kept = {key: value for key, value in got.headers.items() if key.lower() in {"content-type", "www-authenticate"}}
        return web.Response(status=got.status, headers=kept, body=got.body)

    async def _passed_on(self, handler: HttpHandler, asked: HttpRequest) -> HttpResponse:
        if self._is_upstream_here:
            # A simulated array answers in this process, in less time than a change of threads takes.
            return handler(asked)
        return await self._loop.run_in_executor(self._workers, handler, asked)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)
