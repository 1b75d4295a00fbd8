"""The vendor's own client, as published, takes our answers for those of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.contract import ArrayWorld
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.errors import LoginRefused
from simulators.iscsi.initiator import Session
from tests.wire_zadarapy.conftest import HOST

# The client is older than the libraries it uses.
pytestmark = pytest.mark.filterwarnings("ignore")

POOL = "pool-00000001"
BLOCK = b"\xa5" * 4096
Login = Callable[..., Session]


@pytest.fixture
def volume(session: Any) -> Any:
    from zadarapy.vpsa import volumes

    made = volumes.create_volume(session, POOL, "vol", 2, "YES", attachpolicies="NO")["response"]["vol_name"]
    return volumes.get_volume(session, made)["response"]["volume"]


@pytest.fixture
def server(session: Any) -> str:
    from zadarapy.vpsa import servers

    return str(servers.create_server(session, "host-1", iqn=HOST)["response"]["server_name"])


def chap_of(controller: Any) -> ChapAccount:
    return ChapAccount(controller["vpsa_chap_user"], controller["vpsa_chap_secret"].encode())


def active(session: Any) -> Any:
    from zadarapy.vpsa import controllers

    found = controllers.get_all_controllers(session)["response"]["vcontrollers"]
    return next(each for each in found if each["state"] == "active")


def refusal(call: Callable[..., object], *arguments: object, **more: object) -> str:
    """The error as the client's users see it."""
    with pytest.raises(RuntimeError) as refused:
        call(*arguments, **more)
    return str(refused.value)


def test_the_array_introduces_itself(session: Any) -> None:
    from zadarapy.vpsa import pools

    assert active(session)["target"].startswith("iqn.2011-04.com.zadarastorage:vsa-")
    (pool,) = pools.get_all_pools(session)["response"]["pools"]
    assert pools.get_pool(session, POOL)["response"]["pool"] == pool
    assert pool["capacity"] > pool["provisioned_capacity"] == 0


def test_users_get_their_key_and_wrong_keys_nothing(array: ArrayWorld, connected: Any, session: Any) -> None:
    from zadarapy.vpsa import volumes, vpsa_users

    text = refusal(vpsa_users.get_vpsa_user_api_key, session, "admin", "wrong")
    assert "Invalid user name or password" in text
    assert "Invalid access key" in refusal(volumes.get_all_volumes, connected("wrong"))


def test_a_volume_lives_as_the_client_says(array: ArrayWorld, session: Any, volume: Any) -> None:
    from zadarapy.vpsa import pools, volumes

    name = volume["name"]
    assert (volume["virtual_capacity"], volume["status"], volume["pool_name"]) == (2, "Available", POOL)
    volumes.expand_volume(session, name, 3)
    volumes.rename_volume(session, name, "renamed")
    volumes.update_volume_comment(session, name, "a comment")
    (found,) = volumes.get_all_volumes(session, showonlyblock="YES", display_name="renamed")["response"]["volumes"]
    assert (found["name"], found["virtual_capacity"], found["comment"]) == (name, 5, "a comment")
    assert volumes.get_all_volumes(session, start=1, limit=5)["response"]["volumes"] == []
    assert len(pools.get_volumes_in_pool(session, POOL)["response"]["volumes"]) == 1
    text = refusal(volumes.create_volume, session, POOL, "renamed", 1, "YES")
    assert "in use" in text
    volumes.delete_volume(session, name, force="YES")
    assert array.witness.observe().luns == ()
    assert "not found" in refusal(volumes.get_volume, session, name)


def test_a_server_sees_what_is_attached_to_it(
    array: ArrayWorld, session: Any, volume: Any, server: str, login: Login
) -> None:
    from zadarapy.vpsa import servers, volumes

    name, controller = volume["name"], active(session)
    servers.attach_servers_to_volume(session, server, name)
    (attached,) = volumes.get_servers_attached_to_volume(session, name)["response"]["servers"]
    assert (attached["name"], attached["iqn"], attached["target"]) == (server, HOST, controller["target"])
    assert [
        each["name"] for each in servers.get_volumes_attached_to_server(session, server)["response"]["volumes"]
    ] == [name]
    assert "attached" in refusal(volumes.delete_volume, session, name, force="YES")
    with login(controller, chap_of(controller)) as logged_in:
        logged_in.write(attached["lun"], 0, BLOCK)
        assert array.witness.read(name, 0, 4096) == BLOCK
        volumes.detach_servers_from_volume(session, name, server)
        assert logged_in.report_luns() == []
    servers.delete_server(session, server)
    with pytest.raises(LoginRefused):
        login(controller, chap_of(controller))


def test_a_server_can_have_chap_of_its_own(session: Any, server: str, login: Login) -> None:
    from zadarapy.vpsa import servers

    servers.update_server(session, server, vpsa_chap_user="user", vpsa_chap_secret="one-way-secret")
    controller = active(session)
    login(controller, ChapAccount("user", b"one-way-secret")).logout()
    with pytest.raises(LoginRefused):
        login(controller, chap_of(controller))
    servers.rename_server(session, server, "another")
    assert [each["display_name"] for each in servers.get_all_servers(session)["response"]["servers"]] == ["another"]
    assert servers.get_server(session, server)["response"]["server"]["iqn"] == HOST


def test_snapshots_and_clones(array: ArrayWorld, session: Any, volume: Any) -> None:
    from zadarapy.vpsa import volumes

    group = volume["cg_name"]
    made = volumes.create_volume_snapshot(session, group, "before")["response"]["snapshot_name"]
    (kept,) = volumes.get_all_snapshots(session, group)["response"]["snapshots"]
    assert (kept["name"], kept["display_name"], kept["volume_ext_name"]) == (made, "before", volume["name"])
    clone = volumes.create_clone(session, group, "clone", snapshot_id=made)["response"]["vol_name"]
    assert volumes.get_volume(session, clone)["response"]["volume"]["virtual_capacity"] == 2
    volumes.create_clone(session, group, "clone-of-now")
    volumes.delete_volume_snapshot(session, made)
    assert volumes.get_all_snapshots(session, group)["response"]["snapshots"] == []
    assert len(array.witness.observe().luns) == 3


def test_the_recycle_bin(array: ArrayWorld, session: Any, volume: Any) -> None:
    from zadarapy.vpsa import pools, settings, volumes

    settings.set_recycle_bin(session, "YES")
    volumes.delete_volume(session, volume["name"])
    (kept,) = pools.get_volumes_in_pool_recycle_bin(session, POOL)["response"]["volumes"]
    volumes.delete_volume_from_recycle_bin(session, kept["name"])
    assert array.witness.observe().luns == ()


def test_what_is_not_simulated_is_refused_in_a_way_the_client_understands(session: Any, volume: Any) -> None:
    from zadarapy.vpsa import volumes

    assert "404" in refusal(volumes.migrate_volume, session, volume["cg_name"], POOL)
    assert "thin block volumes" in refusal(volumes.create_volume, session, POOL, "share", 1, "NO")
