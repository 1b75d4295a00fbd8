"""Limits that are declared, as far as a property can go in its time."""

from __future__ import annotations

from typing import Final

from conformance.contract import AccessGranularity, CapacityExhausted, Host, LimitReached
from conformance.expect import ARRAY, PLUGIN, expect_done, expect_equal, expect_refusal
from conformance.judgements.array import facts, nothing_changes
from conformance.judgements.moments import done_in_the_end
from conformance.world import Made, World

_MOST_HOSTS: Final = 70
_MANY_VOLUMES: Final = 34
_MANY_WHEN_CERTIFYING: Final = 258
"""Beyond what fits into a LUN number of one byte (SAM-5 §4.7.7.2, peripheral device addressing)."""
_MOST_SNAPSHOTS: Final = 40
_A_FEW: Final = 6
_MORE_THAN_A_PAGE: Final = 510
_MORE_THAN_32: Final = 33


def many(world: World, count: int) -> int:
    """So many, where a run goes to the limits; else a few."""
    return count if world.subject.profile.goes_to_limits else min(count, _A_FEW)


def as_many_hosts(world: World, made: Made) -> None:
    """Grant a volume to as many hosts as declared; to as many as the array takes where no number is declared."""
    most = _most_hosts(world)
    for number in range(_more_hosts(world, made)):
        host = world.host(f"h{number}")
        if most is not None:
            world.grant(made, host)
        elif not one_more_host(world, made, host):
            return


def _most_hosts(world: World) -> int | None:
    """How many hosts can be granted one volume: each has a group of its own, or a cluster's are in one."""
    limits = world.subject.declared.limits
    return limits.initiators_per_group if _is_by_cluster(world) else limits.groups_per_lun


def _is_by_cluster(world: World) -> bool:
    return world.subject.declared.traits.access_granularity is AccessGranularity.CLUSTER


def _more_hosts(world: World, made: Made) -> int:
    mates = sum(len(each.iqns) for each in world.hosts_of(world.cluster))
    there = mates if _is_by_cluster(world) else len(made.granted)
    return max(0, many(world, min(_most_hosts(world) or _MOST_HOSTS, _MOST_HOSTS)) - there)


def one_more_host(world: World, made: Made, host: Host) -> bool:
    """One host more than declared is granted, or refused with LimitReached and nothing changed; tells which."""
    before = facts(world.own_view())
    try:
        world.driver.grant_access(world.store, made.volume, host)
    except LimitReached:
        expect_equal("the array after the refusal", facts(world.own_view()), before, ARRAY)
        return False
    made.granted[host] = None
    world.login(made, host).close()
    return True


def many_of_a_host(world: World, host: Host) -> list[Made]:
    """Many volumes that are granted to a host; fewer where no number is declared and the array takes no more."""
    volumes = [world.create() for _ in range(_many_volumes(world))]
    world.act()
    for number, made in enumerate(volumes):
        if world.subject.declared.limits.luns_per_host is not None or number < _A_FEW:
            world.grant(made, host)
        elif not one_more_host(world, made, host):
            return volumes[:number]
    return volumes


def _many_volumes(world: World) -> int:
    wanted = _MANY_WHEN_CERTIFYING if world.subject.profile.is_certifying else many(world, _MANY_VOLUMES)
    return min(world.subject.declared.limits.luns_per_host or wanted, wanted)


def as_many_snapshots(world: World, made: Made) -> None:
    """Take as many snapshots of a volume as declared; as many as the array takes where no number is declared."""
    declared = world.subject.declared.limits.snapshots_per_volume
    for number in range(_most_snapshots(world)):
        if declared is not None or number < _A_FEW:
            world.snapshot(made)
        elif not _one_more_snapshot(world, made):
            return


def _one_more_snapshot(world: World, made: Made) -> bool:
    """One snapshot more is taken, or refused with LimitReached and nothing changed; tells which."""
    before = facts(world.own_view())
    try:
        world.driver_snapshot(made, world.snapshot_request())
    except LimitReached:
        expect_equal("the array after the refusal", facts(world.own_view()), before, ARRAY)
        return False
    return True


def _most_snapshots(world: World) -> int:
    return many(world, min(world.subject.declared.limits.snapshots_per_volume or _MOST_SNAPSHOTS, _MOST_SNAPSHOTS))


def snapshot_limit_is_said(world: World, made: Made) -> None:
    """One snapshot more is taken, or refused with LimitReached: where as many are there as declared, or none are."""
    declared = world.subject.declared.limits.snapshots_per_volume
    there = sum(each.of is made for each in world.snapshots)
    if declared is None:
        _one_more_snapshot(world, made)
        return
    request = world.snapshot_request()
    if there < declared:
        expect_done("one more snapshot", lambda: world.driver_snapshot(made, request))
        return
    with nothing_changes(world):
        expect_refusal(LimitReached, "a snapshot beyond the limit", lambda: world.driver_snapshot(made, request))


def all_of_many_are_listed(world: World) -> None:
    """More volumes than a plugin may expect in one answer are all told; for a certificate, many more."""
    made = [world.create().uuid for _ in range(_MORE_THAN_32)]
    expect_equal("owners listed", world.owners(world.store), sorted(made), PLUGIN)
    # A plugin that makes datastores makes one for each.
    if world.is_simulated and world.subject.profile.is_certifying and not world.placement.hosts:
        _a_store_of_very_many(world)


def _a_store_of_very_many(world: World) -> None:
    """More than fit into a page of an array's answers, or as many as the store takes."""
    store, made = world.add_store(), set()
    for _ in range(_MORE_THAN_A_PAGE):
        request = world.request()
        try:
            world.driver.create(store, request, world.placement)
        except (LimitReached, CapacityExhausted):
            break
        made.add(request.uuid)
    world.act()
    expect_equal("volumes left out, or added", made ^ set(world.owners(store)), set(), PLUGIN)
    done_in_the_end("delete_datastore", lambda: world.remove_store(store.request))
