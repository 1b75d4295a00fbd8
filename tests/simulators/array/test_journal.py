"""An array that is kept in a file is the same array when it comes back, however it went."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.contract import LaunchFailed, LaunchOptions, Transport
from simulators.array.launcher import simulate
from simulators.array.running import RunningArray
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.initiator import Initiator, Session
from tests.simulators.array.client import HOST, Client
from tests.simulators.array.vpsa import client as vpsa


def started(state: Path, **settings: object) -> RunningArray:
    return simulate(LaunchOptions("array", Transport.SOCKETS, {"state": str(state), **settings}))


@contextmanager
def kept(state: Path, **settings: object) -> Iterator[Client]:
    array = started(state, **settings)
    yield Client(array.world)
    array.close()


@contextmanager
def started_vpsa(state: Path, **settings: object) -> Iterator[vpsa.Client]:
    array = started(state, **settings)
    yield vpsa.Client(array.world)
    array.close()


def login(client: Client, volume: Any, username: str = "tenant") -> Session:
    secret = next(each for each in client.call("ListAccounts")["accounts"] if each["username"] == username)
    address, _, port = client.call("GetClusterInfo")["clusterInfo"]["svip"].rpartition(":")
    chap = ChapAccount(username, secret["initiatorSecret"].encode())
    return Initiator(HOST, client.world.dial).login(address, int(port), volume["iqn"], chap)


def tables(client: Client) -> Any:
    names = ("Accounts", "Volumes", "VolumeAccessGroups", "Initiators", "Snapshots")
    return {name: client.call(f"List{name}") for name in names}


def test_everything_is_there_again(tmp_path: Path) -> None:
    with kept(tmp_path / "a", clone_calls=0) as client:
        volume = client.volume(client.account())
        session = login(client, volume)
        session.write(0, 0, b"A" * 4096)
        client.call("CreateSnapshot", volumeID=1, name="before")
        session.write(0, 0, b"B" * 4096)
        client.call("CloneVolume", volumeID=1, name="clone")
        session.write(0, 4096, b"C" * 4096)
        session.unmap(0, 0, 4096)
        session.logout()
        client.call("CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[1])
        client.call("DeleteVolume", volumeID=client.volume(1, "gone")["volumeID"])
        before = tables(client)
        seen = client.world.witness.observe()
    with kept(tmp_path / "a") as client:
        assert tables(client) == before
        again = client.world.witness.observe()
        assert (again.luns, again.snapshots, again.objects) == (seen.luns, seen.snapshots, seen.objects)
        assert client.world.witness.read("1", 0, 8192) == bytes(4096) + b"C" * 4096
        assert client.world.witness.read_snapshot("1", 0, 4096) == b"A" * 4096
        assert client.world.witness.read("2", 0, 8192) == b"B" * 4096 + bytes(4096)
        session = login(client, before["Volumes"]["volumes"][0])
        assert session.read(0, 4096, 4096) == b"C" * 4096
        session.logout()


def test_it_is_the_same_with_the_other_api(tmp_path: Path) -> None:
    with started_vpsa(tmp_path / "a", api="vpsa") as client:
        name = client.ask("POST", "volumes", name="v", capacity=2, pool=vpsa.POOL)["vol_name"]
        server = client.ask("POST", "servers", display_name="host", iqn=HOST)["server_name"]
        client.ask("POST", f"servers/{server}/volumes", **{"volume_name[]": name})
        client.ask("POST", f"volumes/{name}/expand", capacity=1)
        before, seen = client.ask("GET", "volumes"), client.world.witness.observe()
    with started_vpsa(tmp_path / "a") as client:
        assert client.ask("GET", "volumes") == before
        assert client.world.witness.observe().objects == seen.objects


def test_what_is_written_while_a_copy_is_due_is_written_over_it_both_times(tmp_path: Path) -> None:
    with kept(tmp_path / "a", clone_calls=0, clone_milliseconds=0) as client:
        account = client.account()
        source, destination = client.volume(account, "source"), client.volume(account, "destination")
        session = login(client, source)
        session.write(0, 0, b"S" * 8192)
        session.logout()
        session = login(client, destination)
        client.call("CopyVolume", volumeID=1, dstVolumeID=2)
        session.write(0, 0, b"W" * 512)
        session.logout()
        first = client.world.witness.read("2", 0, 8192)
    with kept(tmp_path / "a") as client:
        client.call("ListVolumes")
        assert client.world.witness.read("2", 0, 8192) == first == b"W" * 512 + b"S" * 7680


def test_it_comes_back_with_its_password_and_addresses(tmp_path: Path) -> None:
    first = started(tmp_path / "a", username="root")
    told = dict(first.describe())
    first.close()
    second = started(tmp_path / "a")
    assert {**dict(second.describe()), "CA file": ""} == {**told, "CA file": ""}
    second.close()


def test_the_file_is_its_owners_alone_and_one_file_when_the_array_has_stopped(tmp_path: Path) -> None:
    with kept(tmp_path / "a"):
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


_KILLED = """
import json, os, signal, sys
from pathlib import Path
from tests.simulators.array.test_journal import login, started
from tests.simulators.array.client import Client
array = started(Path(sys.argv[1]))
client = Client(array.world)
volume = client.volume(client.account())
session = login(client, volume)
for number in range(20):
    session.write(0, number * 4096, bytes([number]) * 4096)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_killed_array_has_kept_whatever_it_acknowledged(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path / "a")], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with kept(tmp_path / "a", port=0, management_port=0, witness_port=0) as client:
        content = client.world.witness.read("1", 0, 20 * 4096)
        assert content == b"".join(bytes([number]) * 4096 for number in range(20))


def test_a_setting_that_would_make_it_another_array_is_refused(tmp_path: Path) -> None:
    with kept(tmp_path / "a", capacity_bytes=10**12):
        pass
    with pytest.raises(LaunchFailed, match=f"'capacity_bytes' is {10**12} in .*a: leave it out here"):
        started(tmp_path / "a", capacity_bytes=10**13)
    with pytest.raises(LaunchFailed, match="'username' is left out in"):
        started(tmp_path / "a", username="root")


def test_two_arrays_do_not_share_a_file(tmp_path: Path) -> None:
    with kept(tmp_path / "a"), pytest.raises(LaunchFailed, match="in use by another process"):
        started(tmp_path / "a")


def test_a_file_of_another_kind_is_not_touched(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("not a state of an array, but long enough to look like something\n" * 20)
    before = other.read_text()
    with pytest.raises(LaunchFailed, match=r"notes\.txt is no state of an array"):
        started(other)
    assert other.read_text() == before


def test_where_nothing_can_start_no_file_is_left(tmp_path: Path) -> None:
    with pytest.raises(LaunchFailed, match="'volume' is unknown"):
        started(tmp_path / "a", limits={"volume": 5})
    with pytest.raises(LaunchFailed, match="cannot open"):
        started(tmp_path / "none" / "a")
    assert list(tmp_path.iterdir()) == []
