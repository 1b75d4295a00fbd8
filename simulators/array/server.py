"""The array's ports on loopback: management and witness over HTTPS, a page, and iSCSI, on one loop in one thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiohttp import http_exceptions, web

from simulators.array.certificate import ServerCertificate
from simulators.array.fabric import EmptyFabric
from simulators.array.faulty_management import Outcome
from simulators.array.management import Addresses, Reply
from simulators.array.page.drawn import page
from simulators.array.witness_api import look

if TYPE_CHECKING:
    from ssl import SSLContext

    from simulators.array.core import ArrayCore
    from simulators.array.data_plane import DataPlane
    from simulators.array.faulty_management import FaultyManagement

HOST: Final = "127.0.0.1"
_KEEP_ALIVE_SECONDS: Final = 3600.0
_START_SECONDS: Final = 30.0
_BAD_REQUEST: Final = Reply(400, {"Content-Type": "text/plain; charset=utf-8"}, b"400 Bad Request")
_NOBODY: Final = Reply(503, {"Content-Type": "text/plain"}, b"503 Service Unavailable: no array is open")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 is any free port. Without a number there is no page."""

    iscsi: int = 0
    management: int = 0
    witness: int = 0
    page: int | None = None


class _OurOwn(logging.Filter):
    """What a client does wrong is answered and not reported: a report would quote its request, secrets included."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        of_clients = (http_exceptions.HttpProcessingError, web.RequestPayloadError, ConnectionError)
        return not isinstance(error, of_clients)


_LOG: Final = logging.getLogger(__name__)
_LOG.addFilter(_OurOwn())


class PortUnavailable(Exception):
    """A port could not be opened."""

    def __init__(self, purpose: str, port: int, cause: OSError) -> None:
        super().__init__(purpose, port, cause)
        self.purpose, self.port, self.cause = purpose, port, cause


class ArrayServer:
    """Serves one array at a time, or none: then management answers 503 and iSCSI knows no target."""

    def __init__(self, ports: Ports, target: DataPlane) -> None:
        self._ports = ports
        self._core: ArrayCore | None = None
        self._api: FaultyManagement | None = None
        self._runners: list[web.ServerRunner] = []
        self.target = target
        self.certificate = ServerCertificate(HOST)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="array", daemon=True)
        self._thread.start()
        try:
            self.management_port, self.witness_port, self.page_port = self._run(self._listen())
        except BaseException:
            self.close()
            raise

    @property
    def addresses(self) -> Addresses:
        """What the array says about itself."""
        address, port = self.target.portal
        return Addresses(f"{HOST}:{self.management_port}", f"{address}:{port}")

    @property
    def core(self) -> ArrayCore | None:
        """The array that is served."""
        return self._core

    def serve(self, core: ArrayCore | None) -> None:
        """Serve this array from now on; all sessions of the one before are closed."""
        target = self.target
        self._api = None if core is None else core.management(self.addresses, target.sessions, target.end_sessions)
        self._core = core
        target.let_fail(() if core is None else core.connection_faults)
        target.fabric = EmptyFabric() if core is None else core.fabric

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Let one request to the management API meet its fate. Any thread may ask."""
        api = self._api
        return Outcome(_NOBODY) if api is None else api.answer(method, path, headers, body)

    def refuse(self, path: str, body: bytes) -> Reply:
        """How the management API tells that something inside has failed for a moment; nothing is done."""
        api = self._api
        return _NOBODY if api is None else api.refuse(path, body)

    def close(self) -> None:
        """Stop everything; twice is harmless."""
        if self._loop.is_closed():
            return
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.certificate.remove()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)

    async def _listen(self) -> tuple[int, int, int | None]:
        ports, context = self._ports, self.certificate.context
        try:
            await self.target.start()
        except OSError as error:
            raise PortUnavailable("port", ports.iscsi, error) from error
        management = await self._open("management_port", ports.management, self._manage, context)
        witness = await self._open("witness_port", ports.witness, self._look, context)
        # A browser would warn of the certificate, and there is no secret on the page.
        shown = None if ports.page is None else await self._open("page_port", ports.page, self._show, None)
        return management, witness, shown

    async def _open(self, purpose: str, port: int, handler: Any, context: SSLContext | None) -> int:
        server = web.Server(handler, access_log=None, logger=_LOG, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, HOST, port, ssl_context=context).start()
        except OSError as error:
            raise PortUnavailable(purpose, port, error) from error
        return int(runner.addresses[0][1])

    async def _stop(self) -> None:
        await self.target.stop()
        for runner in self._runners:
            await _clean_up(runner)

    async def _manage(self, request: web.BaseRequest) -> web.Response:
        try:
            body = await request.read() if request.body_exists else b""
        except web.RequestPayloadError:
            return _http(_BAD_REQUEST)
        outcome = self.ask(request.method, request.raw_path, request.headers, body)
        if outcome.after_seconds:
            await asyncio.sleep(outcome.after_seconds)
        reply = outcome.reply
        if reply is None:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the connection closes without an answer")
        return _http(reply)

    async def _look(self, request: web.BaseRequest) -> web.Response:
        core = self._core
        if core is None:
            return web.Response(status=_NOBODY.status, body=_NOBODY.body)
        glance = look(core, self.target.sessions(), request.method, request.raw_path, request.headers)
        return web.Response(status=glance.status, content_type=glance.content_type, body=glance.body)

    async def _show(self, request: web.BaseRequest) -> web.Response:
        # What another site's page has a browser ask for comes with that site's name, wherever the name leads.
        if (request.url.host or "") not in (HOST, "localhost"):
            return web.Response(status=403, text=f"ask for http://{HOST}:{self.page_port}/")
        core = self._core
        if core is None:
            return web.Response(status=_NOBODY.status, body=_NOBODY.body)
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="a page only shows: GET", headers={"Allow": "GET, HEAD"})
        if request.path != "/":
            return web.Response(status=404, text="nothing here; the page is at /")
        addresses = self.addresses
        told = (
            ("management API", f"https://{addresses.management}"),
            ("iSCSI portal", addresses.storage),
            ("witness", f"https://{HOST}:{self.witness_port}/"),
        )
        body = page(core, self.target.sessions(), told, is_still="still" in request.query)
        return web.Response(content_type="text/html", body=body)


def _http(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


async def _clean_up(runner: web.ServerRunner) -> None:
    handlers = runner.server.connections if runner.server else []
    transports = [each.transport for each in handlers if each.transport is not None]
    await runner.cleanup()
    # TLS waits half a minute for clients to say goodbye, and some never do.
    for each in transports:
        # A transport of Python 3.11.2 that is closed already has forgotten how.
        with suppress(AttributeError):
            each.abort()
    await asyncio.sleep(0)
