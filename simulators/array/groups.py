"""Volume access groups: initiators on one side, volumes on the other, who meet without CHAP."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import count as count_from
from typing import TYPE_CHECKING

from simulators.array.initiators import InitiatorWish
from simulators.array.limits import check_count, check_length
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulators.array.initiators import Initiator, InitiatorChange, InitiatorRef, Initiators
    from simulators.array.limits import Limits
    from simulators.array.surroundings import Revision
    from simulators.array.volume import Volume
    from simulators.array.volumes import Volumes


@dataclass(slots=True)
class Group:
    """An access group, by the numbers of what is in it; deleted volumes stay in until they are purged.

    Each volume has a LUN number in it, by which hosts know it where a target has several LUNs.
    """

    group_id: int
    name: str
    attributes: Mapping[str, object]
    initiators: dict[int, None] = field(default_factory=dict)
    volumes: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What a caller wants changed; None leaves a value as it is, a list replaces the old one."""

    name: str | None = None
    initiators: Sequence[InitiatorRef] | None = None
    volumes: Sequence[int] | None = None
    attributes: Mapping[str, object] | None = None
    deletes_orphans: bool = False


class Groups:
    """The array's access groups. Every change happens wholly or not at all."""

    def __init__(self, *, volumes: Volumes, initiators: Initiators, limits: Limits, revision: Revision) -> None:
        self._volumes = volumes
        self._initiators = initiators
        self._limits = limits
        self._revision = revision
        self.rows: Register[Group] = Register()

    def get(self, group_id: int) -> Group:
        """The group of that number."""
        group = self.rows.find(group_id)
        if group is None:
            raise Refused(Reason.GROUP_UNKNOWN, f"VolumeAccessGroupID {group_id} does not exist.")
        return group

    def create(self, wanted: GroupChange) -> Group:
        """Make a group with what is in it from the start; group names may occur more than once."""
        check_count(len(self.rows) + 1, self._limits.groups, "volumeAccessGroups.")
        group = Group(self.rows.next_number, "", {})
        self._replace(group, wanted)
        self.rows.add(group)
        return group

    def create_with(self, wanted: GroupChange, wish: InitiatorWish) -> Group:
        """Make a group and a new initiator in it."""
        self._initiators.check_new([wish])
        group = self.create(wanted)
        self._put_initiators(group, [], [wish])
        return group

    def modify(self, group_id: int, change: GroupChange) -> Group:
        """Change what is given; initiators that fall out may be deleted with it."""
        group = self.get(group_id)
        self._replace(group, change)
        return group

    def delete(self, group_id: int, *, deletes_orphans: bool) -> None:
        """Remove a group; its initiators are free again, its volumes stay."""
        group = self.get(group_id)
        self._take_initiators(group, self._members(group), deletes_orphans=deletes_orphans)
        for volume_id in group.volumes:
            self._volume(volume_id).groups.pop(group_id)
        self.rows.remove(group_id)
        self._revision.advance()

    def add_initiators(self, group_id: int, references: Sequence[InitiatorRef]) -> Group:
        """Let initiators in; names the array does not know become initiators."""
        group = self.get(group_id)
        known, new = self._resolve(references)
        for each in known:
            if each.group_id == group_id:
                raise Refused(
                    Reason.ALREADY_IN_GROUP,
                    f"initiator {each.name} is already in volumeAccessGroupID={group_id}",
                )
        self._check_initiators(group, known, new, count=len(group.initiators) + len(known) + len(new))
        self._put_initiators(group, known, new)
        return group

    def remove_initiators(self, group_id: int, references: Sequence[InitiatorRef], *, deletes_orphans: bool) -> Group:
        """Shut initiators out."""
        group = self.get(group_id)
        leaving = {}
        for reference in references:
            initiator = self._initiators.find(reference)
            if initiator is None or initiator.group_id != group_id:
                raise Refused(Reason.NOT_IN_GROUP, f"initiator {reference} is not in volumeAccessGroupID={group_id}")
            leaving[initiator.initiator_id] = initiator
        self._take_initiators(group, list(leaving.values()), deletes_orphans=deletes_orphans)
        return group

    def add_volumes(self, group_id: int, volume_ids: Sequence[int]) -> Group:
        """Open volumes to the group's initiators."""
        group = self.get(group_id)
        volumes = [self._volumes.get_active(each) for each in dict.fromkeys(volume_ids)]
        for each in volumes:
            if group_id in each.groups:
                raise Refused(
                    Reason.ALREADY_IN_GROUP,
                    f"volumeID={each.volume_id} is already in volumeAccessGroupID={group_id}",
                )
        self._check_volumes(group, volumes, count=len(group.volumes) + len(volumes))
        self._put_volumes(group, volumes)
        return group

    def remove_volumes(self, group_id: int, volume_ids: Sequence[int]) -> Group:
        """Close volumes to the group's initiators."""
        group = self.get(group_id)
        leaving = list(dict.fromkeys(volume_ids))
        for each in leaving:
            if each not in group.volumes:
                raise Refused(Reason.NOT_IN_GROUP, f"volumeID={each} is not in volumeAccessGroupID={group_id}")
        self._take_volumes(group, leaving)
        return group

    def take_apart(self, volume: Volume, group_ids: Sequence[int]) -> None:
        """Close one volume to the initiators of several groups."""
        for group_id in group_ids:
            if group_id not in volume.groups:
                raise Refused(Reason.NOT_IN_GROUP, f"{volume.name} is not attached to {self.get(group_id).name}")
        for group_id in group_ids:
            self._take_volumes(self.get(group_id), [volume.volume_id])

    def number_luns(self, group_id: int, lun_numbers: Mapping[int, int]) -> Group:
        """Give volumes of a group, by their ids, other LUN numbers; the others keep theirs."""
        group = self.get(group_id)
        for volume_id, number in lun_numbers.items():
            if volume_id not in group.volumes:
                raise Refused(Reason.NOT_IN_GROUP, f"volumeID={volume_id} is not in volumeAccessGroupID={group_id}")
            if not 0 <= number <= self._limits.lun_number:
                raise Refused(Reason.VALUE_NOT_ALLOWED, f"lun={number}; expected 0 to {self._limits.lun_number}")
        wanted = {**group.volumes, **lun_numbers}
        if len(set(wanted.values())) < len(wanted):
            raise Refused(Reason.VALUE_NOT_ALLOWED, "two volumes would have the same lun: expected distinct numbers")
        group.volumes.update(lun_numbers)
        return group

    def forget_volume(self, volume: Volume) -> None:
        """Take a volume that is being purged out of all groups."""
        for group_id in list(volume.groups):
            self._take_volumes(self.get(group_id), [volume.volume_id])

    def create_initiators(self, wishes: Sequence[InitiatorWish]) -> list[Initiator]:
        """Make initiators, some of them in a group from the start."""
        self._initiators.check_new(wishes)
        for group_id, count in Counter(each.group_id for each in wishes if each.group_id is not None).items():
            group = self.get(group_id)
            self._check_initiator_count(group, len(group.initiators) + count)
        made = [(each, self._initiators.add(each)) for each in wishes]
        for wish, initiator in made:
            if wish.group_id is not None:
                self._put_initiators(self.get(wish.group_id), [initiator], [])
        return [initiator for _, initiator in made]

    def modify_initiators(self, changes: Sequence[InitiatorChange]) -> list[Initiator]:
        """Change initiators; one that is given a group leaves the one it was in."""
        changed = [self._initiators.get(each.initiator_id) for each in changes]
        self._check_moves([(one, each.group_id) for one, each in zip(changed, changes, strict=True)])
        for each in changes:
            self._initiators.check_change(each)
        for initiator, change in zip(changed, changes, strict=True):
            self._initiators.change(initiator, change)
            if change.group_id is not None and change.group_id != initiator.group_id:
                self._move(initiator, self.get(change.group_id))
        self._revision.advance()
        return changed

    def _check_moves(self, moves: Iterable[tuple[Initiator, int | None]]) -> None:
        joining = Counter(to for one, to in moves if to is not None and to != one.group_id)
        for group_id, count in joining.items():
            group = self.get(group_id)
            self._check_initiator_count(group, len(group.initiators) + count)

    def _move(self, initiator: Initiator, group: Group) -> None:
        if initiator.group_id is not None:
            self._take_initiators(self.get(initiator.group_id), [initiator], deletes_orphans=False)
        self._put_initiators(group, [initiator], [])

    def delete_initiators(self, initiator_ids: Iterable[int]) -> None:
        """Forget initiators, and shut them out of their groups."""
        leaving = [self._initiators.get(each) for each in dict.fromkeys(initiator_ids)]
        for initiator in leaving:
            if initiator.group_id is not None:
                self._take_initiators(self.get(initiator.group_id), [initiator], deletes_orphans=False)
            self._initiators.remove(initiator)

    def _replace(self, group: Group, change: GroupChange) -> None:
        """Check everything, then change everything."""
        if change.name is not None or not group.name:
            check_length(change.name or "", 1, self._limits.group_name_length, "name")
        known, new = self._resolve(change.initiators or ())
        self._check_initiators(group, known, new, count=len(known) + len(new))
        volumes = self._wanted_volumes(group, change.volumes or ())
        self._check_volumes(group, volumes, count=len(volumes))
        group.name = change.name or group.name
        if change.attributes is not None:
            group.attributes = change.attributes
        if change.initiators is not None:
            gone = [each for each in self._members(group) if each not in known]
            self._take_initiators(group, gone, deletes_orphans=change.deletes_orphans)
            self._put_initiators(group, known, new)
        if change.volumes is not None:
            kept = {each.volume_id for each in volumes}
            self._take_volumes(group, [each for each in group.volumes if each not in kept])
            self._put_volumes(group, volumes)

    def _resolve(self, references: Iterable[InitiatorRef]) -> tuple[list[Initiator], list[InitiatorWish]]:
        known: dict[int, Initiator] = {}
        new: dict[str, InitiatorWish] = {}
        for reference in references:
            initiator = self._initiators.find(reference)
            if initiator is not None:
                known[initiator.initiator_id] = initiator
            elif isinstance(reference, str):
                new[reference.lower()] = InitiatorWish(reference.lower())
        self._initiators.check_new(new.values())
        return list(known.values()), list(new.values())

    def _check_initiators(
        self, group: Group, known: Iterable[Initiator], new: Sequence[InitiatorWish], *, count: int
    ) -> None:
        for each in known:
            if each.group_id not in (None, group.group_id):
                # Clients search this text for the name of the initiator.
                raise Refused(
                    Reason.LIMIT_EXCEEDED,
                    f"Exceeded max number of volumeAccessGroups per initiator. initiator={each.name} limit=1",
                )
        self._check_initiator_count(group, count)

    def _check_initiator_count(self, group: Group, count: int) -> None:
        check_count(
            count,
            self._limits.initiators_per_group,
            f"initiators per volumeAccessGroup. volumeAccessGroupID={group.group_id}",
        )

    def _check_volumes(self, group: Group, volumes: Iterable[Volume], *, count: int) -> None:
        check_count(
            count,
            self._limits.volumes_per_group,
            f"volumes per volumeAccessGroup. volumeAccessGroupID={group.group_id}",
        )
        for each in volumes:
            check_count(
                len(each.groups.keys() | {group.group_id}),
                self._limits.groups_per_volume,
                f"volumeAccessGroups per volume. volumeID={each.volume_id}",
            )

    def _wanted_volumes(self, group: Group, volume_ids: Iterable[int]) -> list[Volume]:
        # A deleted volume that is in the group already may stay in it.
        return [
            self._volume(each) if each in group.volumes else self._volumes.get_active(each)
            for each in dict.fromkeys(volume_ids)
        ]

    def _members(self, group: Group) -> list[Initiator]:
        return [self._initiators.get(each) for each in group.initiators]

    def _volume(self, volume_id: int) -> Volume:
        volume = self._volumes.rows.find(volume_id)
        if volume is None:
            raise LookupError(f"volume {volume_id} is in a group but not on the array")
        return volume

    def _put_initiators(self, group: Group, known: Iterable[Initiator], new: Iterable[InitiatorWish]) -> None:
        for initiator in [*known, *(self._initiators.add(each) for each in new)]:
            initiator.group_id = group.group_id
            group.initiators[initiator.initiator_id] = None
        self._revision.advance()

    def _take_initiators(self, group: Group, leaving: Iterable[Initiator], *, deletes_orphans: bool) -> None:
        for initiator in leaving:
            del group.initiators[initiator.initiator_id]
            initiator.group_id = None
            if deletes_orphans:
                self._initiators.remove(initiator)
        self._revision.advance()

    def _put_volumes(self, group: Group, volumes: Iterable[Volume]) -> None:
        for volume in volumes:
            volume.groups[group.group_id] = None
            if volume.volume_id not in group.volumes:
                group.volumes[volume.volume_id] = _free_lun_number(group)
        self._revision.advance()

    def _take_volumes(self, group: Group, leaving: Iterable[int]) -> None:
        for volume_id in leaving:
            del group.volumes[volume_id]
            del self._volume(volume_id).groups[group.group_id]
        self._revision.advance()


def _free_lun_number(group: Group) -> int:
    taken = set(group.volumes.values())
    return next(number for number in count_from() if number not in taken)
