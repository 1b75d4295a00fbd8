"""Volumes, the pool, snapshots and clones by the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.contract import Iqn
from tests.simulators.array.vpsa.client import GB, POOL, Client, Refusal, memory_array

SOMEBODY = Iqn("iqn.2000-01.org.example:somebody")
CG = "consistency_groups/cg-00000001"


def status(client: Client, verb: str, path: str, **form: object) -> int:
    try:
        client.ask(verb, path, **form)
    except Refusal as refused:
        return refused.status
    return 0


def test_a_volume_is_told_with_numbers_as_numbers(client: Client) -> None:
    name = client.volume("OS_volume-1", 10)
    volume = client.ask("GET", f"volumes/{name}")["volume"]
    assert (name, volume["cg_name"], volume["pool_name"]) == ("volume-00000001", "cg-00000001", POOL)
    assert (volume["display_name"], volume["virtual_capacity"], volume["status"]) == ("OS_volume-1", 10, "Available")
    assert (volume["server_ext_names"], volume["has_snapshots"]) == ("", "NO")
    assert (volume["cg_display_name"], volume["pool_display_name"]) == ("OS_volume-1", "pool-1")
    assert (volume["data_type"], volume["encryption"], volume["allocated_capacity"]) == ("BLOCK", "NO", 0)
    assert volume["modified_at"] == volume["created_at"]


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ({}, 3),
        ({"name": ""}, 2),
        ({"name": "a b"}, 3),
        ({"name": "n" * 129}, 3),
        ({"name": "taken"}, 10084),
        ({"pool": "pool-00000002"}, 10070),
        ({"capacity": "0"}, 3),
        ({"capacity": "1.5"}, 3),
        ({"capacity": "-1"}, 3),
        ({"capacity": "65537"}, 3),
        ({"block": "NO"}, 4),
        ({"thin": "NO"}, 4),
        ({"crypt": "perhaps"}, 3),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_changes(client: Client, form: dict[str, str], wanted: int) -> None:
    client.volume("taken")
    before = client.world.witness.observe()
    sent = {"name": "v", "capacity": "x", "pool": POOL} | ({"capacity": "1"} if form else {}) | form
    assert status(client, "POST", "volumes", **sent) == wanted
    assert client.world.witness.observe() == before


def test_lists_are_filtered_and_paged(client: Client) -> None:
    for name in ("a", "b", "ab", "c"):
        client.volume(name)

    def names(query: str) -> list[str]:
        return [each["display_name"] for each in client.ask("GET", f"volumes?{query}")["volumes"]]

    assert names("page=1&start=0&limit=0") == names("showonlyblock=YES") == ["a", "b", "ab", "c"]
    assert names("display_name=ab") == ["ab"]
    assert names("display_name=none") == names("showonlyfile=YES") == []
    assert names("start=1&limit=2") == names("start=1&page=7&limit=2") == ["b", "ab"]
    assert names("page=2&limit=3") == ["c"]
    assert [client.ask("GET", f"volumes?{query}")["count"] for query in ("limit=2", "display_name=ab")] == [4, 1]


def test_what_is_written_is_told_in_parts_of_a_gigabyte(client: Client) -> None:
    name, server = client.volume(gigabytes=2), client.server()
    client.attach(server, name)
    with client.login(chap=client.chap) as session:
        session.write(0, 0, b"x" * (3 << 20))
    assert client.ask("GET", f"volumes/{name}")["volume"]["allocated_capacity"] == 0.003


def test_expand_says_how_much_more(client: Client) -> None:
    name = client.volume(gigabytes=2)
    client.ask("POST", f"volumes/{name}/expand", capacity=3)
    client.ask_json("POST", f"volumes/{name}/expand", capacity="1G")
    assert client.ask("GET", f"volumes/{name}")["volume"]["virtual_capacity"] == 6
    assert client.world.witness.observe().luns[0].size_bytes == 6 * GB
    assert status(client, "POST", f"volumes/{name}/expand", capacity=65536) == 3


def test_names_change_and_stay_unique(client: Client) -> None:
    first, second = client.volume("one"), client.volume("two")
    assert status(client, "POST", f"volumes/{first}/rename", new_name="two") == 10084
    assert client.ask("POST", f"volumes/{first}/rename", new_name="three")["vol_name"] == first
    assert client.ask("POST", f"volumes/{second}/rename", new_name="one")["vol_name"] == second
    assert client.ask("GET", "volumes?display_name=three")["volumes"][0]["name"] == first


def test_comments_and_export_names_are_kept(client: Client) -> None:
    name = client.volume()
    client.ask("POST", f"volumes/{name}/update_comment", new_comment="asked 5 bytes")
    assert client.ask("PUT", f"volumes/{name}/export_name", exportname="share")["vol_name"] == name
    volume = client.ask("GET", f"volumes/{name}")["volume"]
    assert (volume["comment"], volume["export_name"]) == ("asked 5 bytes", "share")


def test_deleting_is_at_once_and_frees_the_name(client: Client) -> None:
    name = client.volume("v")
    client.ask("DELETE", f"volumes/{name}", force="YES")
    assert client.world.witness.observe().luns == ()
    assert status(client, "GET", f"volumes/{name}") == 10081
    assert status(client, "DELETE", f"volumes/{name}") == 10081
    assert client.volume("v") == "volume-00000002"


def test_what_is_attached_is_not_deleted(client: Client) -> None:
    name, server = client.volume(), client.server()
    client.attach(server, name)
    assert client.ask("GET", f"volumes/{name}")["volume"]["status"] == "In-use"
    assert status(client, "DELETE", f"volumes/{name}", force="YES") == 10085
    client.detach(name, server)
    assert status(client, "DELETE", f"volumes/{name}") == 0


def test_the_recycle_bin_keeps_volumes(client: Client) -> None:
    client.ask("POST", "settings/set_recycle_bin", recyclebin="YES")
    name = client.volume("v")
    client.ask("DELETE", f"volumes/{name}")
    assert client.ask("GET", "volumes")["volumes"] == []
    bin_path = f"pools/{POOL}/volumes_in_recycle_bin"
    assert [each["name"] for each in client.ask("GET", bin_path)["volumes"]] == [name]
    assert [each.in_trash for each in client.world.witness.observe().luns] == [True]
    assert status(client, "POST", "volumes", name="v", capacity=1, pool=POOL) == 10084
    client.ask("DELETE", f"volumes/{name}/delete_volume_from_recycle_bin")
    assert client.world.witness.observe().luns == ()
    assert status(client, "DELETE", f"volumes/{name}/delete_volume_from_recycle_bin") == 10081
    client.ask("POST", "settings/set_recycle_bin", recyclebin="NO")
    client.ask("DELETE", f"volumes/{client.volume()}")
    assert client.world.witness.observe().luns == ()


def test_the_pool_promises_more_than_it_has() -> None:
    with memory_array(capacity_bytes=10 * GB) as client:
        client.volume("one", 8)
        client.volume("two", 8)
        pool = client.ask("GET", f"pools/{POOL}")["pool"]
        assert (pool["capacity"], pool["available_capacity"], pool["provisioned_capacity"]) == (10, 10, 16)
        assert client.ask("GET", "pools")["pools"] == [pool]
        assert [each["display_name"] for each in client.ask("GET", f"pools/{POOL}/volumes")["volumes"]] == [
            "one",
            "two",
        ]


def test_one_controller_is_active(client: Client) -> None:
    controllers = client.ask("GET", "vcontrollers")["vcontrollers"]
    assert [each["state"] for each in controllers] == ["active", "standby"]
    assert len({each["target"] for each in controllers}) == 1
    assert len({each["name"] for each in controllers}) == 2


def keep(client: Client, name: str = "snap") -> str:
    return str(client.ask("POST", f"{CG}/snapshots", display_name=name)["snapshot_name"])


def test_snapshots_are_by_consistency_group(client: Client) -> None:
    client.volume("one", 2), client.volume("two")
    name = keep(client)
    (snapshot,) = client.ask("GET", f"{CG}/snapshots")["snapshots"]
    assert (snapshot["name"], snapshot["cg_name"], snapshot["volume_ext_name"]) == (
        name,
        "cg-00000001",
        "volume-00000001",
    )
    assert (snapshot["volume_display_name"], snapshot["volume_capacity_mb"]) == ("one", 2048)
    assert client.ask("GET", "consistency_groups/cg-00000002/snapshots")["snapshots"] == []
    assert (
        client.ask("GET", f"snapshots/{name}")["snapshot"] == snapshot == client.ask("GET", "snapshots")["snapshots"][0]
    )
    assert client.ask("GET", "volumes/volume-00000001")["volume"]["has_snapshots"] == "YES"
    assert status(client, "POST", f"{CG}/snapshots", display_name="snap") == 10084
    assert client.ask("POST", f"snapshots/{name}/rename", newname="other")["snapshot_name"] == name
    client.ask("DELETE", f"snapshots/{name}")
    assert status(client, "GET", f"snapshots/{name}") == 10082


def test_a_volume_with_snapshots_is_deleted_by_force_and_they_with_it(client: Client) -> None:
    name = client.volume()
    keep(client)
    assert status(client, "DELETE", f"volumes/{name}") == 10089
    client.ask("DELETE", f"volumes/{name}", force="YES")
    view = client.world.witness.observe()
    assert (view.luns, view.snapshots) == ((), ())


@pytest.mark.parametrize("field", ["snapshot", "snapshot_id"])
def test_a_clone_is_there_and_holds_what_it_was_made_of(client: Client, field: str) -> None:
    def bytes_of(name: str) -> bytes:
        return client.world.witness.read(name, 0, 4096)

    source, server = client.volume("source"), client.server()
    client.attach(server, source)
    with client.login(chap=client.chap) as session:
        session.write(0, 0, b"old " * 1024)
        snapshot = keep(client)
        session.write(0, 0, b"new " * 1024)
    made = client.ask("POST", f"{CG}/clone", name="of-now")
    assert (made["vol_name"], made["cg_name"]) == ("volume-00000002", "cg-00000002")
    client.ask("POST", f"{CG}/clone", name="of-snapshot", **{field: snapshot})
    now, before = (
        client.ask("GET", f"volumes?display_name={each}")["volumes"][0] for each in ("of-now", "of-snapshot")
    )
    assert (bytes_of(now["name"]), bytes_of(before["name"])) == (b"new " * 1024, b"old " * 1024)
    assert (now["virtual_capacity"], now["status"], before["cg_name"]) == (1, "Available", "cg-00000003")


def test_a_clone_needs_a_free_name_and_a_snapshot_of_its_source(client: Client) -> None:
    client.volume("one"), client.volume("two")
    snapshot = keep(client)
    assert status(client, "POST", f"{CG}/clone", name="two") == 10084
    assert status(client, "POST", f"{CG}/clone", name="c", snapshot="snap-0000000f") == 10082
    assert status(client, "POST", "consistency_groups/cg-00000002/clone", name="c", snapshot=snapshot) == 10082
    assert status(client, "POST", "consistency_groups/cg-0000000f/clone", name="c") == 10083


def test_many_at_once_can_be_cloned(client: Client) -> None:
    client.volume()
    for number in range(20):
        client.ask("POST", f"{CG}/clone", name=f"clone-{number}")
    assert len(client.ask("GET", "volumes")["volumes"]) == 21


@pytest.mark.parametrize("path", ["volumes/volume-1", "volumes/volume-0000000A", "volumes/1", "volumes/%20"])
def test_ids_have_one_form(client: Client, path: str) -> None:
    client.volume()
    assert json.loads(client.send("GET", f"/api/{path}.json").body)["response"]["status"] == 10081


def told(client: Client) -> list[Any]:
    return [each["display_name"] for each in client.ask("GET", "volumes")["volumes"]]


def test_strangers_are_seen_as_others_are(client: Client) -> None:
    planted = client.world.witness.plant("somebody", SOMEBODY, b"\x01" * 4096)
    assert planted == "volume-00000001"
    assert told(client) == ["somebody"]
    assert client.ask("GET", f"volumes/{planted}/servers")["servers"][0]["iqn"] == str(SOMEBODY)
