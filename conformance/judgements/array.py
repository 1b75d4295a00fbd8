"""What the array holds, before and after: nothing changes, nothing is left, something is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from contextlib import contextmanager

from conformance.contract import (
    ArrayView,
    QosPolicy,
    SpaceAccounting,
)
from conformance.errors import BeyondDeclared
from conformance.expect import (
    ARRAY,
    PLUGIN,
    broken,
    expect,
    expect_done,
    expect_equal,
    expect_none,
)
from conformance.strategies.data import BLOCK
from conformance.world import Made, World


def objects_of(world: World, iqns: Set[str]) -> list[str]:
    """Everything on the array that carries one of these initiators."""
    view = world.view()
    # Whole names only: one host's name may be the beginning of another's.
    pattern = re.compile("|".join(f"{re.escape(each)}(?![\\w.:-])" for each in sorted(iqns)))
    named = [f"{each.kind} {each.name}" for each in view.objects if pattern.search(f"{each.name} {each.value}")]
    shown = [f"access to {each.name}" for each in view.luns if {str(iqn) for iqn in each.visible_to} & iqns]
    return named + shown


@contextmanager
def nothing_is_left(world: World) -> Iterator[None]:
    """Expect the array to hold afterwards exactly what it held before, accounts and groups included."""
    before = world.view()
    yield
    after = world.view()
    left = {(each.kind, each.name) for each in after.objects} - {(each.kind, each.name) for each in before.objects}
    left |= {("LUN", each.name) for each in after.luns} - {("LUN", each.name) for each in before.luns}
    expect_none("object left on the array", [" ".join(each) for each in left], ARRAY)


Fact = tuple[str, int, QosPolicy | None, frozenset[object], bool]
Facts = frozenset[Fact]


def facts(view: ArrayView) -> Facts:
    """What must not change when nothing is to change: LUNs, their size, QoS and access, and their snapshots."""
    luns = frozenset[tuple[str, int, QosPolicy | None, frozenset[object], bool]](
        (each.external_id, each.size_bytes, each.qos, frozenset[object](each.visible_to), each.in_trash)
        for each in view.luns
    )
    return luns | {
        (each.lun_external_id, each.size_bytes, None, frozenset[object]({f"snapshot {each.external_id}"}), False)
        for each in view.snapshots
    }


@contextmanager
def nothing_changes(world: World) -> Iterator[None]:
    """Expect the LUNs of the array to be the same afterwards."""
    before = facts(world.own_view())
    yield
    is_as_before(world, before)


def is_as_before(world: World, before: Facts) -> None:
    """The LUNs of the array are what they were."""
    after = facts(world.own_view())
    if before != after:
        broken("nothing to change on the array", _changes(before, after), ARRAY)


@contextmanager
def others_unchanged(world: World, *except_for: Made) -> Iterator[None]:
    """Expect every other LUN of the array to be the same afterwards."""
    ids = {each.lun.external_id for each in except_for if each.lun is not None}

    def of_others() -> Facts:
        return frozenset(each for each in facts(world.own_view()) if each[0] not in ids)

    before = of_others()
    yield
    after = of_others()
    if not before <= after:
        broken("other LUNs not to change", _changes(before, after), ARRAY)


def _changes(before: Facts, after: Facts) -> str:
    """What is not as it was, LUN by LUN."""
    was, now = ({_named(each): _described(each) for each in facts} for facts in (before, after))
    told = [f"{one} is new: {now[one]}" for one in sorted(now.keys() - was.keys())]
    told += [f"{one} is gone: {was[one]}" for one in sorted(was.keys() - now.keys())]
    both = sorted(was.keys() & now.keys())
    told += [f"{one} was {was[one]}, and is {now[one]}" for one in both if was[one] != now[one]]
    return "; ".join(told)


def _named(fact: Fact) -> str:
    return f"{_snapshot(fact)} of LUN {fact[0]}" if _snapshot(fact) else f"LUN {fact[0]}"


def _snapshot(fact: Fact) -> str:
    """Which snapshot this is about; empty when it is about a LUN."""
    return next((each for each in fact[3] if isinstance(each, str) and each.startswith("snapshot ")), "")


def _described(fact: Fact) -> str:
    _, size_bytes, qos, visible_to, in_trash = fact
    if _snapshot(fact):
        return f"{size_bytes} bytes"
    speed = f"QoS {qos.min_iops}/{qos.max_iops}/{qos.burst_iops}" if qos else "no QoS"
    hosts = f"open to {', '.join(sorted(map(str, visible_to)))}" if visible_to else "open to nobody"
    return f"{size_bytes} bytes, {speed}, {hosts}{', in the trash' if in_trash else ''}"


def is_gone(world: World, made: Made) -> None:
    """The LUN is not on the array any more; in the trash only where that is declared."""
    trash_allowed = world.subject.declared.traits.trash_seconds > 0
    left = [
        each
        for each in world.view().luns
        if made.lun is not None and each.external_id == made.lun.external_id and not (each.in_trash and trash_allowed)
    ]
    where = "in the trash, and no trash is declared" if left and left[0].in_trash else "still there"
    told = f"LUN {made.lun.external_id if made.lun else ''} is {where}"
    expect(not left, "the LUN to be gone from the array", told, ARRAY)


def usage_is_true(world: World) -> None:
    """What `used` tells is the sum over this store's LUNs, or unknown."""
    told = expect_done("used", lambda: world.driver.used(world.store))
    luns = [world.lun(each) for each in world.volumes if each.store_uuid == world.store_uuid]
    written = world.subject.declared.traits.space_accounting is SpaceAccounting.WRITTEN
    sum_bytes = sum(each.written_bytes if written else each.size_bytes for each in luns)
    lags = world.subject.declared.traits.stats_lag_seconds > 0
    if told.bytes is not None and not lags:
        expect_equal("the bytes in use", told.bytes, sum_bytes, PLUGIN)
    minima = [each.qos.min_iops for each in luns if each.qos is not None and each.qos.min_iops is not None]
    if told.iops is not None and not lags and len(minima) == len(luns):
        expect_equal("the IOPS in use", told.iops, sum(minima), PLUGIN)


def bytes_in_use(world: World, made: Made) -> int:
    """What a store with this volume alone has in use at least, by the accounting that is declared."""
    if world.subject.declared.traits.space_accounting is SpaceAccounting.PROVISIONED:
        return made.volume.size_bytes
    if world.subject.declared.traits.stats_lag_seconds > 0:
        raise BeyondDeclared("what was written is known only later: traits.stats_lag_seconds")
    world.put(made, 0, bytes([0x5A]) * BLOCK)
    if not (written := world.lun(made).written_bytes):
        raise BeyondDeclared("the array says of no bytes that they were written")
    return written


def volumes_are_told(world: World, *volumes: Made) -> None:
    """`list_objects` tells these volumes and no other, and `used` what they have."""
    expect_equal("owners listed", world.owners(world.store), sorted(each.uuid for each in volumes), PLUGIN)
    usage_is_true(world)


def stats_are_true(world: World, made: Made, written_at_least: int) -> None:
    """What `volume_stats` tells is this volume's, or unknown. Arrays compress: what was written may be less there."""
    told = expect_done("volume_stats", lambda: world.copier.volume_stats(world.store, made.volume))
    lun, limits = world.lun(made), world.subject.declared.limits
    if told.provisioned_bytes is not None:
        fits = made.volume.size_bytes <= told.provisioned_bytes <= lun.size_bytes
        expect(fits, f"{lun.size_bytes} bytes provisioned", f"{told.provisioned_bytes}", PLUGIN)
    if told.written_bytes is not None and not world.subject.declared.traits.stats_lag_seconds:
        most = lun.written_bytes + limits.granularity_bytes
        fits = written_at_least <= told.written_bytes <= most
        expect(fits, f"{written_at_least} to {most} bytes written", f"{told.written_bytes}", PLUGIN)
