from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iscsi import pdu as p
from simulators.iscsi.codec import encode
from simulators.iscsi.lun_address import encode_lun
from simulators.iscsi.portal import Portal
from simulators.iscsi.target_machine import COMMAND_WINDOW, State, TargetConnection
from tests.simulators.iscsi.fake_fabric import HOST, OTHER_HOST, TARGET, FakeFabric
from tests.simulators.iscsi.raw_peer import (
    DISCOVERY,
    NORMAL,
    OTHER_ISID,
    TEST_UNIT_READY,
    RawPeer,
    logged_in,
    only,
    read_10,
    sense_of,
    target,
    write_10,
)


def data_out(
    tag: int, data: bytes, *, offset: int = 0, sn: int = 0, transfer_tag: int = p.NO_TAG, final: bool = True
) -> p.DataOut:
    return p.DataOut(encode_lun(1), tag, transfer_tag, 0, sn, offset, data=data, final=final)


# ---- states and events -----------------------------------------------------------------------------------------

A_REQUEST: dict[type[p.Pdu], p.Pdu] = {
    p.NopOut: p.NopOut(bytes(8), 900, p.NO_TAG, 0, 0, immediate=True),
    p.ScsiCommand: p.ScsiCommand(encode_lun(1), 900, 0, 0, 0, bytes(16), immediate=True),
    p.TaskManagementRequest: p.TaskManagementRequest(1, encode_lun(1), 900, 5, 0, 0, 0),
    p.LoginRequest: p.LoginRequest(1, 3, 0, 0, bytes(6), 0, 900, 0, 0, 0, transit=True),
    p.TextRequest: p.TextRequest(bytes(8), 900, p.NO_TAG, 0, 0, data=b"SendTargets=\0", immediate=True),
    p.DataOut: p.DataOut(encode_lun(1), 900, p.NO_TAG, 0, 0, 0),
    p.LogoutRequest: p.LogoutRequest(0, 900, 0, 0, 0, immediate=True),
    p.UnknownPdu: p.UnknownPdu(0x1C, b"\x1c" + bytes(47)),
}
OF_A_TARGET = p.NopIn(bytes(8), 1, p.NO_TAG, 0, 0, 0)


def in_state(state: State) -> RawPeer:
    initiator = RawPeer(target())
    if state is State.DISCOVERY:
        initiator.login(identify=DISCOVERY)
    if state in {State.FULL_FEATURE, State.CLOSED}:
        initiator.login()
    if state is State.CLOSED:
        initiator.send(p.LogoutRequest(0, 1, 0, 0, 0, immediate=True))
    return initiator


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", [*get_args(p.InitiatorPdu), p.NopIn])
def test_every_pdu_in_every_state_is_known_or_refused(state: State, kind: type[p.Pdu]) -> None:
    initiator = in_state(state)
    answers = initiator.send(A_REQUEST.get(kind, OF_A_TARGET))
    if state is State.CLOSED:
        assert answers == []
    elif state is State.LOGIN:
        assert only(answers, p.LoginResponse).status != (0, 0)
    elif (state, kind) in TargetConnection.TRANSITIONS and kind is not p.DataOut:
        assert not isinstance(answers[0], p.Reject)
    else:
        assert only(answers, p.Reject).reason in {0x04, 0x05, 0x09}


def test_what_is_not_simulated_is_rejected_with_its_own_header() -> None:
    initiator, _ = logged_in()
    snack = b"\x10\x80" + bytes(46)
    reject = only(initiator.send_bytes(snack), p.Reject)
    assert (reject.reason, bytes(reject.data)) == (0x05, snack)


@given(noise=st.binary(max_size=300))
def test_any_bytes_in_the_full_feature_phase_are_survived(noise: bytes) -> None:
    initiator, _ = logged_in()
    initiator.send_bytes(noise)
    initiator.send_bytes(bytes(48))


@given(headers=st.lists(st.binary(min_size=44, max_size=44), max_size=5), opcodes=st.lists(st.integers(0, 0x7F)))
def test_any_well_framed_pdus_are_survived(headers: list[bytes], opcodes: list[int]) -> None:
    initiator, _ = logged_in()
    for opcode, rest in zip(opcodes, headers, strict=False):
        initiator.send_bytes(bytes((opcode,)) + rest[:3] + bytes(4) + rest[4:])


# ---- numbering -------------------------------------------------------------------------------------------------


def test_commands_are_carried_out_in_the_order_of_their_numbers() -> None:
    initiator, _ = logged_in()
    first = initiator.command_pdu(TEST_UNIT_READY, cmd_sn=1)
    second = initiator.command_pdu(TEST_UNIT_READY, cmd_sn=2)
    assert initiator.send(second) == []
    answers = initiator.send(first)
    tags = [pdu.initiator_task_tag for pdu in answers if isinstance(pdu, p.ScsiResponse)]
    assert tags == [first.initiator_task_tag, second.initiator_task_tag]


@pytest.mark.parametrize("cmd_sn", [0, COMMAND_WINDOW + 1, 0xFFFFFFFF])
def test_numbers_outside_of_the_window_are_ignored(cmd_sn: int) -> None:
    initiator, _ = logged_in()
    assert initiator.send(initiator.command_pdu(TEST_UNIT_READY, cmd_sn=cmd_sn)) == []


def test_a_number_that_waits_already_is_ignored() -> None:
    initiator, _ = logged_in()
    waiting = initiator.command_pdu(TEST_UNIT_READY, cmd_sn=2)
    assert initiator.send(waiting, waiting) == []
    assert len(initiator.send(initiator.command_pdu(TEST_UNIT_READY, cmd_sn=1))) == 2


def test_answers_count_status_and_expected_command_numbers() -> None:
    initiator, _ = logged_in()
    one = only(initiator.command(TEST_UNIT_READY), p.ScsiResponse)
    two = only(initiator.command(TEST_UNIT_READY), p.ScsiResponse)
    assert (one.stat_sn, two.stat_sn) == (1, 2)
    assert (one.exp_cmd_sn, two.exp_cmd_sn) == (2, 3)
    assert two.max_cmd_sn == two.exp_cmd_sn + COMMAND_WINDOW - 1


def test_writes_that_wait_for_data_use_up_the_window() -> None:
    initiator, _ = logged_in()
    for _ in range(COMMAND_WINDOW):
        r2t = only(initiator.send(initiator.command_pdu(write_10(1), writes=512)), p.ReadyToTransfer)
        assert r2t.max_cmd_sn == COMMAND_WINDOW
    assert initiator.send(initiator.command_pdu(TEST_UNIT_READY)) == []


def immediate_write(initiator: RawPeer) -> p.ScsiCommand:
    numbers = (initiator.new_tag(), 512, initiator.cmd_sn, 0)
    return p.ScsiCommand(encode_lun(1), *numbers, write_10(1), writes=True, immediate=True)


def test_immediate_writes_do_not_use_up_the_window() -> None:
    initiator, _ = logged_in()
    told = only(initiator.command(TEST_UNIT_READY), p.ScsiResponse).max_cmd_sn
    for _ in range(COMMAND_WINDOW + 1):
        assert only(initiator.send(immediate_write(initiator)), p.ReadyToTransfer).max_cmd_sn == told
    while initiator.cmd_sn <= told:
        assert only(initiator.command(TEST_UNIT_READY), p.ScsiResponse).status == 0


@given(kinds=st.lists(st.sampled_from(["write", "immediate write", "other", "abort", "data"]), max_size=100))
def test_what_was_told_of_the_window_is_never_taken_back(kinds: list[str]) -> None:
    initiator, _ = logged_in()
    told, waiting = 0, list[p.ReadyToTransfer]()
    for kind in kinds:
        if kind in {"abort", "data"} and waiting:
            asked = waiting.pop(0)
            tags = asked.initiator_task_tag, asked.target_transfer_tag
            ends: dict[str, p.Pdu] = {
                "abort": p.TaskManagementRequest(1, encode_lun(1), 900, tags[0], initiator.cmd_sn, 0, 0),
                "data": data_out(tags[0], b"x" * 512, transfer_tag=tags[1]),
            }
            answers = initiator.send(ends[kind])
        elif kind == "immediate write":
            answers = initiator.send(immediate_write(initiator))
        else:
            is_full = initiator.cmd_sn == told + 1
            answers = [] if is_full else initiator.command(write_10(1), writes=512 if kind == "write" else 0)
        for answer in answers:
            assert isinstance(answer, p.ReadyToTransfer | p.ScsiResponse | p.TaskManagementResponse)
            assert answer.max_cmd_sn >= max(told, answer.exp_cmd_sn - 1)
            told = answer.max_cmd_sn
        waiting += [answer for answer in answers if isinstance(answer, p.ReadyToTransfer)]


# ---- reads -----------------------------------------------------------------------------------------------------


def test_data_is_cut_to_what_the_initiator_declared() -> None:
    initiator, fabric = logged_in(("MaxRecvDataSegmentLength", "1024"))
    fabric.unit.content[:] = bytes(range(256)) * (len(fabric.unit.content) // 256)
    answers = [pdu for pdu in initiator.command(read_10(5), reads=2560) if isinstance(pdu, p.DataIn)]
    assert [(pdu.data_sn, pdu.buffer_offset, len(pdu.data)) for pdu in answers] == [
        (0, 0, 1024),
        (1, 1024, 1024),
        (2, 2048, 512),
    ]
    assert [pdu.has_status for pdu in answers] == [False, False, True]
    assert [pdu.final for pdu in answers] == [False, False, True]
    assert b"".join(bytes(pdu.data) for pdu in answers) == bytes(fabric.unit.content[:2560])


def test_a_burst_ends_with_the_final_bit() -> None:
    initiator, _ = logged_in(("MaxRecvDataSegmentLength", "768"), ("MaxBurstLength", "1024"))
    answers = [pdu for pdu in initiator.command(read_10(4), reads=2048) if isinstance(pdu, p.DataIn)]
    assert [(len(pdu.data), pdu.final) for pdu in answers] == [
        (768, False),
        (256, True),
        (768, False),
        (256, True),
    ]


def test_a_new_declaration_counts_from_then_on() -> None:
    initiator, _ = logged_in()
    assert initiator.text(("MaxRecvDataSegmentLength", "512")) == []
    assert len(initiator.command(read_10(4), reads=2048)) == 4
    assert initiator.text(("MaxRecvDataSegmentLength", "1")) == [("MaxRecvDataSegmentLength", "Reject")]


@pytest.mark.parametrize(
    ("expected", "flags", "residual", "sent"),
    [(1024, 0, 0, 1024), (2048, p.UNDERFLOW, 1024, 1024), (512, p.OVERFLOW, 512, 512)],
)
def test_a_read_reports_its_residual(expected: int, flags: int, residual: int, sent: int) -> None:
    initiator, _ = logged_in()
    answer = only(initiator.command(read_10(2), reads=expected), p.DataIn)
    assert (answer.residual_flags, answer.residual, len(answer.data)) == (flags, residual, sent)


def test_a_read_without_the_read_flag_overflows() -> None:
    initiator, _ = logged_in()
    response = only(initiator.command(read_10(2)), p.ScsiResponse)
    assert (response.status, response.residual_flags, response.residual) == (0, p.OVERFLOW, 1024)


@pytest.mark.parametrize("length", [512, 1024, 4096])
def test_a_read_that_is_called_a_write_transfers_nothing_and_says_so(length: int) -> None:
    initiator, fabric = logged_in()
    response = only(initiator.command(read_10(2), writes=length, data=b"x" * length), p.ScsiResponse)
    assert (response.status, response.residual_flags, response.residual) == (0, p.UNDERFLOW, length)
    assert b"x" not in fabric.unit.content


@pytest.mark.parametrize("length", [512, 1024, 4096])
def test_a_write_that_is_called_a_read_transfers_nothing_and_says_so(length: int) -> None:
    initiator, _ = logged_in()
    response = only(initiator.command(write_10(2), reads=length), p.ScsiResponse)
    assert (response.status, response.residual_flags, response.residual) == (0, p.UNDERFLOW, length)


# ---- writes ----------------------------------------------------------------------------------------------------


def test_immediate_data_needs_no_r2t() -> None:
    initiator, fabric = logged_in()
    response = only(initiator.command(write_10(2), writes=1024, data=b"x" * 1024), p.ScsiResponse)
    assert (response.status, response.residual_flags) == (0, 0)
    assert fabric.unit.content[:1025] == b"x" * 1024 + b"\0"


def test_unsolicited_data_follows_the_command() -> None:
    initiator, fabric = logged_in(("InitialR2T", "No"))
    command = initiator.command_pdu(write_10(2), writes=1024, data=b"a" * 256, final=False)
    tag = command.initiator_task_tag
    assert initiator.send(command) == []
    assert initiator.send(data_out(tag, b"b" * 256, offset=256, final=False)) == []
    response = only(initiator.send(data_out(tag, b"c" * 512, offset=512, sn=1)), p.ScsiResponse)
    assert response.status == 0
    assert fabric.unit.content[:1024] == b"a" * 256 + b"b" * 256 + b"c" * 512


def test_the_rest_is_solicited_burst_by_burst() -> None:
    initiator, fabric = logged_in(("MaxBurstLength", "1024"), ("FirstBurstLength", "512"))
    command = initiator.command_pdu(write_10(4), writes=2048, data=b"a" * 512)
    tag = command.initiator_task_tag
    first = only(initiator.send(command), p.ReadyToTransfer)
    assert (first.r2t_sn, first.buffer_offset, first.desired_length) == (0, 512, 1024)
    burst = [
        data_out(tag, b"b" * 512, offset=512, transfer_tag=first.target_transfer_tag, final=False),
        data_out(tag, b"c" * 512, offset=1024, sn=1, transfer_tag=first.target_transfer_tag),
    ]
    second = only(initiator.send(*burst), p.ReadyToTransfer)
    assert (second.r2t_sn, second.buffer_offset, second.desired_length) == (1, 1536, 512)
    last = data_out(tag, b"d" * 512, offset=1536, transfer_tag=second.target_transfer_tag)
    assert only(initiator.send(last), p.ScsiResponse).status == 0
    assert fabric.unit.content[:2048] == b"a" * 512 + b"b" * 512 + b"c" * 512 + b"d" * 512


@pytest.mark.parametrize(
    ("expected", "flags", "residual", "written"),
    [(512, p.OVERFLOW, 512, 512), (2048, p.UNDERFLOW, 1024, 1024), (700, p.OVERFLOW, 324, 512)],
)
def test_a_write_reports_its_residual_and_writes_whole_blocks(
    expected: int, flags: int, residual: int, written: int
) -> None:
    initiator, fabric = logged_in()
    response = only(initiator.command(write_10(2), writes=expected, data=b"x" * expected), p.ScsiResponse)
    assert (response.status, response.residual_flags, response.residual) == (0, flags, residual)
    assert fabric.unit.content.count(b"x") == written


def test_a_failed_write_waits_for_the_data_that_is_under_way() -> None:
    initiator, _ = logged_in(("InitialR2T", "No"))
    command = initiator.command_pdu(write_10(1, lba=0xFFFFFF), writes=512, final=False)
    assert initiator.send(command) == []
    response = only(initiator.send(data_out(command.initiator_task_tag, b"x" * 512)), p.ScsiResponse)
    assert sense_of(response).asc == 0x21
    assert (response.residual_flags, response.residual) == (p.UNDERFLOW, 512)


@pytest.mark.parametrize(
    ("negotiated", "data", "code"),
    [
        (("ImmediateData", "No"), b"x" * 512, (0x0C, 0x0C)),
        (("FirstBurstLength", "512"), b"x" * 1024, (0x0C, 0x0D)),
    ],
)
def test_immediate_data_that_was_not_agreed_fails_the_command(
    negotiated: tuple[str, str], data: bytes, code: tuple[int, int]
) -> None:
    initiator, fabric = logged_in(negotiated)
    command = initiator.command_pdu(write_10(2), writes=1024, data=data)
    sense = sense_of(only(initiator.send(command), p.ScsiResponse))
    assert (sense.key, sense.asc, sense.ascq) == (0xB, *code)
    assert b"x" not in fabric.unit.content
    assert initiator.send(data_out(command.initiator_task_tag, b"late")) == []


def test_a_command_that_announces_data_that_was_not_agreed_fails_at_once() -> None:
    initiator, fabric = logged_in(("InitialR2T", "Yes"))
    command = initiator.command_pdu(write_10(2), writes=1024, data=b"x" * 512, final=False)
    sense = sense_of(only(initiator.send(command), p.ScsiResponse))
    assert (sense.key, sense.asc, sense.ascq) == (0xB, 0x0C, 0x0C)
    assert initiator.send(data_out(command.initiator_task_tag, b"x" * 512, offset=512)) == []
    assert b"x" not in fabric.unit.content


@pytest.mark.parametrize("negotiated", [("ImmediateData", "No"), ("FirstBurstLength", "512")])
def test_what_was_not_agreed_fails_the_command_once_all_unsolicited_data_is_there(negotiated: tuple[str, str]) -> None:
    initiator, fabric = logged_in(("InitialR2T", "No"), negotiated)
    command = initiator.command_pdu(write_10(4), writes=2048, data=b"x" * 1024, final=False)
    tag = command.initiator_task_tag
    assert initiator.send(command) == []
    assert initiator.send(data_out(tag, b"x" * 512, offset=1024, final=False)) == []
    last = data_out(tag, b"x" * 512, offset=1536, sn=1)
    assert sense_of(only(initiator.send(last), p.ScsiResponse)).key == 0xB
    assert b"x" not in fabric.unit.content


@pytest.mark.parametrize("immediate", [b"", b"x" * 256])
def test_less_unsolicited_data_than_the_first_burst_fails_the_command(immediate: bytes) -> None:
    initiator, fabric = logged_in(("InitialR2T", "No"), ("FirstBurstLength", "1024"))
    command = initiator.command_pdu(write_10(8), writes=4096, data=immediate, final=False)
    assert initiator.send(command) == []
    too_little = data_out(command.initiator_task_tag, b"x" * 512, offset=len(immediate))
    sense = sense_of(only(initiator.send(too_little), p.ScsiResponse))
    assert (sense.key, sense.asc, sense.ascq) == (0xB, 0x0C, 0x0D)
    assert b"x" not in fabric.unit.content


def test_immediate_data_may_be_less_than_the_first_burst() -> None:
    initiator, _ = logged_in(("InitialR2T", "No"), ("FirstBurstLength", "1024"))
    asked = only(initiator.command(write_10(8), writes=4096, data=b"x" * 512), p.ReadyToTransfer)
    assert (asked.buffer_offset, asked.desired_length) == (512, 3584)


@pytest.mark.parametrize(
    ("offset", "sn", "data", "code"),
    [
        (512, 0, b"x" * 512, (0x47, 0x05)),
        (0, 1, b"x" * 512, (0x47, 0x05)),
        (0, 0, b"x" * 2048, (0x0C, 0x0D)),
        (0, 0, b"x" * 512, (0x0C, 0x0D)),
    ],
    ids=["offset", "number", "too much", "too little"],
)
def test_solicited_data_that_was_not_asked_for_fails_the_command(
    offset: int, sn: int, data: bytes, code: tuple[int, int]
) -> None:
    initiator, fabric = logged_in()
    command = initiator.command_pdu(write_10(2), writes=1024)
    r2t = only(initiator.send(command), p.ReadyToTransfer)
    tag, transfer_tag = command.initiator_task_tag, r2t.target_transfer_tag
    answer = data_out(tag, data, offset=offset, sn=sn, transfer_tag=transfer_tag)
    sense = sense_of(only(initiator.send(answer), p.ScsiResponse))
    assert (sense.key, sense.asc, sense.ascq) == (0xB, *code)
    assert b"x" not in fabric.unit.content


@pytest.mark.parametrize(
    ("offset", "sn", "data", "transfer_tag", "code"),
    [
        (512, 0, b"x" * 512, 1, (0x47, 0x05)),
        (0, 1, b"x" * 512, 1, (0x47, 0x05)),
        (0, 0, b"x" * 4096, 1, (0x0C, 0x0D)),
        (0, 0, b"x" * 512, p.NO_TAG, (0x0C, 0x0C)),
        (0, 0, b"x" * 512, 4711, (0x0C, 0x0C)),
    ],
    ids=["offset", "number", "too much", "unsolicited", "wrong tag"],
)
def test_a_transfer_that_went_wrong_is_answered_once_all_data_is_there(
    offset: int, sn: int, data: bytes, transfer_tag: int, code: tuple[int, int]
) -> None:
    initiator, fabric = logged_in()
    command = initiator.command_pdu(write_10(4), writes=2048)
    tag, asked = command.initiator_task_tag, only(initiator.send(command), p.ReadyToTransfer).target_transfer_tag
    assert asked == 1
    wrong = data_out(tag, data, offset=offset, sn=sn, transfer_tag=transfer_tag, final=False)
    more = data_out(tag, b"x" * 512, offset=512, sn=1, transfer_tag=asked, final=False)
    assert initiator.send(wrong, more) == []
    last = data_out(tag, b"x" * 1024, offset=1024, sn=2, transfer_tag=asked)
    sense = sense_of(only(initiator.send(last), p.ScsiResponse))
    assert (sense.key, sense.asc, sense.ascq) == (0xB, *code)
    assert b"x" not in fabric.unit.content


def test_a_data_out_with_the_wrong_transfer_tag_fails_the_command() -> None:
    initiator, _ = logged_in()
    command = initiator.command_pdu(write_10(1), writes=512)
    only(initiator.send(command), p.ReadyToTransfer)
    wrong = data_out(command.initiator_task_tag, b"x" * 512, transfer_tag=4711)
    assert sense_of(only(initiator.send(wrong), p.ScsiResponse)).ascq == 0x0C


def test_data_for_nothing_is_rejected() -> None:
    initiator, _ = logged_in()
    assert only(initiator.send(data_out(4711, b"x")), p.Reject).reason == 0x09


def test_bidirectional_commands_and_tags_in_use_are_rejected() -> None:
    initiator, _ = logged_in()
    both = p.ScsiCommand(encode_lun(1), 1, 512, 1, 0, bytes(16), reads=True, writes=True)
    assert only(initiator.send(both), p.Reject).reason == 0x09
    initiator.cmd_sn = 2
    first = initiator.command_pdu(write_10(1), writes=512, tag=5)
    only(initiator.send(first), p.ReadyToTransfer)
    assert only(initiator.send(initiator.command_pdu(write_10(1), writes=512, tag=5)), p.Reject).reason == 0x09


def test_an_extended_cdb_is_no_command_that_is_known() -> None:
    initiator, _ = logged_in()
    header = bytearray(encode([initiator.command_pdu(TEST_UNIT_READY)]))
    header[4] = 1
    sense = sense_of(only(initiator.send_bytes(bytes(header) + bytes(4)), p.ScsiResponse))
    assert (sense.key, sense.asc, sense.ascq) == (5, 0x20, 0)
    assert only(initiator.command(TEST_UNIT_READY), p.ScsiResponse).status == 0


def test_an_additional_header_where_none_belongs_ends_the_connection() -> None:
    initiator, _ = logged_in()
    header = bytearray(encode([A_REQUEST[p.NopOut]]))
    header[4] = 1
    assert initiator.send_bytes(bytes(header) + bytes(4)) == []
    assert initiator.is_closed


# ---- nop, text, logout, task management -------------------------------------------------------------------------


def test_a_ping_comes_back_cut_to_what_was_declared() -> None:
    initiator, _ = logged_in(("MaxRecvDataSegmentLength", "512"))
    ping = p.NopOut(bytes(8), 7, p.NO_TAG, initiator.next_cmd_sn(), 0, immediate=False, data=b"x" * 600)
    pong = only(initiator.send(ping), p.NopIn)
    assert (pong.initiator_task_tag, pong.target_transfer_tag, bytes(pong.data)) == (7, p.NO_TAG, b"x" * 512)


def test_a_ping_without_a_tag_wants_no_answer_and_an_answer_to_nothing_is_rejected() -> None:
    initiator, _ = logged_in()
    assert initiator.send(p.NopOut(bytes(8), p.NO_TAG, p.NO_TAG, 0, 0, immediate=True)) == []
    assert only(initiator.send(p.NopOut(bytes(8), p.NO_TAG, 3, 0, 0, immediate=True)), p.Reject).reason == 0x09


def test_send_targets_shows_what_the_initiator_may_see() -> None:
    memory = target()
    seeing = RawPeer(memory)
    seeing.login(identify=DISCOVERY)
    record = [("TargetName", TARGET), ("TargetAddress", "127.0.0.1:3260,1")]
    assert seeing.text(("SendTargets", "All")) == record
    assert seeing.text(("SendTargets", TARGET)) == record
    assert seeing.text(("SendTargets", TARGET + "2")) == []
    blind = RawPeer(memory)
    blind.login(identify=[("InitiatorName", HOST + "0"), ("SessionType", "Discovery")])
    assert blind.text(("SendTargets", "All")) == []


def test_send_targets_in_a_normal_session_shows_this_target_only() -> None:
    initiator, _ = logged_in()
    assert initiator.text(("SendTargets", ""))[0] == ("TargetName", TARGET)
    assert initiator.text(("SendTargets", "All")) == [("SendTargets", "Reject")]


def test_other_keys_in_the_full_feature_phase_are_refused() -> None:
    initiator, _ = logged_in()
    answers = initiator.text(("InitialR2T", "No"), ("IFMarker", "No"), ("X-a", "b"))
    assert answers == [("InitialR2T", "Reject"), ("IFMarker", "Reject"), ("X-a", "NotUnderstood")]


def test_a_long_list_of_targets_comes_in_pieces() -> None:
    memory = target()
    memory.core.portals += [Portal("127.0.0.1", port) for port in range(4000, 4040)]
    initiator = RawPeer(memory)
    initiator.login(("MaxRecvDataSegmentLength", "512"), identify=DISCOVERY)
    request = p.TextRequest(bytes(8), 9, p.NO_TAG, 1, 0, data=b"SendTargets=All\0")
    response = only(initiator.send(request), p.TextResponse)
    text = bytes(response.data)
    assert (response.final, response.continues, len(text)) == (False, True, 512)
    for number in range(2, 5):
        go_on = p.TextRequest(bytes(8), 9, response.target_transfer_tag, number, 0)
        response = only(initiator.send(go_on), p.TextResponse)
        text += bytes(response.data)
        if response.final:
            break
    assert response.target_transfer_tag == p.NO_TAG
    assert text.count(b"TargetAddress=") == 41


def test_a_text_request_may_come_in_pieces() -> None:
    memory = target()
    initiator = RawPeer(memory)
    initiator.login(identify=DISCOVERY)
    piece = p.TextRequest(bytes(8), 9, p.NO_TAG, 1, 0, data=b"SendTar", final=False, continues=True)
    response = only(initiator.send(piece), p.TextResponse)
    assert (response.final, bytes(response.data)) == (False, b"")
    rest = p.TextRequest(bytes(8), 9, response.target_transfer_tag, 2, 0, data=b"gets=All\0")
    assert b"TargetName" in bytes(only(initiator.send(rest), p.TextResponse).data)


def negotiate(initiator: RawPeer, transfer_tag: int, *values: str, final: bool) -> list[p.Pdu]:
    """Declare segment lengths in one request of a negotiation."""
    data = b"".join(f"MaxRecvDataSegmentLength={value}\0".encode() for value in values)
    return initiator.send(p.TextRequest(bytes(8), 9, transfer_tag, initiator.next_cmd_sn(), 0, data=data, final=final))


def pieces_of_a_read(initiator: RawPeer) -> int:
    return len(initiator.command(read_10(4), reads=2048))


def test_what_is_declared_counts_once_the_negotiation_is_over() -> None:
    initiator, _ = logged_in()
    response = only(negotiate(initiator, p.NO_TAG, "512", final=False), p.TextResponse)
    assert pieces_of_a_read(initiator) == 1
    assert only(negotiate(initiator, response.target_transfer_tag, final=True), p.TextResponse).final
    assert pieces_of_a_read(initiator) == 4


def test_what_was_declared_is_forgotten_when_the_negotiation_starts_over() -> None:
    initiator, _ = logged_in()
    old = only(negotiate(initiator, p.NO_TAG, "512", final=False), p.TextResponse)
    assert only(negotiate(initiator, p.NO_TAG, final=True), p.TextResponse).final
    assert pieces_of_a_read(initiator) == 1
    assert only(negotiate(initiator, old.target_transfer_tag, final=True), p.Reject).reason == 0x09


def test_the_same_key_in_one_request_twice_is_rejected_and_nothing_counts() -> None:
    initiator, _ = logged_in()
    assert only(negotiate(initiator, p.NO_TAG, "512", "1024", final=True), p.Reject).reason == 0x04
    assert pieces_of_a_read(initiator) == 1


def test_the_same_key_in_one_negotiation_twice_is_rejected_and_ends_it() -> None:
    initiator, _ = logged_in()
    tag = only(negotiate(initiator, p.NO_TAG, "512", final=False), p.TextResponse).target_transfer_tag
    assert only(negotiate(initiator, tag, "512", final=True), p.Reject).reason == 0x04
    assert only(negotiate(initiator, tag, final=True), p.Reject).reason == 0x09
    assert pieces_of_a_read(initiator) == 1
    assert only(negotiate(initiator, p.NO_TAG, "512", final=True), p.TextResponse).final
    assert pieces_of_a_read(initiator) == 4


@pytest.mark.parametrize(
    "request_pdu",
    [
        p.TextRequest(bytes(8), 9, p.NO_TAG, 1, 0, continues=True),
        p.TextRequest(bytes(8), 9, 4711, 1, 0),
    ],
    ids=["final and more to come", "unknown tag"],
)
def test_a_contradictory_text_request_is_rejected(request_pdu: p.TextRequest) -> None:
    initiator, _ = logged_in()
    assert only(initiator.send(request_pdu), p.Reject).reason == 0x09


def test_malformed_text_ends_the_connection() -> None:
    initiator, _ = logged_in()
    initiator.send(p.TextRequest(bytes(8), 9, p.NO_TAG, 1, 0, data=b"?"))
    assert initiator.is_closed


@pytest.mark.parametrize(
    ("reason", "cid", "response", "closes"),
    [(0, 0, 0, True), (1, 0, 0, True), (1, 9, 1, False), (2, 0, 2, False)],
)
def test_logout_is_answered(reason: int, cid: int, response: int, closes: bool) -> None:
    initiator, _ = logged_in()
    answer = only(initiator.send(p.LogoutRequest(reason, 5, cid, 1, 0)), p.LogoutResponse)
    assert answer.response == response
    assert initiator.is_closed is closes


@pytest.mark.parametrize(
    "request_pdu",
    [
        A_REQUEST[p.NopOut],
        p.LogoutRequest(1, 5, 0, 1, 0),
        p.TextRequest(bytes(8), 9, p.NO_TAG, 1, 0, data=b"MaxRecvDataSegmentLength=512\0"),
        p.TextRequest(bytes(8), 9, p.NO_TAG, 1, 0),
    ],
    ids=["a ping", "the end of the connection", "another key", "nothing"],
)
def test_a_discovery_session_is_for_nothing_but_discovery(request_pdu: p.Pdu) -> None:
    initiator = in_state(State.DISCOVERY)
    assert only(initiator.send(request_pdu), p.Reject).reason == 0x04
    initiator.cmd_sn = 1 if isinstance(request_pdu, p.NopOut) else 2
    assert initiator.text(("SendTargets", "All"))[0] == ("TargetName", TARGET)
    logout = p.LogoutRequest(0, 5, 0, initiator.next_cmd_sn(), 0)
    assert only(initiator.send(logout), p.LogoutResponse).response == 0


def test_recovery_is_not_supported_in_a_discovery_session_either() -> None:
    initiator = in_state(State.DISCOVERY)
    assert only(initiator.send(p.LogoutRequest(2, 5, 0, 1, 0)), p.LogoutResponse).response == 2
    assert not initiator.is_closed


def test_an_unknown_reason_to_log_out_is_rejected() -> None:
    initiator, _ = logged_in()
    assert only(initiator.send(p.LogoutRequest(9, 5, 0, 1, 0)), p.Reject).reason == 0x09


def manage(initiator: RawPeer, function: int, *, lun: int = 1, tag: int = p.NO_TAG) -> int:
    request = p.TaskManagementRequest(function, encode_lun(lun), 800, tag, 0, 0, 0)
    return only(initiator.send(request), p.TaskManagementResponse).response


@pytest.mark.parametrize(
    ("function", "lun", "response"),
    [
        (1, 1, 1),
        (2, 1, 0),
        (2, 9, 2),
        (3, 1, 5),
        (4, 1, 0),
        (5, 1, 0),
        (5, 9, 2),
        (6, 1, 0),
        (7, 1, 0),
        (8, 1, 4),
        (99, 1, 5),
    ],
)
def test_task_management_is_answered(function: int, lun: int, response: int) -> None:
    initiator, _ = logged_in()
    assert manage(initiator, function, lun=lun) == response


@pytest.mark.parametrize("function", [1, 2, 4, 5])
def test_a_write_that_waits_for_data_can_be_aborted(function: int) -> None:
    initiator, fabric = logged_in()
    command = initiator.command_pdu(write_10(1), writes=512)
    r2t = only(initiator.send(command), p.ReadyToTransfer)
    assert manage(initiator, function, tag=command.initiator_task_tag) == 0
    late = data_out(command.initiator_task_tag, b"x" * 512, transfer_tag=r2t.target_transfer_tag)
    assert initiator.send(late) == []
    assert b"x" not in fabric.unit.content


def test_a_command_that_waits_for_its_turn_can_be_aborted() -> None:
    initiator, fabric = logged_in()
    waiting = initiator.command_pdu(write_10(1), writes=512, data=b"x" * 512, cmd_sn=2)
    initiator.send(waiting)
    assert manage(initiator, 1, tag=waiting.initiator_task_tag) == 0
    assert only(initiator.send(initiator.command_pdu(TEST_UNIT_READY, cmd_sn=1)), p.ScsiResponse).exp_cmd_sn == 2
    assert only(initiator.send(initiator.command_pdu(TEST_UNIT_READY, cmd_sn=3)), p.ScsiResponse).status == 0
    assert b"x" not in fabric.unit.content


def test_a_unit_reset_is_news_for_every_initiator() -> None:
    fabric = FakeFabric()
    fabric.access[OTHER_HOST] = {7: fabric.unit}
    memory = target(fabric)
    mine, other = RawPeer(memory), RawPeer(memory)
    mine.login()
    other.login(identify=[("InitiatorName", OTHER_HOST), *NORMAL[1:]], isid=OTHER_ISID)
    waiting = other.command_pdu(write_10(1), writes=512, lun=7)
    only(other.send(waiting), p.ReadyToTransfer)
    assert manage(mine, 5) == 0
    for peer, lun in ((other, 7), (mine, 1)):
        sense = sense_of(only(peer.command(TEST_UNIT_READY, lun=lun), p.ScsiResponse))
        assert (sense.key, sense.asc, sense.ascq) == (6, 0x29, 0x03)
        assert only(peer.command(TEST_UNIT_READY, lun=lun), p.ScsiResponse).status == 0


def test_a_reset_of_one_unit_leaves_the_writes_of_another() -> None:
    initiator, fabric = logged_in()
    fabric.access[HOST][2] = fabric.other_unit
    fabric.revision += 1
    initiator.command(TEST_UNIT_READY)
    other = initiator.command_pdu(write_10(1), writes=512, lun=2)
    r2t = only(initiator.send(other), p.ReadyToTransfer)
    assert manage(initiator, 5) == 0
    data = data_out(other.initiator_task_tag, b"x" * 512, transfer_tag=r2t.target_transfer_tag)
    assert only(initiator.send(data), p.ScsiResponse).status == 0


def test_only_the_named_command_is_aborted_while_others_wait() -> None:
    initiator, fabric = logged_in()
    kept = initiator.command_pdu(write_10(1), writes=512, data=b"k" * 512, cmd_sn=2)
    aborted = initiator.command_pdu(write_10(1, lba=1), writes=512, data=b"x" * 512, cmd_sn=3)
    initiator.send(kept, aborted)
    assert manage(initiator, 1, tag=aborted.initiator_task_tag) == 0
    assert len(initiator.send(initiator.command_pdu(TEST_UNIT_READY, cmd_sn=1))) == 2
    assert fabric.unit.content[:1024] == b"k" * 512 + bytes(512)


@pytest.mark.parametrize(("function", "meant"), [(2, {1}), (4, {1}), (5, {1}), (6, {1, 2})])
def test_what_ends_the_tasks_of_a_unit_ends_those_that_wait_too(function: int, meant: set[int]) -> None:
    initiator, fabric = logged_in()
    fabric.access[HOST][2] = fabric.other_unit
    fabric.revision += 1
    before, other, after = (
        initiator.command_pdu(write_10(1, lba=lba), writes=512, data=b"x" * 512, lun=lun, cmd_sn=cmd_sn)
        for lba, lun, cmd_sn in ((0, 1, 2), (0, 2, 3), (1, 1, 5))
    )
    initiator.send(before, other, after)
    request = p.TaskManagementRequest(function, encode_lun(1), 800, p.NO_TAG, 4, 0, 0)
    assert only(initiator.send(request), p.TaskManagementResponse).response == 0
    answers = initiator.send(*(initiator.command_pdu(TEST_UNIT_READY, lun=3, cmd_sn=cmd_sn) for cmd_sn in (1, 4)))
    tags = {answer.initiator_task_tag for answer in answers if isinstance(answer, p.ScsiResponse)}
    assert (before.initiator_task_tag in tags, other.initiator_task_tag in tags) == (1 not in meant, 2 not in meant)
    assert after.initiator_task_tag in tags


def test_what_follows_a_logout_is_not_read() -> None:
    initiator, _ = logged_in()
    logout = p.LogoutRequest(0, 5, 0, 1, 0)
    only(initiator.send(logout, initiator.command_pdu(TEST_UNIT_READY, cmd_sn=2)), p.LogoutResponse)


def test_a_task_that_never_came_is_aborted_and_its_number_passed_over() -> None:
    initiator, _ = logged_in()
    lost = initiator.next_cmd_sn()
    late = initiator.command_pdu(TEST_UNIT_READY)
    assert initiator.send(late) == []
    request = p.TaskManagementRequest(1, encode_lun(1), 800, 77, initiator.cmd_sn, 0, lost)
    told, answered = initiator.send(request)
    assert isinstance(told, p.TaskManagementResponse)
    assert told.response == 0
    assert isinstance(answered, p.ScsiResponse)
    assert answered.initiator_task_tag == late.initiator_task_tag


@pytest.mark.parametrize("ahead", [-1, 1 << 16, 0])
def test_a_task_that_cannot_come_any_more_does_not_exist(ahead: int) -> None:
    initiator, _ = logged_in()
    request = p.TaskManagementRequest(1, encode_lun(1), 800, 77, initiator.cmd_sn, 0, initiator.cmd_sn + ahead)
    assert only(initiator.send(request), p.TaskManagementResponse).response == 1
    initiator.good(TEST_UNIT_READY)
