"""The 48 bytes that every PDU begins with (RFC 7143 §11.2.1).

Opcode, flags, two specific bytes, lengths, eight bytes (LUN, or ISID and TSIH), initiator task tag, and seven
32-bit words: all PDUs share this skeleton, so they share one `struct`.
"""

from __future__ import annotations

from struct import Struct
from typing import TypeAlias

BHS_BYTES = 48
NO_TAG = 0xFFFFFFFF
"""The reserved value of initiator and target task tags."""
FINAL = 0x80
IMMEDIATE = 0x40
CONTINUE = 0x40

_BHS = Struct(">BBBBI8s8I")
_PADS = (b"", b"\0\0\0", b"\0\0", b"\0")
_NO_LUN = bytes(8)

Chunk: TypeAlias = bytes | memoryview
Header: TypeAlias = tuple[int, int, int, int, int, bytes, int, int, int, int, int, int, int, int]


def frame(
    opcode: int,
    *,
    flags: int = FINAL,
    specific: tuple[int, int] = (0, 0),
    lun: bytes = _NO_LUN,
    tag: int,
    words: tuple[int, ...],
    data: Chunk = b"",
) -> tuple[Chunk, ...]:
    """Return header, data and padding of one PDU, not yet joined."""
    length = len(data)
    padded = words + (0,) * (7 - len(words))
    header = _BHS.pack(opcode, flags, *specific, length, lun, tag, *padded)
    return (header, data, _PADS[length & 3]) if length else (header,)


def unpack(header: bytes) -> Header:
    """Return the fields of 48 bytes."""
    return _BHS.unpack(header)


def padded(data: Chunk) -> tuple[Chunk, ...]:
    """Return data with its padding to a multiple of four."""
    return (data, _PADS[len(data) & 3])
