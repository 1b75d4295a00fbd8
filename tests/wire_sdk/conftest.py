"""An array on real ports for each test, and the vendor's SDK connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance.contract import ArrayEntry, ArrayWorld, LaunchOptions, Secret, Transport
from simulators.array.launcher import element
from simulators.iscsi.byte_stream import dial_socket
from simulators.iscsi.initiator import Initiator, Session

HOST = "iqn.1993-08.org.debian:01:host-1"


@pytest.fixture(scope="session")
def entry() -> Iterator[ArrayEntry]:
    launched = element(LaunchOptions("array", Transport.SOCKETS))
    yield launched
    launched.close()


@pytest.fixture
def array(entry: ArrayEntry) -> Iterator[ArrayWorld]:
    world = entry.open_world()
    yield world
    world.close()


@pytest.fixture
def sdk(array: ArrayWorld) -> Any:
    """The SDK as its manual says to make it."""
    from solidfire.factory import ElementFactory

    where = urlsplit(array.endpoints[0].url)
    username, password = array.parameters["username"], array.parameters["password"]
    assert isinstance(password, Secret)
    return ElementFactory.create(
        where.hostname, username, password.reveal(), port=where.port, verify_ssl=False, print_ascii_art=False
    )


@pytest.fixture
def login(sdk: Any) -> Callable[..., Session]:
    """Logs in to a volume that the SDK has shown."""

    def log_in(volume: Any, chap: Any = None) -> Session:
        address, _, port = sdk.get_cluster_info().cluster_info.svip.rpartition(":")
        return Initiator(HOST, dial_socket).login(address, int(port), volume.iqn, chap)

    return log_in
