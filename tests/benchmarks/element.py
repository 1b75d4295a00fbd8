"""What the simulated array costs: its API against a server that always says the same, and many volumes against few."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from conformance.contract import ArrayWorld, HttpRequest, LaunchOptions, Secret, Transport
from conformance.wire.certificates import Authority
from simulators.array.launcher import element
from tests.benchmarks.timing import paired

SIZE = 10**9


class Client:
    """One kept HTTPS connection that asks the same thing again and again."""

    def __init__(self, url: str, ca_file: str, headers: dict[str, str], body: bytes, verb: str = "POST") -> None:
        self._verb, parts = verb, urlsplit(url)
        context = ssl.create_default_context(cafile=ca_file)
        self._connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context)
        self._path, self._headers, self._body = parts.path, headers, body

    def ask(self) -> bytes:
        """One request."""
        self._connection.request(self._verb, self._path, self._body, self._headers)
        return self._connection.getresponse().read()


@contextmanager
def constant_server(answer: bytes) -> Iterator[tuple[str, str]]:
    """A server of the same kind (aiohttp, TLS with the same kind of key) that always gives this answer."""
    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder), "constant")
        context = authority.server_context()
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        runner = asyncio.run_coroutine_threadsafe(_serve(answer, context), loop).result(10)
        port = runner.addresses[0][1]
        try:
            yield f"https://127.0.0.1:{port}/json-rpc/12.3", str(authority.ca_file)
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(5)


async def _serve(answer: bytes, context: ssl.SSLContext) -> web.ServerRunner:
    async def say(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.Response(body=answer, content_type="application/json")

    runner = web.ServerRunner(web.Server(say, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    return runner


def _authorization(world: ArrayWorld) -> dict[str, str]:
    user, password = world.parameters["username"], world.parameters["password"]
    assert isinstance(password, Secret)
    token = base64.b64encode(f"{user}:{password.reveal()}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def calls_against_constant() -> float:
    """Calls per second of ListVolumes over those of a constant answer of the same length."""
    entry = element(LaunchOptions("array", Transport.SOCKETS))
    try:
        world = entry.open_world()
        headers = _authorization(world)
        asked = json.dumps({"method": "ListVolumes", "params": {"limit": 1}, "id": 1}).encode()
        endpoint = world.endpoints[0]
        ours = Client(endpoint.url, endpoint.ca_file or "", headers, asked)
        call(world, "AddAccount", username="bench")
        call(world, "CreateVolume", name="one", accountID=1, totalSize=SIZE, enable512e=True)
        with constant_server(ours.ask()) as (url, ca_file):
            theirs = Client(url, ca_file, headers, asked)
            return paired(ours.ask, theirs.ask)
    finally:
        entry.close()


def call(world: ArrayWorld, method: str, **params: Any) -> Any:
    """One call of the management API, without sockets."""
    body = json.dumps({"method": method, "params": params, "id": 1}).encode()
    path = urlsplit(world.endpoints[0].url).path
    answer = json.loads(world.endpoints[0].handle(HttpRequest("POST", path, _authorization(world), body)).body)
    if "error" in answer:
        raise AssertionError(answer["error"])
    return answer["result"]


LIMITS = {"volumes": 40_000, "volumes_per_account": 40_000, "groups": 2_000}
FEW, MANY = (100, 10), (10_000, 1_000)
PAGE = 100


def populated(volumes: int, initiators: int) -> ArrayWorld:
    """An array in memory with so many volumes, and so many initiators in groups of their own that share them out."""
    settings: dict[str, object] = {"capacity_bytes": 10**17, "limits": LIMITS}
    world = element(LaunchOptions("array", Transport.MEMORY, settings)).open_world()
    call(world, "AddAccount", username="bench")
    for number in range(volumes):
        create(world, f"v{number}")
    for number in range(initiators):
        mine = list(range(1 + number, 1 + volumes, initiators))
        call(world, "CreateVolumeAccessGroup", name=f"g{number}", initiators=[_iqn(number)], volumes=mine)
    return world


def _iqn(number: int) -> str:
    return f"iqn.1993-08.org.debian:01:host-{number}"


def create(world: ArrayWorld, name: str) -> int:
    """One more volume."""
    made = call(world, "CreateVolume", name=name, accountID=1, totalSize=SIZE, enable512e=True)
    return int(made["volumeID"])


def create_and_purge(world: ArrayWorld) -> None:
    """A volume comes and goes."""
    number = create(world, "new")
    call(world, "DeleteVolume", volumeID=number)
    call(world, "PurgeDeletedVolume", volumeID=number)


def list_page(world: ArrayWorld) -> None:
    """A page from the middle of all volumes."""
    call(world, "ListVolumes", startVolumeID=50, limit=PAGE // 2)


def grant_and_revoke(world: ArrayWorld) -> None:
    """A volume that another group has is opened to one more initiator, and closed again."""
    call(world, "AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[2])
    call(world, "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=1, volumes=[2])


def many_over_few() -> dict[str, float]:
    """Cost on an array with 10,000 volumes and 1,000 initiators over the cost with 100 and 10, of each operation."""
    many, few = populated(*MANY), populated(*FEW)
    operations = {"create": create_and_purge, "list a page": list_page, "grant": grant_and_revoke}
    return {name: 1 / paired(partial(do, many), partial(do, few)) for name, do in operations.items()}
