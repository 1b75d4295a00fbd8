"""Several portals and sessions, pings, target resets, and discovery that wants a secret."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from simulators.iscsi import pdu as p
from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.codec import PduReader
from simulators.iscsi.errors import LoginRefused
from simulators.iscsi.initiator import Initiator
from simulators.iscsi.memory import MemoryTarget
from simulators.iscsi.negotiation import OperationalSettings
from simulators.iscsi.portal import Portal
from simulators.iscsi.target_machine import COMMAND_WINDOW
from tests.simulators.iscsi.fake_fabric import ACCOUNT, HOST, OTHER_HOST, TARGET, FakeFabric
from tests.simulators.iscsi.raw_peer import (
    DISCOVERY,
    NORMAL,
    TEST_UNIT_READY,
    RawPeer,
    keys,
    logged_in,
    only,
    target,
    write_10,
)
from tests.simulators.iscsi.serving import serving

if TYPE_CHECKING:
    from simulators.iscsi.backend import ChapAccount
    from simulators.iscsi.initiator import Session

REPORT_TARGET_PORT_GROUPS = bytes.fromhex("a30a00000000000001000000")
TARGET_WARM_RESET, TARGET_COLD_RESET = 6, 7
SOLICITED = OperationalSettings(initial_r2t=True, immediate_data=False)


def two_portals(fabric: FakeFabric | None = None) -> MemoryTarget:
    portals = [Portal("10.0.0.1", 3260, 1), Portal("10.0.1.1", 3260, 2)]
    return MemoryTarget(fabric or FakeFabric(), portals=portals)


def login(memory: MemoryTarget, tag: int = 1, iqn: str = HOST, isid: bytes | None = None) -> Session:
    dial = lambda _address, _port: memory.dial(portal_group_tag=tag)  # noqa: E731 - a way in, named for what it is
    return Initiator(iqn, dial).login("array", 3260, TARGET, isid=isid)


def test_send_targets_tells_every_portal_with_its_group() -> None:
    initiator = RawPeer(two_portals())
    initiator.login(identify=DISCOVERY)
    assert initiator.text(("SendTargets", "All")) == [
        ("TargetName", TARGET),
        ("TargetAddress", "10.0.0.1:3260,1"),
        ("TargetAddress", "10.0.1.1:3260,2"),
    ]


def test_one_isid_at_two_portal_groups_is_two_sessions() -> None:
    memory = two_portals()
    isid = bytes.fromhex("800102030405")
    sessions = [login(memory, 1, isid=isid), login(memory, 2, isid=isid)]
    assert len(memory.sessions()) == 2
    sessions[0].write(1, 0, b"\xab" * 512)
    assert sessions[1].read(1, 0, 512) == b"\xab" * 512
    login(memory, 2, isid=isid)
    assert len(memory.sessions()) == 2


def test_each_path_names_its_port_and_both_name_one_group() -> None:
    memory = two_portals()
    for tag in (1, 2):
        session = login(memory, tag)
        page = session.vpd(1, 0x83)
        assert bytes((0x51, 0x94, 0, 4, 0, 0, 0, tag)) in page
        assert bytes((0x51, 0x95, 0, 4, 0, 0, 0, 1)) in page
        assert f"{TARGET},t,0x000{tag}".encode() in page
        groups = session.execute(1, REPORT_TARGET_PORT_GROUPS, data_in_limit=256)
        assert groups.hex() == "00000010" + "0001000100000002" + "00000001" + "00000002"


def test_a_server_listens_at_all_its_portals() -> None:
    with serving(FakeFabric(), Portal("127.0.0.1", 0, 2)) as server:
        assert len({portal.port for portal in server.portals}) == 2
        for address, port, _tag in server.portals:
            session = Initiator(HOST).login(address, port, TARGET)
            assert session.read(1, 0, 512) == bytes(512)
            session.logout()


def test_discovery_wants_a_secret_where_the_fabric_says_so() -> None:
    class Guarded(FakeFabric):
        def discovery_accounts(self, initiator_iqn: str) -> tuple[ChapAccount, ...]:
            return (ACCOUNT,) if initiator_iqn == HOST else ()

    memory = target(Guarded())
    host = Initiator(HOST, lambda _address, _port: memory.dial())
    with pytest.raises(LoginRefused, match="0x0201"):
        host.discover("array", 3260)
    with pytest.raises(LoginRefused, match="0x0201"):
        host.discover("array", 3260, ChapCredentials(ACCOUNT.username, b"another secret"))
    right = ChapCredentials(ACCOUNT.username, ACCOUNT.secret, ACCOUNT.mutual_username, ACCOUNT.mutual_secret)
    assert [name for name, _ in host.discover("array", 3260, right)] == [TARGET]
    other = Initiator(OTHER_HOST, lambda _address, _port: memory.dial())
    assert [name for name, _ in other.discover("array", 3260)] == [TARGET]


def manage(peer: RawPeer, function: int) -> int:
    request = p.TaskManagementRequest(function, bytes(8), 0x55, p.NO_TAG, peer.cmd_sn, 0, 0)
    return only(peer.send(request), p.TaskManagementResponse).response


def test_a_warm_reset_is_told_to_everybody_else() -> None:
    memory = target()
    peer, other = RawPeer(memory), login(memory, isid=bytes.fromhex("80aabbccddee"))
    peer.login()
    assert manage(peer, TARGET_WARM_RESET) == 0
    assert other.read(1, 0, 512) == bytes(512)  # the attention is taken and the command sent again
    assert not peer.is_closed


def test_a_cold_reset_ends_every_session_with_the_target() -> None:
    memory = target()
    peer, other = RawPeer(memory), RawPeer(memory)
    other.login(isid=bytes.fromhex("80aabbccddee"))
    peer.login()
    assert manage(peer, TARGET_COLD_RESET) == 0
    assert peer.is_closed
    assert other.is_closed
    assert memory.sessions() == []


def register(peer: RawPeer, *, survives: bool) -> None:
    parameters = bytes(15) + b"\x07" + bytes(4) + bytes((survives,)) + bytes(3)
    peer.good(bytes.fromhex("5f060000000000001800"), data=parameters)


@pytest.mark.parametrize("survives", [True, False])
def test_a_cold_reset_is_a_power_loss_for_the_units_of_every_session(survives: bool) -> None:
    memory = target()
    peer, other = RawPeer(memory), RawPeer(memory)
    identities = {peer: NORMAL, other: [("InitiatorName", OTHER_HOST), *NORMAL[1:]]}
    for each, identify in identities.items():
        each.login(identify=identify)
        register(each, survives=survives)
    assert manage(peer, TARGET_COLD_RESET) == 0
    for identify in identities.values():
        again = RawPeer(memory)
        again.login(identify=identify)
        keys_of_unit = again.read(bytes.fromhex("5e000000000000010000"))
        assert keys_of_unit == (bytes(7) + b"\x08" + bytes(7) + b"\x07" if survives else bytes(8))


def test_a_warm_reset_leaves_registrations() -> None:
    peer, _ = logged_in()
    register(peer, survives=False)
    assert manage(peer, TARGET_WARM_RESET) == 0
    assert peer.sense(TEST_UNIT_READY).asc == 0x29
    assert peer.read(bytes.fromhex("5e000000000000010000"))[8:] == bytes(7) + b"\x07"


# ---- the window of one session, and the resets of another ------------------------------------------------------


def crowd(session: Session) -> None:
    """Fill the command window with writes whose data are never sent."""
    machine = session._link.machine
    for _ in range(COMMAND_WINDOW):
        machine.command(1, write_10(1), data_out=bytes(512))
    session._link._stream.send(machine.take_output())


def answers_to(session: Session, count: int) -> list[p.Pdu]:
    """Read so many PDUs as they come."""
    reader, answers = PduReader(), list[p.Pdu]()
    while len(answers) < count:
        reader.feed(session._link._stream.receive(65536))
        while (pdu := reader.next_pdu()) is not None:
            answers.append(pdu)
    return answers


def test_a_window_that_the_reset_of_another_has_opened_is_told() -> None:
    memory = target()
    crowded, other = (Initiator(HOST, lambda _address, _port: memory.dial(), settings=SOLICITED) for _ in range(2))
    session, resetting = crowded.login("array", 3260, TARGET), other.login("array", 3260, TARGET)
    crowd(session)
    resetting.reset_unit(1)
    *_, news = answers_to(session, COMMAND_WINDOW + 1)
    assert isinstance(news, p.NopIn)
    assert (news.initiator_task_tag, news.target_transfer_tag) == (p.NO_TAG, p.NO_TAG)
    assert news.max_cmd_sn == news.exp_cmd_sn + COMMAND_WINDOW - 1
    assert session._link._stream._connection.tell_window() == b""  # type: ignore[attr-defined]


def test_over_a_socket_the_opened_window_is_told_at_once() -> None:
    with serving(FakeFabric()) as server:
        session, resetting = (Initiator(HOST, settings=SOLICITED).login(*server.portal, TARGET) for _ in range(2))
        crowd(session)
        answers_to(session, COMMAND_WINDOW)
        resetting.reset_unit(1)
        [news] = answers_to(session, 1)
        assert isinstance(news, p.NopIn)
        assert news.max_cmd_sn == news.exp_cmd_sn + COMMAND_WINDOW - 1
        session.close()
        resetting.close()


def test_what_the_answer_tells_of_the_window_is_not_told_again() -> None:
    peer, _ = logged_in(("ImmediateData", "No"))
    only(peer.command(write_10(1), writes=512), p.ReadyToTransfer)
    assert manage(peer, TARGET_WARM_RESET) == 0
    assert peer._connection.tell_window() == b""


def test_a_number_that_is_passed_over_after_the_answer_is_told() -> None:
    memory = target()
    peer = RawPeer(memory)
    peer.login()
    lost = peer.next_cmd_sn()
    abort = p.TaskManagementRequest(1, bytes(8), 0x55, 0x44, peer.cmd_sn, 0, lost)
    answer = only(peer.send(abort), p.TaskManagementResponse)
    assert memory.core.take_opened() == {peer._connection}
    peer._reader.feed(peer._connection.tell_window())
    news = peer._reader.next_pdu()
    assert isinstance(news, p.NopIn)
    assert (news.exp_cmd_sn, news.max_cmd_sn) == (answer.exp_cmd_sn + 1, answer.max_cmd_sn + 1)


# ---- pings -----------------------------------------------------------------------------------------------------


def test_a_ping_is_answered_and_asked_again() -> None:
    peer, _ = logged_in()
    for _ in range(2):
        peer._reader.feed(peer._connection.ping())
        question = peer._reader.next_pdu()
        assert isinstance(question, p.NopIn)
        assert question.initiator_task_tag == p.NO_TAG
        answer = p.NopOut(question.lun, p.NO_TAG, question.target_transfer_tag, peer.cmd_sn, 0, immediate=True)
        assert peer.send(answer) == []
    assert not peer.is_closed


def test_an_initiator_that_owes_an_answer_is_given_up() -> None:
    peer, _ = logged_in()
    assert peer._connection.ping()
    assert peer._connection.ping() == b""
    assert peer.is_closed


def test_an_answer_to_nothing_is_rejected() -> None:
    peer, _ = logged_in()
    answer = p.NopOut(bytes(8), p.NO_TAG, 99, peer.cmd_sn, 0, immediate=True)
    assert only(peer.send(answer), p.Reject).reason == 9


@pytest.mark.slow
def test_a_server_pings_and_gives_up_who_is_silent() -> None:
    with serving(FakeFabric(), ping_seconds=0.1) as server:
        address, port = server.portal
        silent = Initiator(HOST).login(address, port, TARGET)
        deadline = time.monotonic() + 5
        while server.sessions() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.sessions() == []
        silent.close()


def test_the_login_says_which_portal_group_it_reached() -> None:
    memory = two_portals()
    peer = RawPeer(memory)
    assert keys(peer.login_step([("InitiatorName", HOST), ("TargetName", TARGET)]))["TargetPortalGroupTag"] == "1"
