"""Snapshots and clones in a world: made through the plugin, found by the witness, undone at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.contract import (
    ArrayView,
    CachedTemplate,
    Created,
    Snapshot,
    SnapshotRequest,
    Template,
    VolumeRequest,
    WitnessedSnapshot,
    WitnessPower,
)
from conformance.errors import BeyondDeclared
from conformance.strategies.names import Name
from conformance.strategies.sizes import Granules, Size
from conformance.verdict import Broken, Violation
from conformance.world import watching_copies
from conformance.world.hosts import WithHosts
from conformance.world.volumes import Made

if TYPE_CHECKING:
    from conformance.subject import RunningSubject


@dataclass(eq=False, slots=True)
class Taken:
    """A snapshot taken in this world, of which volume, and as the witness found it (None without one)."""

    snapshot: Snapshot
    of: Made
    seen: WitnessedSnapshot | None

    @property
    def uuid(self) -> str:
        """The owner's uuid."""
        return self.snapshot.uuid


@dataclass(eq=False, slots=True)
class Seeded:
    """A template's LUN. `made` is it as a volume, so that hosts can be granted and bytes written."""

    cached: CachedTemplate
    made: Made


Source = Made | Taken | Seeded


class WithSnapshots(WithHosts):
    """Snapshots, clones and cached templates in a world."""

    def __init__(self, subject: RunningSubject, tag: str, *, hypervisor: bool = False) -> None:
        super().__init__(subject, tag, hypervisor=hypervisor)
        self._taken: dict[str, Taken] = {}
        self._seeded: dict[str, Seeded] = {}

    @property
    def copier(self) -> Any:
        """The driver, as one with the optional protocols: gating has seen to it that it has what a property calls."""
        return self.driver

    @property
    def snapshots(self) -> list[Taken]:
        """The snapshots that are there, oldest first."""
        return list(self._taken.values())

    def resize(self, made: Made, size_bytes: int) -> int:
        """Grow a volume that a property needs grown; answers the new size in bytes."""
        answer = super().resize(made, size_bytes)
        watching_copies.after_growth(self)
        return answer

    def _after_delete(self, made: Made) -> None:
        super()._after_delete(made)
        watching_copies.after_delete(self, made)

    # --- snapshots ---------------------------------------------------------------------------------------------------

    def snapshot_request(self, name: Name | None = None) -> SnapshotRequest:
        """A request for a new snapshot; each plain name is the beginning of the next."""
        plain = f"{self._prefix}{self.tag}-snapshot" + "1" * self._named
        self._named += 1
        return SnapshotRequest(self._uuid(self._next()), self._named_like(name, plain))

    def snapshot(self, made: Made, request: SnapshotRequest | None = None) -> Taken:
        """Take a snapshot that a property needs; failing is charged to the requirement on that."""
        request = request or self.snapshot_request()
        if request.uuid not in self._taken:
            self.check_room_for_snapshot(made)
        before = self.view() if self._sees_snapshots else None
        answer = self._step("take_snapshot", lambda: self.driver_snapshot(made, request))
        return self.keep_snapshot(made, request, answer, before)

    def check_room_for_snapshot(self, made: Made) -> None:
        """Go no further with a property that needs more snapshots of a volume than the plugin declares."""
        most = self.subject.declared.limits.snapshots_per_volume
        there = sum(each.of is made for each in self._taken.values())
        if most is not None and there >= most:
            raise BeyondDeclared(f"no more than {there} snapshots of a volume: limits.snapshots_per_volume")

    def driver_snapshot(self, made: Made, request: SnapshotRequest) -> Created:
        """Call `take_snapshot` as the cloud would; what it makes is removed at the end."""
        at = self._at(made)
        if request.uuid not in self._taken:
            self._will_take(made, request)
        answer: Created = self.copier.take_snapshot(at, made.volume, request, quiesced=False)
        return answer

    def _will_take(self, made: Made, request: SnapshotRequest) -> None:
        unknown = _snapshot(request, made, None)
        self._forgotten.discard(request.uuid)
        self._undo.append(("delete_snapshot", lambda: self._delete_taken(unknown, made.store_uuid)))

    def keep_snapshot(self, made: Made, request: SnapshotRequest, answer: Created, before: ArrayView | None) -> Taken:
        """Keep what `take_snapshot` answered, with what came to the array."""
        seen = self._new_snapshot(before) if before is not None else None
        taken = self._taken[request.uuid] = Taken(_snapshot(request, made, answer), made, seen)
        watching_copies.after_snapshot(self, taken)
        if seen is not None:
            self._plant_namesakes("snapshot", seen.name)
        return taken

    def delete_snapshot(self, taken: Taken) -> None:
        """Delete a snapshot; failing is charged to the requirement on that."""
        self._step("delete_snapshot", lambda: self.copier.delete_snapshot(self._at(taken.of), taken.snapshot))
        self.forget_snapshots(taken)
        watching_copies.after_delete_snapshot(self, taken)

    def forget_snapshots(self, *snapshots: Taken) -> None:
        """Do not delete these at the end: they are gone already, or go with their volume."""
        for taken in snapshots:
            self._forgotten.add(taken.uuid)
            self._taken.pop(taken.uuid, None)

    def revert(self, made: Made, taken: Taken) -> None:
        """Put a volume's bytes back while no host has it; the hosts that had it are granted again."""
        with self.released(made):
            before = watching_copies.snapshots_there(self)
            self._step("revert", lambda: self.copier.revert(self._at(made), made.volume, taken.snapshot))
            watching_copies.after_revert(self, made, taken, before)

    @contextmanager
    def released(self, made: Made) -> Iterator[None]:
        """No host has the volume meanwhile; those that had it are granted again."""
        holders = list(made.granted)
        for host in holders:
            self.revoke(made, host)
        yield
        for host in holders:
            self.grant(made, host)

    # --- clones ------------------------------------------------------------------------------------------------------

    def clone(self, source: Source, request: VolumeRequest | None = None) -> Made:
        """Clone what a property needs cloned; failing is charged to the requirement on that."""
        request = request or self.clone_request(source)
        before = self.view() if self.witness.powers else None
        step = _cloning(source)
        answer = self._step(step, lambda: self.driver_clone(source, request))
        size_home = "TPL-002" if isinstance(source, Seeded) else "CLN-004"
        watch = partial(watching_copies.after_clone, size_home=size_home)
        return self.keep(request, answer, before, self._at(_volume_of(source)), watch=watch, step=step)

    def clone_request(self, source: Source, more: Size | None = None) -> VolumeRequest:
        """A request for a volume as large as the source, or that much larger."""
        size_bytes = _size_of(source)
        if isinstance(more, Granules):
            limits = self.subject.declared.limits
            larger = size_bytes + more.count * limits.granularity_bytes
            size_bytes = max(size_bytes, min(larger, limits.largest_lun_bytes))
        return replace(self.request(), size_bytes=size_bytes)

    def driver_clone(self, source: Source, request: VolumeRequest) -> Created:
        """Call `clone` as the cloud would; what it makes is removed at the end."""
        at = self._at(_volume_of(source))
        self.will_make(request, at)
        answer: Created = self.copier.clone(at, request, self.placement, _object_of(source))
        return answer

    # --- templates ---------------------------------------------------------------------------------------------------

    def seed(self, content: bytes = b"", size: Size | None = None) -> Seeded:
        """Seed a template, fill it as the cloud does, and take the access away again."""
        request = self.request(size)
        template = self.template(request, content)
        before = self.view() if self.witness.powers else None
        answer = self._step("seed_template", lambda: self.driver_seed(request, template))
        made = self.keep(request, answer, before, None, watch=watching_copies.after_seed, step="seed_template")
        self._made.pop(made.uuid)
        cached = CachedTemplate(
            request.uuid, template, answer.external_id, answer.size_bytes, answer.identity, answer.details
        )
        seeded = self._seeded[request.uuid] = Seeded(cached, made)
        if content:
            self.fill_template(seeded, content)
        return seeded

    def template(self, request: VolumeRequest, content: bytes = b"") -> Template:
        """What the LUN of this request is to hold."""
        return Template("memory:template", "raw", request.size_bytes, hashlib.sha256(content).hexdigest())

    def unseed(self, request: VolumeRequest) -> None:
        """Call `delete_template` as the cloud does that knows the uuid and nothing else."""
        unknown = CachedTemplate(request.uuid, self.template(request), None, request.size_bytes)
        self.copier.delete_template(self.store, unknown)

    def driver_seed(self, request: VolumeRequest, template: Template) -> Created:
        """Call `seed_template` as the cloud would; what it makes is removed at the end."""
        self._stay_within_budget(request.size_bytes)
        store = self.store
        unknown = CachedTemplate(request.uuid, template, None, request.size_bytes)
        self._undo.append(("delete_template", lambda: self._delete_seeded(unknown)))
        answer: Created = self.copier.seed_template(store, request.uuid, template, request.size_bytes)
        return answer

    def fill_template(self, seeded: Seeded, content: bytes) -> None:
        """Write the template's bytes as a host that is granted for that only."""
        host = self.host("filler")
        store, target = self.store, seeded.cached
        self._step("grant_access", lambda: self.driver.grant_access(store, target, host))
        connection = self.block(self._step("connection", lambda: self.driver.connection(store, target, host)))
        session = self._opened(host, connection)
        session.write(0, content)
        session.close()
        self._step("revoke_access", lambda: self.driver.revoke_access(store, target, host, []))

    def delete_template(self, seeded: Seeded) -> None:
        """Delete a cached template; failing is charged to the requirement on that."""
        self._step("delete_template", lambda: self.copier.delete_template(self.store, seeded.cached))
        self._forgotten.add(seeded.cached.uuid)
        self._seeded.pop(seeded.cached.uuid, None)

    # --- plumbing ----------------------------------------------------------------------------------------------------

    @property
    def _sees_snapshots(self) -> bool:
        return WitnessPower.SNAPSHOTS in self.witness.powers

    def _new_snapshot(self, before: ArrayView) -> WitnessedSnapshot:
        known = {each.external_id for each in before.snapshots}
        new = [each for each in self.view().snapshots if each.external_id not in known]
        if len(new) != 1:
            seen = f"{len(new)} new snapshots on the array"
            raise Broken(Violation("take_snapshot to make exactly one", seen, "the array", self.home("take_snapshot")))
        return new[0]

    def _delete_taken(self, unknown: Snapshot, store_uuid: str) -> None:
        store = self._stores.get(store_uuid)
        if unknown.uuid in self._forgotten or store is None:
            return
        taken = self._taken.pop(unknown.uuid, None)
        self.copier.delete_snapshot(store, taken.snapshot if taken else unknown)
        if taken:
            watching_copies.after_delete_snapshot(self, taken)

    def _delete_seeded(self, unknown: CachedTemplate) -> None:
        seeded = self._seeded.pop(unknown.uuid, None)
        if unknown.uuid not in self._forgotten:
            self.copier.delete_template(self.store, seeded.cached if seeded else unknown)


def _snapshot(request: SnapshotRequest, made: Made, answer: Created | None) -> Snapshot:
    volume = made.volume
    return Snapshot(
        request,
        volume.uuid,
        str(volume.external_id),
        answer.external_id if answer else None,
        answer.size_bytes if answer else volume.size_bytes,
        answer.details if answer else {},
    )


def _cloning(source: Source) -> str:
    if isinstance(source, Taken):
        return "clone"
    return "clone of a volume" if isinstance(source, Made) else "clone of a template"


def _volume_of(source: Source) -> Made:
    if isinstance(source, Made):
        return source
    return source.of if isinstance(source, Taken) else source.made


def _object_of(source: Source) -> object:
    return (
        source.volume if isinstance(source, Made) else source.snapshot if isinstance(source, Taken) else source.cached
    )


def _size_of(source: Source) -> int:
    if isinstance(source, Made):
        return source.volume.size_bytes
    return source.snapshot.size_bytes if isinstance(source, Taken) else source.cached.size_bytes
