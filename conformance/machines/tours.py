"""Programs in which every kind of step comes right after every other, where that makes sense.

What goes wrong only after something else is what single properties do not see: a clone after a growth, a repeated
request after a change. A tour walks from step to step, always to a kind that has not yet come after this one, and
keeps to one volume as far as it can. Tours are the same each time: they are drawn from numbers of their own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from conformance.machines.operations import (
    BeginMigration,
    ChangeQos,
    CloneSnapshot,
    CloneTemplate,
    CloneVolume,
    ConnectHost,
    CreateVolume,
    DeleteSnapshot,
    DeleteTemplate,
    DeleteVolume,
    EndMigration,
    FenceHost,
    GrantHost,
    GrowVolume,
    InitializeAgain,
    RestartPlugin,
    RevertVolume,
    RevokeHost,
    RotateChap,
    SeedTemplate,
    Step,
    TakeSnapshot,
    WriteData,
)
from conformance.strategies.data import Pattern, Place
from conformance.strategies.qos import QosAt
from conformance.strategies.sizes import Granules, Growth

LENGTH: Final = 40
_REPEATS: Final = 0.4
_WRITES: Final = 0.5
_POLICIES: Final = (QosAt(200, 300, 400), QosAt(500, 500, 500), QosAt(100, 700, 900), QosAt(0, 0, 0))
_PLACES: Final = (0, 7, -1)


@dataclass(slots=True)
class _Walk:
    """What there is by now in the tour that is being made: numbers of volumes, grants, snapshots."""

    chance: random.Random
    volumes: set[int] = field(default_factory=set)
    clones: dict[int, str] = field(default_factory=dict)
    grants: set[tuple[int, int]] = field(default_factory=set)
    snapshots: dict[int, int] = field(default_factory=dict)
    has_template: bool = False
    volume: int = 0
    written: int = 0

    def new(self) -> int | None:
        """A number that no volume has."""
        return next((each for each in range(3) if each not in self.volumes), None)

    def snapshot(self) -> int | None:
        """A snapshot, of the volume that the tour is about when it has one."""
        mine = [each for each, volume in self.snapshots.items() if volume == self.volume]
        return next(iter(mine or self.snapshots), None)

    def host(self) -> int | None:
        """A host that has the volume."""
        return next((host for volume, host in sorted(self.grants) if volume == self.volume), None)


def _create(walk: _Walk) -> Step | None:
    number = walk.new()
    if number is None:
        return CreateVolume(walk.volume, Granules(0)) if walk.volume not in walk.clones else None
    walk.volumes.add(number)
    walk.volume = number
    return CreateVolume(number, Granules(number, 512 * (number % 2)), store=int(number == 1))


def _delete(walk: _Walk) -> Step | None:
    if walk.volume not in walk.volumes:
        return None
    gone = walk.volume
    walk.volumes.discard(gone)
    walk.clones.pop(gone, None)
    walk.grants = {each for each in walk.grants if each[0] != gone}
    walk.snapshots = {each: volume for each, volume in walk.snapshots.items() if volume != gone}
    walk.volume = next(iter(sorted(walk.volumes)), gone)
    return DeleteVolume(gone)


def _grant(walk: _Walk) -> Step | None:
    if walk.volume not in walk.volumes:
        return None
    host = walk.chance.randrange(3)
    walk.grants.add((walk.volume, host))
    return GrantHost(walk.volume, host)


def _revoke(walk: _Walk) -> Step | None:
    return _shut_out(walk, RevokeHost)


def _fence(walk: _Walk) -> Step | None:
    return _shut_out(walk, FenceHost)


def _shut_out(walk: _Walk, kind: Callable[[int, int], Step]) -> Step | None:
    host = walk.host()
    if host is None:
        return None
    walk.grants.discard((walk.volume, host))
    return kind(walk.volume, host)


def _write(walk: _Walk) -> Step | None:
    host = walk.host()
    if host is None:
        return None
    walk.written += 1
    return WriteData(walk.volume, host, Pattern(walk.written), Place(walk.chance.choice(_PLACES)))


def _grow(walk: _Walk) -> Step | None:
    return GrowVolume(walk.volume, Growth(1 + walk.chance.randrange(2))) if walk.volume in walk.volumes else None


def _qos(walk: _Walk) -> Step | None:
    return ChangeQos(walk.volume, walk.chance.choice(_POLICIES)) if walk.volume in walk.volumes else None


def _take(walk: _Walk) -> Step | None:
    free = next((each for each in range(2) if each not in walk.snapshots), None)
    known = walk.snapshot()
    if walk.volume not in walk.volumes or free is None or (known is not None and walk.chance.random() < _REPEATS):
        return None if known is None else TakeSnapshot(known, walk.snapshots[known])
    walk.snapshots[free] = walk.volume
    return TakeSnapshot(free, walk.volume)


def _drop(walk: _Walk) -> Step | None:
    known = walk.snapshot()
    if known is None:
        return None
    del walk.snapshots[known]
    return DeleteSnapshot(known)


def _revert(walk: _Walk) -> Step | None:
    known = walk.snapshot()
    return None if known is None else RevertVolume(known)


def _clone_snapshot(walk: _Walk) -> Step | None:
    known = walk.snapshot()
    return None if known is None else _cloned(walk, f"snapshot {known}", lambda to: CloneSnapshot(known, to, to % 2))


def _clone_volume(walk: _Walk) -> Step | None:
    source = walk.volume
    return _cloned(walk, f"volume {source}", lambda to: CloneVolume(source, to, to % 2)) if walk.volumes else None


def _clone_template(walk: _Walk) -> Step | None:
    return _cloned(walk, "template", CloneTemplate) if walk.has_template else None


def _cloned(walk: _Walk, source: str, step: Callable[[int], Step]) -> Step | None:
    again = [each for each, known in walk.clones.items() if known == source]
    number = walk.new()
    if number is None or (again and walk.chance.random() < _REPEATS):
        return step(again[0]) if again else None
    walk.volumes.add(number)
    walk.clones[number] = source
    walk.volume = number
    return step(number)


def _seed(walk: _Walk) -> Step | None:
    if walk.has_template:
        return None
    walk.has_template = True
    return SeedTemplate()


def _delete_template(walk: _Walk) -> Step | None:
    if not walk.has_template:
        return None
    walk.has_template = False
    return DeleteTemplate()


def _begin(walk: _Walk) -> Step | None:
    return BeginMigration(walk.volume) if walk.volume in walk.volumes else None


def _end(walk: _Walk) -> Step | None:
    return EndMigration(walk.volume) if walk.volume in walk.volumes else None


def _rotate(walk: _Walk) -> Step | None:
    host = walk.host()
    return None if host is None else RotateChap(walk.volume, host)


def _connect(walk: _Walk) -> Step | None:
    return ConnectHost(walk.chance.randrange(3))


def _initialize(_walk: _Walk) -> Step | None:
    return InitializeAgain()


def _restart(_walk: _Walk) -> Step | None:
    return RestartPlugin()


_WAYS: Final[Mapping[str, Callable[[_Walk], Step | None]]] = {
    each.__name__: each
    for each in (
        _create, _write, _take, _grow, _qos, _revert, _clone_snapshot, _clone_volume, _grant, _revoke, _fence, _delete,
        _drop, _seed, _clone_template, _delete_template, _begin, _end, _rotate, _connect, _initialize, _restart,
    )
}  # fmt: skip


@cache
def tours() -> Sequence[Sequence[Step]]:
    """The tours, those that show most first, until no kind is left that could come after another and did not."""
    done: set[tuple[str, str]] = set()
    found: list[Sequence[Step]] = []
    for number in range(len(_WAYS)):
        made = _tour(random.Random(number), done)
        if made is None:
            break
        found.append(made)
    return tuple(found)


def _written_on(walk: _Walk) -> list[Step]:
    """Users write all the time: what was kept must not change, and what is kept later must."""
    if walk.volume not in walk.volumes or walk.chance.random() > _WRITES:
        return []
    granted = [] if walk.host() is not None else [_grant(walk)]
    return [each for each in (*granted, _write(walk)) if each is not None]


def _tour(chance: random.Random, done: set[tuple[str, str]]) -> Sequence[Step] | None:
    walk, before, is_new = _Walk(chance), "_create", False
    steps: list[Step] = [each for each in (_create(walk), _grant(walk), _write(walk)) if each is not None]
    while len(steps) < LENGTH:
        fresh = [each for each in _WAYS if (before, each) not in done]
        chance.shuffle(fresh)
        others = list(_WAYS)
        chance.shuffle(others)
        for name in [*fresh, *others]:
            step = _WAYS[name](walk)
            if step is not None:
                is_new |= (before, name) not in done
                done.add((before, name))
                steps += [step, *_written_on(walk)]
                before = name
                break
    return steps if is_new else None
