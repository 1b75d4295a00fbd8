"""What can be wrong with bytes on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_HEADER_BYTES = 48
_INTERESTING = (0x00, 0x01, 0x02, 0x3F, 0x40, 0x7F, 0x80, 0xFE, 0xFF)
_MOST_NOISE = 200


def _flip_bit(wire: bytearray, chance: Random) -> None:
    wire[chance.randrange(len(wire))] ^= 1 << chance.randrange(8)


def _flip_header_bit(wire: bytearray, chance: Random) -> None:
    wire[chance.randrange(min(len(wire), _HEADER_BYTES))] ^= 1 << chance.randrange(8)


def _set_header_byte(wire: bytearray, chance: Random) -> None:
    wire[chance.randrange(min(len(wire), _HEADER_BYTES))] = chance.choice(_INTERESTING)


def _set_header_word(wire: bytearray, chance: Random) -> None:
    at = 4 * chance.randrange(_HEADER_BYTES // 4)
    wire[at : at + 4] = bytes(chance.choice(_INTERESTING) for _ in range(4))


def _cut(wire: bytearray, chance: Random) -> None:
    del wire[chance.randrange(len(wire)) :]


def _insert(wire: bytearray, chance: Random) -> None:
    at = chance.randrange(len(wire))
    wire[at:at] = chance.randbytes(chance.randrange(1, 9))


def _repeat(wire: bytearray, _chance: Random) -> None:
    wire *= 2


def _scramble_data(wire: bytearray, chance: Random) -> None:
    if len(wire) > _HEADER_BYTES:
        at = chance.randrange(_HEADER_BYTES, len(wire))
        wire[at : at + 8] = chance.randbytes(min(8, len(wire) - at))


_WAYS: tuple[Callable[[bytearray, Random], None], ...] = (
    _flip_bit,
    _flip_header_bit,
    _flip_header_bit,
    _set_header_byte,
    _set_header_byte,
    _set_header_word,
    _scramble_data,
    _scramble_data,
    _cut,
    _insert,
    _repeat,
)


def mutate(wire: bytes, chance: Random) -> bytes:
    """Return the bytes with one or a few things wrong."""
    spoiled = bytearray(wire)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if spoiled:
            chance.choice(_WAYS)(spoiled, chance)
    return bytes(spoiled)


def noise(chance: Random) -> bytes:
    """Return bytes that nobody meant."""
    return chance.randbytes(chance.randrange(1, _MOST_NOISE))
