"""CPB: capabilities and limits are true."""

from __future__ import annotations

from dataclasses import replace

from conformance.contract import Capability, WitnessPower
from conformance.expect import ARRAY, PLUGIN, expect, expect_none
from conformance.judgements import granule, largest_works, qos_is, size_is_true, unsupported_is_refused
from conformance.requirement import requirement
from conformance.subject import RunningSubject


@requirement("CPB-001", needs=[WitnessPower.LUNS], rests_on=["PRV-001"])
def test_cpb_001_what_is_not_supported_is_refused(subject: RunningSubject) -> None:
    """A capability declared unsupported MUST be refused with CapabilityNotSupported and change nothing."""
    with subject.world() as world:
        unsupported_is_refused(world, world.create())


@requirement("CPB-002", needs=[WitnessPower.SIZE], rests_on=["PRV-001"])
def test_cpb_002_the_smallest_lun_can_be_made(subject: RunningSubject) -> None:
    """The smallest LUN declared MUST be one that can be made."""
    with subject.world() as world:
        world.act()
        smallest = subject.declared.limits.smallest_lun_bytes
        size_is_true(world, world.create(replace(world.request(), size_bytes=smallest)), smallest)


@requirement("CPB-003", needs=[WitnessPower.SIZE], rests_on=["PRV-001"])
def test_cpb_003_the_largest_lun_can_be_made(subject: RunningSubject) -> None:
    """The largest LUN declared MUST be one that can be made where there is room for it."""
    with subject.world() as world:
        largest_works(world)


@requirement("CPB-005", needs=[Capability.MULTIPATH], rests_on=["ACC-001"])
def test_cpb_005_several_paths_are_told(subject: RunningSubject) -> None:
    """With MULTIPATH `connection` MUST tell several paths or portals."""
    with subject.world() as world:
        made, host = world.create(), world.host()
        world.grant(made, host)
        paths = world.connection(made, host).paths
        ways = sum(len(getattr(each, "portals", "1")) for each in paths)
        expect(ways > 1, "several ways to the LUN", f"{ways}", PLUGIN)


@requirement("CPB-004", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["QOS-001"])
def test_cpb_004_qos_limits_are_true(subject: RunningSubject) -> None:
    """The smallest and the largest QoS declared MUST be accepted and kept."""
    with subject.world() as world:
        world.act()
        for policy in (subject.declared.limits.qos_smallest, subject.declared.limits.qos_largest):
            qos = policy or world.request().qos
            qos_is(world, world.create(world.request(qos=qos)), qos)


@requirement("CPB-006", needs=[WitnessPower.ACCESS], rests_on=["ACC-001"])
def test_cpb_006_the_granule_of_access_is_as_declared(subject: RunningSubject) -> None:
    """A grant MUST let in what access_granularity declares: the host, or every host of its cluster."""
    with subject.world() as world:
        made, host = world.create(), world.host()
        world.grant(made, host)
        expect_none("host of the granule left out", granule(world, host) - world.lun(made).visible_to, ARRAY)
