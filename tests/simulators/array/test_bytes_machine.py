"""Whatever is written, kept, cloned, put back, grown and thrown away in whatever order: every byte is where it belongs.

The oracle keeps whole copies where the array shares blocks. Volumes are read as initiators read them, snapshots and
deleted volumes from behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simulators.array.adapters import TableWitness
from simulators.array.clones import CloneTime
from simulators.array.extents import EXTENT_BYTES
from simulators.array.limits import Limits
from simulators.array.lio_store import LioStore
from tests.simulators.array.tongues import ElementTongue, Tongue, VpsaTongue

BLOCK = 512
TINY = Limits(
    volume_size_min=EXTENT_BYTES,
    size_granularity=EXTENT_BYTES,
    volume_size_max=8 * EXTENT_BYTES,
    snapshots_per_volume=1000,
)
CLONE_TIME = CloneTime(calls=1)

extents = st.integers(1, 4)
picks = st.integers(0, 7)
places = st.integers(0, 8 * EXTENT_BYTES // BLOCK - 1)
lengths = st.sampled_from([1, 3, 8, 9, 64])


@dataclass
class Kept:
    """A snapshot as it should be."""

    volume_id: int
    content: bytes


class Bytes(RuleBasedStateMachine):
    """`active` and `deleted` are volumes by number, `pending` what becomes of them when clones are done.

    Here is what both APIs can do.
    """

    def __init__(self, tongue: Tongue) -> None:
        super().__init__()
        self.tongue, self.core = tongue, tongue.core
        self.witness = TableWitness(self.core, list)
        self.active: dict[int, bytearray] = {}
        self.deleted: dict[int, bytearray] = {}
        self.snapshots: dict[int, Kept] = {}
        self.pending: list[tuple[int, bytes | None]] = []
        self.written = 0

    @initialize()
    def furnish(self) -> None:
        self.create(3)

    @rule(size=extents)
    def create(self, size: int) -> None:
        self.active[self.tongue.create(size * EXTENT_BYTES)] = bytearray(size * EXTENT_BYTES)

    def ready(self) -> list[int]:
        """Volumes that are not clones in the making."""
        in_the_making = {number for number, content in self.pending if content is None}
        return sorted(self.active.keys() - in_the_making)

    def chosen(self, pick: int) -> int:
        return self.ready()[pick % len(self.ready())]

    def unit(self, number: int) -> Any:
        return self.tongue.unit(number)

    def span(self, number: int, place: int, length: int) -> tuple[int, int]:
        blocks = len(self.active[number]) // BLOCK
        start = place % blocks
        return start * BLOCK, min(length, blocks - start) * BLOCK

    @precondition(lambda self: self.ready())
    @rule(pick=picks, place=places, length=lengths)
    def write(self, pick: int, place: int, length: int) -> None:
        number = self.chosen(pick)
        offset, size = self.span(number, place, length)
        self.written = self.written % 255 + 1
        data = bytes([self.written]) * size
        self.unit(number).write(offset, data)
        self.active[number][offset : offset + size] = data

    @precondition(lambda self: self.ready())
    @rule(pick=picks, place=places, length=lengths)
    def unmap(self, pick: int, place: int, length: int) -> None:
        number = self.chosen(pick)
        offset, size = self.span(number, place, length)
        self.unit(number).unmap(offset, size)
        self.active[number][offset : offset + size] = bytes(size)

    @precondition(lambda self: self.active)
    @rule(pick=picks, more=extents)
    def grow(self, pick: int, more: int) -> None:
        number = sorted(self.active)[pick % len(self.active)]
        size = min(len(self.active[number]) + more * EXTENT_BYTES, TINY.volume_size_max)
        self.tongue.grow(number, size)
        self.active[number].extend(bytes(size - len(self.active[number])))

    @precondition(lambda self: self.ready())
    @rule(pick=picks)
    def snapshot(self, pick: int) -> None:
        number = self.chosen(pick)
        self.snapshots[self.tongue.snapshot(number)] = Kept(number, bytes(self.active[number]))

    def usable(self) -> list[int]:
        """Snapshots whose volume can be used."""
        return [number for number, kept in self.snapshots.items() if kept.volume_id in self.ready()]

    def forgettable(self) -> list[int]:
        """Snapshots that can be deleted."""
        return [number for number, kept in self.snapshots.items() if kept.volume_id in self.active]

    @precondition(lambda self: self.forgettable())
    @rule(pick=picks)
    def forget(self, pick: int) -> None:
        number = sorted(self.forgettable())[pick % len(self.forgettable())]
        self.tongue.forget(number)
        del self.snapshots[number]

    @precondition(lambda self: self.ready() and len(self.pending) < 2)
    @rule(pick=picks, size=st.none() | extents)
    def clone(self, pick: int, size: int | None) -> None:
        number = self.chosen(pick)
        self.begin_clone(number, None, bytes(self.active[number]), size)

    @precondition(lambda self: self.usable() and len(self.pending) < 2)
    @rule(pick=picks, size=st.none() | extents)
    def clone_a_snapshot(self, pick: int, size: int | None) -> None:
        number = self.usable()[pick % len(self.usable())]
        kept = self.snapshots[number]
        self.begin_clone(kept.volume_id, number, kept.content, size)

    def begin_clone(self, number: int, snapshot_id: int | None, content: bytes, size: int | None) -> None:
        wanted = None if size is None else size * EXTENT_BYTES
        made = self.tongue.clone(number, snapshot_id, wanted)
        size_bytes = self.core.model.volumes.get(made).size_bytes
        assert size_bytes in (wanted, len(content))
        self.active[made] = bytearray(content[:size_bytes].ljust(size_bytes, b"\0"))
        if self.core.model.volumes.get(made).is_copying:
            self.pending.append((made, None))

    @rule()
    def wait(self) -> None:
        with self.core.lock:
            self.core.model.clones.count_call()
            self.core.model.settle()
        for number, content in self.pending:
            volume = self.active.get(number, self.deleted.get(number))
            if content is not None and volume is not None:
                volume[:] = content[: len(volume)].ljust(len(volume), b"\0")
        self.pending.clear()

    @precondition(lambda self: self.active)
    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        number = sorted(self.active)[pick % len(self.active)]
        self.tongue.delete(number)
        self.deleted[number] = self.active.pop(number)

    @precondition(lambda self: self.deleted)
    @rule(pick=picks)
    def purge(self, pick: int) -> None:
        number = sorted(self.deleted)[pick % len(self.deleted)]
        self.tongue.purge(number)
        del self.deleted[number]
        self.snapshots = {key: kept for key, kept in self.snapshots.items() if kept.volume_id != number}

    @invariant()
    def every_byte_is_where_it_belongs(self) -> None:
        for number in self.ready():
            unit = self.unit(number)
            assert unit.size_bytes == len(self.active[number])
            assert unit.read(0, unit.size_bytes) == self.active[number]
        volume_id, snapshot_id = self.core.model.make.volume_ids.text, self.core.model.make.snapshot_ids.text
        for number, content in (self.active | self.deleted).items():
            assert self.witness.read(volume_id(number), 0, len(content)) == content
        for number, kept in self.snapshots.items():
            assert self.witness.read_snapshot(snapshot_id(number), 0, len(kept.content)) == kept.content

    @invariant()
    def the_tables_hold_nothing_else(self) -> None:
        view = self.witness.observe()
        volume_id, snapshot_id = self.core.model.make.volume_ids.text, self.core.model.make.snapshot_ids.text
        assert {each.external_id: each.size_bytes for each in view.luns} == {
            volume_id(number): len(content) for number, content in (self.active | self.deleted).items()
        }
        assert {each.external_id: (each.lun_external_id, each.size_bytes) for each in view.snapshots} == {
            snapshot_id(number): (volume_id(kept.volume_id), len(kept.content))
            for number, kept in self.snapshots.items()
        }
        # What lies beyond the end would come back when the volume grows.
        assert all(each.written_bytes <= each.size_bytes for each in view.luns)
        assert view.used_bytes == sum(each.size_bytes for each in view.luns)

    def teardown(self) -> None:
        """When everything is gone, nothing takes up space."""
        self.wait()
        for number in sorted(self.active):
            self.tongue.delete(number)
        for number in sorted(self.active | self.deleted):
            self.tongue.purge(number)
        count = self.core.model.capacity.extents
        assert (count.value, count.mapped, self.core.model.snapshots.mapped_bytes) == (0, 0, 0)


class BytesByVpsa(Bytes):
    """By forms and paths."""

    def __init__(self, store: LioStore | None = None) -> None:
        super().__init__(VpsaTongue(TINY, store))


class BytesByElement(Bytes):
    """By methods, with what only they can do."""

    def __init__(self, store: LioStore | None = None) -> None:
        self.element = ElementTongue(TINY, CLONE_TIME, store)
        super().__init__(self.element)

    def call(self, method: str, **params: object) -> Any:
        return self.element.call(method, **params)

    def forgettable(self) -> list[int]:
        return list(self.snapshots)

    @precondition(lambda self: self.ready())
    @rule(several=st.sets(picks, min_size=1, max_size=3))
    def snapshot_together(self, several: set[int]) -> None:
        numbers = sorted({self.chosen(each) for each in several})
        for member in self.call("CreateGroupSnapshot", volumes=numbers)["members"]:
            number = member["volumeID"]
            self.snapshots[member["snapshotID"]] = Kept(number, bytes(self.active[number]))

    @precondition(lambda self: self.usable())
    @rule(pick=picks, saves=st.booleans())
    def revert(self, pick: int, saves: bool) -> None:
        snapshot_id = self.usable()[pick % len(self.usable())]
        kept = self.snapshots[snapshot_id]
        now = bytes(self.active[kept.volume_id])
        answer = self.call(
            "RollbackToSnapshot", volumeID=kept.volume_id, snapshotID=snapshot_id, saveCurrentState=saves
        )
        if saves:
            self.snapshots[answer["snapshotID"]] = Kept(kept.volume_id, now)
        self.active[kept.volume_id] = bytearray(kept.content)

    @precondition(lambda self: self.ready() and len(self.pending) < 2)
    @rule(pick=picks, other=picks)
    def copy(self, pick: int, other: int) -> None:
        source, destination = self.chosen(pick), self.chosen(other)
        if len(self.active[source]) == len(self.active[destination]):
            self.call("CopyVolume", volumeID=source, dstVolumeID=destination)
            self.pending.append((destination, bytes(self.active[source])))

    @precondition(lambda self: self.deleted)
    @rule(pick=picks)
    def restore(self, pick: int) -> None:
        number = sorted(self.deleted)[pick % len(self.deleted)]
        self.call("RestoreDeletedVolume", volumeID=number)
        self.active[number] = self.deleted.pop(number)


TestBytesByElement = pytest.mark.slow(BytesByElement.TestCase)
TestBytesByElement.settings = settings(max_examples=40, stateful_step_count=40)
TestBytesByVpsa = pytest.mark.slow(BytesByVpsa.TestCase)
TestBytesByVpsa.settings = settings(max_examples=40, stateful_step_count=40)
