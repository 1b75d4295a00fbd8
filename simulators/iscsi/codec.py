"""Bytes to PDUs and back, incrementally.

Total: any bytes give PDUs or a `PeerViolation`, never another exception. Memory is bounded: the reader keeps
at most one incomplete PDU, refuses a data segment longer than what was declared, and refuses additional
header segments longer than one extended CDB needs. A wrong header digest is a violation; a wrong data digest
gives a `Damaged` PDU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.digest import DIGEST_BYTES, digest
from simulators.iscsi.errors import PeerViolation
from simulators.iscsi.pdu import BHS_BYTES, Damaged, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.iscsi.digest import Digests
    from simulators.iscsi.pdu import Chunk, Pdu

DATA_SEGMENT_LIMIT = 262144
"""The MaxRecvDataSegmentLength that both our roles declare."""
AHS_LIMIT = 256
"""An extended CDB has at most 260 bytes, 16 of them in the basic header (RFC 7143 §11.2.2)."""


class PduReader:
    """Cut a byte stream into PDUs.

    Received pieces are joined only once enough of them are there for the next PDU, so that a stream costs the same in
    pieces of any size, and a PDU that arrives in one piece is copied once.
    """

    def __init__(self, data_segment_limit: int = DATA_SEGMENT_LIMIT) -> None:
        self._limit = data_segment_limit
        self._buffer = b""
        self._position = 0
        self._later: list[bytes] = []
        self._available = 0
        self._needed = BHS_BYTES
        self.digests: Digests | None = None
        """What the peer adds to its PDUs, once the login has agreed on it."""
        self.header = b""
        """The basic header of the last PDU, which a Reject must quote."""

    @property
    def pending_bytes(self) -> int:
        """How much of an incomplete PDU (or of PDUs not yet asked for) is held."""
        return self._available

    def feed(self, data: bytes) -> None:
        """Add received bytes; then call `next_pdu` until it returns None."""
        self._later.append(data)
        self._available += len(data)

    def next_pdu(self) -> Pdu | None:
        """Return the next complete PDU, or None when more bytes are needed."""
        if self._available < self._needed:
            return None
        self._gather()
        start = self._position + BHS_BYTES
        header = self._buffer[self._position : start]
        ahs_length, data_length = self._lengths(header)
        if self.digests:
            return self._next_with_digests(self.digests, header, ahs_length, data_length)
        self._needed = BHS_BYTES + ahs_length + data_length + (-data_length & 3)
        if self._available < self._needed:
            return None
        data = self._buffer[start + ahs_length : start + ahs_length + data_length]
        self._position += self._needed
        self._available -= self._needed
        self._needed = BHS_BYTES
        self.header = header
        return parse(header, data)

    def _next_with_digests(self, digests: Digests, header: bytes, ahs_length: int, data_length: int) -> Pdu | None:
        """Do the same for a PDU with digests: the header's is looked at before the lengths are trusted with data."""
        headers_end = BHS_BYTES + ahs_length
        start = headers_end + (DIGEST_BYTES if digests.header else 0)
        padded_length = data_length + (-data_length & 3)
        has_data_digest = digests.data and data_length > 0
        self._needed = start
        if self._available < start:
            return None
        whole = memoryview(self._buffer)[self._position :]
        if digests.header and whole[headers_end:start] != digest(whole[:headers_end]):
            raise PeerViolation("the header digest is wrong")
        self._needed = start + padded_length + (DIGEST_BYTES if has_data_digest else 0)
        if self._available < self._needed:
            return None
        data_end = start + padded_length
        is_damaged = has_data_digest and whole[data_end : self._needed] != digest(whole[start:data_end])
        pdu = parse(header, bytes(whole[start : start + data_length]))
        self._position += self._needed
        self._available -= self._needed
        self._needed = BHS_BYTES
        self.header = header
        return Damaged(pdu) if is_damaged else pdu

    def _gather(self) -> None:
        if not self._later:
            return
        rest = self._buffer[self._position :]
        self._buffer = b"".join((rest, *self._later)) if rest or len(self._later) > 1 else self._later[0]
        self._position = 0
        self._later.clear()

    def _lengths(self, header: bytes) -> tuple[int, int]:
        ahs_length = header[4] * 4
        data_length = int.from_bytes(header[5:8], "big")
        if data_length > self._limit:
            raise PeerViolation(f"a data segment of {data_length} bytes exceeds the declared {self._limit}")
        if ahs_length > AHS_LIMIT:
            raise PeerViolation(f"{ahs_length} bytes of additional header exceed the limit of {AHS_LIMIT}")
        return ahs_length, data_length


def encode(pdus: Iterable[Pdu], digests: Digests | None = None) -> bytes:
    """Return the wire form of some PDUs, joined once."""
    parts: list[Chunk] = []
    for pdu in pdus:
        parts.extend(pdu.frame() if digests is None else _with_digests(pdu.frame(), digests))
    return b"".join(parts)


def _with_digests(frame: tuple[Chunk, ...], digests: Digests) -> Iterable[Chunk]:
    header, *data = frame
    yield header
    if digests.header:
        yield digest(header)
    yield from data
    if digests.data and data:
        yield digest(*data)
