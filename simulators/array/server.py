"""The array's ports on loopback: management and witness over HTTPS, and iSCSI, on one loop in one thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiohttp import web

from simulators.array.certificate import ServerCertificate
from simulators.array.element_api.http import Reply
from simulators.array.element_api.method import Addresses
from simulators.array.fabric import EmptyFabric
from simulators.array.witness_api import look

if TYPE_CHECKING:
    from simulators.array.core import ArrayCore
    from simulators.array.data_plane import DataPlane
    from simulators.array.element_api.http import ElementApi

HOST: Final = "127.0.0.1"
_KEEP_ALIVE_SECONDS: Final = 3600.0
_START_SECONDS: Final = 30.0
_NOBODY: Final = Reply(503, {"Content-Type": "text/plain"}, b"503 Service Unavailable: no array is open")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 is any free port."""

    iscsi: int = 0
    management: int = 0
    witness: int = 0


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
        self._api: ElementApi | None = None
        self._runners: list[web.ServerRunner] = []
        self.target = target
        self.certificate = ServerCertificate(HOST)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="array", daemon=True)
        self._thread.start()
        try:
            self.management_port, self.witness_port = self._run(self._listen())
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
        self._api = None if core is None else core.management(self.addresses, self.target.sessions)
        self._core = core
        self.target.fabric = EmptyFabric() if core is None else core.fabric

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request to the management API. Any thread may ask."""
        api = self._api
        return _NOBODY if api is None else api.handle(method, path, headers, body)

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

    async def _listen(self) -> tuple[int, int]:
        try:
            await self.target.start()
        except OSError as error:
            raise PortUnavailable("port", self._ports.iscsi, error) from error
        management = await self._open("management_port", self._ports.management, self._manage)
        return management, await self._open("witness_port", self._ports.witness, self._look)

    async def _open(self, purpose: str, port: int, handler: Any) -> int:
        server = web.Server(handler, access_log=None, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, HOST, port, ssl_context=self.certificate.context).start()
        except OSError as error:
            raise PortUnavailable(purpose, port, error) from error
        return int(runner.addresses[0][1])

    async def _stop(self) -> None:
        await self.target.stop()
        for runner in self._runners:
            await runner.cleanup()

    async def _manage(self, request: web.BaseRequest) -> web.Response:
        reply = self.ask(request.method, request.raw_path, request.headers, await request.read())
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    async def _look(self, request: web.BaseRequest) -> web.Response:
        core = self._core
        if core is None:
            return web.Response(status=_NOBODY.status, body=_NOBODY.body)
        glance = look(core, self.target.sessions(), request.method, request.raw_path, request.headers)
        return web.Response(status=glance.status, content_type=glance.content_type, body=glance.body)
