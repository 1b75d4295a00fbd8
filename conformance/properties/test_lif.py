"""LIF: the life of a store."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from conformance.contract import (
    ArrayUnreachable,
    AuthenticationFailed,
    Capability,
    InvalidRequest,
    StoreRequest,
    WitnessPower,
)
from conformance.expect import (
    ARRAY,
    HOST,
    PLUGIN,
    expect,
    expect_bytes,
    expect_done,
    expect_equal,
    expect_none,
    expect_refusal,
)
from conformance.judgements import (
    accepted_without,
    bytes_in_use,
    error_names,
    kept_besides,
    more_than_there_is,
    nothing_changes,
    nothing_is_left,
    objects_listed,
    store_deleted_beside,
    used_iops_are_kept,
)
from conformance.requirement import Need, given, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.strategies.qos import QosAt, policies
from conformance.subject import RunningSubject
from conformance.world import World


@requirement("LIF-001", rests_on=["REG-001"])
def test_lif_001_initialize_accepts_a_good_request(subject: RunningSubject) -> None:
    """`initialize` MUST accept a good request and answer a store with that request, the same when repeated."""
    with subject.world() as world:
        request = world.store_request()
        store = world.use(request)
        expect_equal("the store's request", store.request.uuid, request.uuid, PLUGIN)
        made = world.create()
        again = expect_done("a repeated initialize", lambda: world.plugin.lifecycle.initialize(request))
        expect_equal("owners listed", world.owners(again), [made.uuid], PLUGIN, home="LEK-002")
        expect_equal("the store's details", dict(again.details), dict(store.details), PLUGIN)


@requirement("LIF-002", needs=[Need.SECRET, WitnessPower.LUNS], rests_on=["LIF-001"])
def test_lif_002_wrong_credentials_are_found_at_once(subject: RunningSubject) -> None:
    """`initialize` with wrong credentials MUST raise AuthenticationFailed and leave nothing on the array, also when
    there is a store with the right ones, and accept those for this store afterwards.
    """
    with subject.world() as world:
        request = world.store_request()
        wrong = world.with_wrong_secrets(request)
        add = partial(world.plugin.lifecycle.initialize, wrong)
        with nothing_is_left(world):
            error = expect_refusal(AuthenticationFailed, "wrong credentials", add)
        names = {each.name for each in subject.declared.parameters}
        expect(error_names(error) & names, f"one of the parameters {sorted(names)}", str(error), PLUGIN)
        world.add_store()
        with nothing_is_left(world):
            expect_refusal(AuthenticationFailed, "wrong credentials beside right ones", add)
        _accepted_now(world, request)


@requirement("LIF-003", needs=[Need.ENDPOINT], rests_on=["LIF-001"])
def test_lif_003_a_dead_array_is_found_at_once(subject: RunningSubject) -> None:
    """`initialize` with an address where nobody answers MUST raise ArrayUnreachable, and accept the right one for this
    store afterwards.
    """
    with subject.world() as world:
        request = world.store_request()
        dead = world.with_dead_endpoints(request)
        expect_refusal(ArrayUnreachable, "a dead address", lambda: world.plugin.lifecycle.initialize(dead))
        _accepted_now(world, request)


def _accepted_now(world: World, request: StoreRequest) -> None:
    """Somebody who has mistyped tries again."""
    expect_done("initialize with what is right", partial(world.plugin.lifecycle.initialize, request))
    world.add_store(request)


@requirement("LIF-004", needs=[WitnessPower.LUNS], rests_on=["LIF-001"])
def test_lif_004_a_capacity_that_cannot_be_is_refused(subject: RunningSubject) -> None:
    """`initialize` with a capacity of zero or below MUST raise InvalidRequest and leave nothing on the array."""
    with subject.world() as world:
        for capacity in (0, -1):
            request = world.store_request(capacity_bytes=capacity)
            with nothing_is_left(world):
                expect_refusal(
                    InvalidRequest,
                    f"a capacity of {capacity}",
                    partial(world.plugin.lifecycle.initialize, request),
                )


@requirement("LIF-005", needs=[WitnessPower.LUNS], rests_on=["LIF-001"])
def test_lif_005_attaching_a_cluster_can_be_repeated_and_undone(subject: RunningSubject) -> None:
    """`attach_cluster` and `detach_cluster` MUST succeed, also twice, and leave LUNs as they are."""
    with subject.world() as world:
        store, lifecycle = world.store, world.plugin.lifecycle
        world.create()
        with nothing_changes(world):
            expect_done("a repeated attach", lambda: lifecycle.attach_cluster(store, world.cluster))
            expect_done("attach of another cluster", lambda: lifecycle.attach_cluster(store, world.other_cluster))
            for _ in range(2):
                expect_done("detach", lambda: lifecycle.detach_cluster(store, world.other_cluster))


@requirement("LIF-006", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["LIF-001", "ACC-001", "DEL-001"])
def test_lif_006_deleting_a_store_removes_all_that_is_in_it(subject: RunningSubject) -> None:
    """`delete_datastore` MUST remove every volume of the store and all access to it, and succeed when repeated."""
    with subject.world() as world:
        request = world.store.request
        granted, plain = world.create(), world.create()
        _, session = world.access(granted)
        session.close()
        world.forget(granted, plain)
        with world.charged("delete_datastore"):
            world.remove_store(request)
        expect_none("LUN left", world.new_luns(), ARRAY)
        expect_done("a repeated delete_datastore", lambda: world.plugin.lifecycle.delete_datastore(request))


@requirement("LIF-007", needs=[WitnessPower.LUNS], rests_on=["LIF-006"])
def test_lif_007_deleting_a_store_that_never_was_succeeds(subject: RunningSubject) -> None:
    """`delete_datastore` MUST succeed for a store never initialised or half made, and change nothing else."""
    with subject.world() as world:
        world.create()
        half = world.store_request()
        with nothing_changes(world):
            expect_done("delete of an unknown store", lambda: world.plugin.lifecycle.delete_datastore(half))
            world.plugin.lifecycle.initialize(half)
            expect_done("delete of a half-made store", lambda: world.plugin.lifecycle.delete_datastore(half))


@requirement("LIF-008", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["LIF-006", "LEK-002"])
@given(pattern=patterns())
def test_lif_008_stores_do_not_meet(subject: RunningSubject, pattern: Pattern) -> None:
    """Deleting a store MUST leave the volumes, data and hosts of other stores on the same array alone."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        session.write(0, pattern.content)
        second = world.add_store()
        expect_equal("volumes listed for the empty store", world.owners(second), [], PLUGIN)
        other = world.create(store=second)
        world.grant(other, host)
        world.grant(world.create(), host)
        expect_equal("volumes listed for the second store", world.owners(second), [other.uuid], PLUGIN)
        mine = sorted(each.uuid for each in world.volumes if each is not other)
        expect_equal("volumes listed for the first store", world.owners(world.store), mine, PLUGIN)
        world.forget(other)
        with world.charged("delete_datastore"):
            world.plugin.lifecycle.delete_datastore(second.request)
        found = expect_done("reading on", lambda: session.read(0, len(pattern.content)))
        expect_bytes("data of the first store", found, pattern.content, HOST)
        world.login(made, world.host())


@requirement("LIF-009", needs=[Need.UPDATE, WitnessPower.SIZE, Need.PROBE], rests_on=["PRV-001"])
def test_lif_009_a_capacity_below_what_is_used_is_refused(subject: RunningSubject) -> None:
    """`update` MUST refuse a capacity below what is used with InvalidRequest, and accept a larger one."""
    with subject.world() as world:
        made = world.create()
        update: Any = world.plugin.lifecycle
        small = replace(world.store.request, capacity_bytes=bytes_in_use(world, made) - 1)
        large = replace(world.store.request, capacity_bytes=world.store.request.capacity_bytes + made.volume.size_bytes)
        with nothing_changes(world):
            expect_refusal(InvalidRequest, "update below used", lambda: update.update(world.store, small))
            updated = expect_done("update to more", lambda: update.update(world.store, large))
        expect_equal("the new capacity", updated.request.capacity_bytes, large.capacity_bytes, PLUGIN)


@requirement("LIF-010", needs=[WitnessPower.LUNS], rests_on=["LIF-001"])
def test_lif_010_more_than_the_array_has_is_refused(subject: RunningSubject) -> None:
    """`initialize` with more capacity than the array has SHOULD be refused unless over-provisioning is declared."""
    with subject.world() as world:
        more_than_there_is(world)


@requirement("LIF-011", needs=[WitnessPower.LUNS, Need.PROBE], rests_on=["LIF-001", "ACC-001"])
@given(pattern=patterns())
def test_lif_011_a_store_in_use_is_initialised_again(subject: RunningSubject, pattern: Pattern) -> None:
    """`initialize` and `attach_cluster`, repeated and by a new instance, MUST leave all that is in the store: volumes,
    snapshots, templates, access, sessions and data.
    """
    with subject.world() as world:
        made = world.create()
        _, session = world.access(made)
        session.write(0, pattern.content)
        kept_besides(world, made)
        before = objects_listed(world)
        _initialised_again(world)
        world.restart_plugin()
        _initialised_again(world)
        expect_equal("objects listed", objects_listed(world), before, PLUGIN)
        expect_bytes("the data", session.read(0, len(pattern.content)), pattern.content, HOST)


def _initialised_again(world: World) -> None:
    lifecycle, store = world.plugin.lifecycle, world.store
    with nothing_changes(world):
        again = expect_done("a repeated initialize", lambda: lifecycle.initialize(store.request))
        expect_done("a repeated attach", lambda: lifecycle.attach_cluster(again, world.cluster))
    expect_equal("the store's details", dict(again.details), dict(store.details), PLUGIN)


@requirement(
    "LIF-012",
    needs=[Need.UPDATE, Need.CAPACITY, Capability.QOS, WitnessPower.QOS],
    rests_on=["LIF-009", "QOS-001"],
)
@given(policy=policies())
def test_lif_012_iops_below_what_is_used_are_refused(subject: RunningSubject, policy: QosAt) -> None:
    """`update` MUST refuse fewer IOPS than `used` tells with InvalidRequest and change nothing, and accept as many."""
    with subject.world() as world:
        world.create(world.request(qos=policy.resolve(subject.declared.limits)))
        used_iops_are_kept(world)


@requirement("LIF-013", needs=[Need.OPTIONAL_PARAMETER], rests_on=["LIF-001"])
def test_lif_013_what_is_optional_may_be_left_out(subject: RunningSubject) -> None:
    """`initialize` MUST NOT raise InvalidRequest because parameters that are not required are left out."""
    with subject.world() as world:
        # Whose certificate is his own has to say who vouches for it.
        optional = {each.name for each in subject.declared.parameters if not (each.required or each.ca_file)}
        accepted_without(world, optional)


@requirement("LIF-014", needs=[Need.ENDPOINT, Need.PROBE, WitnessPower.LUNS], rests_on=["LIF-008", "ACC-025"])
def test_lif_014_a_store_goes_while_another_is_used(subject: RunningSubject) -> None:
    """`delete_datastore` while a host is granted another store's volume, by two instances, MUST leave it in there."""
    with subject.world() as world:
        store_deleted_beside(world)
