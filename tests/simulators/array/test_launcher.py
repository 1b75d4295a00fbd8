"""Arrays as environment entries, on sockets and in memory."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance.contract import ArrayEntry, ArrayWorld, HttpRequest, LaunchFailed, LaunchOptions, Secret, Transport
from simulators.array.entries import SocketEntry
from simulators.array.launcher import element, simulate
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.errors import ConnectionClosed, InitiatorError
from simulators.iscsi.initiator import Initiator, Session
from tests.simulators.array.client import GB, HOST, Client, basic

SECRET = "initiator-sec"


def options(transport: Transport, **settings: object) -> LaunchOptions:
    return LaunchOptions("array", transport, settings)


def on_sockets(**settings: object) -> SocketEntry:
    entry = element(options(Transport.SOCKETS, **settings))
    assert isinstance(entry, SocketEntry)
    return entry


@pytest.fixture(scope="module")
def server() -> Iterator[SocketEntry]:
    entry = on_sockets()
    yield entry
    entry.close()


@pytest.fixture
def client(server: SocketEntry) -> Iterator[Client]:
    world = server.open_world()
    yield Client(world)
    world.close()


def threads() -> set[str]:
    return {each.name for each in threading.enumerate()}


def login(client: Client, volume: Any) -> Session:
    address, _, port = client.call("GetClusterInfo")["clusterInfo"]["svip"].rpartition(":")
    chap = ChapAccount("tenant", SECRET.encode())
    return Initiator(HOST, client.world.dial).login(address, int(port), volume["iqn"], chap)


def new_volume(client: Client) -> Any:
    return client.volume(client.account("tenant", initiatorSecret=SECRET))


def test_the_whole_path_over_sockets(client: Client) -> None:
    volume = new_volume(client)
    session = login(client, volume)
    session.write(0, 0, b"over TCP" * 64)
    assert client.world.witness.read("1", 0, 8) == b"over TCP"
    assert [each.lun_external_id for each in client.world.witness.observe().sessions] == ["1"]
    assert client.call("ListISCSISessions")["sessions"][0]["initiatorIP"].startswith("127.0.0.1")
    session.logout()
    assert client.world.witness.observe().sessions == ()


def test_the_certificate_can_be_verified_by_anybody(client: Client) -> None:
    endpoint = client.world.endpoints[0]
    assert endpoint.ca_file is not None
    context = ssl.create_default_context(cafile=endpoint.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    headers = {"Authorization": client.authorization}
    request = urllib.request.Request(endpoint.url, b'{"method": "GetAPI"}', headers)
    with urllib.request.urlopen(request, context=context, timeout=10) as response:
        assert json.load(response)["result"]["currentVersion"] == "12.3"
    assert [each.name for each in Path(endpoint.ca_file).parent.iterdir()] == ["ca.pem"]
    assert Path(endpoint.ca_file).parent.stat().st_mode & 0o077 == 0


def test_the_witness_port_is_another_way_in(server: SocketEntry, client: Client) -> None:
    new_volume(client)
    context = ssl.create_default_context(cafile=server.server.certificate.ca_file)
    url = f"https://127.0.0.1:{server.server.witness_port}/"
    request = urllib.request.Request(url, headers={"Authorization": client.authorization})
    with urllib.request.urlopen(request, context=context, timeout=10) as response:
        assert [each["name"] for each in json.load(response)["volumes"]] == ["vol"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(url, context=context, timeout=10).close()


def test_the_next_world_is_empty_and_knows_nobody_of_the_last(server: SocketEntry) -> None:
    first = Client(server.open_world())
    session = login(first, new_volume(first))
    first.world.close()
    second = Client(server.open_world())
    with pytest.raises(InitiatorError):
        session.read(0, 0, 512)
    assert second.call("ListVolumes")["volumes"] == []
    assert second.world.witness.observe().sessions == ()
    assert not any("CreateVolume" in line or "SCSI" in line for line in second.world.transcript)
    with pytest.raises(ConnectionRefusedError):
        first.call("GetAPI")
    with pytest.raises(ConnectionClosed):
        first.world.dial("127.0.0.1", 1)
    first.world.close()
    assert second.call("ListVolumes")["volumes"] == []
    second.world.close()


def test_one_world_at_a_time(server: SocketEntry, client: Client) -> None:
    with pytest.raises(RuntimeError, match="close it"):
        server.open_world()
    assert client.call("GetAPI")


def test_between_worlds_the_port_answers_503(server: SocketEntry) -> None:
    context = ssl.create_default_context(cafile=server.server.certificate.ca_file)
    for port in (server.server.management_port, server.server.witness_port):
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"https://127.0.0.1:{port}/", context=context, timeout=10).close()


def test_many_threads_may_call(client: Client) -> None:
    account = client.account()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: client.volume(account, f"v{number}")["volumeID"], range(40)))
    assert sorted(made) == list(range(1, 41))


def test_headers_of_the_way_in_are_not_sent_on(client: Client) -> None:
    stray = {"Content-Length": "999", "Connection": "close", "Host": "proxy", "Transfer-Encoding": "chunked"}
    assert client.send(b'{"method": "GetAPI"}', **stray).status == 200


@pytest.mark.parametrize("transport", list(Transport))
def test_opening_and_closing_a_world_costs_next_to_nothing(server: SocketEntry, transport: Transport) -> None:
    entry: ArrayEntry = server if transport is Transport.SOCKETS else element(options(transport))

    def cycle() -> float:
        start = time.perf_counter()
        entry.open_world().close()
        return time.perf_counter() - start

    assert min(cycle() for _ in range(20)) < (0.005 if transport is Transport.SOCKETS else 0.002)


def test_worlds_in_memory_do_not_meet() -> None:
    entry = element(options(Transport.MEMORY))
    first, second = (Client(entry.open_world()) for _ in range(2))
    new_volume(first)
    assert second.call("ListVolumes")["volumes"] == []
    assert first.world.endpoints[0].url != second.world.endpoints[0].url
    assert first.world.endpoints[0].url.startswith("memory://")
    entry.close()


def test_runs_have_passwords_of_their_own_and_settings_are_taken() -> None:
    worlds = [element(options(Transport.MEMORY)).open_world() for _ in range(2)]
    assert worlds[0].parameters["password"] != worlds[1].parameters["password"]
    fixed = element(options(Transport.MEMORY, username="root", password="known", capacity_bytes=GB)).open_world()
    assert fixed.parameters == {"username": "root", "password": Secret("known")}
    assert fixed.witness.observe().capacity_bytes == GB
    request = HttpRequest("POST", "/json-rpc/7.0", {"authorization": basic("root", "known")}, b'{"method": "GetAPI"}')
    assert fixed.endpoints[0].handle(request).status == 200


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"prot": 1}, "'prot' is unknown"),
        ({"port": -1}, "'port'"),
        ({"port": True}, "'port'"),
        ({"capacity_bytes": "much"}, "'capacity_bytes'"),
        ({"username": ""}, "'username'"),
        ({"password": 5}, "'password'"),
        ({"clone_calls": -1}, "'clone_calls'"),
        ({"sessions_survive_regrouping": "yes"}, "'sessions_survive_regrouping'"),
        ({"clone_milliseconds": 0.5}, "'clone_milliseconds'"),
        ({"release": 8}, "use any of 8, 12"),
        ({"release": "9"}, "use any of 8, 12"),
        ({"lun_numbers_from": -1}, "'lun_numbers_from'"),
        ({"limits": 5}, "'limits'"),
        ({"limits": {"volume": 5}}, "'volume' is unknown"),
        ({"limits": {"volumes": 0}}, "'volumes'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], text: str) -> None:
    with pytest.raises(LaunchFailed, match=text) as failed:
        element(LaunchOptions("array", Transport.MEMORY, settings))
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("setting", ["port", "management_port", "witness_port"])
def test_a_port_in_use_is_named_and_nothing_is_left_running(setting: str) -> None:
    before = threads()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LaunchFailed, match=f"'{setting}' asks for port {port} of 127.0.0.1.*set 0"):
            element(options(Transport.SOCKETS, **{setting: port}))
    assert threads() == before


def test_closing_an_entry_leaves_nothing() -> None:
    before = threads()
    entry = on_sockets()
    ca_file, port = Path(entry.server.certificate.ca_file), entry.server.management_port
    client = Client(entry.open_world())
    session = login(client, new_volume(client))
    entry.close()
    entry.close()
    assert threads() == before
    assert not ca_file.parent.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
    with pytest.raises(InitiatorError):
        session.read(0, 0, 512)


def test_an_array_on_its_own_says_how_to_reach_it() -> None:
    array = simulate(options(Transport.MEMORY, username="root", password="known"))
    described = dict(array.describe())
    assert list(described) == ["endpoint", "username", "password", "CA file", "iSCSI portal", "witness", "page"]
    assert (described["username"], described["password"]) == ("root", "known")
    context = ssl.create_default_context(cafile=described["CA file"])
    headers = {"Authorization": basic("root", "known")}
    request = urllib.request.Request(described["endpoint"], b'{"method": "GetClusterInfo"}', headers)
    with urllib.request.urlopen(request, context=context, timeout=10) as response:
        assert json.load(response)["result"]["clusterInfo"]["svip"] == described["iSCSI portal"]
    array.close()
    assert not Path(described["CA file"]).exists()


def test_locked_and_unlocked_at_once_a_volume_has_lost_its_sessions_on_sockets_too() -> None:
    entry = on_sockets(sessions_survive_regrouping=True)
    try:
        world = entry.open_world()
        client = Client(world)
        volume = client.volume(client.account("tenant", initiatorSecret=SECRET))
        client.call("CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[1])
        session = Initiator(HOST, world.dial).login(*entry.server.target.portal, volume["iqn"], None)
        client.call("DeleteVolumeAccessGroup", volumeAccessGroupID=1)
        session.write(0, 0, bytes(512))
        for access in ("locked", "readWrite"):
            client.call("ModifyVolume", volumeID=1, access=access)
        assert client.call("ListISCSISessions")["sessions"] == []
        with pytest.raises(InitiatorError):
            session.write(0, 0, bytes(512))
        world.close()
    finally:
        entry.close()


def cluster_of(world: ArrayWorld) -> str:
    return str(Client(world).call("GetClusterInfo")["clusterInfo"]["uuid"])


def test_two_arrays_side_by_side_are_two() -> None:
    with closing(simulate(options(Transport.SOCKETS))) as one, closing(simulate(options(Transport.SOCKETS))) as other:
        assert cluster_of(one.world) != cluster_of(other.world)


def test_arrays_of_a_run_are_the_same_in_every_run() -> None:
    assert len({cluster_of(element(options(Transport.MEMORY)).open_world()) for _ in range(2)}) == 1
