"""The smallest client of the VPSA API, in the request forms of both clients there are, and arrays to use it on."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from conformance.contract import ArrayWorld, HttpRequest, HttpResponse, LaunchOptions, Secret, Transport
from simulators.array.launcher import array
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.initiator import Initiator, Session

GB = 1 << 30
POOL = "pool-00000001"
HOST = "iqn.1993-08.org.debian:01:host-1"
OTHER_HOST = "iqn.1993-08.org.debian:01:host-2"


class Refusal(Exception):
    """The array answered with a status that is not 0."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        super().__init__(response)
        self.status: int = response["status"]
        self.text: str = response["status-msg"]


class Client:
    """Asks by verb and path."""

    def __init__(self, world: ArrayWorld) -> None:
        self.world = world
        key = world.parameters["access_key"]
        assert isinstance(key, Secret)
        self.headers = {"X-Access-Key": key.reveal()}

    def send(self, verb: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> HttpResponse:
        request = HttpRequest(verb, path, self.headers if headers is None else headers, body)
        return self.world.endpoints[0].handle(request)

    def ask(self, verb: str, path: str, **form: object) -> Any:
        """As Cinder does: a form; the query is part of the path."""
        path, _, query = path.partition("?")
        response = self.send(verb, f"/api/{path}.json?{query}", urlencode(form, doseq=True).encode())
        return told(response)

    def ask_json(self, verb: str, path: str, **body: object) -> Any:
        """As zadarapy does: JSON on every verb, with a timeout in it."""
        return told(self.send(verb, f"/api/{path}.json", json.dumps({**body, "timeout": 15}).encode()))

    def ask_xml(self, verb: str, path: str, **form: object) -> ET.Element:
        """As Cinder did long ago."""
        response = self.send(verb, f"/api/{path}.xml", urlencode(form, doseq=True).encode())
        assert response.headers["Content-Type"].startswith("application/xml")
        return ET.fromstring(response.body)

    def volume(self, name: str = "vol", gigabytes: int = 1) -> str:
        """Make a volume."""
        return str(self.ask("POST", "volumes", name=name, capacity=gigabytes, pool=POOL)["vol_name"])

    def server(self, iqn: str = HOST, **form: object) -> str:
        """Make a server."""
        return str(self.ask("POST", "servers", display_name=iqn, iqn=iqn, **form)["server_name"])

    def attach(self, server: str, *volumes: str) -> None:
        """Attach volumes to a server."""
        self.ask("POST", f"servers/{server}/volumes", **{"volume_name[]": volumes})

    def detach(self, volume: str, server: str) -> None:
        """Detach a volume from a server."""
        self.ask("POST", f"volumes/{volume}/detach", **{"server_name[]": server})

    @property
    def controller(self) -> Any:
        """The active one."""
        return self.ask("GET", "vcontrollers")["vcontrollers"][0]

    @property
    def chap(self) -> ChapAccount:
        """The array's own."""
        told = self.controller
        return ChapAccount(told["vpsa_chap_user"], told["vpsa_chap_secret"].encode())

    def login(self, host: str = HOST, chap: ChapAccount | None = None) -> Session:
        """Log in to the array's target."""
        port = self.world.parameters["iscsi_port"]
        assert isinstance(port, str)
        initiator = Initiator(host, self.world.dial)
        return initiator.login(self.controller["iscsi_ip"], int(port), self.controller["target"], chap)

    def discover(self, host: str = HOST) -> list[str]:
        """The targets that a host is shown."""
        port = self.world.parameters["iscsi_port"]
        assert isinstance(port, str)
        found = Initiator(host, self.world.dial).discover(self.controller["iscsi_ip"], int(port))
        return [name for name, _ in found]


def told(response: HttpResponse) -> Any:
    assert response.status == 200
    answer = json.loads(response.body)["response"]
    if answer["status"] != 0:
        raise Refusal(answer)
    return answer


@contextmanager
def memory_array(*, transport: Transport = Transport.MEMORY, **settings: object) -> Iterator[Client]:
    """An array, in memory unless it is told to have sockets."""
    entry = array(LaunchOptions("array", transport, {"api": "vpsa", **settings}))
    world = entry.open_world()
    yield Client(world)
    world.close()
    entry.close()
