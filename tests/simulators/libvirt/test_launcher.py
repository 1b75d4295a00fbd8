"""Worlds of both transports: cheap, private, and alive when clients are not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libvirt
import pytest

from conformance.contract import (
    Dial,
    DiskLocation,
    HypervisorType,
    Iqn,
    LaunchFailed,
    LaunchOptions,
    LaunchUnavailable,
    Portal,
    Transport,
)
from hypervisor_bridge.kvm import open_bridge
from simulators.iscsi.byte_stream import dial_socket
from simulators.iscsi.server import TargetServer
from simulators.libvirt import launcher
from tests.hypervisor_bridge.kvm.small_array import CHAP, MIB, SmallArray
from tests.hypervisor_bridge.memory_ledger import MemoryLedger

MEMORY = LaunchOptions("kvm", Transport.MEMORY, {"hosts": 64})


def no_dial(address: str, port: int) -> Any:
    raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture(scope="module")
def entry() -> Iterator[launcher.LibvirtEntry]:
    """One daemon for this module."""
    started = launcher.LibvirtEntry(LaunchOptions("kvm", Transport.SOCKETS), 2, 0)
    yield started
    started.close()


@contextmanager
def served(array: SmallArray) -> Iterator[Portal]:
    """The array's targets on a real socket."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = TargetServer(array)
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
    try:
        yield Portal(*server.portal)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def test_hosts_have_names_and_initiators_of_their_own() -> None:
    entry = launcher.test_driver(MEMORY)
    worlds = [entry.open_world(no_dial) for _ in range(2)]
    hosts = [host for world in worlds for host in world.hosts()]
    assert len({host.uuid for host in hosts}) == 128
    assert len({host.name for host in hosts}) == 128
    assert len({iqn for host in hosts for iqn in host.iqns}) == 128
    assert all(isinstance(Iqn(str(host.iqns[0])), Iqn) for host in hosts)
    assert {host.hypervisor for host in hosts} == {HypervisorType.KVM}
    assert {host.cluster_uuid for host in hosts} == {world.cluster.uuid for world in worlds}
    for world in worlds:
        world.close()
    entry.close()


def test_a_world_in_memory_is_cheap() -> None:
    entry = launcher.test_driver(LaunchOptions("kvm", Transport.MEMORY))
    entry.open_world(no_dial).close()
    best = min(_seconds(lambda: entry.open_world(no_dial).close()) for _ in range(10))
    entry.close()
    assert best < 0.003


@pytest.mark.parametrize(
    "settings",
    [{"hosts": 0}, {"hosts": 65}, {"hosts": "2"}, {"hosts": True}, {"host": 2}, {"hosts_without_initiator": 3}],
)
def test_a_setting_that_cannot_be_is_named(settings: dict[str, object]) -> None:
    with pytest.raises(LaunchFailed, match=r"kvm: .*host"):
        launcher.test_driver(LaunchOptions("kvm", Transport.MEMORY, settings))


def test_without_libvirt_the_launch_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    with pytest.raises(LaunchUnavailable, match=r"libvirt-python is not installed: .*; install"):
        launcher.test_driver(LaunchOptions("kvm", Transport.MEMORY))


def test_the_launcher_itself_needs_no_libvirt() -> None:
    program = "import sys; sys.modules['libvirt'] = None; import simulators.libvirt.launcher, hypervisor_bridge.kvm"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(launcher.__file__).parents[2])


def test_a_bridge_on_the_daemon_reaches_a_real_portal(entry: launcher.LibvirtEntry) -> None:
    array = SmallArray(CHAP)
    lun = array.add(1)
    dial: Dial = dial_socket
    world, ledger = entry.open_world(dial), MemoryLedger()
    with served(array) as portal:
        at = array.at(world.hosts(), portals=(portal,))
        ref = open_bridge(world.cluster, world.connections, ledger).create_datastore("ds1", at)
        # A bridge after a restart, and connections of its own.
        bridge = open_bridge(world.cluster, world.connections, ledger)
        disk = bridge.create_disk(ref, "disk1", MIB)
        bridge.write_disk(disk, 512, b"x" * 512)
        assert lun.read(512, 512) == b"x" * 512
        assert bridge.datastore_bytes(ref, world.hosts()[1]) == 4 * MIB
        assert "virSecretSetValue" in world.secrets_seen()
        assert CHAP.secret.reveal() not in world.secrets_seen()
        bridge.delete_datastore(DiskLocation(ref, "disk1").datastore)
        assert bridge.inventory().items == frozenset()
    world.close()


def test_worlds_of_one_daemon_do_not_meet(entry: launcher.LibvirtEntry) -> None:
    worlds = [entry.open_world(dial_socket) for _ in range(2)]
    connections: list[Any] = [each.connections for each in worlds]
    virt = [each.connect(world.hosts()[0]) for each, world in zip(connections, worlds, strict=True)]
    virt[0].secretDefineXML("<secret><usage type='iscsi'><target>u</target></usage></secret>", 0).setValue(b"12")
    assert virt[1].listAllSecrets() == []
    assert virt[0].listAllSecrets()[0].value() == b"12"
    worlds[0].close()
    with pytest.raises(Exception, match="there is no world"):
        virt[0].listAllSecrets()
    joined = worlds[1].add_host()
    assert connections[1].connect(joined).getHostname() == joined.name
    worlds[1].set_reachable(joined, is_reachable=False)
    with pytest.raises(libvirt.libvirtError) as caught:
        connections[1].connect(joined)
    assert (caught.value.get_error_code(), caught.value.get_error_domain()) == (38, 7)
    worlds[1].remove_host(joined)
    worlds[1].close()


def test_a_dead_daemon_is_a_dead_host_and_leaves_no_directory() -> None:
    entry = launcher.LibvirtEntry(LaunchOptions("kvm", Transport.SOCKETS), 1, 0)
    world = entry.open_world(dial_socket)
    connections: Any = world.connections
    virt = connections.connect(world.hosts()[0])
    folder = Path(entry.socket_path or "").parent
    assert folder.is_dir()
    assert (folder.stat().st_mode & 0o777) == 0o700
    entry.close()
    with pytest.raises(libvirt.libvirtError) as caught:
        virt.listAllDomains()
    assert caught.value.get_error_code() == 38
    assert not folder.exists()
    world.close()
    entry.close()


def test_the_daemon_ends_with_whoever_started_it(tmp_path: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "simulators.libvirt.daemon", str(tmp_path / "socket")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(launcher.__file__).parents[2],
    )
    assert started.stdin is not None
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    started.stdin.close()
    assert started.wait(5) == 0
    started.stdout.close()


def _seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
