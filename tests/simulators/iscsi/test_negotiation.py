from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iscsi.errors import PeerViolation
from simulators.iscsi.negotiation import (
    KEYS,
    Offerer,
    OperationalSettings,
    Parameters,
    Responder,
    parse_number,
)
from simulators.iscsi.text import TEXT_LIMIT, TextCollector, TextFeeder, join_pairs, parse_pairs

any_value = st.text(max_size=20)


def responder() -> Responder:
    return Responder(OperationalSettings())


@pytest.mark.parametrize(
    ("name", "offer", "answer"),
    [
        ("HeaderDigest", "CRC32C,None", "None"),
        ("HeaderDigest", "CRC32C", "Reject"),
        ("DataDigest", "None", "None"),
        ("InitialR2T", "Yes", "Yes"),
        ("InitialR2T", "No", "No"),
        ("InitialR2T", "maybe", "Reject"),
        ("ImmediateData", "No", "No"),
        ("ImmediateData", "Yes", "Yes"),
        ("MaxBurstLength", "65536", "65536"),
        ("MaxBurstLength", "0x10000", "65536"),
        ("MaxBurstLength", "16777215", "1048576"),
        ("MaxBurstLength", "511", "Reject"),
        ("MaxBurstLength", "16777216", "Reject"),
        ("MaxBurstLength", "-1", "Reject"),
        ("MaxConnections", "8", "1"),
        ("MaxOutstandingR2T", "16", "1"),
        ("MaxOutstandingR2T", "0", "Reject"),
        ("DefaultTime2Wait", "10", "10"),
        ("DefaultTime2Wait", "0", "2"),
        ("DefaultTime2Retain", "20", "0"),
        ("ErrorRecoveryLevel", "2", "0"),
        ("ErrorRecoveryLevel", "3", "Reject"),
        ("DataPDUInOrder", "No", "Yes"),
        ("DataSequenceInOrder", "No", "Yes"),
        ("TaskReporting", "FastAbort,RFC3720", "RFC3720"),
        ("iSCSIProtocolLevel", "2", "1"),
        ("IFMarker", "No", "Reject"),
        ("OFMarkInt", "2048~8192", "Reject"),
        ("X-org.example.speed", "11", "NotUnderstood"),
        ("MaxRecvDataSegmentLength", "100", "Reject"),
        ("MaxRecvDataSegmentLength", "4096", None),
    ],
)
def test_an_offer_is_answered_by_its_rule(name: str, offer: str, answer: str | None) -> None:
    assert responder().answer(name, offer) == answer


def test_first_burst_length_has_a_value_without_unsolicited_data_too() -> None:
    answers = responder().answer_all([("FirstBurstLength", "65536"), ("InitialR2T", "Yes"), ("ImmediateData", "No")])
    assert dict(answers)["FirstBurstLength"] == "65536"


def test_first_burst_length_never_exceeds_max_burst_length() -> None:
    negotiation = responder()
    negotiation.answer_all([("FirstBurstLength", "65536"), ("MaxBurstLength", "8192")])
    assert negotiation.parameters().first_burst_length == 8192


def test_our_own_declaration_is_made_once() -> None:
    negotiation = responder()
    assert ("MaxRecvDataSegmentLength", "262144") in negotiation.answer_all([])
    assert negotiation.answer_all([]) == []


def test_silence_means_the_defaults() -> None:
    assert responder().parameters() == Parameters()


@given(name=st.sampled_from(sorted(KEYS)), offer=any_value)
def test_any_offer_is_answered(name: str, offer: str) -> None:
    negotiation = responder()
    answer = negotiation.answer(name, offer)
    assert answer is None or answer.isascii()
    assert negotiation.parameters().max_burst_length >= 512


@given(name=st.sampled_from([*KEYS, "TargetAlias", "X-unknown"]), answer=any_value)
def test_any_answer_is_accepted_or_a_violation(name: str, answer: str) -> None:
    offerer = Offerer(OperationalSettings(), is_discovery=False)
    try:
        offerer.accept(name, answer)
    except PeerViolation:
        return
    assert offerer.parameters().first_burst_length <= offerer.parameters().max_burst_length


@given(
    ours=st.builds(
        OperationalSettings,
        max_recv_data_segment_length=st.integers(512, 262144),
        initial_r2t=st.booleans(),
        immediate_data=st.booleans(),
        max_burst_length=st.integers(512, (1 << 24) - 1),
        first_burst_length=st.integers(512, (1 << 24) - 1),
    ),
    theirs=st.builds(
        OperationalSettings,
        max_recv_data_segment_length=st.integers(512, 262144),
        initial_r2t=st.booleans(),
        immediate_data=st.booleans(),
        max_burst_length=st.integers(512, (1 << 24) - 1),
        first_burst_length=st.integers(512, (1 << 24) - 1),
    ),
    is_discovery=st.booleans(),
)
def test_both_sides_arrive_at_the_same(
    ours: OperationalSettings, theirs: OperationalSettings, is_discovery: bool
) -> None:
    offerer, answering = (
        Offerer(ours, is_discovery=is_discovery),
        Responder(theirs),
    )
    for name, value in answering.answer_all(offerer.offers()):
        offerer.accept(name, value)
    here, there = offerer.parameters(), answering.parameters()
    assert (here.initial_r2t, here.immediate_data) == (there.initial_r2t, there.immediate_data)
    assert here.max_burst_length == there.max_burst_length
    if here.immediate_data or not here.initial_r2t:
        assert here.first_burst_length == there.first_burst_length
    assert here.peer_data_segment_length == theirs.max_recv_data_segment_length
    assert there.peer_data_segment_length == ours.max_recv_data_segment_length


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("MaxBurstLength", "2097152"),
        ("InitialR2T", "perhaps"),
        ("HeaderDigest", "CRC32C"),
        ("SendTargets", "All"),
        ("MaxRecvDataSegmentLength", "12"),
    ],
)
def test_an_illegal_answer_is_a_violation(name: str, answer: str) -> None:
    with pytest.raises(PeerViolation):
        Offerer(OperationalSettings(), is_discovery=False).accept(name, answer)


def test_a_rejected_offer_leaves_the_default() -> None:
    offerer = Offerer(OperationalSettings(), is_discovery=False)
    offerer.accept("MaxBurstLength", "Reject")
    assert offerer.parameters().max_burst_length == 262144


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("0x1F", 31),
        ("0X1f", 31),
        ("", None),
        ("0x", None),
        ("1_0", None),
        ("-1", None),
        ("²", None),
    ],
)
def test_numbers_are_decimal_or_hexadecimal(text: str, number: int | None) -> None:
    assert parse_number(text) == number


def test_pairs_survive_their_encoding() -> None:
    pairs = [("TargetName", "iqn.x"), ("TargetAlias", "ärray"), ("CHAP_N", "")]
    assert parse_pairs(join_pairs(pairs)) == pairs


@pytest.mark.parametrize("name", [*KEYS, "iSCSIOfTomorrow", "X-org.example.speed", "X#registered", "K" * 63])
def test_every_key_that_may_be_offered_can_be_read(name: str) -> None:
    assert parse_pairs(join_pairs([(name, "1")])) == [(name, "1")]


@given(noise=st.binary(max_size=300))
def test_any_text_gives_pairs_or_a_violation(noise: bytes) -> None:
    try:
        pairs = parse_pairs(noise)
    except PeerViolation:
        return
    assert all(name for name, _ in pairs)


@pytest.mark.parametrize(
    "text",
    [
        b"no equals\0",
        b"=value\0",
        b"lower=1\0",
        b"iscsi=1\0",
        b"K" * 64 + b"=1\0",
        b"iSCSI" + b"K" * 59 + b"=1\0",
        b"Key=\xff\0",
        b"Key=" + b"x" * 8193,
    ],
)
def test_text_that_is_not_key_value_is_a_violation(text: bytes) -> None:
    with pytest.raises(PeerViolation):
        parse_pairs(text)


def test_a_text_in_pieces_is_one_text() -> None:
    collector = TextCollector()
    collector.add(b"Target")
    collector.add(b"Name=x\0")
    assert collector.take() == [("TargetName", "x")]
    assert collector.take() == []


def test_a_text_that_never_ends_is_a_violation() -> None:
    collector = TextCollector()
    collector.add(bytes(TEXT_LIMIT))
    with pytest.raises(PeerViolation):
        collector.add(b"x")


def test_a_long_text_is_handed_out_in_pieces() -> None:
    feeder = TextFeeder()
    feeder.load(b"abcde")
    pieces = [(feeder.take(2), feeder.has_more) for _ in range(3)]
    assert pieces == [(b"ab", True), (b"cd", True), (b"e", False)]
