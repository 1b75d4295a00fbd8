"""Servers: who gets in over iSCSI, what they see, and what becomes of it while they are logged in."""

from __future__ import annotations

import pytest

from conformance.contract import Iqn, WitnessedSession
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.errors import CheckCondition, ConnectionClosed, InitiatorError, LoginRefused
from tests.simulators.array.vpsa.client import GB, HOST, OTHER_HOST, Client
from tests.simulators.array.vpsa.test_volumes import status

BLOCK = b"\xa5" * 4096
OWN = ChapAccount("user", b"one-way-secret")
MUTUAL = ChapAccount("user", b"one-way-secret", "array", b"other-way-word")


def refusal(client: Client, host: str = HOST, chap: ChapAccount | None = None) -> str:
    """Login status in hexadecimal, 0000 for success."""
    try:
        client.login(host, chap).logout()
    except LoginRefused as refused:
        return f"{refused.status_class:02x}{refused.status_detail:02x}"
    return "0000"


def lines(client: Client) -> str:
    return "\n".join(client.world.transcript)


def test_only_servers_get_in_and_only_with_chap(client: Client) -> None:
    assert refusal(client, chap=client.chap) == "0202"
    client.server()
    assert refusal(client, chap=client.chap) == "0000"
    assert refusal(client) == "0201"
    assert refusal(client, chap=OWN) == "0201"
    assert refusal(client, OTHER_HOST, client.chap) == "0202"


def test_a_server_with_chap_of_its_own_uses_no_other(client: Client) -> None:
    server = client.server(vpsachapuser="user", vpsachapsecret="one-way-secret")
    assert refusal(client, chap=OWN) == "0000"
    assert refusal(client, chap=client.chap) == "0201"
    with pytest.raises(InitiatorError):
        client.login(chap=MUTUAL)
    client.ask("POST", f"servers/{server}/config", hostchapuser="array", hostchapsecret="other-way-word")
    assert refusal(client, chap=MUTUAL) == "0000"
    assert status(client, "POST", f"servers/{server}/config", vpsachapsecret="short") == 3


CHAP = ("vpsa_chap_user", "vpsa_chap_secret", "host_chap_user", "host_chap_secret")


def test_a_server_tells_the_chap_that_it_logs_in_with(client: Client) -> None:
    server = client.server()

    def told() -> list[str | None]:
        seen = client.ask("GET", f"servers/{server}")["server"]
        assert (seen["status"], seen) == ("Active", client.ask("GET", "servers")["servers"][0])
        return [seen[name] for name in CHAP]

    assert told() == [client.chap.username, client.chap.secret.decode(), None, None]
    assert client.ask_xml("GET", f"servers/{server}").find("server/host-chap-secret").get("nil") == "true"  # type: ignore[union-attr]
    client.ask("POST", f"servers/{server}/config", vpsachapuser="user", vpsachapsecret="one-way-secret")
    assert told() == ["user", "one-way-secret", None, None]
    client.ask("POST", f"servers/{server}/config", hostchapuser="array", hostchapsecret="other-way-word")
    assert told() == ["user", "one-way-secret", "array", "other-way-word"]


def test_lun_numbers_are_by_server_and_the_smallest_free(client: Client) -> None:
    one, two, three = (client.volume(each) for each in ("one", "two", "three"))
    first, second = client.server(), client.server(OTHER_HOST)
    client.attach(first, one, two)
    client.attach(f"{second},{first}", three)
    client.attach(first, three)
    assert [(each["name"], each["lun"]) for each in client.ask("GET", f"volumes/{three}/servers")["servers"]] == [
        (second, 0),
        (first, 2),
    ]
    assert {each["target"] for each in client.ask("GET", f"volumes/{one}/servers")["servers"]} == {
        client.controller["target"]
    }
    client.detach(one, first)
    client.detach(three, first)
    client.attach(first, three)
    assert {each["name"]: each["lun"] for each in client.ask("GET", f"servers/{first}/volumes")["volumes"]} == {
        two: 1,
        three: 0,
    }


def test_a_volume_is_attached_from_its_own_side_too(client: Client) -> None:
    volume, first, second = client.volume(), client.server(), client.server(OTHER_HOST)
    client.ask_json("POST", f"volumes/{volume}/servers", server_name=first)
    client.ask("POST", f"volumes/{volume}/servers", **{"server_name[]": [first, second]})
    assert client.ask("GET", f"volumes/{volume}")["volume"]["server_ext_names"] == f"{first},{second}"
    assert status(client, "POST", f"volumes/{volume}/servers", server_name="srv-0000000f") == 10086
    assert status(client, "POST", "volumes/volume-0000000f/servers", server_name=first) == 10081
    assert status(client, "POST", f"volumes/{volume}/servers") == 2


def test_one_session_sees_all_that_its_server_has_as_it_comes_and_goes(client: Client) -> None:
    one, two = client.volume("one"), client.volume("two")
    server, other = client.server(), client.server(OTHER_HOST)
    client.attach(server, one)
    client.attach(other, two)
    with client.login(chap=client.chap) as session:
        assert session.report_luns() == [0]
        client.attach(server, two)
        # The initiator tries again after news.
        session.read(0, 0, 4096)
        assert "3f0e" in lines(client)
        assert session.report_luns() == [0, 1]
        session.write(1, 0, BLOCK)
        assert client.world.witness.read(two, 0, 4096) == BLOCK
        client.detach(two, server)
        assert session.report_luns() == [0]
        with pytest.raises(CheckCondition) as gone:
            session.write(1, 0, BLOCK)
        assert (gone.value.sense_key, gone.value.asc) == (0x05, 0x25)
        assert session.read(0, 0, 4096) == bytes(4096)
        assert session.wwid(0) == client.world.witness.observe().luns[0].wwid


def test_the_witness_tells_a_line_for_each_lun_of_a_session(client: Client) -> None:
    one, two = client.volume("one"), client.volume("two")
    server = client.server()
    client.attach(server, one, two)
    with client.login(chap=client.chap):
        told = client.world.witness.observe().sessions
        assert told == tuple(WitnessedSession(Iqn(HOST), each) for each in (one, two))
        client.detach(one, server)
        assert client.world.witness.observe().sessions == (WitnessedSession(Iqn(HOST), two),)
    assert {each.visible_to for each in client.world.witness.observe().luns} == {frozenset(), frozenset({Iqn(HOST)})}
    assert all(each.needs_chap for each in client.world.witness.observe().luns)


def test_what_grows_while_attached_is_noticed(client: Client) -> None:
    volume, server = client.volume(), client.server()
    client.attach(server, volume)
    with client.login(chap=client.chap) as session:
        client.ask("POST", f"volumes/{volume}/expand", capacity=1)
        session.read(0, 0, 4096)
        assert "2a09" in lines(client)
        assert session.read_capacity(0)[0] == 2 * GB


def test_without_its_server_a_session_is_over(client: Client) -> None:
    volume, server = client.volume(), client.server()
    client.attach(server, volume)
    session = client.login(chap=client.chap)
    assert status(client, "DELETE", f"servers/{server}") == 10090
    client.detach(volume, server)
    client.ask("DELETE", f"servers/{server}")
    with pytest.raises((ConnectionClosed, InitiatorError)):
        session.read(0, 0, 4096)


def test_an_initiator_that_is_another_now_shuts_the_former_out(client: Client) -> None:
    server = client.server(vpsachapuser="user", vpsachapsecret="one-way-secret")
    client.ask("POST", f"servers/{server}/config", iqn=OTHER_HOST.upper().replace("IQN", "iqn"))
    assert client.ask("GET", f"servers/{server}")["server"]["iqn"] == OTHER_HOST
    assert refusal(client, chap=OWN) == "0202"
    assert refusal(client, OTHER_HOST, OWN) == "0000"


def test_discovery_shows_the_one_target_to_servers(client: Client) -> None:
    client.server()
    assert client.discover() == [client.controller["target"]]
    assert client.discover(OTHER_HOST) == []


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ({"display_name": "other", "iqn": HOST}, 10088),
        ({"display_name": HOST, "iqn": OTHER_HOST}, 10084),
        ({"display_name": "other"}, 4),
        ({"display_name": "other", "iscsi": "10.0.0.1"}, 4),
        ({"display_name": "other", "iqn": OTHER_HOST, "ipsec_iscsi": "YES"}, 4),
        ({"display_name": "other", "iqn": "nonsense"}, 3),
        ({"display_name": "other", "iqn": "2100002400001234"}, 3),
        ({"iqn": OTHER_HOST}, 2),
    ],
)
def test_servers_that_cannot_be_made_are_refused(client: Client, form: dict[str, str], wanted: int) -> None:
    client.server()
    before = client.world.witness.observe()
    assert status(client, "POST", "servers", **form) == wanted
    assert client.world.witness.observe() == before


def test_what_is_not_there_is_told_apart(client: Client) -> None:
    volume, server = client.volume(), client.server()
    assert status(client, "POST", "servers/srv-0000000f/volumes", **{"volume_name[]": volume}) == 10086
    assert status(client, "POST", f"servers/{server}/volumes", **{"volume_name[]": "volume-0000000f"}) == 10081
    assert status(client, "POST", f"servers/{server}/volumes") == 2
    assert status(client, "POST", f"servers/{server}/volumes", volume_name=volume, readonly="YES") == 4
    assert status(client, "POST", f"volumes/{volume}/detach", servers=server) == 10087
    assert status(client, "POST", f"volumes/{volume}/detach", servers="srv-0000000f") == 10086
    assert status(client, "GET", "servers/srv-0000000f") == 10086
    assert client.ask("POST", f"servers/{server}/rename", new_name="another")["server_name"] == server
