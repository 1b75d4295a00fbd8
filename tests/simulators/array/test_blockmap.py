from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.array.blockmap import BlockMap
from simulators.array.extents import EXTENT_BYTES, ExtentCount, ExtentTable

SIZE = 6 * EXTENT_BYTES

offsets = st.integers(0, SIZE - 1) | st.sampled_from([0, 1, 511, 512, 4095, 4096, 4097, 8192, SIZE - 1])
writes = st.tuples(st.just("write"), offsets, st.binary(max_size=3 * EXTENT_BYTES))
unmaps = st.tuples(st.just("unmap"), offsets, st.integers(0, SIZE).map(bytes))


@given(st.lists(writes | unmaps, max_size=12), offsets, st.integers(0, SIZE))
def test_a_block_map_reads_like_a_flat_array(changes: list[tuple[str, int, bytes]], offset: int, length: int) -> None:
    total = ExtentCount()
    blocks, flat = BlockMap(ExtentTable(total)), bytearray(SIZE)
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


@given(st.sets(st.integers(0, 600), max_size=20), st.integers(0, 600))
def test_stretches_say_where_space_is_taken(numbers: set[int], asked: int) -> None:
    size = 601 * EXTENT_BYTES - 512
    blocks = BlockMap(ExtentTable(ExtentCount()))
    for number in numbers:
        blocks.write(number * EXTENT_BYTES, b"x")
    is_there, length = blocks.allocation(asked * EXTENT_BYTES + 512, size)
    end = next((each for each in range(asked, 601) if (each in numbers) is not (asked in numbers)), 601)
    assert is_there is (asked in numbers)
    assert asked * EXTENT_BYTES + 512 + length == min(end * EXTENT_BYTES, size)


def test_nothing_written_takes_no_space() -> None:
    blocks = BlockMap(ExtentTable(ExtentCount()))
    assert blocks.read(5, 10) == bytes(10)
    assert blocks.read(5, 0) == b""
    assert blocks.written_bytes == 0


def test_space_comes_back_by_unmap_of_whole_extents_only() -> None:
    blocks = BlockMap(ExtentTable(ExtentCount()))
    blocks.write(0, b"x" * 4 * EXTENT_BYTES)
    blocks.unmap(512, EXTENT_BYTES)
    assert blocks.written_bytes == 4 * EXTENT_BYTES
    blocks.unmap(EXTENT_BYTES, 2 * EXTENT_BYTES)
    assert blocks.written_bytes == 2 * EXTENT_BYTES
    blocks.unmap(0, 1 << 60)
    assert blocks.written_bytes == 0


def test_extents_are_replaced_and_never_changed() -> None:
    """What a copy-on-write snapshot rests on."""
    blocks = BlockMap(ExtentTable(ExtentCount()))
    blocks.write(0, b"a" * EXTENT_BYTES)
    before = blocks.read(0, EXTENT_BYTES)
    blocks.write(10, b"b")
    assert before == b"a" * EXTENT_BYTES


def test_several_maps_share_one_count() -> None:
    total = ExtentCount()
    first, second = BlockMap(ExtentTable(total)), BlockMap(ExtentTable(total))
    first.write(0, b"1")
    second.write(EXTENT_BYTES - 1, b"22")
    assert total.value == 3
    second.clear()
    assert (total.value, second.written_bytes, second.read(EXTENT_BYTES, 1)) == (1, 0, b"\0")


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (4095, 2), (100, 3996), (4000, 96), (0, 4096)])
def test_unmap_zeroes_exactly_its_range(offset: int, length: int) -> None:
    blocks = BlockMap(ExtentTable(ExtentCount()))
    blocks.write(0, b"z" * 2 * EXTENT_BYTES)
    blocks.unmap(offset, length)
    seen = blocks.read(0, 2 * EXTENT_BYTES)
    assert [index for index, value in enumerate(seen) if value == 0] == list(range(offset, offset + length))


def put(extent: int, letter: bytes) -> tuple[int, bytes]:
    return extent * EXTENT_BYTES, letter * EXTENT_BYTES


def test_a_fork_costs_nothing_and_then_what_is_written_to_either() -> None:
    total = ExtentCount()
    blocks = BlockMap(ExtentTable(total))
    for each in range(600):
        blocks.write(*put(each, b"a"))
    twin = blocks.fork()
    assert (total.value, total.mapped, twin.written_bytes) == (600, 1200, blocks.written_bytes)
    blocks.write(*put(300, b"b"))
    twin.write(*put(301, b"c"))
    twin.write(*put(700, b"d"))
    assert (total.value, total.mapped) == (603, 1201)
    assert (blocks.read(300 * EXTENT_BYTES, 1), twin.read(300 * EXTENT_BYTES, 1)) == (b"b", b"a")
    assert (blocks.read(301 * EXTENT_BYTES, 1), twin.read(301 * EXTENT_BYTES, 1)) == (b"a", b"c")
    assert (blocks.read(700 * EXTENT_BYTES, 1), twin.read(700 * EXTENT_BYTES, 1)) == (b"\0", b"d")
    blocks.clear()
    assert (total.value, total.mapped) == (601, 601)
    twin.unmap(0, 1 << 60)
    assert (total.value, total.mapped) == (0, 0)


def test_forking_a_large_map_does_not_look_at_what_is_in_it() -> None:
    blocks = BlockMap(ExtentTable(ExtentCount()))
    for each in range(0, 4000, 4):
        blocks.write(*put(each * 64, b"x"))
    before = sys.getallocatedblocks()
    forks = [blocks.fork() for _ in range(100)]
    assert sys.getallocatedblocks() - before < 10 * len(forks)


maps = st.integers(0, 3)
shared_changes = st.lists(
    st.tuples(st.sampled_from(["write", "unmap", "fork", "clear"]), maps, maps, st.integers(0, 5), st.integers(1, 255)),
    max_size=25,
)


@given(shared_changes)
def test_maps_that_share_read_like_flat_arrays_and_each_extent_counts_once(
    changes: list[tuple[str, int, int, int, int]],
) -> None:
    """Chunks have 256 extents: extents 0 to 2 and 256 to 258 are in two of them."""
    total = ExtentCount()
    blocks = [BlockMap(ExtentTable(total)) for _ in range(4)]
    flat: list[dict[int, tuple[int, int]]] = [{} for _ in blocks]
    for serial, (change, one, other, where, value) in enumerate(changes):
        extent = where % 3 + where // 3 * 256
        if change == "write":
            blocks[one].write(*put(extent, bytes([value])))
            flat[one] = {**flat[one], extent: (serial, value)}
        elif change == "unmap":
            blocks[one].unmap(extent * EXTENT_BYTES, 200 * EXTENT_BYTES)
            flat[one] = {at: held for at, held in flat[one].items() if not extent <= at < extent + 200}
        elif one != other:
            blocks[one].clear()
            blocks[one] = blocks[other].fork() if change == "fork" else blocks[one]
            flat[one] = dict(flat[other]) if change == "fork" else {}
    for seen, expected in zip(blocks, flat, strict=True):
        for extent in (*range(3), *range(256, 259)):
            assert seen.read(extent * EXTENT_BYTES, 2) == bytes([expected.get(extent, (0, 0))[1]]) * 2
        assert seen.written_bytes == len(expected) * EXTENT_BYTES
    assert total.mapped == sum(map(len, flat))
    assert total.value == len({each for expected in flat for each in expected.values()})
    for each in blocks:
        each.clear()
    assert (total.value, total.mapped) == (0, 0)
