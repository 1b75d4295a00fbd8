"""An array on real ports for each test, and the vendor's client connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance.contract import ArrayEntry, ArrayWorld, LaunchOptions, Secret, Transport
from simulators.array.launcher import array as launch
from simulators.iscsi.byte_stream import dial_socket
from simulators.iscsi.initiator import Initiator, Session

HOST = "iqn.1993-08.org.debian:01:host-1"


@pytest.fixture(scope="session")
def entry() -> Iterator[ArrayEntry]:
    launched = launch(LaunchOptions("array", Transport.SOCKETS, {"api": "vpsa"}))
    yield launched
    launched.close()


@pytest.fixture
def array(entry: ArrayEntry) -> Iterator[ArrayWorld]:
    world = entry.open_world()
    yield world
    world.close()


@pytest.fixture
def connected(array: ArrayWorld, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Sessions of the client; it checks certificates always, by what the environment says."""
    from zadarapy.session import Session as ClientSession

    endpoint = array.endpoints[0]
    where = urlsplit(endpoint.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(endpoint.ca_file))

    def connect(key: str) -> Any:
        return ClientSession(where.hostname, where.port, key, configfile=None, log_function=lambda _line: None)

    return connect


@pytest.fixture
def session(array: ArrayWorld, connected: Callable[[str], Any]) -> Any:
    key = array.parameters["access_key"]
    assert isinstance(key, Secret)
    return connected(key.reveal())


@pytest.fixture
def login(array: ArrayWorld) -> Callable[..., Session]:
    """Log in to the target of a controller that the client has shown."""

    def log_in(controller: Any, chap: Any) -> Session:
        port = array.parameters["iscsi_port"]
        assert isinstance(port, str)
        return Initiator(HOST, dial_socket).login(controller["iscsi_ip"], int(port), controller["target"], chap)

    return log_in
