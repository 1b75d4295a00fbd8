"""Snapshots: what a volume held at one moment, alone or together with others at the same moment.

A snapshot belongs to its volume: it stays when the volume is deleted, and goes when that is purged. Its size is the
volume's at that moment, and rolling back restores that size too.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.array import moment
from simulators.array.limits import check_count, check_length
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from simulators.array.limits import Limits
    from simulators.array.store import Blocks
    from simulators.array.surroundings import Chance, Now
    from simulators.array.volume import Volume
    from simulators.array.volumes import Volumes


@dataclass(frozen=True, slots=True)
class SnapshotWish:
    """What a caller wants of a new snapshot; without a name it is called after the time."""

    name: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    expires_at: datetime | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class SnapshotChange:
    """What a caller wants changed; None leaves a value as it is."""

    name: str | None = None
    expires_at: datetime | None = None
    label: str | None = None


@dataclass(slots=True)
class Snapshot:
    """A snapshot; `group_id` is the number of the group snapshot it is a member of."""

    snapshot_id: int
    volume_id: int
    name: str
    size_bytes: int
    uuid: str
    created_at: datetime
    attributes: Mapping[str, object]
    blocks: Blocks = field(repr=False)
    expires_at: datetime | None = None
    label: str | None = None
    group_id: int | None = None


@dataclass(slots=True)
class GroupSnapshot:
    """Snapshots of several volumes at one moment, by number."""

    group_id: int
    name: str
    uuid: str
    created_at: datetime
    attributes: Mapping[str, object]
    members: dict[int, None] = field(default_factory=dict)


class Snapshots:
    """The array's snapshots and group snapshots. Every change happens wholly or not at all."""

    def __init__(self, *, volumes: Volumes, limits: Limits, now: Now, chance: Chance) -> None:
        self._volumes = volumes
        self._limits = limits
        self._now = now
        self._chance = chance
        self.rows: Register[Snapshot] = Register()
        self.groups: Register[GroupSnapshot] = Register()
        self.mapped_bytes = 0
        self._expiring: list[tuple[datetime, int]] = []

    def get(self, snapshot_id: int) -> Snapshot:
        """The snapshot of that number."""
        snapshot = self.rows.find(snapshot_id)
        if snapshot is None:
            raise Refused(Reason.SNAPSHOT_UNKNOWN, f"SnapshotID {snapshot_id} does not exist.")
        return snapshot

    def get_of(self, volume: Volume, snapshot_id: int) -> Snapshot:
        """The snapshot of that number, if it is one of this volume."""
        snapshot = self.get(snapshot_id)
        if snapshot.volume_id != volume.volume_id:
            raise Refused(
                Reason.SNAPSHOT_UNKNOWN,
                f"SnapshotID {snapshot_id} does not exist on volumeID {volume.volume_id}; "
                f"it is one of volumeID {snapshot.volume_id}.",
            )
        return snapshot

    def get_group(self, group_id: int) -> GroupSnapshot:
        """The group snapshot of that number."""
        group = self.groups.find(group_id)
        if group is None:
            raise Refused(Reason.GROUP_SNAPSHOT_UNKNOWN, f"GroupSnapshotID {group_id} does not exist.")
        return group

    def of(self, volume: Volume) -> list[Snapshot]:
        """A volume's snapshots, the oldest first."""
        return [self.get(each) for each in volume.snapshots]

    def members(self, group: GroupSnapshot) -> list[Snapshot]:
        """A group's snapshots."""
        return [self.get(each) for each in group.members]

    def create(self, volume_id: int, wish: SnapshotWish, *, from_snapshot: int | None = None) -> Snapshot:
        """Keep what a volume holds now, or once more what another of its snapshots holds."""
        volume = self._volumes.get_ready(volume_id)
        source = volume if from_snapshot is None else self.get_of(volume, from_snapshot)
        self._check(wish)
        self._check_room(volume)
        return self._keep(volume, source, wish, self._now())

    def create_group(self, volume_ids: Sequence[int], wish: SnapshotWish) -> GroupSnapshot:
        """Keep what several volumes hold at this one moment."""
        volumes = [self._volumes.get_ready(each) for each in dict.fromkeys(volume_ids)]
        if not volumes:
            raise Refused(Reason.VALUE_NOT_ALLOWED, "a group snapshot needs at least one volume")
        check_count(len(volumes), self._limits.volumes_per_group_snapshot, "volumes per groupSnapshot.")
        self._check(wish)
        for each in volumes:
            self._check_room(each)
        return self._keep_group(volumes, wish)

    def modify(self, snapshots: Iterable[Snapshot], change: SnapshotChange) -> None:
        """Change what is given."""
        self._check_name(change.name)
        self._check_expiry(change.expires_at)
        for each in snapshots:
            each.name = change.name or each.name
            each.label = each.label if change.label is None else change.label
            if change.expires_at is not None:
                self._let_expire(each, change.expires_at)

    def modify_group(self, group: GroupSnapshot, change: SnapshotChange) -> None:
        """Change what is given, of the group and of all its members."""
        self.modify(self.members(group), change)
        group.name = change.name or group.name

    def delete(self, snapshot: Snapshot) -> None:
        """Forget a snapshot and what only it held; a group that loses its last member goes too."""
        self.rows.remove(snapshot.snapshot_id)
        del self._volumes.get(snapshot.volume_id).snapshots[snapshot.snapshot_id]
        if snapshot.group_id is not None:
            group = self.get_group(snapshot.group_id)
            del group.members[snapshot.snapshot_id]
            if not group.members:
                self.groups.remove(group.group_id)
        self.mapped_bytes -= snapshot.blocks.written_bytes
        snapshot.blocks.clear()

    def delete_group(self, group: GroupSnapshot, *, keeps_members: bool) -> None:
        """Forget a group snapshot, and its members unless they are to stay as single snapshots."""
        for each in self.members(group):
            if keeps_members:
                each.group_id = None
            else:
                self.delete(each)
        if keeps_members:
            self.groups.remove(group.group_id)

    def roll_back(self, volume_id: int, snapshot_id: int, saved_as: SnapshotWish | None) -> Snapshot | None:
        """Give a volume back what it held, and its size; what it holds now may be kept as a snapshot."""
        volume = self._volumes.get_ready(volume_id)
        snapshot = self.get_of(volume, snapshot_id)
        self._volumes.check_room_for(snapshot.size_bytes - volume.size_bytes)
        saved = None if saved_as is None else self.create(volume_id, saved_as)
        self._volumes.put_back(volume, snapshot)
        return saved

    def roll_back_group(self, group: GroupSnapshot, saved_as: SnapshotWish | None) -> GroupSnapshot | None:
        """Give all volumes of a group snapshot back what they held."""
        pairs = [(self._volumes.get_ready(each.volume_id), each) for each in self.members(group)]
        self._volumes.check_room_for(sum(each.size_bytes - volume.size_bytes for volume, each in pairs))
        saved = None if saved_as is None else self.create_group([each.volume_id for each, _ in pairs], saved_as)
        for volume, snapshot in pairs:
            self._volumes.put_back(volume, snapshot)
        return saved

    def due(self) -> Iterator[Snapshot]:
        """Snapshots whose time has come; each has to be deleted before the next is asked for."""
        while self._expiring and self._expiring[0][0] <= self._now():
            expires_at, number = heapq.heappop(self._expiring)
            snapshot = self.rows.find(number)
            if snapshot is not None and snapshot.expires_at == expires_at:
                yield snapshot

    def _keep(self, volume: Volume, source: Volume | Snapshot, wish: SnapshotWish, at: datetime) -> Snapshot:
        snapshot = Snapshot(
            snapshot_id=self.rows.next_number,
            volume_id=volume.volume_id,
            name=wish.name or moment.text(at),
            size_bytes=source.size_bytes,
            uuid=self._chance.uuid(),
            created_at=at,
            attributes=wish.attributes,
            blocks=source.blocks.fork(),
            label=wish.label,
        )
        self.rows.add(snapshot)
        volume.snapshots[snapshot.snapshot_id] = None
        self.mapped_bytes += snapshot.blocks.written_bytes
        self._let_expire(snapshot, wish.expires_at)
        return snapshot

    def _keep_group(self, volumes: Iterable[Volume], wish: SnapshotWish) -> GroupSnapshot:
        at = self._now()
        group = GroupSnapshot(
            self.groups.next_number, wish.name or moment.text(at), self._chance.uuid(), at, wish.attributes
        )
        self.groups.add(group)
        for volume in volumes:
            member = self._keep(volume, volume, wish, at)
            member.group_id = group.group_id
            group.members[member.snapshot_id] = None
        return group

    def _let_expire(self, snapshot: Snapshot, at: datetime | None) -> None:
        snapshot.expires_at = at
        if at is not None:
            heapq.heappush(self._expiring, (at, snapshot.snapshot_id))

    def _check(self, wish: SnapshotWish) -> None:
        self._check_name(wish.name)
        self._check_expiry(wish.expires_at)

    def _check_name(self, name: str | None) -> None:
        if name is not None:
            check_length(name, 0, self._limits.snapshot_name_length, "name")

    def _check_expiry(self, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self._now():
            raise Refused(Reason.VALUE_NOT_ALLOWED, "the time of expiry is not in the future")

    def _check_room(self, volume: Volume) -> None:
        if len(volume.snapshots) >= self._limits.snapshots_per_volume:
            raise Refused(
                Reason.TOO_MANY_SNAPSHOTS,
                f"Exceeded max number of snapshots per volume. volumeID={volume.volume_id} "
                f"limit={self._limits.snapshots_per_volume}",
            )
