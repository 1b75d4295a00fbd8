"""QOS: quality of service."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from conformance.contract import Capability, CapacityExhausted, InvalidRequest, WitnessPower
from conformance.expect import ARRAY, HOST, expect_bytes, expect_done, expect_equal, expect_refusal
from conformance.judgements import (
    another_qos,
    fitted,
    made_with_or_refused,
    merged,
    nothing_changes,
    others_unchanged,
    parts_of,
    qos_is,
    qos_out_of_limits,
    set_alone_or_refused,
    some_alone,
)
from conformance.requirement import Need, given, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.strategies.qos import QosAt, policies
from conformance.subject import RunningSubject


@requirement("QOS-001", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["PRV-001"])
@given(policy=policies())
def test_qos_001_create_keeps_the_qos_asked(subject: RunningSubject, policy: QosAt) -> None:
    """`create` MUST keep exactly the min, max and burst IOPS that were asked."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        qos_is(world, world.create(world.request(qos=wanted)), wanted)


@requirement("QOS-002", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["QOS-001"])
@given(first=policies(), second=policies())
def test_qos_002_set_qos_sets_exactly_what_was_asked(subject: RunningSubject, first: QosAt, second: QosAt) -> None:
    """`set_qos` MUST set exactly the min, max and burst IOPS that were asked, up or down."""
    with subject.world() as world:
        limits = subject.declared.limits
        made = world.create(world.request(qos=first.resolve(limits)))
        for policy in (second, first, second):
            world.set_qos(made, policy.resolve(limits))
            qos_is(world, made, policy.resolve(limits))


@requirement("QOS-003", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["QOS-002"])
def test_qos_003_out_of_limits_is_refused(subject: RunningSubject) -> None:
    """QoS outside the declared limits MUST be refused with InvalidRequest, by `create` and `set_qos`, and change
    nothing.
    """
    with subject.world() as world:
        made = world.create()
        driver: Any = world.driver
        for wrong in qos_out_of_limits(world):
            request = world.request(qos=wrong)
            with nothing_changes(world):
                expect_refusal(InvalidRequest, "set_qos", partial(driver.set_qos, world.store, made.volume, wrong))
                expect_refusal(InvalidRequest, "create", partial(world.driver_create, request))


@requirement("QOS-004", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["QOS-002"])
@given(policy=policies())
def test_qos_004_what_is_left_out_stays(subject: RunningSubject, policy: QosAt) -> None:
    """`set_qos` MUST leave a value that is None as it is."""
    with subject.world() as world:
        start = policy.resolve(subject.declared.limits)
        for part in parts_of(another_qos(world, start)):
            made = world.create(world.request(qos=start))
            fitting = fitted(start, part)
            world.set_qos(made, fitting)
            qos_is(world, made, merged(start, fitting))


@requirement("QOS-008", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["QOS-004"])
def test_qos_008_a_part_that_does_not_fit_is_refused(subject: RunningSubject) -> None:
    """`set_qos` with a minimum above the volume's own maximum, or a maximum above its burst, MUST be refused with
    InvalidRequest or set just that value; either way the others stay.
    """
    with subject.world() as world:
        for part in parts_of(QosAt(1000, 1000, 1000).resolve(subject.declared.limits))[:2]:
            made = world.create(world.request(qos=QosAt(0, 0, 0).resolve(subject.declared.limits)))
            set_alone_or_refused(world, made, part)


@requirement("QOS-005", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["QOS-002"])
@given(policy=policies())
def test_qos_005_only_the_volume_meant_changes(subject: RunningSubject, policy: QosAt) -> None:
    """`set_qos` MUST change nothing but the QoS of this volume."""
    with subject.world() as world:
        _before, made, after = world.create(), world.create(), world.create()
        size = world.lun(made).size_bytes
        with others_unchanged(world, made):
            world.set_qos(made, policy.resolve(subject.declared.limits))
        world.set_qos(after, another_qos(world, policy.resolve(subject.declared.limits)))
        expect_equal("the size", world.lun(made).size_bytes, size, ARRAY)


@requirement("QOS-006", needs=[Capability.QOS_ONLINE, Need.PROBE], rests_on=["QOS-002", "ACC-001"])
@given(pattern=patterns(), policy=policies())
def test_qos_006_sessions_survive_a_change(subject: RunningSubject, pattern: Pattern, policy: QosAt) -> None:
    """With QOS_ONLINE a host that is logged in MUST keep its session and its data while QoS changes."""
    with subject.world() as world:
        made = world.create()
        _, session = world.access(made)
        session.write(0, pattern.content)
        world.set_qos(made, policy.resolve(subject.declared.limits))
        found = expect_done("reading on", lambda: session.read(0, len(pattern.content)))
        expect_bytes("data after a change of QoS", found, pattern.content, HOST)


@requirement("QOS-007", needs=[Capability.QOS, Need.CAPACITY, WitnessPower.QOS], rests_on=["QOS-002", "SPC-001"])
@given(policy=policies())
def test_qos_007_a_store_promises_no_more_iops_than_it_has(subject: RunningSubject, policy: QosAt) -> None:
    """Minimum IOPS beyond the store's capacity_iops MUST be refused with CapacityExhausted, and change nothing."""
    with subject.world() as world:
        wanted = policy.resolve(subject.declared.limits)
        least = wanted.min_iops or 1
        world.use(replace(world.store_request(), capacity_iops=2 * least + least // 2))
        first, second = (world.create(world.request(qos=wanted)) for _ in range(2))
        request = world.request(qos=wanted)
        with nothing_changes(world):
            expect_refusal(CapacityExhausted, "a volume too many", lambda: world.driver_create(request))
        world.delete(first)
        third = expect_done("a volume in the place of another", lambda: world.create(request))
        for made in (second, third):
            qos_is(world, made, wanted)


@requirement("QOS-009", needs=[Capability.QOS, WitnessPower.LUNS, WitnessPower.QOS], rests_on=["QOS-001", "PRV-008"])
def test_qos_009_some_values_can_be_left_to_the_array(subject: RunningSubject) -> None:
    """`create` with some of minimum, maximum and burst MUST keep these exactly and leave the others to the array, or be
    refused with InvalidRequest and leave nothing.
    """
    with subject.world() as world:
        for wanted in some_alone(world):
            made_with_or_refused(world, wanted)
