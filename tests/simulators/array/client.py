"""The smallest client of the management API, and arrays to use it on."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from conformance.contract import ArrayWorld, HttpRequest, HttpResponse, LaunchOptions, Secret, Transport
from simulators.array.chance import SeededChance
from simulators.array.element_api.make import ELEMENT
from simulators.array.launcher import element
from simulators.array.limits import Limits
from simulators.array.model import DEFAULT_CAPACITY_BYTES, ArrayModel

GB = 10**9
HOST = "iqn.1993-08.org.debian:01:host-1"
OTHER_HOST = "iqn.1993-08.org.debian:01:host-2"


class Refusal(Exception):
    """The array answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.name: str = error["name"]
        self.code: int = error["code"]
        self.text: str = error["message"]


class Client:
    """Calls methods by name."""

    def __init__(self, world: ArrayWorld) -> None:
        self.world = world
        username, password = world.parameters["username"], world.parameters["password"]
        assert isinstance(username, str)
        assert isinstance(password, Secret)
        self.authorization = basic(username, password.reveal())

    def send(self, body: bytes, path: str | None = None, **headers: str) -> HttpResponse:
        path = path or urlsplit(self.world.endpoints[0].url).path
        request = HttpRequest("POST", path, {"Authorization": self.authorization, **headers}, body)
        return self.world.endpoints[0].handle(request)

    def call(self, method: str, /, **params: object) -> Any:
        response = self.send(json.dumps({"method": method, "params": params, "id": 7}).encode())
        answer = json.loads(response.body)
        assert (response.status, answer["id"]) == (200, 7)
        if "error" in answer:
            raise Refusal(answer["error"])
        return answer["result"]

    def account(self, username: str = "tenant", **params: object) -> int:
        return int(self.call("AddAccount", username=username, **params)["accountID"])

    def volume(self, account_id: int, name: str = "vol", **params: object) -> Any:
        wanted = {"totalSize": GB, "enable512e": True, **params}
        return self.call("CreateVolume", name=name, accountID=account_id, **wanted)["volume"]


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@contextmanager
def memory_array(**settings: object) -> Iterator[Client]:
    """An array in memory."""
    entry = element(LaunchOptions("array", Transport.MEMORY, settings))
    world = entry.open_world()
    yield Client(world)
    world.close()
    entry.close()


class HandClock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2020, 6, 3, 16, 41, 40, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, span: timedelta) -> None:
        self.time += span


def bare_model(
    clock: HandClock | None = None,
    limits: Limits | None = None,
    capacity_bytes: int = DEFAULT_CAPACITY_BYTES,
) -> ArrayModel:
    """A model and nothing else."""
    return ArrayModel(
        make=ELEMENT,
        now=(clock or HandClock()).now,
        chance=SeededChance("test"),
        limits=limits,
        capacity_bytes=capacity_bytes,
    )
