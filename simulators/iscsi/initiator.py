"""The initiator as a caller wants it: blocking calls over any byte stream."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from simulators.iscsi import initiator_events as events
from simulators.iscsi import initiator_machine as machine
from simulators.iscsi.byte_stream import dial_socket
from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.errors import (
    CheckCondition,
    ConnectionClosed,
    InvalidRequest,
    LoginRefused,
    MutualAuthenticationFailed,
    RequestRejected,
    UnexpectedStatus,
)
from simulators.iscsi.lun_address import decode_lun
from simulators.iscsi.negotiation import OperationalSettings
from simulators.iscsi.scsi import opcodes as codes
from simulators.iscsi.scsi.sense import UNIT_ATTENTION, parse_fixed
from simulators.kernel.clock import MonotonicClock
from simulators.kernel.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Protocol

    from simulators.iscsi.byte_stream import ByteStream, Dial
    from simulators.iscsi.digest import Digests
    from simulators.kernel.clock import Clock

    class ChapSource(Protocol):
        """Whatever has the four facts of CHAP."""

        @property
        def username(self) -> str: ...
        @property
        def secret(self) -> bytes: ...
        @property
        def mutual_username(self) -> str | None: ...
        @property
        def mutual_secret(self) -> bytes | None: ...


TRANSFER_BYTES = 256 << 10
"""The most one READ or WRITE of ours moves; longer ones are split."""
UNMAP_BYTES = 512 << 20
"""The most one UNMAP of ours covers; less where the block limits page says so."""
_RECEIVE_BYTES = 1 << 20
_ALLOCATION = 65535
# Reset, inventory changed, capacity changed: told once, then the command may be sent again (SAM-5 §5.14).
_RETRIED_ATTENTIONS = frozenset({(0x29, 0x00), (0x29, 0x03), (0x3F, 0x0E), (0x2A, 0x09)})
_ISID_RANDOM = 0x80  # §11.12.5: T=10b, three random bytes and a qualifier

EventT = TypeVar("EventT", bound=events.Event)


class Initiator:
    """An initiator node with one name. Every login is a session of its own unless an `isid` is given."""

    def __init__(
        self,
        initiator_iqn: str,
        dial: Dial = dial_socket,
        clock: Clock | None = None,
        *,
        entropy: Callable[[int], bytes] = os.urandom,
        settings: OperationalSettings | None = None,
    ) -> None:
        self.initiator_iqn = initiator_iqn
        self.transcript = Transcript(clock or MonotonicClock())
        self._dial = dial
        self._entropy = entropy
        self._settings = settings or OperationalSettings()

    def discover(
        self, address: str, port: int, chap: ChapSource | None = None
    ) -> list[tuple[str, list[tuple[str, int]]]]:
        """Return the targets that a portal shows us, each with its portals (SendTargets=All)."""
        link = self._connect(address, port, None, chap, None)
        try:
            tag = link.machine.text([("SendTargets", "All")])
            pairs = link.wait_for(events.TextAnswered, tag).pairs
            link.wait_for(events.LoggedOut, link.machine.logout())
        finally:
            link.close()
        return _targets(pairs)

    def login(
        self,
        address: str,
        port: int,
        target_iqn: str,
        chap: ChapSource | None = None,
        *,
        isid: bytes | None = None,
    ) -> Session:
        """Log in to a target; with mutual credentials the target must prove itself too."""
        return Session(self._connect(address, port, target_iqn, chap, isid), self.initiator_iqn, target_iqn)

    def _connect(
        self, address: str, port: int, target_iqn: str | None, chap: ChapSource | None, isid: bytes | None
    ) -> Link:
        plan = machine.LoginPlan(
            initiator_iqn=self.initiator_iqn,
            isid=isid or bytes((_ISID_RANDOM,)) + self._entropy(5),
            target_iqn=target_iqn,
            chap=_credentials(chap),
            settings=self._settings,
        )
        connection = machine.InitiatorConnection(plan, self._entropy, self.transcript)
        link = Link(connection, self._dial(address, port), plan.isid)
        try:
            connection.start()
            link.login = link.wait_for(events.LoginCompleted)
        except BaseException:
            link.close()
            raise
        return link


class Link:
    """A machine and its stream."""

    def __init__(self, connection: machine.InitiatorConnection, stream: ByteStream, isid: bytes) -> None:
        self.machine = connection
        self.isid = isid
        self.login = events.LoginCompleted(0, "None", None)
        self._stream = stream

    def wait_for(self, kind: type[EventT], tag: int | None = None) -> EventT:
        """Move bytes until the event comes; what ends the connection or the request is raised."""
        while True:
            if output := self.machine.take_output():
                self._stream.send(output)
            data = self._stream.receive(_RECEIVE_BYTES)
            if not data:
                self.close()
                raise ConnectionClosed("the target closed the connection")
            for event in self.machine.receive(data):
                _raise_failure(event, tag)
                if isinstance(event, kind) and (tag is None or getattr(event, "tag", None) == tag):
                    return event

    def close(self) -> None:
        """Hang up."""
        self._stream.close()


def _raise_failure(event: events.Event, tag: int | None) -> None:
    match event:
        case events.LoginWasRefused():
            raise LoginRefused(*event.status)
        case events.TargetWasNotAuthenticated():
            raise MutualAuthenticationFailed("the target did not prove that it knows the mutual CHAP secret")
        case events.WasRejected() if tag is None or event.tag == tag:
            raise RequestRejected(event.reason)


class Session:
    """A logged-in session. Not thread-safe: one thread at a time."""

    def __init__(self, link: Link, initiator_iqn: str, target_iqn: str) -> None:
        self.initiator_iqn = initiator_iqn
        self.target_iqn = target_iqn
        self._link = link
        self._blocks: dict[int, int] = {}
        self._unmaps: dict[int, int] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def isid(self) -> bytes:
        """Our half of the session's identity."""
        return self._link.isid

    @property
    def tsih(self) -> int:
        """The target's half."""
        return self._link.login.tsih

    @property
    def auth_method(self) -> str:
        """`None` or `CHAP`."""
        return self._link.login.auth_method

    @property
    def chap_algorithm(self) -> int | None:
        """5 (MD5), 7 (SHA-256), or None without CHAP."""
        return self._link.login.chap_algorithm

    # ---- what is there -------------------------------------------------------------------------------------

    def report_luns(self) -> list[int]:
        """Return the LUN numbers that this initiator may see."""
        cdb = bytes((codes.REPORT_LUNS, 0, 0, 0, 0, 0)) + (1 << 20).to_bytes(4, "big") + bytes(2)
        data = self.execute(0, cdb, data_in_limit=1 << 20)
        end = 8 + int.from_bytes(data[:4], "big")
        numbers = [decode_lun(data[at : at + 8]) for at in range(8, min(end, len(data)), 8)]
        return [number for number in numbers if number is not None]

    def inquiry(self, lun: int) -> bytes:
        """Return standard INQUIRY data."""
        return self.execute(lun, _inquiry(0, 0), data_in_limit=_ALLOCATION)

    def vpd(self, lun: int, page: int) -> bytes:
        """Return a page of vital product data, with its four bytes of header."""
        return self.execute(lun, _inquiry(1, page), data_in_limit=_ALLOCATION)

    def wwid(self, lun: int) -> str:
        """Return the NAA designator in hexadecimal."""
        page = self.vpd(lun, 0x83)
        at = 4
        while at + 4 <= len(page):
            length = page[at + 3]
            if page[at + 1] & 0x3F == 3:  # associated with the logical unit, type NAA
                return page[at + 4 : at + 4 + length].hex()
            at += 4 + length
        raise InvalidRequest(f"LUN {lun} of {self.target_iqn} has no NAA designator")

    def read_capacity(self, lun: int) -> tuple[int, int]:
        """Return size and block length in bytes."""
        cdb = bytes((codes.SERVICE_ACTION_IN_16, codes.READ_CAPACITY_16)) + bytes(8)
        data = self.execute(lun, cdb + (32).to_bytes(4, "big") + bytes(2), data_in_limit=32)
        block = int.from_bytes(data[8:12], "big")
        self._blocks[lun] = block
        return (int.from_bytes(data[:8], "big") + 1) * block, block

    def test_unit_ready(self, lun: int) -> None:
        """Ask whether commands would be accepted."""
        self.execute(lun, bytes(6))

    # ---- data ----------------------------------------------------------------------------------------------

    def read(self, lun: int, offset: int, length: int) -> bytes:
        """Return bytes; offset and length must be whole blocks."""
        parts = []
        for start, piece in self._pieces(lun, offset, length, TRANSFER_BYTES):
            cdb = self._block_cdb(lun, codes.READ_16, start, piece)
            data = self.execute(lun, cdb, data_in_limit=piece)
            if len(data) != piece:
                raise ConnectionClosed(f"the target returned {len(data)} of {piece} bytes with status GOOD")
            parts.append(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, lun: int, offset: int, data: bytes) -> None:
        """Store bytes; offset and length must be whole blocks."""
        for start, piece in self._pieces(lun, offset, len(data), TRANSFER_BYTES):
            cdb = self._block_cdb(lun, codes.WRITE_16, start, piece)
            chunk = data if piece == len(data) else data[start - offset : start - offset + piece]
            self.execute(lun, cdb, data_out=chunk)

    def unmap(self, lun: int, offset: int, length: int) -> None:
        """Deallocate a range of a thin unit."""
        for start, piece in self._pieces(lun, offset, length, self._unmap_bytes(lun)):
            block = self._block_bytes(lun)
            descriptor = (start // block).to_bytes(8, "big") + (piece // block).to_bytes(4, "big") + bytes(4)
            parameters = (22).to_bytes(2, "big") + (16).to_bytes(2, "big") + bytes(4) + descriptor
            cdb = bytes((codes.UNMAP,)) + bytes(6) + len(parameters).to_bytes(2, "big") + bytes(1)
            self.execute(lun, cdb, data_out=parameters)

    def flush(self, lun: int) -> None:
        """Make earlier writes durable."""
        self.execute(lun, bytes((codes.SYNCHRONIZE_CACHE_10,)) + bytes(9))

    def execute(self, lun: int, cdb: bytes, *, data_out: bytes = b"", data_in_limit: int = 0) -> bytes:
        """Carry out one SCSI command; after a unit attention that only brings news it is repeated."""
        taken: set[tuple[int, int]] = set()
        while True:
            tag = self._link.machine.command(lun, cdb, data_out=data_out, data_in_limit=data_in_limit)
            done = self._link.wait_for(events.CommandCompleted, tag)
            if done.status == 0 and done.response == 0:
                return done.data
            error = _failure(done)
            news = (error.asc, error.ascq)
            is_news = error.sense_key == UNIT_ATTENTION and news in _RETRIED_ATTENTIONS
            if not is_news or news in taken:
                raise error
            taken.add(news)

    # ---- the session itself --------------------------------------------------------------------------------

    def ping(self, data: bytes = b"") -> bytes:
        """Send a NOP-Out and return what comes back."""
        return self._link.wait_for(events.Pinged, self._link.machine.ping(data)).data

    @property
    def digests(self) -> Digests | None:
        """The digests that were agreed on, if any."""
        return self._link.machine.parameters.digests

    def reset_unit(self, lun: int) -> None:
        """LOGICAL UNIT RESET."""
        tag = self._link.machine.manage_task(5, lun)
        response = self._link.wait_for(events.TaskManaged, tag).response
        if response != 0:
            raise RequestRejected(response, "logical unit reset")

    def logout(self) -> None:
        """End the session in order, then hang up."""
        self._link.wait_for(events.LoggedOut, self._link.machine.logout())
        self.close()

    def close(self) -> None:
        """Hang up without a word; repeating it is allowed."""
        self._link.close()

    # ---- pieces --------------------------------------------------------------------------------------------

    def _block_bytes(self, lun: int) -> int:
        if lun not in self._blocks:
            self.read_capacity(lun)
        return self._blocks[lun]

    def _unmap_bytes(self, lun: int) -> int:
        """Return what one UNMAP may cover: MAXIMUM UNMAP LBA COUNT of VPD page B0, where it says anything."""
        if lun not in self._unmaps:
            blocks = int.from_bytes(self.vpd(lun, 0xB0)[20:24], "big")
            self._unmaps[lun] = min(blocks * self._block_bytes(lun), UNMAP_BYTES) or UNMAP_BYTES
        return self._unmaps[lun]

    def _pieces(self, lun: int, offset: int, length: int, limit: int) -> list[tuple[int, int]]:
        block = self._block_bytes(lun)
        if offset < 0 or length < 0 or offset % block or length % block:
            raise InvalidRequest(f"offset {offset} and length {length} are not whole blocks of {block} bytes")
        end = offset + length
        return [(start, min(limit, end - start)) for start in range(offset, end, limit)]

    def _block_cdb(self, lun: int, code: int, offset: int, length: int) -> bytes:
        block = self._block_bytes(lun)
        return bytes((code, 0)) + (offset // block).to_bytes(8, "big") + (length // block).to_bytes(4, "big") + bytes(2)


def _failure(done: events.CommandCompleted) -> CheckCondition:
    sense = parse_fixed(done.sense)
    if done.response != 0 or sense is None:
        raise UnexpectedStatus(done.status)
    return CheckCondition(sense.key, sense.asc, sense.ascq)


def _inquiry(evpd: int, page: int) -> bytes:
    return bytes((codes.INQUIRY, evpd, page)) + _ALLOCATION.to_bytes(2, "big") + bytes(1)


def _credentials(chap: ChapSource | None) -> ChapCredentials | None:
    if chap is None:
        return None
    return ChapCredentials(chap.username, chap.secret, chap.mutual_username, chap.mutual_secret)


def _targets(pairs: list[tuple[str, str]]) -> list[tuple[str, list[tuple[str, int]]]]:
    targets: list[tuple[str, list[tuple[str, int]]]] = []
    for name, value in pairs:
        if name == "TargetName":
            targets.append((value, []))
        elif name == "TargetAddress" and targets:
            targets[-1][1].append(_portal(value))
    return targets


def _portal(address: str) -> tuple[str, int]:
    place, _, _tag = address.partition(",")
    host, _, port = place.rpartition(":")
    return (host.strip("[]"), int(port)) if host else (place, 3260)
