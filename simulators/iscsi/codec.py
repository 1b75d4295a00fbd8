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
    """Cut a byte stream into PDUs."""

    def __init__(self, data_segment_limit: int = DATA_SEGMENT_LIMIT) -> None:
        self._limit = data_segment_limit
        self._buffer = bytearray()
        self.header = b""
        """The basic header of the last PDU, which a Reject must quote."""

    @property
    def pending_bytes(self) -> int:
        """How much of an incomplete PDU (or of PDUs not yet asked for) is held."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Add received bytes; then call `next_pdu` until it returns None."""
        self._buffer += data

    def next_pdu(self) -> Pdu | None:
        """Return the next complete PDU, or None when more bytes are needed."""
        buffer = self._buffer
        if len(buffer) < BHS_BYTES:
            return None
        ahs_length, data_length = self._lengths()
        data_start = BHS_BYTES + ahs_length
        end = data_start + data_length + (-data_length & 3)
        if len(buffer) < end:
            return None
        with memoryview(buffer) as view:
            self.header = bytes(view[:BHS_BYTES])
            data = bytes(view[data_start : data_start + data_length])
        del buffer[:end]
        return parse(self.header, data)

    def _lengths(self) -> tuple[int, int]:
        ahs_length = self._buffer[4] * 4
        data_length = int.from_bytes(self._buffer[5:8], "big")
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
