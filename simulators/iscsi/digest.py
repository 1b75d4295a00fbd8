"""Header and data digests: CRC32C (RFC 7143 §13.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import google_crc32c

if TYPE_CHECKING:
    from simulators.iscsi.basic_header import Chunk

DIGEST_BYTES = 4


@dataclass(frozen=True, slots=True)
class Digests:
    """Which digests a connection carries once its login is complete."""

    header: bool = False
    data: bool = False


def digest(*pieces: Chunk) -> bytes:
    """Return the four bytes that follow what is protected, padding included."""
    crc = 0
    for piece in pieces:
        crc = google_crc32c.extend(crc, bytes(piece))
    # RFC 7143 §13.1 maps the CRC to the wire so that its least significant byte goes first.
    return crc.to_bytes(DIGEST_BYTES, "little")
