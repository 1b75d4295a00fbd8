"""Sizes: whole GB of 2^30 bytes."""

from __future__ import annotations

from typing import Final

from conformance.contract import InvalidRequest, Limits

from .vpsa import GB

# The array's own largest volume is nowhere told: what pools of this kind have.
LIMITS: Final = Limits(smallest_lun_bytes=GB, largest_lun_bytes=64 << 40, granularity_bytes=GB)


def gigabytes_of_new(size_bytes: int) -> int:
    """What a LUN of this size really gets; what is below the smallest is rounded up to it."""
    if not 0 < size_bytes <= LIMITS.largest_lun_bytes:
        raise InvalidRequest("size_bytes", size_bytes, f"1 to {LIMITS.largest_lun_bytes} bytes")
    return LIMITS.rounded_up(size_bytes) // GB
