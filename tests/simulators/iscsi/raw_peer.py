"""An initiator that says exactly what a test tells it to, right or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from simulators.iscsi import pdu as p
from simulators.iscsi.codec import PduReader, encode
from simulators.iscsi.lun_address import encode_lun
from simulators.iscsi.memory import MemoryTarget
from simulators.iscsi.scsi.sense import Sense, parse_fixed
from simulators.iscsi.text import join_pairs, parse_pairs
from simulators.kernel.clock import ManualClock
from tests.simulators.iscsi.fake_fabric import HOST, TARGET, FakeFabric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.iscsi.negotiation import OperationalSettings
    from simulators.iscsi.pdu import Pdu

ISID = bytes.fromhex("800102030405")
TEST_UNIT_READY = bytes(6)
OTHER_ISID = bytes.fromhex("80aabbccddee")
NORMAL = [("InitiatorName", HOST), ("TargetName", TARGET), ("SessionType", "Normal")]
DISCOVERY = [("InitiatorName", HOST), ("SessionType", "Discovery")]

PduT = TypeVar("PduT")


def no_entropy(count: int) -> bytes:
    """Randomness for tests: always the same."""
    return bytes(range(1, count + 1))


def target(
    fabric: FakeFabric | None = None,
    *,
    settings: OperationalSettings | None = None,
    power_on_attention: bool = False,
) -> MemoryTarget:
    """Make a target whose answers depend on nothing but what it is told."""
    return MemoryTarget(
        fabric or FakeFabric(),
        settings=settings,
        power_on_attention=power_on_attention,
        clock=ManualClock(),
        entropy=no_entropy,
    )


class RawPeer:
    """One connection to a target in memory; every call returns what was answered."""

    def __init__(self, memory: MemoryTarget) -> None:
        self._stream = memory.dial()
        self._connection = self._stream._connection  # type: ignore[attr-defined]
        self._reader = PduReader(1 << 24)
        self.cmd_sn = 1
        self._tag = 0

    @property
    def is_closed(self) -> bool:
        return bool(self._connection.is_closed)

    def send(self, *pdus: Pdu) -> list[Pdu]:
        return self.send_bytes(encode(pdus))

    def send_bytes(self, data: bytes) -> list[Pdu]:
        self._reader.feed(self._connection.receive(data))
        answers = []
        while (pdu := self._reader.next_pdu()) is not None:
            answers.append(pdu)
        return answers

    # ---- login -----------------------------------------------------------------------------------------------

    def login_step(
        self,
        pairs: Sequence[tuple[str, str]],
        *,
        stage: int = 1,
        to: int | None = 3,
        tsih: int = 0,
        isid: bytes = ISID,
        tag: int = 0x77,
        version_min: int = 0,
        raw: bytes | None = None,
        continues: bool = False,
    ) -> p.LoginResponse:
        data = join_pairs(pairs) if raw is None else raw
        stages = (stage, to or 0)
        request = p.LoginRequest(
            *stages,
            0,
            version_min,
            isid,
            tsih,
            tag,
            0,
            self.cmd_sn,
            0,
            data=data,
            transit=to is not None,
            continues=continues,
        )
        return only(self.send(request), p.LoginResponse)

    def login(self, *extra: tuple[str, str], isid: bytes = ISID, identify: Sequence[tuple[str, str]] = NORMAL) -> None:
        response = self.login_step([*identify, *extra], isid=isid)
        assert response.status == (0, 0)
        assert response.next_stage == 3

    # ---- full feature phase ----------------------------------------------------------------------------------

    def new_tag(self) -> int:
        self._tag += 1
        return self._tag

    def next_cmd_sn(self) -> int:
        self.cmd_sn += 1
        return self.cmd_sn - 1

    def command_pdu(
        self,
        cdb: bytes,
        *,
        lun: int = 1,
        reads: int = 0,
        writes: int = 0,
        data: bytes = b"",
        final: bool = True,
        tag: int | None = None,
        cmd_sn: int | None = None,
    ) -> p.ScsiCommand:
        return p.ScsiCommand(
            encode_lun(lun),
            self.new_tag() if tag is None else tag,
            reads or writes,
            self.next_cmd_sn() if cmd_sn is None else cmd_sn,
            0,
            cdb,
            reads=reads > 0,
            writes=writes > 0,
            final=final,
            data=data,
        )

    def command(self, cdb: bytes, *, lun: int = 1, reads: int = 0, writes: int = 0, data: bytes = b"") -> list[Pdu]:
        return self.send(self.command_pdu(cdb, lun=lun, reads=reads, writes=writes, data=data))

    def read(self, cdb: bytes, *, lun: int = 1, limit: int = 65536) -> bytes:
        """Return the data of a command that must end GOOD."""
        answers = self.command(cdb, lun=lun, reads=limit)
        parts = [bytes(pdu.data) for pdu in answers if isinstance(pdu, p.DataIn)]
        last = answers[-1]
        assert isinstance(last, p.DataIn | p.ScsiResponse)
        assert last.status == 0
        return b"".join(parts)

    def sense(self, cdb: bytes, *, lun: int = 1, reads: int = 0, data: bytes = b"") -> Sense:
        """Return the sense of a command that must end with CHECK CONDITION."""
        return sense_of(only(self.command(cdb, lun=lun, reads=reads, writes=len(data), data=data), p.ScsiResponse))

    def good(self, cdb: bytes, *, lun: int = 1, data: bytes = b"") -> None:
        """Carry out a command without data for us; it must end GOOD."""
        response = only(self.command(cdb, lun=lun, writes=len(data), data=data), p.ScsiResponse)
        assert response.status == 0

    def text(self, *pairs: tuple[str, str]) -> list[tuple[str, str]]:
        tag, cmd_sn = self.new_tag(), self.next_cmd_sn()
        request = p.TextRequest(bytes(8), tag, p.NO_TAG, cmd_sn, 0, data=join_pairs(pairs))
        response = only(self.send(request), p.TextResponse)
        assert response.final
        return parse_pairs(bytes(response.data))


def only(pdus: list[Pdu], kind: type[PduT]) -> PduT:
    """Return the one PDU there is, which must be of this kind."""
    assert [type(pdu) for pdu in pdus] == [kind]
    pdu = pdus[0]
    assert isinstance(pdu, kind)
    return pdu


def sense_of(response: p.ScsiResponse) -> Sense:
    """Return the sense data of a response."""
    assert response.status == 2
    data = bytes(response.data)
    assert int.from_bytes(data[:2], "big") == len(data) - 2
    sense = parse_fixed(data[2:])
    assert sense is not None
    return sense


def keys(response: p.LoginResponse) -> dict[str, str]:
    """Return the text of a login response."""
    return dict(parse_pairs(bytes(response.data)))


def read_10(blocks: int, lba: int = 0) -> bytes:
    return b"\x28\0" + lba.to_bytes(4, "big") + b"\0" + blocks.to_bytes(2, "big") + b"\0"


def write_10(blocks: int, lba: int = 0) -> bytes:
    return b"\x2a" + read_10(blocks, lba)[1:]


def logged_in(*extra: tuple[str, str], settings: OperationalSettings | None = None) -> tuple[RawPeer, FakeFabric]:
    fabric = FakeFabric()
    initiator = RawPeer(target(fabric, settings=settings))
    initiator.login(*extra)
    return initiator, fabric
