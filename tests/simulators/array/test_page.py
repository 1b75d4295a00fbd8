"""The page of an array: what a person finds on it, and what nobody may."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from conformance.contract import LaunchOptions, Transport
from simulators.array.launcher import simulate
from simulators.array.page.drawn import readable_bytes
from simulators.array.running import RunningArray
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.initiator import Initiator
from tests.simulators.array.client import HOST, Client

SECRET = "initiator-sec"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningArray]:
    array = simulate(LaunchOptions("array", Transport.SOCKETS))
    yield array
    array.close()


@pytest.fixture(scope="module")
def client(running: RunningArray) -> Client:
    return Client(running.world)


def ask(running: RunningArray, method: str = "GET", path: str = "/", **headers: str) -> tuple[int, str]:
    address = urlsplit(dict(running.describe())["page"]).netloc
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_a_new_array_has_nothing_on_its_page(running: RunningArray) -> None:
    status, text = ask(running)
    assert status == 200
    for sentence in ("There are none.", "Nobody is logged in.", "Nobody has called the management API yet."):
        assert sentence in text


def test_the_page_shows_luns_who_sees_them_sessions_and_calls(running: RunningArray, client: Client) -> None:
    volume = client.volume(client.account("tenant", initiatorSecret=SECRET), "data-1")
    client.call("CreateVolumeAccessGroup", name="hosts", initiators=[HOST], volumes=[1])
    client.call("CreateSnapshot", volumeID=1, name="before")
    address, _, port = dict(running.describe())["iSCSI portal"].rpartition(":")
    guest = Initiator("iqn.2026-01.example:guest", client.world.dial)
    logged_in = guest.login(address, int(port), volume["iqn"], ChapAccount("tenant", SECRET.encode()))
    _, text = ask(running)
    logged_in.logout()
    for seen in (
        "data-1",
        volume["iqn"],
        volume["scsiNAADeviceID"],
        HOST,
        "hosts",
        "before",
        "iqn.2026-01.example:guest",
    ):
        assert seen in text
    assert "CreateVolumeAccessGroup" in text
    assert "without CHAP" in text


def test_no_secret_is_on_the_page(running: RunningArray, client: Client) -> None:
    client.call("GetAccountByID", accountID=client.account("other", initiatorSecret="a-second-secret"))
    _, text = ask(running)
    assert "a-second-secret" not in text
    assert dict(running.describe())["password"] not in text


def test_what_a_client_wrote_is_text_and_no_markup(running: RunningArray, client: Client) -> None:
    client.account("<script>alert(1)</script>")
    assert "<script>" not in ask(running)[1]


def test_the_page_renews_itself_unless_it_is_to_hold_still(running: RunningArray) -> None:
    assert 'http-equiv="refresh"' in ask(running)[1]
    assert 'http-equiv="refresh"' not in ask(running, path="/?still")[1]


def test_only_looking_is_possible(running: RunningArray) -> None:
    assert ask(running, "POST")[0] == 405
    assert ask(running, path="/volumes")[0] == 404


def test_another_sites_page_cannot_have_a_browser_read_it(running: RunningArray) -> None:
    assert ask(running, Host="attacker.example")[0] == 403


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (10**9, "953.67 MiB"), (1 << 30, "1 GiB"), (3 << 59, "1536 PiB")],
)
def test_sizes_are_readable(count: int, text: str) -> None:
    assert readable_bytes(count) == text
