"""Data for the initiator, cut to what it can take (RFC 7143 §11.7): segments within bursts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Piece:
    """What one Data-In PDU carries."""

    number: int
    offset: int
    data: memoryview
    ends_burst: bool
    is_last: bool


def cut(data: memoryview, segment_limit: int, burst_limit: int) -> Iterator[Piece]:
    """Yield the pieces in order; no piece crosses the end of a burst."""
    offset, number, end = 0, 0, len(data)
    while offset < end:
        burst_end = min(end, (offset // burst_limit + 1) * burst_limit)
        piece_end = min(offset + segment_limit, burst_end)
        chunk = data[offset:piece_end]
        yield Piece(number, offset, chunk, ends_burst=piece_end == burst_end, is_last=piece_end == end)
        offset, number = piece_end, number + 1
