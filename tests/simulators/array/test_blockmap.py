from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.array.blockmap import EXTENT_BYTES, BlockMap, ExtentCount

SIZE = 6 * EXTENT_BYTES

offsets = st.integers(0, SIZE - 1) | st.sampled_from([0, 1, 511, 512, 4095, 4096, 4097, 8192, SIZE - 1])
writes = st.tuples(st.just("write"), offsets, st.binary(max_size=3 * EXTENT_BYTES))
unmaps = st.tuples(st.just("unmap"), offsets, st.integers(0, SIZE).map(bytes))


@given(st.lists(writes | unmaps, max_size=12), offsets, st.integers(0, SIZE))
def test_a_block_map_reads_like_a_flat_array(changes: list[tuple[str, int, bytes]], offset: int, length: int) -> None:
    total = ExtentCount()
    blocks, flat = BlockMap(total), bytearray(SIZE)
    for change, start, data in changes:
        piece = data[: SIZE - start]
        flat[start : start + len(piece)] = piece if change == "write" else bytes(len(piece))
        if change == "write":
            blocks.write(start, piece)
        else:
            blocks.unmap(start, len(piece))
    assert blocks.read(0, SIZE) == flat
    assert blocks.read(offset, min(length, SIZE - offset)) == flat[offset : min(offset + length, SIZE)]
    assert blocks.written_bytes == total.value * EXTENT_BYTES


def test_nothing_written_takes_no_space() -> None:
    blocks = BlockMap(ExtentCount())
    assert blocks.read(5, 10) == bytes(10)
    assert blocks.read(5, 0) == b""
    assert blocks.written_bytes == 0


def test_space_comes_back_by_unmap_of_whole_extents_only() -> None:
    blocks = BlockMap(ExtentCount())
    blocks.write(0, b"x" * 4 * EXTENT_BYTES)
    blocks.unmap(512, EXTENT_BYTES)
    assert blocks.written_bytes == 4 * EXTENT_BYTES
    blocks.unmap(EXTENT_BYTES, 2 * EXTENT_BYTES)
    assert blocks.written_bytes == 2 * EXTENT_BYTES
    blocks.unmap(0, 1 << 60)
    assert blocks.written_bytes == 0


def test_extents_are_replaced_and_never_changed() -> None:
    """What a copy-on-write snapshot will rest on."""
    blocks = BlockMap(ExtentCount())
    blocks.write(0, b"a" * EXTENT_BYTES)
    before = blocks.read(0, EXTENT_BYTES)
    blocks.write(10, b"b")
    assert before == b"a" * EXTENT_BYTES


def test_several_maps_share_one_count() -> None:
    total = ExtentCount()
    first, second = BlockMap(total), BlockMap(total)
    first.write(0, b"1")
    second.write(EXTENT_BYTES - 1, b"22")
    assert total.value == 3
    second.clear()
    assert (total.value, second.written_bytes, second.read(EXTENT_BYTES, 1)) == (1, 0, b"\0")


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (4095, 2), (100, 3996), (4000, 96), (0, 4096)])
def test_unmap_zeroes_exactly_its_range(offset: int, length: int) -> None:
    blocks = BlockMap(ExtentCount())
    blocks.write(0, b"z" * 2 * EXTENT_BYTES)
    blocks.unmap(offset, length)
    seen = blocks.read(0, 2 * EXTENT_BYTES)
    assert [index for index, value in enumerate(seen) if value == 0] == list(range(offset, offset + length))
