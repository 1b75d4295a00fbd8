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
from simulators.array.administrator import Administrator
from simulators.array.chance import SeededChance
from simulators.array.clones import CloneTime
from simulators.array.core import ArrayCore, ArraySize
from simulators.array.element_api.http import METHODS
from simulators.array.element_api.method import Scene
from simulators.array.element_api.parameters import Arguments
from simulators.array.extents import EXTENT_BYTES
from simulators.array.limits import Limits
from simulators.array.management import Addresses

BLOCK = 512
HOST = "iqn.2000-01.org.example:host"
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
    """`active` and `deleted` are volumes by number, `pending` what becomes of them when clones are done."""

    def __init__(self) -> None:
        super().__init__()
        self.core = ArrayCore(
            size=ArraySize(limits=TINY, clone_time=CLONE_TIME),
            administrator=Administrator("admin", "x"),
            chance=SeededChance("bytes"),
        )
        self.scene = Scene(self.core.model, Addresses("m", "s"))
        self.witness = TableWitness(self.core, list)
        self.active: dict[int, bytearray] = {}
        self.deleted: dict[int, bytearray] = {}
        self.snapshots: dict[int, Kept] = {}
        self.pending: list[tuple[int, bytes | None]] = []
        self.written = 0

    def call(self, method: str, **params: object) -> Any:
        found = METHODS[method]
        return found.run(self.scene, Arguments(params, found.parameters))

    @initialize()
    def furnish(self) -> None:
        self.call("AddAccount", username="tenant")
        self.create(3)

    @rule(size=extents)
    def create(self, size: int) -> None:
        made = self.call("CreateVolume", name="v", accountID=1, totalSize=size * EXTENT_BYTES)
        self.active[made["volumeID"]] = bytearray(size * EXTENT_BYTES)

    def ready(self) -> list[int]:
        """Volumes that are not clones in the making."""
        in_the_making = {number for number, content in self.pending if content is None}
        return sorted(self.active.keys() - in_the_making)

    def chosen(self, pick: int) -> int:
        return self.ready()[pick % len(self.ready())]

    def unit(self, number: int) -> Any:
        iqn = self.core.model.volumes.get(number).iqn
        return self.core.fabric.units(HOST, iqn)[0]

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
        self.call("ModifyVolume", volumeID=number, totalSize=size)
        self.active[number].extend(bytes(size - len(self.active[number])))

    @precondition(lambda self: self.ready())
    @rule(pick=picks)
    def snapshot(self, pick: int) -> None:
        number = self.chosen(pick)
        made = self.call("CreateSnapshot", volumeID=number)
        self.snapshots[made["snapshotID"]] = Kept(number, bytes(self.active[number]))

    @precondition(lambda self: self.ready())
    @rule(several=st.sets(picks, min_size=1, max_size=3))
    def snapshot_together(self, several: set[int]) -> None:
        numbers = sorted({self.chosen(each) for each in several})
        for member in self.call("CreateGroupSnapshot", volumes=numbers)["members"]:
            number = member["volumeID"]
            self.snapshots[member["snapshotID"]] = Kept(number, bytes(self.active[number]))

    def usable(self) -> list[int]:
        """Snapshots whose volume can be used."""
        return [number for number, kept in self.snapshots.items() if kept.volume_id in self.ready()]

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

    @precondition(lambda self: self.snapshots)
    @rule(pick=picks)
    def forget(self, pick: int) -> None:
        number = sorted(self.snapshots)[pick % len(self.snapshots)]
        self.call("DeleteSnapshot", snapshotID=number)
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
        size_bytes = len(content) if size is None else size * EXTENT_BYTES
        wanted = {"snapshotID": snapshot_id, "newSize": None if size is None else size_bytes}
        made = self.call("CloneVolume", volumeID=number, name="c", **wanted)
        self.active[made["volumeID"]] = bytearray(content[:size_bytes].ljust(size_bytes, b"\0"))
        self.pending.append((made["volumeID"], None))

    @precondition(lambda self: self.ready() and len(self.pending) < 2)
    @rule(pick=picks, other=picks)
    def copy(self, pick: int, other: int) -> None:
        source, destination = self.chosen(pick), self.chosen(other)
        if len(self.active[source]) == len(self.active[destination]):
            self.call("CopyVolume", volumeID=source, dstVolumeID=destination)
            self.pending.append((destination, bytes(self.active[source])))

    @rule()
    def wait(self) -> None:
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
        self.call("DeleteVolume", volumeID=number)
        self.deleted[number] = self.active.pop(number)

    @precondition(lambda self: self.deleted)
    @rule(pick=picks)
    def restore(self, pick: int) -> None:
        number = sorted(self.deleted)[pick % len(self.deleted)]
        self.call("RestoreDeletedVolume", volumeID=number)
        self.active[number] = self.deleted.pop(number)

    @precondition(lambda self: self.deleted)
    @rule(pick=picks)
    def purge(self, pick: int) -> None:
        number = sorted(self.deleted)[pick % len(self.deleted)]
        self.call("PurgeDeletedVolume", volumeID=number)
        del self.deleted[number]
        self.snapshots = {key: kept for key, kept in self.snapshots.items() if kept.volume_id != number}

    @invariant()
    def every_byte_is_where_it_belongs(self) -> None:
        for number in self.ready():
            unit = self.unit(number)
            assert unit.size_bytes == len(self.active[number])
            assert unit.read(0, unit.size_bytes) == self.active[number]
        for number, content in (self.active | self.deleted).items():
            assert self.witness.read(str(number), 0, len(content)) == content
        for number, kept in self.snapshots.items():
            assert self.witness.read_snapshot(str(number), 0, len(kept.content)) == kept.content

    @invariant()
    def the_tables_hold_nothing_else(self) -> None:
        view = self.witness.observe()
        assert {int(each.external_id): each.size_bytes for each in view.luns} == {
            number: len(content) for number, content in (self.active | self.deleted).items()
        }
        assert {int(each.external_id): (int(each.lun_external_id), each.size_bytes) for each in view.snapshots} == {
            number: (kept.volume_id, len(kept.content)) for number, kept in self.snapshots.items()
        }
        # What lies beyond the end would come back when the volume grows.
        assert all(each.written_bytes <= each.size_bytes for each in view.luns)
        assert view.used_bytes == sum(each.size_bytes for each in view.luns)

    def teardown(self) -> None:
        """When everything is gone, nothing takes up space."""
        self.wait()
        for number in sorted(self.active):
            self.call("DeleteVolume", volumeID=number)
        for number in sorted(self.active | self.deleted):
            self.call("PurgeDeletedVolume", volumeID=number)
        count = self.core.model.capacity.extents
        assert (count.value, count.mapped, self.core.model.snapshots.mapped_bytes) == (0, 0, 0)


TestBytes = pytest.mark.slow(Bytes.TestCase)
TestBytes.settings = settings(max_examples=40, stateful_step_count=40)
