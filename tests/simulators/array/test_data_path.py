"""Who gets in over iSCSI, what they find, and when they are thrown out."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.errors import CheckCondition, ConnectionClosed, InitiatorError, LoginRefused
from simulators.iscsi.initiator import Initiator, Session
from tests.simulators.array.client import GB, HOST, OTHER_HOST, Client, memory_array

SECRET, TARGET_SECRET = "initiator-sec", "target-secret"
CHAP = ChapAccount("tenant", SECRET.encode())
MUTUAL = ChapAccount("tenant", SECRET.encode(), "tenant", TARGET_SECRET.encode())
WRONG = ChapAccount("tenant", b"wrong-secret-1")


@pytest.fixture
def volume(client: Client) -> Any:
    account = client.account("tenant", initiatorSecret=SECRET, targetSecret=TARGET_SECRET)
    return client.volume(account)


def login(client: Client, volume: Any, host: str = HOST, chap: ChapAccount | None = None) -> Session:
    address, _, port = client.call("GetClusterInfo")["clusterInfo"]["svip"].rpartition(":")
    return Initiator(host, client.world.dial).login(address, int(port), volume["iqn"], chap)


def status(client: Client, volume: Any, host: str = HOST, chap: ChapAccount | None = None) -> str:
    """Login status in hexadecimal, 0000 for success."""
    try:
        login(client, volume, host, chap).logout()
    except LoginRefused as refused:
        return f"{refused.status_class:02x}{refused.status_detail:02x}"
    return "0000"


def grant(client: Client, *volumes: int, host: str = HOST) -> None:
    client.call("CreateVolumeAccessGroup", name="g", initiators=[host], volumes=list(volumes))


def test_a_member_of_the_group_needs_no_chap(client: Client, volume: Any) -> None:
    grant(client, 1)
    assert status(client, volume) == "0000"
    assert status(client, volume, HOST.upper().replace("IQN", "iqn")) == "0000"


@pytest.mark.parametrize(
    ("name", "refusal"),
    [("host-1", "0200"), ("21:00:00:24:FF:5A:09:1c", "0200"), ("2100002400001234", "0200"), ("iqn.Host-1", "0201")],
)
def test_initiators_may_have_names_by_which_nobody_gets_in(
    client: Client, volume: Any, name: str, refusal: str
) -> None:
    grant(client, 1, host=name)
    (known,) = client.call("ListInitiators")["initiators"]
    assert (known["initiatorName"], known["volumeAccessGroups"]) == (name.lower(), [1])
    assert status(client, volume, host=name) == refusal
    (seen,) = client.world.witness.observe().luns
    assert seen.visible_to == frozenset()


def test_others_need_the_chap_of_the_account(client: Client, volume: Any) -> None:
    grant(client, 1, host=OTHER_HOST)
    assert status(client, volume, chap=CHAP) == "0000"
    assert status(client, volume, chap=MUTUAL) == "0000"
    assert status(client, volume, chap=WRONG) == "0201"
    assert status(client, volume) == "0201"


def test_being_in_a_group_opens_nothing_else(client: Client, volume: Any) -> None:
    other = client.volume(1, "other")
    grant(client, 2)
    assert (status(client, volume), status(client, other)) == ("0201", "0000")


def test_inquiry_identifies_the_volume_as_the_management_api_does(client: Client, volume: Any) -> None:
    grant(client, 1)
    with login(client, volume) as session:
        standard, page = session.inquiry(0), session.vpd(0, 0x83)
    assert standard[8:32] == b"SolidFirSSD SAN         "
    found, rest = [], page[4:]
    while rest:
        kind, length = rest[1], rest[3]
        found.append((kind, rest[4 : 4 + length]))
        rest = rest[4 + length :]
    eui = volume["scsiEUIDeviceID"]
    assert [found[0], found[1]] == [(0x03, bytes.fromhex(volume["scsiNAADeviceID"])), (0x02, bytes.fromhex(eui))]
    assert found[2] == (0x01, b"SolidFir" + eui.encode())


def test_a_read_only_volume_takes_no_writes_from_who_is_logged_in(client: Client, volume: Any) -> None:
    grant(client, 1)
    with login(client, volume) as session:
        session.write(0, 0, b"a" * 512)
        client.call("ModifyVolume", volumeID=1, access="readOnly")
        with pytest.raises(CheckCondition, match="27/00"):
            session.write(0, 0, bytes(512))
        with pytest.raises(CheckCondition, match="27/00"):
            session.unmap(0, 0, 4096)
        assert session.read(0, 0, 512) == b"a" * 512
        mode_sense = bytes((0x1A, 0x08, 0x3F, 0, 255, 0))
        assert session.execute(0, mode_sense, data_in_limit=255)[2] & 0x80
        client.call("ModifyVolume", volumeID=1, access="readWrite")
        assert not session.execute(0, mode_sense, data_in_limit=255)[2] & 0x80
        session.write(0, 0, bytes(512))


def test_sessions_are_listed_with_their_times(client: Client, volume: Any) -> None:
    grant(client, 1)
    with login(client, volume):
        (seen,) = client.call("ListISCSISessions")["sessions"]
    assert seen["initiatorPortName"].startswith(f"{HOST},i,0x")
    assert seen["createTime"] >= volume["createTime"]
    assert 0 <= seen["msSinceLastIscsiPDU"] <= seen["msSinceLastScsiCommand"]
    assert client.call("ListISCSISessions")["sessions"] == []


@pytest.mark.parametrize("change", [{"enableChap": False}, {"status": "locked"}])
def test_without_chap_of_the_account_others_are_forbidden(
    client: Client, volume: Any, change: dict[str, object]
) -> None:
    client.call("ModifyAccount", accountID=1, **change)
    assert status(client, volume, chap=CHAP) == "0202"
    grant(client, 1)
    assert status(client, volume) == "0000"


def test_a_deleted_volume_has_no_target(client: Client, volume: Any) -> None:
    grant(client, 1)
    client.call("DeleteVolume", volumeID=1)
    assert status(client, volume) == "0203"
    client.call("RestoreDeletedVolume", volumeID=1)
    assert status(client, volume) == "0000"


@pytest.mark.parametrize("access", ["locked", "replicationTarget"])
def test_a_volume_that_is_locked_or_waits_for_its_pair_lets_nobody_in(client: Client, volume: Any, access: str) -> None:
    grant(client, 1)
    assert client.call("ModifyVolume", volumeID=1, access=access)["volume"]["access"] == access
    assert (status(client, volume), status(client, volume, OTHER_HOST, CHAP)) == ("0202", "0202")


def test_new_secrets_hold_for_new_logins(client: Client, volume: Any) -> None:
    session = login(client, volume, chap=CHAP)
    client.call("ModifyAccount", accountID=1, initiatorSecret="another-secret")
    assert status(client, volume, chap=CHAP) == "0201"
    assert session.read(0, 0, 512) == bytes(512)


def test_an_account_with_one_secret_for_both_ways_is_good_for_one_way(client: Client) -> None:
    volume = client.volume(client.account("twin", initiatorSecret=SECRET, targetSecret=SECRET))
    assert status(client, volume, chap=ChapAccount("twin", SECRET.encode())) == "0000"


def test_an_initiator_that_requires_chap_has_its_own(client: Client, volume: Any) -> None:
    own = {"name": HOST, "requireChap": True, "chapUsername": "host", "initiatorSecret": "secret-of-host"}
    client.call("CreateInitiators", initiators=[own])
    grant(client, 1)
    assert status(client, volume) == "0201"
    assert status(client, volume, chap=CHAP) == "0201"
    assert status(client, volume, chap=ChapAccount("host", b"secret-of-host")) == "0000"


def test_new_secrets_of_an_initiator_hold_for_new_logins(client: Client, volume: Any) -> None:
    own = {"name": HOST, "requireChap": True, "chapUsername": "host", "initiatorSecret": "secret-of-host"}
    client.call("CreateInitiators", initiators=[own])
    grant(client, 1)
    old, new = (ChapAccount("host", secret) for secret in (b"secret-of-host", b"another-secret"))
    session = login(client, volume, chap=old)
    changed = client.call("ModifyInitiators", initiators=[{"initiatorID": 1, "initiatorSecret": "another-secret"}])
    assert [each["initiatorSecret"] for each in changed["initiators"]] == ["another-secret"]
    assert status(client, volume, chap=old) == "0201"
    assert status(client, volume, chap=new) == "0000"
    assert session.read(0, 0, 512) == bytes(512)


def test_an_initiator_that_requires_chap_from_now_on_is_made_to_log_in_again(client: Client, volume: Any) -> None:
    client.call("CreateInitiators", initiators=[{"name": HOST}])
    grant(client, 1)
    session = login(client, volume)
    made = client.call("ModifyInitiators", initiators=[{"initiatorID": 1, "requireChap": True}])["initiators"][0]
    assert status(client, volume) == "0201"
    own = ChapAccount(made["chapUsername"], made["initiatorSecret"].encode())
    assert status(client, volume, chap=own) == "0000"
    with pytest.raises(InitiatorError):
        session.read(0, 0, 512)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("RemoveInitiatorsFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "initiators": [HOST]}),
        ("RemoveVolumesFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": [1]}),
        ("DeleteVolumeAccessGroup", {"volumeAccessGroupID": 1}),
        ("DeleteInitiators", {"initiators": [1]}),
        ("DeleteVolume", {"volumeID": 1}),
        ("ModifyVolume", {"volumeID": 1, "access": "locked"}),
        ("ModifyVolume", {"volumeID": 1, "access": "replicationTarget"}),
    ],
)
def test_a_session_ends_with_its_access(client: Client, volume: Any, method: str, params: dict[str, object]) -> None:
    grant(client, 1)
    session = login(client, volume)
    session.write(0, 0, b"x" * 512)
    assert len(client.world.witness.observe().sessions) == 1
    client.call(method, **params)
    with pytest.raises(InitiatorError):
        session.read(0, 0, 512)
    assert client.world.witness.observe().sessions == ()
    assert client.call("ListISCSISessions")["sessions"] == []


REGROUPINGS = (
    ("RemoveInitiatorsFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "initiators": [HOST]}),
    ("RemoveVolumesFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": [1]}),
    ("DeleteVolumeAccessGroup", {"volumeAccessGroupID": 1}),
    ("DeleteInitiators", {"initiators": [1]}),
)


@pytest.mark.parametrize(("method", "params"), REGROUPINGS)
def test_where_sessions_survive_regrouping_nobody_logs_in_again_and_locking_ends_them(
    method: str, params: dict[str, object]
) -> None:
    with memory_array(sessions_survive_regrouping=True) as client:
        volume = client.volume(client.account("tenant", initiatorSecret=SECRET, targetSecret=TARGET_SECRET))
        grant(client, 1)
        session = login(client, volume)
        client.call(method, **params)
        session.write(0, 0, b"x" * 512)
        assert status(client, volume) == "0201"
        assert len(client.call("ListISCSISessions")["sessions"]) == 1
        client.call("ModifyVolume", volumeID=1, access="locked")
        client.call("ModifyVolume", volumeID=1, access="readWrite")
        with pytest.raises(InitiatorError):
            session.read(0, 0, 512)
        assert client.call("ListISCSISessions")["sessions"] == []


def test_where_sessions_survive_regrouping_those_of_an_account_still_end_with_it() -> None:
    with memory_array(sessions_survive_regrouping=True) as client:
        volume = client.volume(client.account("tenant", initiatorSecret=SECRET, targetSecret=TARGET_SECRET))
        session = login(client, volume, chap=CHAP)
        client.call("ModifyAccount", accountID=1, status="locked")
        with pytest.raises(InitiatorError):
            session.read(0, 0, 512)


def test_a_volume_that_is_deleted_and_restored_has_ended_its_sessions() -> None:
    with memory_array(sessions_survive_regrouping=True) as client:
        volume = client.volume(client.account("tenant"))
        grant(client, 1)
        session = login(client, volume)
        client.call("DeleteVolume", volumeID=1)
        client.call("RestoreDeletedVolume", volumeID=1)
        with pytest.raises(InitiatorError):
            session.read(0, 0, 512)
        assert status(client, volume) == "0000"


def test_discovery_shows_the_volumes_of_the_group(client: Client, volume: Any) -> None:
    deleted, hidden = client.volume(1, "deleted"), client.volume(1, "hidden")
    grant(client, 1, 2)
    client.call("DeleteVolume", volumeID=2)

    def shown(host: str) -> list[str]:
        return [name for name, _ in Initiator(host, client.world.dial).discover("10.64.0.1", 3260)]

    assert shown(HOST) == [volume["iqn"]]
    assert shown(OTHER_HOST) == []
    assert hidden["iqn"] != deleted["iqn"]


@pytest.mark.parametrize(("has_512e", "block_bytes"), [(True, 512), (False, 4096)])
def test_a_unit_is_what_the_management_api_says(client: Client, has_512e: bool, block_bytes: int) -> None:
    volume = client.volume(client.account("tenant", initiatorSecret=SECRET), enable512e=has_512e)
    session = login(client, volume, chap=CHAP)
    assert session.read_capacity(0) == (volume["totalSize"], block_bytes)
    assert session.report_luns() == [0]
    assert session.wwid(0) == volume["scsiNAADeviceID"]
    assert b"SolidFirSSD SAN" in session.inquiry(0)


def test_growth_is_seen_by_who_is_logged_in(client: Client, volume: Any) -> None:
    session = login(client, volume, chap=CHAP)
    assert session.read_capacity(0)[0] == volume["totalSize"]
    grown = client.call("ModifyVolume", volumeID=1, totalSize=2 * GB)["volume"]
    assert session.read_capacity(0)[0] == grown["totalSize"] > volume["totalSize"]


def test_bytes_arrive_on_the_array_and_unmap_gives_them_back(client: Client, volume: Any) -> None:
    session = login(client, volume, chap=CHAP)
    session.write(0, 4096, b"abcd" * 4096)
    witness = client.world.witness
    assert witness.read("1", 4096, 8) == b"abcdabcd"
    assert witness.observe().luns[0].written_bytes == 16384
    stats = client.call("GetVolumeStats", volumeID=1)["volumeStats"]
    assert (stats["writeBytes"], stats["writeOps"], stats["nonZeroBlocks"]) == (16384, 1, 4)
    session.unmap(0, 4096, 16384)
    assert session.read(0, 4096, 512) == bytes(512)
    assert witness.observe().luns[0].written_bytes == 0


def test_sessions_are_listed_with_how_they_authenticated(client: Client, volume: Any) -> None:
    open_sessions = [login(client, volume, chap=MUTUAL), login(client, volume, OTHER_HOST, CHAP)]
    listed = client.call("ListISCSISessions")["sessions"]
    assert [each["authentication"]["direction"] for each in listed] == ["two-way", "one-way"]
    assert [each["initiatorName"] for each in listed] == [HOST, OTHER_HOST]
    assert {each["volumeID"] for each in listed} == {1}
    assert client.call("GetClusterCapacity")["clusterCapacity"]["activeSessions"] == 2
    for each in open_sessions:
        each.logout()
    assert client.call("ListISCSISessions")["sessions"] == []


def test_an_array_that_is_closed_answers_nobody(client: Client, volume: Any) -> None:
    session = login(client, volume, chap=CHAP)
    client.world.close()
    with pytest.raises(InitiatorError):
        session.read(0, 0, 512)
    with pytest.raises(ConnectionClosed):
        client.world.dial("10.64.0.1", 3260)
    with pytest.raises(ConnectionRefusedError):
        client.call("GetAPI")


def test_nothing_listens_elsewhere(client: Client) -> None:
    with pytest.raises(ConnectionClosed):
        client.world.dial("10.64.0.1", 3261)
