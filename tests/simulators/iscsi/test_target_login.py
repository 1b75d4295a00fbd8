from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iscsi import pdu as p
from simulators.iscsi.chap import MD5, SHA256, Challenge, chap_response, decode_binary
from tests.simulators.iscsi.fake_fabric import ACCOUNT, HOST, OTHER_HOST, STRANGER, TARGET, UNKNOWN_TARGET, FakeFabric
from tests.simulators.iscsi.raw_peer import DISCOVERY, ISID, NORMAL, OTHER_ISID, RawPeer, keys, only, target

INITIATOR_ERROR = (2, 0)
AUTHENTICATION = (2, 1)


def peer(*, with_chap: bool = False) -> RawPeer:
    return RawPeer(target(FakeFabric(ACCOUNT) if with_chap else FakeFabric()))


def challenged(*, algorithm: int = MD5) -> tuple[RawPeer, dict[str, str]]:
    """Bring a login to the point where the response is due."""
    initiator = peer(with_chap=True)
    initiator.login_step([*NORMAL, ("AuthMethod", "CHAP,None")], stage=0, to=1)
    return initiator, keys(initiator.login_step([("CHAP_A", str(algorithm))], stage=0, to=None))


def proof(challenge: dict[str, str], secret: bytes = ACCOUNT.secret, name: str = "host-1") -> list[tuple[str, str]]:
    algorithm, identifier = int(challenge["CHAP_A"]), challenge["CHAP_I"]
    return [
        ("CHAP_N", name),
        ("CHAP_R", Challenge.parse(algorithm, identifier, challenge["CHAP_C"]).response(secret)),
    ]


def test_a_login_without_authentication_takes_one_request() -> None:
    initiator = peer()
    response = initiator.login_step([*NORMAL, ("InitialR2T", "Yes")])
    assert (response.status, response.transit, response.next_stage) == ((0, 0), True, 3)
    assert response.tsih != 0
    assert response.isid == ISID
    assert keys(response) == {
        "TargetPortalGroupTag": "1",
        "InitialR2T": "Yes",
        "MaxRecvDataSegmentLength": "262144",
    }


def test_the_protocol_level_is_negotiated_as_by_those_who_always_offer_it() -> None:
    response = peer().login_step([*NORMAL, ("iSCSIProtocolLevel", "2"), ("X#new", "1"), ("iSCSINew", "1")])
    assert response.status == (0, 0)
    answers = keys(response)
    assert (answers["iSCSIProtocolLevel"], answers["X#new"], answers["iSCSINew"]) == ("1", *["NotUnderstood"] * 2)


def test_what_means_nothing_in_discovery_is_answered_with_a_value() -> None:
    offers = [("MaxBurstLength", "512"), ("InitialR2T", "Yes"), ("TaskReporting", "RFC3720"), ("HeaderDigest", "None")]
    answers = keys(peer().login_step([*DISCOVERY, *offers]))
    assert answers == dict(offers) | {"MaxRecvDataSegmentLength": "262144"}


def test_security_may_be_left_for_the_full_feature_phase_at_once() -> None:
    response = peer().login_step([*NORMAL, ("AuthMethod", "None")], stage=0, to=3)
    assert (response.status, response.next_stage) == ((0, 0), 3)


def test_silence_about_authentication_is_accepted_where_none_is_required() -> None:
    assert peer().login_step(NORMAL, stage=0, to=1).transit


@pytest.mark.parametrize("algorithm", [MD5, SHA256])
def test_chap_lets_in_who_knows_the_secret(algorithm: int) -> None:
    initiator, challenge = challenged(algorithm=algorithm)
    assert initiator.login_step(proof(challenge), stage=0, to=1).transit
    assert initiator.login_step([]).next_stage == 3


@pytest.mark.parametrize("algorithm", [MD5, SHA256])
def test_mutual_chap_proves_the_target(algorithm: int) -> None:
    initiator, challenge = challenged(algorithm=algorithm)
    answer = keys(initiator.login_step([*proof(challenge), ("CHAP_I", "9"), ("CHAP_C", "0x0102")], stage=0, to=1))
    assert answer["CHAP_N"] == "array"
    assert ACCOUNT.mutual_secret is not None
    assert decode_binary(answer["CHAP_R"]) == chap_response(algorithm, 9, ACCOUNT.mutual_secret, b"\1\2")


def test_a_wrong_secret_is_refused() -> None:
    initiator, challenge = challenged()
    response = initiator.login_step(proof(challenge, b"something else"), stage=0, to=1)
    assert (response.status, response.transit) == (AUTHENTICATION, False)
    assert initiator.is_closed


def test_a_wrong_name_is_refused() -> None:
    initiator, challenge = challenged()
    assert initiator.login_step(proof(challenge, name="host-2"), stage=0, to=1).status == AUTHENTICATION


def test_a_reflected_challenge_is_refused() -> None:
    initiator, challenge = challenged()
    reflected = [("CHAP_I", "9"), ("CHAP_C", challenge["CHAP_C"])]
    assert initiator.login_step([*proof(challenge), *reflected], stage=0, to=1).status == AUTHENTICATION


def test_a_target_without_mutual_secret_cannot_prove_itself() -> None:
    one_way = type(ACCOUNT)("host-1", ACCOUNT.secret)
    initiator = RawPeer(target(FakeFabric(one_way)))
    initiator.login_step([*NORMAL, ("AuthMethod", "CHAP")], stage=0, to=None)
    challenge = keys(initiator.login_step([("CHAP_A", "5")], stage=0, to=None))
    mutual = [("CHAP_I", "9"), ("CHAP_C", "0x0102")]
    assert initiator.login_step([*proof(challenge), *mutual], stage=0, to=1).status == AUTHENTICATION


@pytest.mark.parametrize(
    "pairs", [[("AuthMethod", "None")], [("AuthMethod", "KRB5")], []], ids=["none", "kerberos", "silence"]
)
def test_chap_cannot_be_evaded_in_the_security_stage(pairs: list[tuple[str, str]]) -> None:
    assert peer(with_chap=True).login_step([*NORMAL, *pairs], stage=0, to=1).status == AUTHENTICATION


def test_chap_cannot_be_evaded_by_skipping_the_security_stage() -> None:
    assert peer(with_chap=True).login_step(NORMAL).status == AUTHENTICATION


def test_chap_cannot_be_evaded_by_leaving_the_security_stage_early() -> None:
    initiator, _ = challenged()
    assert initiator.login_step([], stage=1, to=3).status == AUTHENTICATION


def test_chap_with_unknown_algorithms_only_is_refused() -> None:
    initiator = peer(with_chap=True)
    initiator.login_step([*NORMAL, ("AuthMethod", "CHAP")], stage=0, to=None)
    assert initiator.login_step([("CHAP_A", "6")], stage=0, to=None).status == AUTHENTICATION


def test_insisting_on_chap_where_no_account_exists_is_refused() -> None:
    assert peer().login_step([*NORMAL, ("AuthMethod", "CHAP")], stage=0, to=1).status == AUTHENTICATION


def test_discovery_may_insist_on_chap_with_an_account_of_a_visible_target() -> None:
    initiator = peer(with_chap=True)
    answer = initiator.login_step([*DISCOVERY, ("AuthMethod", "CHAP")], stage=0, to=1)
    assert keys(answer) == {"AuthMethod": "CHAP"}
    challenge = keys(initiator.login_step([("CHAP_A", "5")], stage=0, to=None))
    assert initiator.login_step(proof(challenge), stage=0, to=1).transit


def test_discovery_does_not_require_chap() -> None:
    answer = peer(with_chap=True).login_step([*DISCOVERY, ("AuthMethod", "CHAP,None")], stage=0, to=1)
    assert keys(answer) == {"AuthMethod": "None"}


def identified(**changes: str | None) -> list[tuple[str, str]]:
    pairs = dict(NORMAL) | changes
    return [(name, value) for name, value in pairs.items() if value is not None]


@pytest.mark.parametrize(
    ("pairs", "status"),
    [
        (identified(TargetName=UNKNOWN_TARGET), (2, 3)),
        (identified(InitiatorName=STRANGER), (2, 2)),
        (identified(InitiatorName=None), (2, 7)),
        (identified(TargetName=None), (2, 7)),
        (identified(SessionType="Boot"), (2, 9)),
        (identified(InitiatorName="host"), INITIATOR_ERROR),
        (identified(InitiatorName="iqn." + "x" * 220), INITIATOR_ERROR),
        ([*NORMAL, ("InitialR2T", "Yes"), ("InitialR2T", "No")], INITIATOR_ERROR),
        ([*NORMAL, ("CHAP_A", "5")], INITIATOR_ERROR),
    ],
)
def test_a_wrong_first_request_is_refused_with_its_status(
    pairs: list[tuple[str, str]], status: tuple[int, int]
) -> None:
    initiator = peer()
    assert initiator.login_step(pairs).status == status
    assert initiator.is_closed


@pytest.mark.parametrize(("tsih", "status"), [(1, (2, 6)), (2, (2, 10))])
def test_a_second_connection_of_a_session_is_refused(tsih: int, status: tuple[int, int]) -> None:
    memory = target()
    RawPeer(memory).login()
    assert RawPeer(memory).login_step(NORMAL, tsih=tsih).status == status


@pytest.mark.parametrize(
    ("isid", "initiator"), [(OTHER_ISID, HOST), (ISID, OTHER_HOST)], ids=["another port", "another initiator"]
)
def test_the_session_of_another_initiator_port_does_not_exist(isid: bytes, initiator: str) -> None:
    memory = target()
    old = RawPeer(memory)
    old.login()
    response = RawPeer(memory).login_step([("InitiatorName", initiator), *NORMAL[1:]], tsih=1, isid=isid)
    assert response.status == (2, 10)
    assert not old.is_closed


def test_a_version_that_is_not_ours_is_refused() -> None:
    assert peer().login_step(NORMAL, version_min=1).status == (2, 5)


@pytest.mark.parametrize(("stage", "to"), [(2, None), (3, None), (1, 1), (0, 2), (0, 0)])
def test_stages_that_do_not_exist_are_refused(stage: int, to: int | None) -> None:
    request = p.LoginRequest(stage, to or 0, 0, 0, ISID, 0, 1, 0, 1, 0, transit=to is not None)
    assert only(peer().send(request), p.LoginResponse).status == INITIATOR_ERROR


def test_an_operational_key_in_the_security_stage_is_refused() -> None:
    pairs = [*NORMAL, ("AuthMethod", "None"), ("InitialR2T", "No")]
    assert peer().login_step(pairs, stage=0, to=1).status == INITIATOR_ERROR


def test_the_data_segment_may_be_declared_in_the_security_stage() -> None:
    initiator = peer()
    declared = ("MaxRecvDataSegmentLength", "512")
    step = initiator.login_step([*NORMAL, ("AuthMethod", "None"), declared, ("X-who", "me")], stage=0, to=3)
    assert keys(step) == {"TargetPortalGroupTag": "1", "X-who": "NotUnderstood", "AuthMethod": "None"}
    cdb = bytes.fromhex("28000000000000000400")
    lengths = [len(pdu.data) for pdu in initiator.command(cdb, reads=2048) if isinstance(pdu, p.DataIn)]
    assert lengths == [512] * 4


def test_a_name_cannot_change_during_a_login() -> None:
    initiator = peer()
    initiator.login_step([*NORMAL, ("AuthMethod", "None")], stage=0, to=1)
    assert initiator.login_step([("InitiatorName", STRANGER)]).status == INITIATOR_ERROR


def test_a_name_may_be_said_again() -> None:
    initiator = peer()
    initiator.login_step([*NORMAL, ("AuthMethod", "None")], stage=0, to=1)
    assert initiator.login_step(NORMAL).next_stage == 3


def test_there_is_no_way_back_to_the_security_stage() -> None:
    initiator = peer()
    initiator.login_step([*NORMAL, ("AuthMethod", "None")], stage=0, to=1)
    assert initiator.login_step([], stage=0, to=1).status == INITIATOR_ERROR


def test_the_task_tag_of_a_login_does_not_change() -> None:
    initiator = peer()
    initiator.login_step([*NORMAL, ("AuthMethod", "None")], stage=0, to=1)
    assert initiator.login_step([], tag=0x78).status == INITIATOR_ERROR


def test_authentication_keys_after_authentication_are_refused() -> None:
    initiator, challenge = challenged()
    initiator.login_step(proof(challenge), stage=0, to=None)
    assert initiator.login_step([("CHAP_A", "5")], stage=0, to=1).status == INITIATOR_ERROR


def test_a_request_may_come_in_pieces() -> None:
    initiator = peer()
    text = b"".join(f"{name}={value}\0".encode() for name, value in NORMAL)
    first = initiator.login_step([], raw=text[:30], to=None, continues=True)
    assert (first.status, first.transit, bytes(first.data)) == ((0, 0), False, b"")
    assert initiator.login_step([], raw=text[30:]).next_stage == 3


def test_a_piece_that_wants_to_go_on_is_refused() -> None:
    assert peer().login_step([], raw=b"Initiator", continues=True).status == INITIATOR_ERROR


def test_a_long_answer_comes_in_pieces() -> None:
    initiator = peer()
    unknown = [(f"X-{number:04d}" + "x" * 50, "1") for number in range(100)]
    half = [*NORMAL, *unknown[:50]]
    text = b"".join(f"{name}={value}\0".encode() for name, value in [*half, *unknown[50:], *unknown2()])
    initiator.login_step([], raw=text[:8000], to=None, continues=True)
    initiator.login_step([], raw=text[8000:16000], to=None, continues=True)
    response = initiator.login_step([], raw=text[16000:])
    assert response.continues
    assert not response.transit
    received = bytes(response.data)
    for _ in range(3):
        response = initiator.login_step([])
        received += bytes(response.data)
        if not response.continues:
            break
    assert response.next_stage == 3
    assert received.count(b"NotUnderstood") == 200


def unknown2() -> list[tuple[str, str]]:
    return [(f"Y-{number:04d}" + "y" * 50, "1") for number in range(100)]


def test_text_in_the_middle_of_our_answer_is_refused() -> None:
    initiator = peer()
    text = b"".join(f"{name}={value}\0".encode() for name, value in [*NORMAL, *unknown2(), *unknown3()])
    initiator.login_step([], raw=text[:8000], to=None, continues=True)
    assert initiator.login_step([], raw=text[8000:]).continues
    assert initiator.login_step([("InitialR2T", "No")]).status == INITIATOR_ERROR


def unknown3() -> list[tuple[str, str]]:
    return [(f"Z-{number:04d}" + "z" * 50, "1") for number in range(50)]


def test_malformed_text_is_refused() -> None:
    assert peer().login_step([], raw=b"garbage\0").status == INITIATOR_ERROR


def test_anything_but_a_login_is_refused_and_ends_the_connection() -> None:
    initiator = peer()
    response = only(initiator.command(bytes(6)), p.LoginResponse)
    assert response.status == (2, 11)
    assert initiator.is_closed


def test_the_same_initiator_and_isid_reinstates_the_session() -> None:
    memory = target()
    old, new = RawPeer(memory), RawPeer(memory)
    old.login()
    new.login()
    assert old.is_closed
    assert [info.tsih for info in memory.sessions()] == [2]


def test_another_isid_is_another_session() -> None:
    memory = target()
    first, second = RawPeer(memory), RawPeer(memory)
    first.login()
    second.login(isid=bytes.fromhex("800102030406"))
    assert len(memory.sessions()) == 2
    assert not first.is_closed


def test_a_session_says_who_is_logged_in() -> None:
    memory = target(FakeFabric(ACCOUNT))
    initiator = RawPeer(memory)
    initiator.login_step([*NORMAL, ("AuthMethod", "CHAP")], stage=0, to=1)
    challenge = keys(initiator.login_step([("CHAP_A", "7")], stage=0, to=None))
    initiator.login_step(proof(challenge), stage=0, to=3)
    [info] = memory.sessions()
    assert (info.initiator_iqn, info.target_iqn, info.initiator_address) == (HOST, TARGET, "memory")
    assert (info.chap_username, info.auth_method, info.chap_algorithm, info.is_mutual) == (
        "host-1",
        "CHAP",
        7,
        False,
    )


@given(
    texts=st.lists(st.binary(max_size=80), min_size=1, max_size=4),
    stage=st.integers(0, 3),
    to=st.none() | st.integers(0, 3),
    continues=st.booleans(),
)
def test_any_login_is_answered_or_the_connection_closed(
    texts: list[bytes], stage: int, to: int | None, continues: bool
) -> None:
    initiator = peer(with_chap=True)
    identify = b"".join(f"{name}={value}\0".encode() for name, value in NORMAL)
    for text in [identify, *texts]:
        if not initiator.is_closed:
            response = initiator.login_step([], raw=text, stage=stage, to=to, continues=continues)
            assert response.next_stage != 3


@pytest.mark.parametrize(
    ("step", "pairs"),
    [
        ("method", [("AuthMethod", "CHAP"), ("CHAP_A", "5")]),
        ("algorithm", [("CHAP_A", "5"), ("CHAP_N", "host-1")]),
        ("response", [("CHAP_N", "host-1")]),
        ("response", [("CHAP_N", "host-1"), ("CHAP_R", "0x00"), ("CHAP_A", "5")]),
    ],
)
def test_chap_keys_out_of_place_are_refused(step: str, pairs: list[tuple[str, str]]) -> None:
    initiator = peer(with_chap=True)
    if step == "method":
        pairs = [*NORMAL, *pairs]
    else:
        initiator.login_step([*NORMAL, ("AuthMethod", "CHAP")], stage=0, to=None)
    if step == "response":
        initiator.login_step([("CHAP_A", "5")], stage=0, to=None)
    assert initiator.login_step(pairs, stage=0, to=1).status == INITIATOR_ERROR


@pytest.mark.parametrize("lone", [("CHAP_I", "9"), ("CHAP_C", "0x0102")])
def test_half_a_challenge_is_refused(lone: tuple[str, str]) -> None:
    initiator, challenge = challenged()
    assert initiator.login_step([*proof(challenge), lone], stage=0, to=1).status == INITIATOR_ERROR


def test_authentication_keys_in_the_operational_stage_are_refused() -> None:
    assert peer().login_step([*NORMAL, ("CHAP_A", "5")]).status == INITIATOR_ERROR


def test_who_wants_no_authentication_may_say_so_in_the_operational_stage() -> None:
    answered = peer().login_step([*NORMAL, ("AuthMethod", "None")])
    assert (answered.status, keys(answered)["AuthMethod"]) == ((0, 0), "NotUnderstood")


def test_who_has_to_authenticate_gets_by_with_no_word_in_the_operational_stage() -> None:
    assert peer(with_chap=True).login_step([*NORMAL, ("AuthMethod", "None")]).status == AUTHENTICATION


def test_silence_without_wanting_to_go_on_settles_nothing() -> None:
    initiator = peer()
    assert not initiator.login_step(NORMAL, stage=0, to=None).transit
    assert keys(initiator.login_step([("AuthMethod", "None")], stage=0, to=1)) == {"AuthMethod": "None"}


def test_the_data_segment_must_be_in_range_in_the_security_stage_too() -> None:
    step = peer().login_step([*NORMAL, ("MaxRecvDataSegmentLength", "5")], stage=0, to=1)
    assert keys(step)["MaxRecvDataSegmentLength"] == "Reject"


def test_session_handles_in_use_are_passed_over() -> None:
    memory = target()
    RawPeer(memory).login()
    memory.core._last_tsih = 65535
    RawPeer(memory).login(isid=bytes.fromhex("800102030406"))
    assert [info.tsih for info in memory.sessions()] == [1, 2]


def test_a_full_session_table_is_out_of_resources() -> None:
    memory = target()
    RawPeer(memory).login()
    sessions = memory.core._sessions
    memory.core._sessions = dict.fromkeys(range(1, 65536), sessions[1])
    initiator = RawPeer(memory)
    response = initiator.login_step(NORMAL, isid=bytes.fromhex("800102030406"))
    assert (response.status, response.transit) == ((3, 2), False)
    assert initiator.is_closed
