from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iscsi import pdu as p
from simulators.iscsi.codec import PduReader, encode
from simulators.iscsi.digest import Digests, digest
from simulators.iscsi.errors import PeerViolation
from simulators.iscsi.initiator import Initiator
from simulators.iscsi.negotiation import OperationalSettings
from tests.simulators.iscsi.fake_fabric import HOST, TARGET, FakeFabric
from tests.simulators.iscsi.raw_peer import RawPeer, keys, only, sense_of, target, write_10

BOTH = Digests(header=True, data=True)
OFFERS = (("HeaderDigest", "CRC32C"), ("DataDigest", "CRC32C"))


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        (bytes(32), "aa36918a"),
        (b"\xff" * 32, "43aba862"),
        (bytes(range(32)), "4e79dd46"),
        (bytes(range(31, -1, -1)), "5cdb3f11"),
    ],
)
def test_the_examples_of_rfc_3720_appendix_b_hold(data: bytes, wire: str) -> None:
    assert digest(data).hex() == wire
    assert digest(data[:7], data[7:]).hex() == wire


@given(data=st.binary(max_size=40), digests=st.builds(Digests, st.booleans(), st.booleans()), cut=st.integers(1, 60))
def test_what_is_sent_with_digests_is_read_with_them(data: bytes, digests: Digests, cut: int) -> None:
    sent = [p.NopIn(bytes(8), 7, p.NO_TAG, 1, 2, 3, data=data), p.NopIn(bytes(8), 8, p.NO_TAG, 1, 2, 3)]
    wire, reader, got = encode(sent, digests), PduReader(), []
    reader.digests = digests
    for start in range(0, len(wire), cut):
        reader.feed(wire[start : start + cut])
        while (pdu := reader.next_pdu()) is not None:
            got.append(pdu)
    assert got == sent
    assert reader.pending_bytes == 0


class ProtectedPeer(RawPeer):
    """A raw peer that has agreed on both digests."""

    def __init__(self) -> None:
        super().__init__(target(FakeFabric()))
        self.login(*OFFERS)
        self._reader.digests = BOTH

    def send(self, *pdus: p.Pdu) -> list[p.Pdu]:
        return self.send_bytes(encode(pdus, self._reader.digests))


def test_a_session_with_digests_lists_them_and_carries_data() -> None:
    memory = target()
    settings = OperationalSettings(header_digests="CRC32C", data_digests="CRC32C,None")
    session = Initiator(HOST, lambda _address, _port: memory.dial(), settings=settings).login("array", 3260, TARGET)
    assert session.digests == BOTH
    assert [(each.header_digest, each.data_digest) for each in memory.sessions()] == [("CRC32C", "CRC32C")]
    session.write(1, 512, b"\xab" * 65536)
    assert session.read(1, 512, 65536) == b"\xab" * 65536
    session.logout()


def test_the_first_offer_is_taken() -> None:
    initiator = RawPeer(target())
    offers = [("InitiatorName", HOST), ("TargetName", TARGET), ("HeaderDigest", "None,CRC32C"), ("DataDigest", "X")]
    answers = keys(initiator.login_step(offers))
    assert answers["HeaderDigest"] == "None"
    assert answers["DataDigest"] == "Reject"


def test_a_wrong_header_digest_ends_the_connection() -> None:
    peer = ProtectedPeer()
    wire = bytearray(encode([peer.command_pdu(bytes(6))], BOTH))
    wire[9] ^= 1
    assert peer.send_bytes(bytes(wire)) == []
    assert peer.is_closed


def test_a_command_whose_data_is_damaged_is_rejected_and_not_carried_out() -> None:
    peer = ProtectedPeer()
    wire = bytearray(encode([peer.command_pdu(write_10(1), writes=512, data=b"\xab" * 512)], BOTH))
    wire[60] ^= 1
    reject = only(peer.send_bytes(bytes(wire)), p.Reject)
    assert reject.reason == 2
    assert len(reject.data) == 48
    assert reject.exp_cmd_sn == 1
    assert peer.is_closed, "its number would be missing, and nothing that follows would ever be carried out"


def test_a_damaged_data_out_ends_its_command_once_the_sequence_is_complete() -> None:
    peer = ProtectedPeer()
    command = peer.command_pdu(write_10(2), writes=1024)
    asked = only(peer.send(command), p.ReadyToTransfer)
    tags = (command.initiator_task_tag, asked.target_transfer_tag)
    first = p.DataOut(command.lun, *tags, 0, 0, 0, data=bytes(512), final=False)
    second = p.DataOut(command.lun, *tags, 0, 1, 512, data=bytes(512), final=True)
    damaged = bytearray(encode([first], BOTH))
    damaged[60] ^= 1
    assert only(peer.send_bytes(bytes(damaged)), p.Reject).reason == 2
    sense = sense_of(only(peer.send(second), p.ScsiResponse))
    assert (sense.key, sense.asc, sense.ascq) == (0xB, 0x47, 0x05)


def test_an_initiator_gives_up_a_target_whose_data_is_damaged() -> None:
    reader = PduReader()
    reader.digests = BOTH
    wire = bytearray(encode([p.NopIn(bytes(8), 7, p.NO_TAG, 1, 2, 3, data=b"abcd")], BOTH))
    wire[-6] ^= 1
    reader.feed(bytes(wire))
    assert isinstance(reader.next_pdu(), p.Damaged)
    wire[0] ^= 1
    reader.feed(bytes(wire))
    with pytest.raises(PeerViolation, match="header digest"):
        reader.next_pdu()
