"""QoS as asked and as kept."""

from __future__ import annotations

from conformance.contract import (
    QosPolicy,
)
from conformance.expect import (
    ARRAY,
    expect_equal,
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


def qos_out_of_limits(world: World) -> QosPolicy:
    """A policy just beyond the plugin's range."""
    largest = world.subject.declared.limits.qos_largest or QosPolicy(10**9, 10**9, 10**9)
    return QosPolicy((largest.min_iops or 10**9) + 1, None, None)


def another_qos(world: World, qos: QosPolicy) -> QosPolicy:
    """A policy inside the limits that is not this one."""
    limits = world.subject.declared.limits
    return next(each for each in (QosAt(0, 0, 0).resolve(limits), QosAt(500, 500, 500).resolve(limits)) if each != qos)
