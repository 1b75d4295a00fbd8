from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iscsi import pdu as p
from simulators.iscsi.codec import AHS_LIMIT, DATA_SEGMENT_LIMIT, PduReader, encode
from simulators.iscsi.describe import describe
from simulators.iscsi.errors import PeerViolation, SimulatorBug
from simulators.iscsi.lun_address import MAX_LUN_NUMBER, decode_lun, encode_lun

words = st.integers(0, 0xFFFFFFFF)
octets = st.integers(0, 255)
stages = st.integers(0, 3)
data = st.binary(max_size=600)
luns = st.binary(min_size=8, max_size=8)
isids = st.binary(min_size=6, max_size=6)
halves = st.integers(0, 0xFFFF)
small = st.integers(0, 0x7F)

PDUS: st.SearchStrategy[p.Pdu] = st.one_of(
    st.builds(p.NopOut, luns, words, words, words, words, st.booleans(), data),
    st.builds(
        p.ScsiCommand,
        lun=luns,
        initiator_task_tag=words,
        expected_length=words,
        cmd_sn=words,
        exp_stat_sn=words,
        cdb=st.binary(min_size=16, max_size=16),
        reads=st.booleans(),
        writes=st.booleans(),
        final=st.booleans(),
        immediate=st.booleans(),
        attributes=st.integers(0, 7),
        data=data,
    ),
    st.builds(p.TaskManagementRequest, small, luns, words, words, words, words, words, st.booleans()),
    st.builds(
        p.LoginRequest,
        *(stages, stages, octets, octets, isids, halves, words, halves, words, words, data),
        transit=st.booleans(),
        continues=st.booleans(),
    ),
    st.builds(
        p.TextRequest,
        luns,
        words,
        words,
        words,
        words,
        data,
        final=st.booleans(),
        continues=st.booleans(),
        immediate=st.booleans(),
    ),
    st.builds(p.DataOut, luns, words, words, words, words, words, data, final=st.booleans()),
    st.builds(p.LogoutRequest, small, words, halves, words, words, st.booleans()),
    st.builds(p.NopIn, luns, words, words, words, words, words, data),
    st.builds(
        p.ScsiResponse,
        *(
            st.sampled_from([0, p.OVERFLOW, p.UNDERFLOW]),
            octets,
            octets,
            words,
            words,
            words,
            words,
            words,
            words,
        ),
        data,
    ),
    st.builds(p.TaskManagementResponse, octets, words, words, words, words),
    st.builds(
        p.LoginResponse,
        *(stages, stages, isids, halves, words, words, words, words, st.tuples(octets, octets), data, octets),
        transit=st.booleans(),
        continues=st.booleans(),
    ),
    st.builds(
        p.TextResponse, luns, words, words, words, words, words, data, final=st.booleans(), continues=st.booleans()
    ),
    st.builds(
        p.DataIn,
        *(st.sampled_from([0, p.OVERFLOW, p.UNDERFLOW]), octets, words),
        *(words, words, words, words, words, words, data),
        final=st.booleans(),
        has_status=st.booleans(),
        acknowledge=st.booleans(),
    ),
    st.builds(p.LogoutResponse, octets, words, words, words, words),
    st.builds(p.ReadyToTransfer, luns, words, words, words, words, words, words, words, words),
    st.builds(p.AsyncMessage, luns, words, words, words, octets, octets, st.tuples(halves, halves, halves), data),
    st.builds(p.Reject, octets, words, words, words, data),
)


def read_all(reader: PduReader) -> list[p.Pdu]:
    pdus = []
    while (pdu := reader.next_pdu()) is not None:
        pdus.append(pdu)
    return pdus


@given(pdu=PDUS)
def test_what_is_encoded_is_decoded_again(pdu: p.Pdu) -> None:
    reader = PduReader()
    reader.feed(encode([pdu]))
    assert read_all(reader) == [pdu]
    assert reader.pending_bytes == 0


def test_every_kind_of_pdu_has_a_parser() -> None:
    kinds = {kind for kind in get_args(p.Pdu) if kind not in {p.UnknownPdu, p.Damaged}}
    assert {p.parse(bytes((code,)) + bytes(47), b"").__class__ for code in p.PARSERS} == kinds


@given(pdus=st.lists(PDUS, max_size=4), cut=st.integers(1, 200))
def test_pieces_of_any_size_give_the_same_pdus(pdus: list[p.Pdu], cut: int) -> None:
    stream, reader, got = encode(pdus), PduReader(), []
    for start in range(0, len(stream), cut):
        reader.feed(stream[start : start + cut])
        got += read_all(reader)
    assert got == pdus


@given(noise=st.binary(max_size=400))
def test_any_bytes_give_pdus_or_a_violation(noise: bytes) -> None:
    reader = PduReader(512)
    reader.feed(noise)
    try:
        pdus = read_all(reader)
    except PeerViolation:
        return
    assert reader.pending_bytes < p.BHS_BYTES + AHS_LIMIT + 512
    assert all(describe(pdu) for pdu in pdus)


@given(header=st.binary(min_size=48, max_size=48))
def test_any_header_gives_a_pdu_that_can_be_described(header: bytes) -> None:
    assert describe(p.parse(header, b"\xff=\xff\0"))


def test_an_unknown_opcode_is_kept_as_it_is() -> None:
    header = b"\x10" + bytes(4) + b"\0\0\x02" + bytes(40)
    reader = PduReader()
    reader.feed(header + b"ab\0\0")
    [pdu] = read_all(reader)
    assert pdu == p.UnknownPdu(0x10, header, b"ab")
    assert encode([pdu]) == header + b"ab\0\0"


def test_a_data_segment_longer_than_declared_is_a_violation_before_it_arrives() -> None:
    reader = PduReader()
    reader.feed(b"\x05" + bytes(4) + (DATA_SEGMENT_LIMIT + 1).to_bytes(3, "big") + bytes(40))
    with pytest.raises(PeerViolation, match="262145"):
        reader.next_pdu()


def test_too_much_additional_header_is_a_violation() -> None:
    reader = PduReader()
    reader.feed(b"\x01\0\0\0" + bytes((AHS_LIMIT // 4 + 1,)) + bytes(43))
    with pytest.raises(PeerViolation, match="additional header"):
        reader.next_pdu()


@given(number=st.integers(0, MAX_LUN_NUMBER))
def test_lun_numbers_survive_their_encoding(number: int) -> None:
    assert decode_lun(encode_lun(number)) == number


@given(field=st.binary(min_size=8, max_size=8))
def test_any_lun_field_addresses_a_number_or_nothing(field: bytes) -> None:
    number = decode_lun(field)
    assert number is None or 0 <= number <= MAX_LUN_NUMBER


def test_a_small_number_may_come_in_flat_space_form() -> None:
    assert decode_lun(bytes.fromhex("4005000000000000")) == 5


@pytest.mark.parametrize("field", ["c101000000000000", "0101000000000000", "0001000100000000"])
def test_other_addressing_methods_address_nothing(field: str) -> None:
    assert decode_lun(bytes.fromhex(field)) is None


def test_a_lun_number_beyond_single_level_addressing_is_our_own_bug() -> None:
    with pytest.raises(SimulatorBug):
        encode_lun(MAX_LUN_NUMBER + 1)
