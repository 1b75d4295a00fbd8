"""`key=value` text of login and text requests (RFC 7143 §6.1), in one PDU or in several."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from simulators.iscsi.errors import PeerViolation

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT_LIMIT = 65536
"""No negotiation of ours comes near this; a longer one is an attack on our memory."""
VALUE_LIMIT = 8192

# §6.1: a key begins with a capital letter. iSCSIProtocolLevel (RFC 7144 §7) does not; `#` is of extension keys (X#).
_KEY = re.compile(rb"(?:[A-Z]|i(?=SCSI))[A-Za-z0-9.\-+@_#]{0,62}")

Pairs: TypeAlias = list[tuple[str, str]]


def parse_pairs(text: bytes) -> Pairs:
    """Return the pairs in order, or raise `PeerViolation`."""
    if not text:
        return []
    pieces = text.split(b"\0")
    # §6.1: every key=value pair, including the last, is followed by one NULL; padding adds more of them.
    return [_parse_pair(piece) for piece in pieces if piece]


def _parse_pair(piece: bytes) -> tuple[str, str]:
    key, equals, value = piece.partition(b"=")
    if not equals or not _KEY.fullmatch(key):
        raise PeerViolation(f"text is not key=value: {key[:63]!r}")
    if len(value) > VALUE_LIMIT:
        raise PeerViolation(f"the value of {key.decode()} has {len(value)} bytes, more than {VALUE_LIMIT}")
    try:
        return key.decode("ascii"), value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PeerViolation(f"the value of {key.decode()} is not UTF-8") from error


def join_pairs(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return the wire form."""
    return b"".join(f"{key}={value}\0".encode() for key, value in pairs)


class TextCollector:
    """Put the pieces of one text together that arrive with the C bit set."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def add(self, piece: bytes) -> None:
        """Keep one piece."""
        self._length += len(piece)
        if self._length > TEXT_LIMIT:
            raise PeerViolation(f"a negotiation text exceeds {TEXT_LIMIT} bytes")
        self._pieces.append(piece)

    def take(self) -> Pairs:
        """Return the pairs of all pieces and start over."""
        text = b"".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return parse_pairs(text)


class TextFeeder:
    """Hand out one text in pieces that fit the peer's MaxRecvDataSegmentLength."""

    def __init__(self) -> None:
        self._rest = b""

    def load(self, text: bytes) -> None:
        """Replace what remains to be sent."""
        self._rest = text

    @property
    def has_more(self) -> bool:
        """Whether another piece must follow: the value of the C bit."""
        return bool(self._rest)

    def take(self, limit: int) -> bytes:
        """Return the next piece."""
        piece, self._rest = self._rest[:limit], self._rest[limit:]
        return piece
