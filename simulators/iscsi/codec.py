"""Bytes to PDUs and back, incrementally.

Total: any bytes give PDUs or a `PeerViolation`, never another exception. Memory is bounded: the reader keeps
at most one incomplete PDU, refuses a data segment longer than what was declared, and refuses additional
header segments longer than one extended CDB needs. Digests are never negotiated, so none are expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.errors import PeerViolation
from simulators.iscsi.pdu import BHS_BYTES, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        self._needed = BHS_BYTES + ahs_length + data_length + (-data_length & 3)
        if self._available < self._needed:
            return None
        data = self._buffer[start + ahs_length : start + ahs_length + data_length]
        self._position += self._needed
        self._available -= self._needed
        self._needed = BHS_BYTES
        self.header = header
        return parse(header, data)

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


def encode(pdus: Iterable[Pdu]) -> bytes:
    """Return the wire form of some PDUs, joined once."""
    parts: list[Chunk] = []
    for pdu in pdus:
        parts.extend(pdu.frame())
    return b"".join(parts)
