"""Commands that succeed, or fail for their own good reasons: what fuzzing begins with and then spoils."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi import opcodes as op
from simulators.iscsi.scsi.command_table import COMMANDS
from tests.simulators.iscsi.fake_fabric import identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_BLOCK = 512
_MODE_PAGES = (
    bytes.fromhex("0a0a000008" + "00" * 7),
    bytes.fromhex("0a0a" + "00" * 10),
    bytes.fromhex("081200" + "00" * 17),
    bytes.fromhex("5c020014" + "01" + "00" * 11 + "9202000000000001"),
)
_TEN, _TWELVE, _SIXTEEN = (2, 4, 7, 2), (2, 4, 6, 4), (2, 8, 10, 4)
_ON_BLOCKS: dict[int, tuple[tuple[int, int, int, int], int]] = {
    **dict.fromkeys((op.READ_10, op.SYNCHRONIZE_CACHE_10, op.PRE_FETCH_10), (_TEN, 0)),
    **dict.fromkeys((op.READ_16, op.SYNCHRONIZE_CACHE_16, op.PRE_FETCH_16), (_SIXTEEN, 0)),
    **dict.fromkeys((op.WRITE_10, op.WRITE_AND_VERIFY_10, op.VERIFY_10), (_TEN, 1)),
    **dict.fromkeys((op.WRITE_12, op.WRITE_AND_VERIFY_12, op.VERIFY_12), (_TWELVE, 1)),
    **dict.fromkeys((op.WRITE_16, op.WRITE_AND_VERIFY_16, op.VERIFY_16, op.ORWRITE), (_SIXTEEN, 1)),
    op.READ_12: (_TWELVE, 0),
    op.WRITE_ATOMIC_16: ((2, 8, 12, 2), 1),
    op.COMPARE_AND_WRITE: ((2, 8, 13, 1), 2),
}
"""Where LBA and count are, and how many times the count is sent."""


def command(chance: Random) -> tuple[bytes, bytes]:
    """Return a CDB and the data that goes with it."""
    return chance.choice(_MAKERS)(chance)


def _on_blocks(chance: Random) -> tuple[bytes, bytes]:
    opcode = chance.choice(list(_ON_BLOCKS))
    (lba_at, lba_length, count_at, count_length), times = _ON_BLOCKS[opcode]
    blocks = chance.choice((0, 1, 2, 8, 64))
    cdb = _blank(opcode)
    cdb[1] = chance.choice((0, 0, 0, 2, 6, 8, 0x10)) & _usage(opcode)[1]
    cdb[lba_at : lba_at + lba_length] = chance.choice((0, 1, 8, 511, 512)).to_bytes(lba_length, "big")
    cdb[count_at : count_at + count_length] = blocks.to_bytes(count_length, "big")
    is_without_data = opcode in {op.VERIFY_10, op.VERIFY_12, op.VERIFY_16} and not cdb[1] & 2
    block = bytes((chance.choice((0, 0, 0xFF)),)) * _BLOCK
    return bytes(cdb), b"" if is_without_data else block * (blocks * times)


def _write_same(chance: Random) -> tuple[bytes, bytes]:
    cdb = _blank(op.WRITE_SAME_16)
    cdb[1] = chance.choice((0, 1, 8, 9))
    cdb[13] = chance.choice((0, 1, 64))
    return bytes(cdb), b"" if cdb[1] & 1 else bytes((chance.choice((0, 7)),)) * _BLOCK


def _unmap(chance: Random) -> tuple[bytes, bytes]:
    lba, blocks = chance.choice((0, 8, 500)), chance.choice((0, 8, 12, 100))
    data = bytes.fromhex("0016001000000000") + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes(4)
    return bytes(_blank(op.UNMAP)[:7]) + len(data).to_bytes(2, "big") + b"\0", data


def _reserve_out(chance: Random) -> tuple[bytes, bytes]:
    keys = [chance.choice((1, 1, 1, 1, 0, 2)).to_bytes(8, "big") for _ in range(2)]
    cdb = _blank(op.PERSISTENT_RESERVE_OUT)
    cdb[1], cdb[2], cdb[8] = chance.choice((6, 6, *range(8))), chance.choice((1, 3, 5, 6, 7, 8)), 24
    return bytes(cdb), b"".join(keys) + bytes((0, 0, 0, 0, chance.choice((0, 0, 1)), 0, 0, 0))


def _mode_select(chance: Random) -> tuple[bytes, bytes]:
    pages = b"".join(chance.choice(_MODE_PAGES) for _ in range(chance.choice((1, 1, 2))))
    if chance.random() < 0.5:
        data = bytes(4) + pages
        return bytes((op.MODE_SELECT_6, 0x10, 0, 0, len(data), 0)), data
    data = bytes(8) + pages
    return bytes((op.MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, 0, len(data), 0)), data


def _copy(chance: Random) -> tuple[bytes, bytes]:
    naa = bytes.fromhex(identity().naa)
    target = bytes((0xE4, 0, 0, 0, 1, 3, 0, 16)) + naa + bytes(4) + bytes((0, 0, 2, 0))
    segment = bytes((2, 0, 0, 24, 0, 0, 0, chance.choice((0, 0, 0, 1)), 0, 0)) + chance.choice((1, 8)).to_bytes(
        2, "big"
    )
    segment += chance.choice((0, 100)).to_bytes(8, "big") + chance.choice((8, 511)).to_bytes(8, "big")
    head = bytes((chance.randrange(3), 0)) + (32).to_bytes(2, "big") + bytes(4) + (28).to_bytes(4, "big") + bytes(4)
    data = head + target + segment
    return bytes((op.EXTENDED_COPY, 0)) + bytes(8) + len(data).to_bytes(4, "big") + bytes(2), data


def _question(chance: Random) -> tuple[bytes, bytes]:
    """Return one of those that only want an answer, of any length."""
    known = chance.choice(
        (
            *("120000006000", "12018300ff00", "1201b000ff00", "1201b200ff00", "1a003f00ff00", "5a00bfff000000ffff00"),
            *("4d004c000000000100" + "00", "5e000000000000ffff00", "5e030000000000ffff00", "a30c8000000000ffff000000"),
            *(
                "a30a000000000000ffff0000",
                "a30c0335000000ffff000000",
                "9e12" + "00" * 11 + "ff0000",
                "a0" + "00" * 8 + "ff0000",
            ),
            *(
                "840301" + "00" * 9 + "ff000000"[:8],
                "840001" + "00" * 9 + "ff000000"[:8],
                "030000001200",
                "1b0000000100",
            ),
        )
    )
    return bytes.fromhex(known), b""


_MAKERS: tuple[Callable[[Random], tuple[bytes, bytes]], ...] = (
    *[_on_blocks] * 5,
    *[_reserve_out] * 2,
    *[_question] * 3,
    _write_same,
    _unmap,
    _mode_select,
    _copy,
)
_USAGE = {each.opcode: each.usage for each in COMMANDS}


def _usage(opcode: int) -> bytes:
    return _USAGE[opcode]


def _blank(opcode: int) -> bytearray:
    return bytearray((opcode,)) + bytes(len(_USAGE[opcode]) - 1)
