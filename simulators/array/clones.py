"""Clones: volumes that begin with what another volume or snapshot holds, and copies over a volume that exists.

What is cloned is what the source holds at the moment of asking; it takes a while until it can be used. A clone is on
the array at once but has no target until its job is done, a copy replaces what the destination holds at that moment.
Jobs are asked for by number, and forgotten when their answer has been read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from simulators.array.limits import check_count
from simulators.array.qos import QosChange
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register
from simulators.array.volume import VolumeWish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from simulators.array.limits import Limits
    from simulators.array.snapshots import Snapshots
    from simulators.array.store import Blocks
    from simulators.array.surroundings import Now
    from simulators.array.volume import Access, Volume
    from simulators.array.volumes import Volumes


@dataclass(frozen=True, slots=True)
class CloneTime:
    """How long a job takes: until so many calls to a management API have come after it, and this much time is over."""

    calls: int = 2
    span: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class CloneWish:
    """What a caller wants of a clone; None is as the source has it."""

    volume_id: int
    name: str
    snapshot_id: int | None = None
    account_id: int | None = None
    size_bytes: int | None = None
    access: Access | None = None
    attributes: Mapping[str, object] | None = None
    has_512e: bool | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Numbers of what is copied from and to."""

    source_id: int
    volume_id: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a source held when it was asked for."""

    size_bytes: int
    blocks: Blocks = field(repr=False)


@dataclass(slots=True)
class CloneJob:
    """Clones or a copy in the making, or done; `content` is what a copy will put into its destination."""

    job_id: int
    pairs: tuple[Pair, ...]
    created_at: datetime
    updated_at: datetime
    ready_at: datetime
    ready_at_call: int
    is_group: bool = False
    content: Held | None = None
    is_done: bool = False
    failure: Refused | None = None


class Clones:
    """The array's clone jobs, by number; the clones themselves are volumes like others."""

    def __init__(self, *, volumes: Volumes, snapshots: Snapshots, limits: Limits, now: Now, time: CloneTime) -> None:
        self._volumes = volumes
        self._snapshots = snapshots
        self._limits = limits
        self._now = now
        self._time = time
        self._calls = 0
        self._running: dict[int, CloneJob] = {}
        self.jobs: Register[CloneJob] = Register()

    def get(self, job_id: int) -> CloneJob:
        """The job of that number, if its answer has not been read yet."""
        job = self.jobs.find(job_id)
        if job is None:
            raise Refused(Reason.JOB_UNKNOWN, f"Async handle {job_id} does not exist.")
        return job

    def forget(self, job: CloneJob) -> None:
        """Drop a job that is done."""
        self.jobs.remove(job.job_id)

    def clone(self, wishes: Sequence[CloneWish], *, is_group: bool = False) -> CloneJob:
        """Begin to make clones: all of them or none."""
        if not wishes:
            raise Refused(Reason.VALUE_NOT_ALLOWED, "there is nothing to clone: name at least one volume")
        check_count(len(wishes), self._limits.volumes_per_group_snapshot, "volumes per group clone.")
        sources = [self._volumes.get_ready(each.volume_id) for each in wishes]
        self._check_jobs([each.volume_id for each in sources])
        wanted = [self._wanted(source, wish) for source, wish in zip(sources, wishes, strict=True)]
        clones = self._volumes.create_all(wanted)
        pairs = (Pair(source.volume_id, clone.volume_id) for source, clone in zip(sources, clones, strict=True))
        return self._begin(tuple(pairs), is_group=is_group)

    def copy(self, volume_id: int, destination_id: int, snapshot_id: int | None) -> CloneJob:
        """Begin to overwrite a volume with what another of the same size holds."""
        volume, destination = self._volumes.get_ready(volume_id), self._volumes.get_ready(destination_id)
        source = volume if snapshot_id is None else self._snapshots.get_of(volume, snapshot_id)
        if destination.size_bytes != source.size_bytes:
            raise Refused(
                Reason.VALUE_NOT_ALLOWED,
                f"dstVolumeID {destination_id} has {destination.size_bytes} bytes and the source {source.size_bytes}: "
                "expected the same size",
            )
        self._check_jobs([volume_id])
        return self._begin((Pair(volume_id, destination_id),), content=Held(source.size_bytes, source.blocks.fork()))

    def cancel(self, job_id: int, *, is_group: bool) -> list[Volume]:
        """Stop a job; the half-made clones, which are still on the array, are returned."""
        job = self._running.get(job_id)
        if job is None or job.is_group is not is_group:
            raise Refused(Reason.CLONE_UNKNOWN, f"clone {job_id} is not in the making.")
        del self._running[job_id]
        self.jobs.remove(job_id)
        if job.content is None:
            return [each for each in self._destinations(job) if each is not None]
        job.content.blocks.clear()
        return []

    def count_call(self) -> None:
        """A call to a management API has begun."""
        self._calls += 1

    def finish_due(self) -> None:
        """Finish the jobs whose time has come."""
        for job in [each for each in self._running.values() if self._is_due(each)]:
            del self._running[job.job_id]
            self._finish(job)

    def _wanted(self, volume: Volume, wish: CloneWish) -> VolumeWish:
        source = volume if wish.snapshot_id is None else self._snapshots.get_of(volume, wish.snapshot_id)
        return VolumeWish(
            name=wish.name,
            account_id=volume.account_id if wish.account_id is None else wish.account_id,
            size_bytes=source.size_bytes if wish.size_bytes is None else wish.size_bytes,
            has_512e=volume.has_512e if wish.has_512e is None else wish.has_512e,
            qos=QosChange(volume.qos.min_iops, volume.qos.max_iops, volume.qos.burst_iops),
            attributes=volume.attributes if wish.attributes is None else wish.attributes,
            access=wish.access or volume.access,
            content=source,
            is_copying=True,
        )

    def _check_jobs(self, source_ids: Sequence[int]) -> None:
        busy = Counter(pair.source_id for job in self._running.values() for pair in job.pairs)
        busy.update(source_ids)
        for source_id in source_ids:
            if busy[source_id] > self._limits.clone_jobs_per_volume:
                raise Refused(
                    Reason.TOO_MANY_CLONES_OF_VOLUME,
                    f"Exceeded max number of clone jobs per volume. volumeID={source_id} "
                    f"limit={self._limits.clone_jobs_per_volume}",
                )
        if busy.total() > self._limits.clone_jobs_per_node:
            raise Refused(
                Reason.TOO_MANY_CLONES,
                f"Exceeded max number of clone jobs per node. limit={self._limits.clone_jobs_per_node}",
            )

    def _begin(self, pairs: tuple[Pair, ...], *, is_group: bool = False, content: Held | None = None) -> CloneJob:
        at = self._now()
        job = CloneJob(
            job_id=self.jobs.next_number,
            pairs=pairs,
            created_at=at,
            updated_at=at,
            ready_at=at + self._time.span,
            ready_at_call=self._calls + self._time.calls,
            is_group=is_group,
            content=content,
        )
        self.jobs.add(job)
        self._running[job.job_id] = job
        return job

    def _is_due(self, job: CloneJob) -> bool:
        return job.ready_at <= self._now() and job.ready_at_call <= self._calls

    def _finish(self, job: CloneJob) -> None:
        job.is_done, job.updated_at = True, self._now()
        for pair, volume in zip(job.pairs, self._destinations(job), strict=True):
            if volume is None or volume.is_deleted:
                text = f"VolumeID {pair.volume_id} was deleted before the copy was done."
                job.failure = Refused(Reason.VOLUME_UNKNOWN, text)
            if volume is not None:
                self._hand_over(job, volume)
        if job.content is not None:
            job.content.blocks.clear()

    def _hand_over(self, job: CloneJob, volume: Volume) -> None:
        if job.content is None:
            self._volumes.finish_copying(volume)
        else:
            self._volumes.overwrite(volume, job.content)

    def _destinations(self, job: CloneJob) -> list[Volume | None]:
        return [self._volumes.rows.find(each.volume_id) for each in job.pairs]
