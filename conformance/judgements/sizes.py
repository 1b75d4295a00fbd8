"""Sizes and identities as declared and as told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from conformance.contract import (
    BelowMinimum,
    BlockConnection,
    CapacityExhausted,
    Conflict,
    Hookup,
    InvalidRequest,
    ProbeSession,
    Volume,
    VolumeRequest,
    WitnessedLun,
)
from conformance.expect import (
    ARRAY,
    HOST,
    PLUGIN,
    expect,
    expect_equal,
    expect_refusal,
    expect_size,
)
from conformance.judgements.array import nothing_changes, nothing_is_left
from conformance.world import Made, World
from conformance.world.snapshots import Source


def lun_bytes(world: World, asked: int) -> int:
    """What the LUN must have at least: in hookup PLUGIN the plugin adds what the hypervisor's datastore needs."""
    if world.subject.hookup is Hookup.PLUGIN:
        return world.open_bridge().lun_bytes_for(asked)
    return asked


def lun_bytes_made(world: World, asked: int) -> int:
    """What a LUN takes at most that has to have this much: rounded up to whole granules."""
    granule = world.subject.declared.limits.granularity_bytes
    return -(-lun_bytes(world, asked) // granule) * granule


def size_is_true(world: World, made: Made, asked: int) -> None:
    """The array has at least what was asked, less than a granule more, and the plugin said so."""
    lun = world.lun(made)
    granule = world.subject.declared.limits.granularity_bytes
    expect_size("a LUN", lun.size_bytes, lun_bytes(world, asked), granule, ARRAY)
    size_answer_is_true(world, made.volume.size_bytes, asked, lun)


def size_answer_is_true(world: World, answered: int, asked: int, lun: WitnessedLun) -> None:
    """In hookup FRAMEWORK a size is the LUN's; in PLUGIN the disk's, which fits in it."""
    if world.subject.hookup is Hookup.FRAMEWORK:
        expect_equal("the size answered", answered, lun.size_bytes, PLUGIN)
    else:
        expect(
            asked <= answered <= lun.size_bytes,
            f"a disk of {asked} to {lun.size_bytes} bytes",
            f"{answered}",
            PLUGIN,
        )


def more_than_there_is(world: World) -> None:
    """A store larger than the array is refused, unless over-provisioning is declared."""
    if world.subject.declared.traits.overprovisioning:
        return
    request = world.store_request(capacity_bytes=world.view().capacity_bytes * 2)
    kinds = (InvalidRequest, CapacityExhausted)
    with nothing_is_left(world):
        expect_refusal(kinds, "more than the array has", lambda: world.plugin.lifecycle.initialize(request))


def below_smallest(world: World) -> None:
    """A size below the smallest LUN is refused or rounded up, as declared."""
    limits = world.subject.declared.limits
    asked = max(1, limits.smallest_lun_bytes - 1)
    request = replace(world.request(), size_bytes=asked)
    if world.subject.declared.traits.below_minimum is BelowMinimum.REFUSED and asked < limits.smallest_lun_bytes:
        with nothing_changes(world):
            expect_refusal(InvalidRequest, f"create with {asked} bytes", lambda: world.driver_create(request))
        return
    world.act()
    made = world.create(request)
    expect(world.lun(made).size_bytes >= asked, f"at least {asked} bytes", f"{world.lun(made).size_bytes}", ARRAY)


def largest_works(world: World) -> None:
    """The largest LUN can be made, or there is no room for it."""
    request = replace(world.request(), size_bytes=world.subject.declared.limits.largest_lun_bytes)
    with suppress(CapacityExhausted):
        world.driver_create(request)
        sizes = [each.size_bytes for each in world.view().live]
        largest = max(sizes, default=0)
        expect(largest >= request.size_bytes, f"a LUN of {request.size_bytes} bytes", f"{largest} bytes", ARRAY)


def identity_is_true(made: Made, connection: BlockConnection, session: ProbeSession) -> None:
    """Where an identity is told, it is what the LUN itself says."""
    told = [each for each in (made.volume.identity, connection.identity) if each is not None and each.wwid is not None]
    for each in told:
        expect_equal("the LUN's identity", each.wwid, session.wwid, HOST)


def late_repeat(world: World, made: Made) -> int:
    """The size that a create tells which is repeated after the volume has changed; a Conflict tells none."""
    try:
        return world.driver_create(made.volume.request).size_bytes
    except Conflict:
        return made.volume.size_bytes


def same_when_rounded(world: World, asked: int) -> list[int]:
    """Other sizes that end in the same granule as this one, inside the limits."""
    limits = world.subject.declared.limits
    granule = limits.granularity_bytes
    last = -(-asked // granule) * granule
    others = {last, last - granule + 1, asked + 1, asked - 1} - {asked}
    inside = range(max(limits.smallest_lun_bytes, last - granule + 1), min(last, limits.largest_lun_bytes) + 1)
    return sorted(each for each in others if each in inside)


def repeated_with(world: World, request: VolumeRequest, made: Made) -> Volume:
    """What a create tells that is repeated with another size; a Conflict tells of no other than the volume made."""
    try:
        answer = world.driver_create(request)
    except Conflict:
        return made.volume
    return replace(made.volume, external_id=answer.external_id, size_bytes=answer.size_bytes)


def late_clone(world: World, source: Source, clone: Made) -> int:
    """As `late_repeat`, for a clone."""
    try:
        return world.driver_clone(source, clone.volume.request).size_bytes
    except Conflict:
        return clone.volume.size_bytes


def largest_asked_of_bridge(world: World, method: str) -> int:
    """The largest size in bytes that the plugin asked of its bridge by this method; 0 when it never did."""
    calls = [each for each in world.trace.calls if each.party == "bridge" and each.name == method]
    values = [value for each in calls for value in (*each.arguments, *each.keywords.values())]
    return max((each for each in values if isinstance(each, int)), default=0)
