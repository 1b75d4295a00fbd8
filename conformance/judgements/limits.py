"""Limits that are declared, as far as a property can go in its time."""

from __future__ import annotations

from typing import Final

from conformance.contract import Host, LimitReached
from conformance.expect import ARRAY, expect_done, expect_equal, expect_refusal
from conformance.judgements.array import facts, nothing_changes
from conformance.world import Made, World

_MOST_HOSTS: Final = 70
_MANY_VOLUMES: Final = 34
_MANY_WHEN_CERTIFYING: Final = 258
"""Beyond what fits into a LUN number of one byte (SAM-5 §4.7.7.2, peripheral device addressing)."""
_MOST_SNAPSHOTS: Final = 40
_A_FEW: Final = 6


def many(world: World, count: int) -> int:
    """So many, where a run goes to the limits; else a few."""
    return count if world.subject.profile.goes_to_limits else min(count, _A_FEW)


def more_hosts(world: World, made: Made) -> int:
    """How many more hosts can be granted this volume, where each has a group of its own."""
    most = min(world.subject.declared.limits.groups_per_lun or _MOST_HOSTS, _MOST_HOSTS)
    return many(world, most) - len(made.granted)


def one_more_host(world: World, made: Made, host: Host) -> None:
    """One host more than declared is granted, or refused with LimitReached and nothing changed."""
    before = facts(world.view())
    try:
        world.driver.grant_access(world.store, made.volume, host)
    except LimitReached:
        expect_equal("the array after the refusal", facts(world.view()), before, ARRAY)
        return
    made.granted[host] = None
    world.login(made, host).close()


def many_volumes(world: World) -> int:
    """How many volumes a host is given."""
    wanted = _MANY_WHEN_CERTIFYING if world.subject.profile.is_certifying else many(world, _MANY_VOLUMES)
    return min(world.subject.declared.limits.luns_per_host or wanted, wanted)


def most_snapshots(world: World) -> int:
    """How many snapshots of one volume can be taken, as declared, and as far as a property may try."""
    return many(world, min(world.subject.declared.limits.snapshots_per_volume or _MOST_SNAPSHOTS, _MOST_SNAPSHOTS))


def snapshot_limit_is_said(world: World, made: Made) -> None:
    """One snapshot more is taken, or where as many as declared are there refused with LimitReached."""
    declared = world.subject.declared.limits.snapshots_per_volume
    there = sum(each.of is made for each in world.snapshots)
    request = world.snapshot_request()
    if declared is None or there < declared:
        expect_done("one more snapshot", lambda: world.driver_snapshot(made, request))
        return
    with nothing_changes(world):
        expect_refusal(LimitReached, "a snapshot beyond the limit", lambda: world.driver_snapshot(made, request))
