"""libiscsi's tools and QEMU against volumes of an array that runs by itself, made through its management API."""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest

from simulators.lio import homes
from tests.integration.lone_array import LoneArray, lone_array
from tests.integration.place import Place

GIB: Final = 1 << 30
HOST: Final = "iqn.1993-08.org.debian:01:host-1"
# The beginning of the other: whoever compares only beginnings mixes them up.
OTHER_HOST: Final = "iqn.1993-08.org.debian:01:host-11"
SECRET: Final = "correct-horse-16"
# `tox -e lio` runs all of this on LIO.
PLANE: Final = os.environ.get("CONFORMANCE_DATA_PLANE", "embedded")
# LIO has no word for a target that is not there: it says that it does not serve it now.
AUTHENTICATION, AUTHORIZATION, NOT_FOUND = "(513)", "(514)", "(515)" if PLANE == "embedded" else "(769)"


@pytest.fixture(scope="module")
def array(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneArray]:
    place = Place(tmp_path_factory.mktemp("array"))
    with lone_array(place, "--data-plane", PLANE, XDG_CACHE_HOME=str(homes.cache().parent.parent)) as array:
        yield array


@dataclass(frozen=True, slots=True)
class Client:
    """Manages the array, and looks at its volumes as a host."""

    array: LoneArray
    account_id: int

    def call(self, method: str, **params: object) -> Any:
        return call(self.array, method, **params)

    def volume(self, name: str, size_bytes: int = GIB) -> Any:
        wanted = {"name": name, "accountID": self.account_id, "totalSize": size_bytes, "enable512e": True}
        return self.call("CreateVolume", **wanted)["volume"]

    def group(self, *initiators: str, volumes: list[Any], name: str = "group") -> int:
        ids = [each["volumeID"] for each in volumes]
        made = self.call("CreateVolumeAccessGroup", name=name, initiators=list(initiators), volumes=ids)
        return int(made["volumeAccessGroupID"])

    def require_chap(self, iqn: str, group_id: int, username: str) -> None:
        wanted = {
            "name": iqn,
            "volumeAccessGroupID": group_id,
            "requireChap": True,
            "chapUsername": username,
            "initiatorSecret": SECRET,
        }
        self.call("CreateInitiators", initiators=[wanted])

    def tool(self, name: str, volume: Any, iqn: str = HOST, user: str = "") -> subprocess.CompletedProcess[str]:
        return run(name, "-i", iqn, f"iscsi://{user}{self.array.told['iSCSI portal']}/{volume['iqn']}/0")

    def is_shown(self, iqn: str, *volumes: Any) -> bool:
        """Whether an initiator is told of these targets and no others.

        LIO shows everybody what anybody could get in to, with the right secret: all that no group of the initiator has.
        """
        done = run("iscsi-ls", "-i", iqn, f"iscsi://{self.array.told['iSCSI portal']}")
        shown, wanted = set(re.findall(r"Target:(\S+)", done.stdout)), {each["iqn"] for each in volumes}
        if PLANE == "embedded":
            return shown == wanted
        return shown == {each["iqn"] for each in self.array.tables()["volumes"] if not each["is_deleted"]} >= wanted

    def qemu_io(
        self, volume: Any, *commands: str, iqn: str = HOST, user: str = "", secret: str = ""
    ) -> subprocess.CompletedProcess[str]:
        portal = self.array.told["iSCSI portal"]
        options = f"driver=iscsi,transport=tcp,portal={portal},target={volume['iqn']},lun=0,initiator-name={iqn}"
        credentials = ["--object", f"secret,id=s0,data={secret}"] if secret else []
        options += f",user={user},password-secret=s0" if secret else ""
        wanted = [part for command in commands for part in ("-c", command)]
        return run("qemu-io", *credentials, "-d", "unmap", "--image-opts", options, *wanted)


@pytest.fixture
def client(array: LoneArray) -> Iterator[Client]:
    """With an account of its own; everything is removed afterwards."""
    client = Client(array, call(array, "AddAccount", username="tenant")["accountID"])
    yield client
    clear(array)


def clear(array: LoneArray) -> None:
    """Remove all that is there."""
    tables = array.tables()
    for each in tables["groups"]:
        call(array, "DeleteVolumeAccessGroup", volumeAccessGroupID=each["id"], deleteOrphanInitiators=True)
    for each in tables["volumes"]:
        if not each["is_deleted"]:
            call(array, "DeleteVolume", volumeID=each["id"])
        call(array, "PurgeDeletedVolume", volumeID=each["id"])
    for each in tables["accounts"]:
        call(array, "RemoveAccount", accountID=each["id"])
    assert array.things() == []


def call(array: LoneArray, method: str, **params: object) -> Any:
    """Call a method of the management API."""
    pair = f"{array.told['username']}:{array.told['password']}"
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    body = json.dumps({"method": method, "params": params, "id": 1}).encode()
    context = ssl.create_default_context(cafile=array.told["CA file"])
    with urlopen(Request(array.told["endpoint"], body, headers), timeout=10, context=context) as reply:
        answer = json.load(reply)
    assert "error" not in answer, answer
    return answer["result"]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool; that it is missing is a failure, not a reason to skip."""
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=30, check=False)


def is_fine(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether it worked; else what it printed is the failure."""
    assert done.returncode == 0, done.stdout + done.stderr
    return True


def test_the_witness_shows_what_lio_exports(client: Client) -> None:
    if PLANE == "embedded":
        assert "exports" not in client.array.told
        return
    volume = client.volume("vol")
    client.group(HOST, volumes=[volume])
    pair = f"{client.array.told['username']}:{client.array.told['password']}"
    done = run("curl", "-s", "-u", pair, "--cacert", client.array.told["CA file"], client.array.told["exports"])
    for name, told in (
        (volume["iqn"], "TPGs: 1"),
        (HOST, "Mapped LUNs: 1"),
        (client.array.told["iSCSI portal"], "OK"),
    ):
        assert re.search(rf"o- {re.escape(name)} \.+ \[.*{told}\]", done.stdout), done.stdout


# ---- who sees what ------------------------------------------------------------------------------------------------


def test_a_host_is_shown_the_volumes_of_its_group_and_no_others(client: Client) -> None:
    mine, theirs, nobodys = client.volume("mine"), client.volume("theirs"), client.volume("nobodys")
    client.group(HOST, volumes=[mine], name="one")
    client.group(OTHER_HOST, volumes=[theirs], name="other")
    assert client.is_shown(HOST, mine)
    assert client.is_shown(OTHER_HOST, theirs)
    assert client.is_shown("iqn.1993-08.org.debian:01:host")
    for each, iqn in ((mine, OTHER_HOST), (theirs, HOST), (nobodys, HOST)):
        assert AUTHENTICATION in client.tool("iscsi-inq", each, iqn).stderr


def test_a_volume_says_who_made_it_and_how_large_it_is(client: Client) -> None:
    volume = client.volume("vol", 3 * GIB)
    client.group(HOST, volumes=[volume])
    inquiry = client.tool("iscsi-inq", volume)
    assert is_fine(inquiry)
    assert "Vendor:SolidFir" in inquiry.stdout
    capacity = client.tool("iscsi-readcapacity16", volume)
    assert is_fine(capacity)
    assert f"Total size:{volume['totalSize']}" in capacity.stdout
    assert "LBPME:1 LBPRZ:1" in capacity.stdout


# ---- data ---------------------------------------------------------------------------------------------------------


def test_what_one_host_writes_another_reads_and_the_array_holds(client: Client) -> None:
    volume = client.volume("shared")
    client.group(HOST, OTHER_HOST, volumes=[volume])
    assert is_fine(client.qemu_io(volume, "write -P 0xab 0 4M", "write -P 0xcd 900M 1M", "flush"))
    reads = ("read -P 0xab 0 4M", "read -P 0 4M 4M", "read -P 0xcd 900M 1M")
    assert is_fine(client.qemu_io(volume, *reads, iqn=OTHER_HOST))
    assert client.array.tables()["volumes"][0]["written_bytes"] == 5 << 20
    assert is_fine(client.qemu_io(volume, "discard 0 4M", "read -P 0 0 4M"))
    assert client.array.tables()["volumes"][0]["written_bytes"] == 1 << 20


def test_two_volumes_of_a_host_are_two(client: Client) -> None:
    first, second = client.volume("first"), client.volume("second")
    client.group(HOST, volumes=[first, second])
    assert is_fine(client.qemu_io(first, "write -P 1 0 64k"))
    assert is_fine(client.qemu_io(second, "read -P 0 0 64k", "write -P 2 0 64k"))
    assert is_fine(client.qemu_io(first, "read -P 1 0 64k"))


def test_a_resized_volume_shows_its_new_size_and_keeps_its_data(client: Client) -> None:
    volume = client.volume("grows")
    client.group(HOST, volumes=[volume])
    assert is_fine(client.qemu_io(volume, "write -P 7 0 64k"))
    grown = client.call("ModifyVolume", volumeID=volume["volumeID"], totalSize=2 * GIB)["volume"]
    assert grown["totalSize"] > volume["totalSize"]
    assert f"Total size:{grown['totalSize']}" in client.tool("iscsi-readcapacity16", volume).stdout
    assert is_fine(client.qemu_io(volume, "read -P 7 0 64k", "write -P 8 1900M 64k", "read -P 8 1900M 64k"))


def test_a_locked_volume_lets_nobody_in_and_keeps_its_data(client: Client) -> None:
    volume = client.volume("locked")
    client.group(HOST, volumes=[volume])
    assert is_fine(client.qemu_io(volume, "write -P 7 0 64k"))
    client.call("ModifyVolume", volumeID=volume["volumeID"], access="locked")
    assert AUTHORIZATION in client.qemu_io(volume, "read 0 4k").stderr
    client.call("ModifyVolume", volumeID=volume["volumeID"], access="readWrite")
    assert is_fine(client.qemu_io(volume, "read -P 7 0 64k"))


# ---- CHAP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(client: Client) -> Any:
    """A volume whose host has to prove who it is."""
    volume = client.volume("guarded")
    client.require_chap(HOST, client.group(volumes=[volume]), "host-1")
    return volume


def test_an_initiator_of_its_own_secret_gets_in_with_it(client: Client, guarded: Any) -> None:
    assert is_fine(client.qemu_io(guarded, "write -P 9 0 64k", "read -P 9 0 64k", user="host-1", secret=SECRET))
    assert is_fine(client.tool("iscsi-inq", guarded, user=f"host-1%{SECRET}@"))


@pytest.mark.parametrize(
    ("user", "secret"), [("", ""), ("host-1", "wrong-horse-1616"), ("host-11", SECRET), ("tenant", SECRET)]
)
def test_nothing_else_gets_it_in(client: Client, guarded: Any, user: str, secret: str) -> None:
    assert AUTHENTICATION in client.qemu_io(guarded, "read 0 4k", user=user, secret=secret).stderr


def test_the_secret_of_one_host_is_not_that_of_another(client: Client, guarded: Any) -> None:
    stolen = client.qemu_io(guarded, "read 0 4k", iqn=OTHER_HOST, user="host-1", secret=SECRET)
    assert AUTHENTICATION in stolen.stderr


def test_an_account_lets_in_whoever_knows_its_secret(client: Client) -> None:
    volume = client.volume("by-account")
    account = client.call("GetAccountByID", accountID=client.account_id)["account"]
    own = {"user": "tenant", "secret": account["initiatorSecret"]}
    assert is_fine(client.qemu_io(volume, "write -P 3 0 64k", **own))
    client.call("ModifyAccount", accountID=client.account_id, enableChap=False)
    assert AUTHORIZATION in client.qemu_io(volume, "read 0 4k", **own).stderr


# ---- what is taken away -------------------------------------------------------------------------------------------


def test_a_revoked_host_is_out(client: Client) -> None:
    volume = client.volume("vol")
    group = client.group(HOST, volumes=[volume])
    assert is_fine(client.qemu_io(volume, "read 0 4k"))
    client.call("RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=group, volumes=[volume["volumeID"]])
    assert AUTHENTICATION in client.qemu_io(volume, "read 0 4k").stderr
    assert client.is_shown(HOST)


def test_a_deleted_volume_is_no_target_and_comes_back_whole(client: Client) -> None:
    volume = client.volume("vol")
    client.group(HOST, volumes=[volume])
    assert is_fine(client.qemu_io(volume, "write -P 5 0 64k"))
    client.call("DeleteVolume", volumeID=volume["volumeID"])
    assert NOT_FOUND in client.qemu_io(volume, "read 0 4k").stderr
    assert client.is_shown(HOST)
    client.call("RestoreDeletedVolume", volumeID=volume["volumeID"])
    assert is_fine(client.qemu_io(volume, "read -P 5 0 64k"))


def test_a_host_that_holds_a_session_is_thrown_out_by_a_delete(client: Client) -> None:
    volume = client.volume("vol")
    client.group(HOST, volumes=[volume])
    portal = client.array.told["iSCSI portal"]
    options = f"driver=iscsi,transport=tcp,portal={portal},target={volume['iqn']},lun=0,initiator-name={HOST}"
    holder = subprocess.Popen(
        ["qemu-io", "--image-opts", options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write("write -P 5 0 64k\n")
    holder.stdin.flush()
    while "ops;" not in holder.stdout.readline():
        pass
    assert [each["initiator"] for each in client.array.tables()["sessions"]] == [HOST]
    client.call("DeleteVolume", volumeID=volume["volumeID"])
    assert client.array.tables()["sessions"] == []
    holder.kill()
    holder.communicate(timeout=10)
