"""One machine for all tests, and for each test an array of its own that hosts of the machine log in to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from conformance.contract import LaunchOptions, Transport
from simulators.array.launcher import simulate
from simulators.lio import homes
from tests.simulators.array.client import Client
from tests.wire_linux.host import LinuxHost, add_host
from tests.wire_linux.machine import LinuxMachine
from tests.wire_linux.recipe import ready_image

HOST = "iqn.1993-08.org.debian:01:host-1"
# The beginning of the other: whoever compares only beginnings mixes them up.
OTHER_HOST = "iqn.1993-08.org.debian:01:host-11"


@dataclass(frozen=True, slots=True)
class Bench:
    """An array with an account whose secrets are known, and two hosts."""

    array: Client
    host: LinuxHost
    other: LinuxHost
    account_id: int

    def volume(self, name: str = "vol", **params: object) -> Any:
        """A volume that no host may use yet."""
        return self.array.volume(self.account_id, name, **params)

    def granted(self, *hosts: LinuxHost, volumes: list[Any], name: str = "group") -> int:
        """The id of a group by which hosts may use volumes."""
        ids = [each["volumeID"] for each in volumes]
        names = [each.iqn for each in hosts]
        made = self.array.call("CreateVolumeAccessGroup", name=name, initiators=names, volumes=ids)
        return int(made["volumeAccessGroupID"])

    def volume_of(self, *hosts: LinuxHost) -> Any:
        """A volume that hosts may use."""
        volume = self.volume()
        self.granted(*hosts, volumes=[volume])
        return volume

    def attached(self, **settings: str) -> str:
        """The device of a new volume on the host."""
        return self.host.attached(self.volume_of(self.host)["iqn"], settings)


@pytest.fixture(scope="session")
def machine() -> Iterator[LinuxMachine]:
    machine = LinuxMachine(ready_image(homes.initiator()))
    try:
        machine.wait_until_ready()
        for iqn in (HOST, OTHER_HOST):
            add_host(machine, iqn)
        yield machine
    finally:
        machine.close()


@pytest.fixture
def launched(machine: LinuxMachine) -> Iterator[Callable[..., Bench]]:
    """Launches an array with settings of its own."""
    with ExitStack() as stack:

        def launch(**settings: object) -> Bench:
            running = simulate(LaunchOptions("array", Transport.SOCKETS, settings))
            stack.callback(running.close)
            portal = dict(running.describe())["iSCSI portal"]
            host, other = (LinuxHost(machine, portal, iqn) for iqn in (HOST, OTHER_HOST))
            stack.callback(host.leave)
            array = Client(running.world)
            account_id = array.account(initiatorSecret="correct-horse-1", targetSecret="battery-staple")
            return Bench(array, host, other, account_id)

        yield launch


@pytest.fixture
def bench(launched: Callable[..., Bench]) -> Bench:
    return launched()
