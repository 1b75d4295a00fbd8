"""The eight-byte LUN structure of SAM-5 §4.7: single level, peripheral device or flat space addressing."""

from __future__ import annotations

from functools import lru_cache

from simulators.iscsi.errors import SimulatorBug

MAX_LUN_NUMBER = 16383


@lru_cache(maxsize=1024)
def encode_lun(lun_number: int) -> bytes:
    """Return the LUN field for a number: peripheral addressing below 256, flat space addressing above."""
    if not 0 <= lun_number <= MAX_LUN_NUMBER:
        raise SimulatorBug(f"LUN number {lun_number} does not fit single-level addressing (0..{MAX_LUN_NUMBER})")
    address = lun_number if lun_number < 256 else 0x4000 | lun_number
    return address.to_bytes(2, "big") + bytes(6)


@lru_cache(maxsize=1024)
def decode_lun(field: bytes) -> int | None:
    """Return the number in a LUN field, or None for a form that addresses nothing here."""
    if any(field[2:]):
        return None
    address = int.from_bytes(field[:2], "big")
    method, number = address >> 14, address & MAX_LUN_NUMBER
    if method == 1 or (method == 0 and number < 256):
        return number
    return None
