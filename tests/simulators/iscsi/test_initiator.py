from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iscsi import pdu as p
from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.codec import PduReader, encode
from simulators.iscsi.errors import (
    CheckCondition,
    ConnectionClosed,
    InvalidRequest,
    LoginRefused,
    MutualAuthenticationFailed,
    PeerViolation,
    RequestRejected,
    SimulatorBug,
    Timeout,
    UnexpectedStatus,
)
from simulators.iscsi.initiator import TRANSFER_BYTES, Initiator
from simulators.iscsi.initiator_machine import InitiatorConnection, LoginPlan, State
from simulators.iscsi.memory import MemoryTarget
from simulators.iscsi.negotiation import OperationalSettings
from simulators.iscsi.portal import Portal
from simulators.kernel.clock import ManualClock
from simulators.kernel.transcript import Transcript
from tests.simulators.iscsi.fake_fabric import (
    ACCOUNT,
    HOST,
    MIB,
    OTHER_HOST,
    STRANGER,
    TARGET,
    UNKNOWN_TARGET,
    FakeFabric,
    MemoryUnit,
)
from tests.simulators.iscsi.raw_peer import target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.iscsi.byte_stream import ByteStream
    from simulators.iscsi.initiator import Session

ONE_WAY = ChapCredentials(ACCOUNT.username, ACCOUNT.secret)
MUTUAL = ChapCredentials(ACCOUNT.username, ACCOUNT.secret, ACCOUNT.mutual_username, ACCOUNT.mutual_secret)


def initiator(memory: MemoryTarget, iqn: str = HOST, settings: OperationalSettings | None = None) -> Initiator:
    return Initiator(iqn, lambda _address, _port: memory.dial(), ManualClock(), settings=settings)


def session(fabric: FakeFabric, settings: OperationalSettings | None = None) -> Session:
    return initiator(target(fabric), settings=settings).login("array", 3260, TARGET)


# ---- logging in ------------------------------------------------------------------------------------------------


def test_discovery_lists_targets_with_their_portals() -> None:
    memory = target(FakeFabric(ACCOUNT))
    memory.core.portals.append(Portal("::1", 3261))
    expected = [(TARGET, [("127.0.0.1", 3260), ("::1", 3261)])]
    assert initiator(memory).discover("array", 3260) == expected
    assert initiator(memory).discover("array", 3260, MUTUAL) == expected
    assert initiator(memory, STRANGER).discover("array", 3260) == []
    assert memory.sessions() == []


@pytest.mark.parametrize(("chap", "is_mutual"), [(ONE_WAY, False), (MUTUAL, True)])
def test_a_login_with_chap_is_seen_by_both_sides(chap: ChapCredentials, is_mutual: bool) -> None:
    memory = target(FakeFabric(ACCOUNT))
    ours = initiator(memory).login("array", 3260, TARGET, chap)
    assert (ours.auth_method, ours.chap_algorithm) == ("CHAP", 7)
    [theirs] = memory.sessions()
    assert (theirs.tsih, theirs.isid, theirs.is_mutual) == (ours.tsih, ours.isid, is_mutual)
    ours.logout()
    assert memory.sessions() == []


def test_a_session_is_listed_with_its_age_and_how_long_nothing_was_heard() -> None:
    clock = ManualClock(100)
    memory = MemoryTarget(FakeFabric(), clock=clock)
    ours = initiator(memory).login("array", 3260, TARGET)
    steps: list[tuple[Callable[[], object], tuple[float, float, float]]] = [
        (lambda: None, (1, 1, 1)),
        (ours.report_luns, (2, 1, 1)),
        (ours.ping, (3, 1, 2)),
    ]
    for step, expected in steps:
        step()
        clock.advance(1)
        [theirs] = memory.sessions()
        assert (theirs.age_seconds, theirs.idle_seconds, theirs.command_idle_seconds) == expected


def test_one_way_credentials_are_not_needed_where_none_are_asked_for() -> None:
    assert initiator(target()).login("array", 3260, TARGET, ONE_WAY).auth_method == "None"


@pytest.mark.parametrize(
    ("iqn", "target_iqn", "chap", "status"),
    [
        (HOST, TARGET, None, (2, 1)),
        (HOST, TARGET, replace(ONE_WAY, secret=b"wrong"), (2, 1)),
        (HOST, TARGET, replace(ONE_WAY, username="nobody"), (2, 1)),
        (STRANGER, TARGET, ONE_WAY, (2, 2)),
        (HOST, UNKNOWN_TARGET, ONE_WAY, (2, 3)),
    ],
)
def test_a_refusal_has_its_status(
    iqn: str, target_iqn: str, chap: ChapCredentials | None, status: tuple[int, int]
) -> None:
    memory = target(FakeFabric(ACCOUNT))
    with pytest.raises(LoginRefused) as refusal:
        initiator(memory, iqn).login("array", 3260, target_iqn, chap)
    assert (refusal.value.status_class, refusal.value.status_detail) == status
    assert f"0x{status[0]:02x}{status[1]:02x}" in str(refusal.value)
    assert memory.sessions() == []


@pytest.mark.parametrize(
    "expecting",
    [replace(MUTUAL, mutual_secret=b"wrong"), replace(MUTUAL, mutual_username="somebody")],
    ids=["secret", "name"],
)
def test_a_target_that_does_not_prove_itself_is_left(expecting: ChapCredentials) -> None:
    memory = target(FakeFabric(ACCOUNT))
    with pytest.raises(MutualAuthenticationFailed):
        initiator(memory).login("array", 3260, TARGET, expecting)
    assert memory.sessions() == []


def test_mutual_authentication_cannot_be_evaded_by_a_target_without_chap() -> None:
    with pytest.raises(LoginRefused):
        initiator(target()).login("array", 3260, TARGET, MUTUAL)


def test_no_secret_is_in_any_transcript_or_refusal() -> None:
    memory = target(FakeFabric(ACCOUNT))
    ours = initiator(memory)
    ours.login("array", 3260, TARGET, MUTUAL)
    with pytest.raises(LoginRefused) as refusal:
        ours.login("array", 3260, TARGET, replace(ONE_WAY, secret=b"wrong secret"))
    lines = [str(entry) for entry in (*ours.transcript.entries(), *memory.transcript.entries())]
    assert any("CHAP_R=***" in line for line in lines)
    assert not [line for line in [*lines, repr(refusal.value)] if "secret" in line]
    memory.transcript.clear()
    assert memory.transcript.entries() == []


def test_a_login_can_ask_for_reinstatement() -> None:
    memory = target()
    ours = initiator(memory)
    first = ours.login("array", 3260, TARGET)
    second = ours.login("array", 3260, TARGET, isid=first.isid)
    assert [info.tsih for info in memory.sessions()] == [second.tsih]
    with pytest.raises(ConnectionClosed):
        first.report_luns()


# ---- what is there ---------------------------------------------------------------------------------------------


def test_a_session_looks_around() -> None:
    fabric = FakeFabric()
    with session(fabric) as ours:
        assert ours.report_luns() == [1]
        assert ours.inquiry(1)[8:15] == b"EXAMPLE"
        assert ours.vpd(1, 0x80)[4:] == b"SN0001"
        assert ours.wwid(1) == fabric.unit.identity.naa
        assert ours.read_capacity(1) == (MIB, 512)
        assert ours.ping(b"are you there") == b"are you there"
        ours.test_unit_ready(1)
        ours.reset_unit(1)
        with pytest.raises(RequestRejected, match="logical unit reset"):
            ours.reset_unit(9)


def test_sessions_of_two_initiators_do_not_see_each_other() -> None:
    memory = target()
    mine = initiator(memory).login("array", 3260, TARGET)
    other = initiator(memory, OTHER_HOST).login("array", 3260, TARGET)
    assert mine.wwid(1) != other.wwid(1)


# ---- data ------------------------------------------------------------------------------------------------------


@given(
    offset=st.integers(0, 2047),
    blocks=st.integers(0, 600),
    burst=st.sampled_from([512, 4096, 65536, 262144]),
    first=st.sampled_from([512, 8192, 65536]),
    segment=st.sampled_from([512, 8192, 262144]),
    initial_r2t=st.booleans(),
    immediate=st.booleans(),
)
def test_what_is_written_is_read_under_any_parameters(
    offset: int, blocks: int, burst: int, first: int, segment: int, initial_r2t: bool, immediate: bool
) -> None:
    settings = OperationalSettings(
        max_recv_data_segment_length=segment,
        initial_r2t=initial_r2t,
        immediate_data=immediate,
        max_burst_length=burst,
        first_burst_length=first,
    )
    fabric = FakeFabric()
    ours = session(fabric, settings)
    blocks = min(blocks, 2048 - offset)
    data = bytes(range(1, 256)) * 3
    data = (data * (blocks * 512 // len(data) + 1))[: blocks * 512]
    ours.write(1, offset * 512, data)
    assert bytes(fabric.unit.content) == bytes(offset * 512) + data + bytes((2048 - offset - blocks) * 512)
    assert ours.read(1, offset * 512, blocks * 512) == data


def test_long_transfers_are_split() -> None:
    fabric = FakeFabric()
    fabric.unit.content = bytearray(3 * TRANSFER_BYTES + 512)
    ours = session(fabric)
    data = b"x" * (2 * TRANSFER_BYTES + 512)
    ours.write(1, 512, data)
    assert ours.read(1, 512, len(data)) == data
    commands = [entry for entry in ours._link.machine._transcript.entries() if "ScsiCommand 88" in entry.text]
    assert len(commands) == 3


def test_unmap_and_flush_reach_the_unit() -> None:
    fabric = FakeFabric()
    ours = session(fabric)
    ours.write(1, 0, b"x" * 1024)
    ours.unmap(1, 512, 512)
    ours.flush(1)
    assert ours.read(1, 0, 1024) == b"x" * 512 + bytes(512)
    assert fabric.unit.flushes == 1


def test_unmap_respects_the_limits_of_the_target() -> None:
    fabric = FakeFabric()
    ours = session(fabric)
    ours._unmaps[1] = 1024  # as if the block limits page said two blocks
    ours.write(1, 0, b"x" * 4096)
    ours.unmap(1, 0, 2560)
    assert fabric.unit.content[:4096] == bytes(2560) + b"x" * 1536
    unmaps = [entry for entry in ours._link.machine._transcript.entries() if "ScsiCommand 42" in entry.text]
    assert len(unmaps) == 3


def test_unmap_of_a_thick_unit_is_for_the_target_to_refuse() -> None:
    fabric = FakeFabric()
    fabric.access[HOST][1] = MemoryUnit(is_thin=False)
    with pytest.raises(CheckCondition, match="20/00"):
        session(fabric).unmap(1, 0, 512)


@pytest.mark.parametrize(("offset", "length"), [(1, 512), (0, 511), (-512, 512), (0, -512)])
def test_half_blocks_are_refused_here(offset: int, length: int) -> None:
    ours = session(FakeFabric())
    with pytest.raises(InvalidRequest, match="whole blocks of 512"):
        ours.read(1, offset, length)


def test_a_check_condition_says_what_it_is() -> None:
    with pytest.raises(CheckCondition) as check:
        session(FakeFabric()).read(1, MIB, 512)
    assert (check.value.sense_key, check.value.asc, check.value.ascq) == (5, 0x21, 0)
    assert "21/00" in str(check.value)
    with pytest.raises(CheckCondition, match="25/00"):
        session(FakeFabric()).read(9, 0, 512)


def test_news_are_taken_and_the_command_repeated() -> None:
    fabric = FakeFabric()
    ours = initiator(target(fabric, power_on_attention=True)).login("array", 3260, TARGET)
    assert ours.read_capacity(1) == (MIB, 512)
    fabric.unit.grow(2 * MIB)
    fabric.show(HOST, {1: fabric.unit, 2: MemoryUnit(5)})
    assert ours.read_capacity(1) == (2 * MIB, 512)
    assert ours.report_luns() == [1, 2]


def test_news_that_come_again_are_raised() -> None:
    fabric = FakeFabric()
    ours = session(fabric)

    class Growing(MemoryUnit):
        @property
        def generation(self) -> int:
            self.turns = getattr(self, "turns", 0) + 1
            return self.turns

        @generation.setter
        def generation(self, value: int) -> None:
            self.turns = value

    fabric.show(HOST, {1: Growing()})
    with pytest.raises(CheckCondition, match="2A/09"):
        ours.test_unit_ready(1)


def test_a_revoked_session_is_closed_for_the_caller() -> None:
    fabric = FakeFabric()
    ours = session(fabric)
    fabric.revoke(HOST)
    with pytest.raises(ConnectionClosed):
        ours.report_luns()
    with pytest.raises(ConnectionClosed):
        ours.report_luns()
    ours.close()
    ours.close()


def test_several_threads_may_each_use_a_session() -> None:
    fabric = FakeFabric()
    memory = target(fabric)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            ours = initiator(memory).login("array", 3260, TARGET)
            for turn in range(20):
                data = bytes((number * 20 + turn,)) * 4096
                ours.write(1, number * 4096, data)
                assert ours.read(1, number * 4096, 4096) == data
            ours.logout()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert memory.sessions() == []


# ---- targets that misbehave ------------------------------------------------------------------------------------


class Canned:
    """A stream that answers with prepared bytes, whatever it is sent."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)

    def send(self, data: bytes) -> None:
        pass

    def receive(self, limit: int) -> bytes:
        return self._answers.pop(0) if self._answers else b""

    def close(self) -> None:
        pass


ACCEPTED = p.LoginResponse(0, 1, bytes(6), 0, 0, 0, 1, 1, data=b"AuthMethod=None\0", transit=True)
OPEN = p.LoginResponse(1, 3, bytes(6), 7, 0, 1, 1, 9, transit=True)


def canned(*pdus: p.Pdu) -> Session:
    stream: ByteStream = Canned([encode([pdu]) for pdu in (OPEN, *pdus)])
    return Initiator(HOST, lambda _address, _port: stream, ManualClock()).login("array", 3260, TARGET)


@pytest.mark.parametrize(
    "answer",
    [
        p.ScsiResponse(0, 0, 0, 99, 2, 2, 9, 0, 0),
        p.DataIn(0, 0, 1, 2, 2, 9, 1, 0, 0, data=b"x"),
        p.DataIn(0, 0, 1, 2, 2, 9, 0, 4, 0, data=b"x"),
        p.DataIn(0, 0, 1, 2, 2, 9, 0, 0, 0, data=b"x" * 300000),
        p.ReadyToTransfer(bytes(8), 1, 5, 2, 2, 9, 0, 0, 512),
        p.LoginResponse(1, 3, bytes(6), 7, 0, 1, 1, 9, transit=True),
        p.NopOut(bytes(8), 1, 1, 1, 1, immediate=False),
    ],
    ids=["unknown task", "wrong DataSN", "wrong offset", "too much", "R2T for a read", "late login", "a request"],
)
def test_a_target_that_breaks_the_protocol_is_found_out(answer: p.Pdu) -> None:
    ours = canned(answer)
    with pytest.raises(PeerViolation):
        ours.execute(1, bytes(6), data_in_limit=64)


def test_other_statuses_are_raised_as_such() -> None:
    busy = p.ScsiResponse(0, 0, 0x08, 1, 2, 2, 9, 0, 0)
    with pytest.raises(UnexpectedStatus, match="0x08"):
        canned(busy).test_unit_ready(1)


def test_a_rejected_command_is_raised() -> None:
    quoted = p.ScsiCommand(bytes(8), 1, 0, 1, 0, bytes(16), reads=False, writes=False)
    reject = p.Reject(0x09, 2, 2, 9, data=encode([quoted]))
    with pytest.raises(RequestRejected, match="0x09"):
        canned(reject).test_unit_ready(1)


def test_a_target_that_pings_is_answered_and_announcements_are_read_over() -> None:
    ping = p.NopIn(bytes(8), p.NO_TAG, 5, 2, 2, 9)
    announcement = p.AsyncMessage(bytes(8), 2, 2, 9, 1)
    canned(ping, announcement, p.ScsiResponse(0, 0, 0, 1, 3, 2, 9, 0, 0)).test_unit_ready(1)


def test_a_silent_target_is_a_closed_connection() -> None:
    with pytest.raises(ConnectionClosed):
        canned().test_unit_ready(1)


def test_a_unit_without_naa_has_no_wwid() -> None:
    page = p.DataIn(0, 0, 1, 2, 2, 9, 0, 0, 0, data=b"\0\x83\0\0")
    with pytest.raises(InvalidRequest, match="NAA"):
        canned(page).wwid(1)


def test_too_few_bytes_with_status_good_are_not_passed_on() -> None:
    capacity = p.DataIn(0, 0, 1, 2, 2, 9, 0, 0, 0, data=bytes.fromhex("00000000000000ff00000200"))
    short = p.DataIn(0, 0, 2, 3, 3, 9, 0, 0, 0, data=b"x" * 100)
    with pytest.raises(ConnectionClosed, match="100 of 512"):
        canned(capacity, short).read(1, 0, 512)


@pytest.mark.parametrize(
    "response",
    [
        p.LoginResponse(0, 0, bytes(6), 0, 0, 0, 1, 1, data=b"AuthMethod=KRB5\0"),
        p.LoginResponse(0, 3, bytes(6), 0, 0, 0, 1, 1, data=b"AuthMethod=None\0", transit=True),
        p.LoginResponse(0, 0, bytes(6), 0, 0, 0, 1, 1, data=b"garbage\0"),
    ],
    ids=["unknown method", "wrong stage", "garbage"],
)
def test_a_login_that_goes_wrong_is_a_violation(response: p.LoginResponse) -> None:
    stream = Canned([encode([response])])
    with pytest.raises(PeerViolation):
        Initiator(HOST, lambda _address, _port: stream).login("array", 3260, TARGET, ONE_WAY)


def test_a_login_that_never_ends_is_a_violation() -> None:
    again = p.LoginResponse(1, 0, bytes(6), 0, 0, 0, 1, 1)
    stream = Canned([encode([again])] * 20)
    with pytest.raises(PeerViolation, match="16 rounds"):
        Initiator(HOST, lambda _address, _port: stream).login("array", 3260, TARGET)


def test_a_session_without_a_handle_is_a_violation() -> None:
    stream = Canned([encode([replace(OPEN, tsih=0)])])
    with pytest.raises(PeerViolation, match="handle"):
        Initiator(HOST, lambda _address, _port: stream).login("array", 3260, TARGET)


def test_a_challenge_without_its_keys_is_a_violation() -> None:
    method = p.LoginResponse(0, 0, bytes(6), 0, 0, 0, 1, 1, data=b"AuthMethod=CHAP\0")
    challenge = replace(method, data=b"CHAP_A=5\0")
    stream = Canned([encode([method]), encode([challenge])])
    with pytest.raises(PeerViolation, match="CHAP_I"):
        Initiator(HOST, lambda _address, _port: stream).login("array", 3260, TARGET, ONE_WAY)


def test_without_credentials_the_security_stage_is_left_out() -> None:
    # LIO hangs up on AuthMethod=None where it wants CHAP, and refuses this with 0201.
    reader = PduReader()
    reader.feed(connection().take_output())
    request = reader.next_pdu()
    assert isinstance(request, p.LoginRequest)
    assert (request.current_stage, request.next_stage, request.transit) == (1, 3, True)
    assert b"AuthMethod" not in request.data


def test_a_login_answer_in_pieces_is_put_together() -> None:
    first = p.LoginResponse(0, 0, bytes(6), 0, 0, 0, 1, 1, data=b"AuthMeth", continues=True)
    second = replace(ACCEPTED, data=b"od=None\0")
    stream = Canned([encode([first]), encode([second]), encode([OPEN])])
    assert Initiator(HOST, lambda _address, _port: stream).login("array", 3260, TARGET, ONE_WAY).tsih == 7


def test_a_memory_stream_with_nothing_to_say_times_out_at_once() -> None:
    stream = target().dial()
    with pytest.raises(Timeout):
        stream.receive(100)
    stream.close()
    stream.close()
    assert stream.receive(100) == b""
    with pytest.raises(ConnectionClosed):
        stream.send(b"x")


def connection() -> InitiatorConnection:
    plan = LoginPlan(HOST, bytes(6), TARGET)
    machine = InitiatorConnection(plan, lambda count: bytes(count), Transcript(ManualClock()))
    machine.start()
    return machine


def test_requests_before_the_login_are_our_own_bug() -> None:
    with pytest.raises(SimulatorBug):
        connection().ping()


def test_requests_wait_until_the_window_admits_them() -> None:
    machine = connection()
    machine.receive(encode([replace(OPEN, max_cmd_sn=1)]))
    machine.take_output()
    machine.ping(b"one")
    machine.ping(b"two")
    assert machine.take_output().count(b"one") == 1
    answer = p.NopIn(bytes(8), 1, p.NO_TAG, 2, 2, 5)
    machine.receive(encode([answer]))
    assert b"two" in machine.take_output()


@given(noise=st.lists(st.binary(max_size=120), max_size=4), is_ready=st.booleans())
def test_any_bytes_give_events_or_a_violation(noise: list[bytes], is_ready: bool) -> None:
    machine = connection()
    if is_ready:
        machine.receive(encode([OPEN]))
        assert machine.state is State.READY
        machine.command(1, bytes(6), data_in_limit=100)
    with suppress(PeerViolation):
        for piece in noise:
            machine.receive(piece)


@given(opcode=st.integers(0x20, 0x3F), rest=st.binary(min_size=43, max_size=43), data=st.binary(max_size=40))
def test_any_answer_gives_events_or_a_violation(opcode: int, rest: bytes, data: bytes) -> None:
    machine = connection()
    machine.receive(encode([OPEN]))
    machine.command(1, bytes(6), data_out=b"x" * 1024)
    header = bytes((opcode,)) + rest[:3] + bytes(1) + len(data).to_bytes(3, "big") + rest[3:]
    with suppress(PeerViolation):
        machine.receive(header[:16] + (1).to_bytes(4, "big") + header[20:48] + data + bytes(-len(data) % 4))
    machine.take_output()


METHOD = p.LoginResponse(0, 0, bytes(6), 0, 0, 0, 1, 1, data=b"AuthMethod=CHAP\0")
CHALLENGE = replace(METHOD, data=b"CHAP_A=5\0CHAP_I=1\0CHAP_C=0x01\0")
UNPROVEN = replace(METHOD, data=b"", transit=True, next_stage=1)


@pytest.mark.parametrize(
    "answers", [[ACCEPTED], [METHOD, CHALLENGE, UNPROVEN]], ids=["no authentication at all", "no proof"]
)
def test_a_target_that_evades_mutual_authentication_is_left(answers: list[p.Pdu]) -> None:
    stream = Canned([encode([answer]) for answer in answers])
    with pytest.raises(MutualAuthenticationFailed):
        Initiator(HOST, lambda _address, _port: stream).login("array", 3260, TARGET, MUTUAL)


def test_an_answer_longer_than_one_receive_is_taken_in_parts() -> None:
    stream = target().dial()
    stream.send(encode([p.NopOut(bytes(8), 1, p.NO_TAG, 0, 0, immediate=True)]))
    assert len(stream.receive(40)) == 40
    assert len(stream.receive(40)) == 8


def test_an_eui_is_no_wwid() -> None:
    eui = bytes.fromhex("01020004") + b"eui4"
    naa = bytes.fromhex("01030004") + b"naa6"
    page = p.DataIn(0, 0, 1, 2, 2, 9, 0, 0, 0, data=b"\0\x83\0\x10" + eui + naa)
    assert canned(page).wwid(1) == b"naa6".hex()
