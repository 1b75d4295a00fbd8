"""QoS as asked and as kept."""

from __future__ import annotations

from itertools import combinations

from conformance.contract import Capability, InvalidRequest, QosPolicy
from conformance.errors import BeyondDeclared
from conformance.expect import (
    ARRAY,
    expect_equal,
    expect_none,
)
from conformance.strategies.qos import QosAt
from conformance.world import Made, World


def qos_is(world: World, made: Made, wanted: QosPolicy) -> None:
    """The array keeps exactly the values that were given; what was left to the array is not judged."""
    found = world.lun(made).qos or QosPolicy()
    for name in ("min_iops", "max_iops", "burst_iops"):
        value = getattr(wanted, name)
        if value is not None:
            expect_equal(name, getattr(found, name), value, ARRAY)


def qos_out_of_limits(world: World) -> list[QosPolicy]:
    """Policies just beyond the plugin's range: each value by itself too large, with the others as they may be."""
    largest = world.subject.declared.limits.qos_largest or QosPolicy(10**9, 10**9, 10**9)
    good = QosAt(500, 500, 500).resolve(world.subject.declared.limits)
    return [
        QosPolicy((largest.min_iops or 10**9) + 1, None, None),
        QosPolicy(good.min_iops, (largest.max_iops or 10**9) + 1, None),
        QosPolicy(good.min_iops, good.max_iops, (largest.burst_iops or 10**9) + 1),
    ]


def another_qos(world: World, qos: QosPolicy) -> QosPolicy:
    """A policy inside the limits that is not this one."""
    limits = world.subject.declared.limits
    for part in (0, 500, 1000):
        found = QosAt(part, part, part).resolve(limits)
        if found != qos:
            return found
    raise BeyondDeclared(f"no QoS but {qos}: limits.qos_smallest and qos_largest")


def parts_of(qos: QosPolicy) -> list[QosPolicy]:
    """Each value alone."""
    return [QosPolicy(min_iops=qos.min_iops), QosPolicy(max_iops=qos.max_iops), QosPolicy(burst_iops=qos.burst_iops)]


def fitted(start: QosPolicy, part: QosPolicy) -> QosPolicy:
    """The part, moved so that minimum, maximum and burst stay in order."""
    return QosPolicy(
        min(part.min_iops, start.max_iops or part.min_iops) if part.min_iops else None,
        _between(part.max_iops, start.min_iops, start.burst_iops) if part.max_iops else None,
        max(part.burst_iops, start.max_iops or 0) if part.burst_iops else None,
    )


def _between(value: int, low: int | None, high: int | None) -> int:
    return min(max(value, low or value), high or value)


def merged(start: QosPolicy, part: QosPolicy) -> QosPolicy:
    """What a volume has after `part` was set over `start`."""
    return QosPolicy(
        part.min_iops or start.min_iops, part.max_iops or start.max_iops, part.burst_iops or start.burst_iops
    )


def some_alone(world: World) -> list[QosPolicy]:
    """One or two of the three values, at either end of the plugin's range and in the middle."""
    names = ("min_iops", "max_iops", "burst_iops")
    parts = [*combinations(names, 1), *combinations(names, 2)]
    whole = [QosAt(part, part, part).resolve(world.subject.declared.limits) for part in (0, 500, 1000)]
    return [QosPolicy(**{name: getattr(qos, name) for name in part}) for qos in whole for part in parts]


def made_with_or_refused(world: World, wanted: QosPolicy) -> None:
    """A volume has the values that were asked for, or there is none."""
    request, before = world.request(qos=wanted), world.view()
    world.act()
    try:
        answer = world.driver_create(request)
    except InvalidRequest:
        expect_none("LUN of a refused create", [each.name for each in world.new_luns()], ARRAY)
        return
    made = world.keep(request, answer, before, world.store)
    qos_is(world, made, wanted)
    world.delete(made)


def set_alone_or_refused(world: World, made: Made, part: QosPolicy) -> None:
    """Refused, this changes nothing; else just what it names."""
    before = world.lun(made).qos or QosPolicy()
    world.act()
    try:
        world.copier.set_qos(world.store, made.volume, part)
    except InvalidRequest:
        part = QosPolicy()
    after = made.qos = world.lun(made).qos or QosPolicy()
    for name in ("min_iops", "max_iops", "burst_iops"):
        expect_equal(name, getattr(after, name), getattr(part, name) or getattr(before, name), ARRAY)


def is_slower(before: QosPolicy | None, now: QosPolicy | None) -> bool:
    """Whether any value that both tell has become less."""
    return any(found is not None and found < was for was, found in _bounds(before, now))


def is_faster(before: QosPolicy | None, now: QosPolicy | None) -> bool:
    """Whether more is guaranteed, or the bounds are higher or gone."""
    bounds = _bounds(before, now)
    return any(found > was for was, found in bounds if found is not None) or None in [found for _, found in bounds[1:]]


def _bounds(before: QosPolicy | None, now: QosPolicy | None) -> list[tuple[int, int | None]]:
    names = ("min_iops", "max_iops", "burst_iops")
    pairs = [(getattr(before, name, None), getattr(now, name, None)) for name in names]
    return [(was, found) for was, found in pairs if was is not None]


def set_where_supported(world: World, made: Made, policy: QosAt) -> QosPolicy:
    """Set this QoS where the plugin knows any; answers what the volume must have from now on."""
    if not world.subject.supports(Capability.QOS):
        return made.qos
    qos = policy.resolve(world.subject.declared.limits)
    world.set_qos(made, qos)
    return qos
