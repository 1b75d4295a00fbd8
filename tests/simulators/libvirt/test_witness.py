"""Storage pools of others: planted and seen from behind, in memory and in a daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import libvirt
import pytest

from conformance.contract import LaunchOptions, Transport, WitnessedHosts
from simulators.libvirt import launcher
from simulators.libvirt.launcher import LibvirtEntry, LibvirtWorld


def no_dial(address: str, port: int) -> Any:
    raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture(params=[Transport.MEMORY, Transport.SOCKETS])
def world(request: pytest.FixtureRequest) -> Iterator[LibvirtWorld]:
    entry = launcher.test_driver(LaunchOptions("kvm", request.param, {"hosts": 2}))
    assert isinstance(entry, LibvirtEntry)
    opened = entry.open_world(no_dial)
    yield opened
    opened.close()
    entry.close()


def pools(world: LibvirtWorld) -> list[Any]:
    connections: Any = world.connections
    return list(connections.connect(world.hosts()[0]).listAllStoragePools())


def test_a_planted_pool_is_as_any_other_to_who_connects(world: LibvirtWorld) -> None:
    assert isinstance(world, WitnessedHosts)
    world.witness.plant("ds/1", is_active=True)
    world.witness.plant("ds-2", is_active=False)
    seen = {each.name(): (each.isActive(), each.autostart()) for each in pools(world)}
    assert seen == {"ds-1": (1, 0), "ds-2": (0, 1)}
    told = world.witness.observe()
    states = sorted((each.name, each.is_active, each.is_autostarted) for each in told)
    assert states == [*2 * [("ds-1", True, False)], *2 * [("ds-2", False, True)]]
    assert len({each.external_id for each in told}) == 4
    assert {each.host_uuid for each in told} == {each.uuid for each in world.hosts()}
    assert all("<device path=" in each.definition for each in told)


@pytest.mark.parametrize(
    "change",
    [
        lambda pool: pool.destroy(),
        lambda pool: pool.setAutostart(1),
        # Its target does not answer: a refresh that fails stops the pool, as libvirt's does.
        lambda pool: pool.refresh(),
    ],
)
def test_whatever_is_done_to_it_shows(world: LibvirtWorld, change: Callable[[Any], object]) -> None:
    world.witness.plant("ds", is_active=True)
    before = world.witness.observe()
    [pool] = pools(world)
    with suppress(libvirt.libvirtError):
        change(pool)
    after = world.witness.observe()
    assert [each.host_uuid for each in set(before) - set(after)] == [world.hosts()[0].uuid]


def test_looking_leaves_no_line_in_the_log_and_needs_no_answer_of_the_host(world: LibvirtWorld) -> None:
    world.witness.plant("ds", is_active=True)
    world.set_reachable(world.hosts()[0], is_reachable=False)
    assert len(world.witness.observe()) == 2
    assert "virStoragePool" not in world.secrets_seen()


@pytest.mark.parametrize(("name", "told"), [("ds", "has a pool 'ds' already"), ("", "takes no pool '': .*")])
def test_a_name_that_no_host_takes_is_refused(world: LibvirtWorld, name: str, told: str) -> None:
    world.witness.plant("ds", is_active=True)
    with pytest.raises(ValueError, match=rf"{told}; plant another name"):
        world.witness.plant(name, is_active=False)
    assert len(world.witness.observe()) == 2
