"""Header and data digests: CRC32C (RFC 7143 §13.1), in its own few lines, because only digests need it.

Few initiators ask for them and none of ours unasked, so that a table of 256 entries is fast enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.iscsi.basic_header import Chunk

DIGEST_BYTES = 4
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
_ONES = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Digests:
    """Which digests a connection carries once its login is complete."""

    header: bool = False
    data: bool = False


def _entry(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_TABLE = tuple(_entry(value) for value in range(256))


def digest(*pieces: Chunk) -> bytes:
    """Return the four bytes that follow what is protected, padding included."""
    table, crc = _TABLE, _ONES
    for piece in pieces:
        for byte in piece:
            crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    # RFC 7143 §13.1 maps the CRC to the wire so that its least significant byte goes first.
    return (crc ^ _ONES).to_bytes(4, "little")
