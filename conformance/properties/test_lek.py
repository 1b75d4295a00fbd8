"""LEK: nothing without an owner, and nothing that is not told."""

from __future__ import annotations

from functools import partial

from conformance.contract import Capability, ObjectKind, WitnessPower
from conformance.expect import ARRAY, PLUGIN, expect_done, expect_equal
from conformance.judgements import (
    all_of_many_are_listed,
    another_qos,
    others_unchanged,
    usage_is_true,
    volumes_are_told,
    whole_life,
)
from conformance.requirement import given, requirement
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Growth, Size, growths, sizes
from conformance.subject import RunningSubject


@requirement("LEK-001", needs=[WitnessPower.LUNS], rests_on=["DEL-001", "LIF-006", "ACC-004"], watches=True)
def test_lek_001_nothing_is_left_when_all_is_deleted(subject: RunningSubject) -> None:
    """When volumes, hosts and store are deleted nothing that the plugin made MUST remain on the array."""
    with subject.world() as world:
        whole_life(world)


@requirement("LEK-002", rests_on=["PRV-001"])
@given(first=sizes(), second=sizes())
def test_lek_002_what_was_made_is_listed(subject: RunningSubject, first: Size, second: Size) -> None:
    """`list_objects` MUST tell every object the plugin made for the store, with its owner, and no other."""
    with subject.world() as world:
        made = [world.create(world.request(each)) for each in (first, second, first, second)]
        with world.charged("list_objects"):
            listed = world.driver.list_objects(world.store)
        told = sorted((each.kind, each.owner_uuid, each.external_id) for each in listed)
        wanted = sorted((ObjectKind.VOLUME, each.uuid, str(each.volume.external_id)) for each in made)
        expect_equal("objects listed", told, wanted, PLUGIN)
        told_sizes = {each.owner_uuid: each.size_bytes for each in listed if each.size_bytes is not None}
        expect_equal("sizes listed", told_sizes, {each.uuid: each.volume.size_bytes for each in made}, PLUGIN)
        world.delete(made[0])
        expect_equal(
            "owners listed after a delete", world.owners(world.store), sorted(each.uuid for each in made[1:]), PLUGIN
        )


@requirement("LEK-003", needs=[WitnessPower.SIZE, WitnessPower.QOS], rests_on=["PRV-001", "DEL-001"])
@given(first=sizes(), second=sizes())
def test_lek_003_used_is_the_sum_of_what_is_there(subject: RunningSubject, first: Size, second: Size) -> None:
    """`used` MUST be the sum over the store's volumes by the declared accounting, or unknown, and fall when one is
    deleted.
    """
    with subject.world() as world:
        made = [world.create(world.request(each)) for each in (first, second)]
        usage_is_true(world)
        world.restart_plugin()
        usage_is_true(world)
        world.create(store=world.add_store())
        usage_is_true(world)
        world.delete(made[0])
        usage_is_true(world)


@requirement("LEK-004", needs=[Capability.RESIZE, WitnessPower.SIZE], rests_on=["LEK-002", "EXT-001"])
@given(growth=growths())
def test_lek_004_sizes_listed_are_those_of_now(subject: RunningSubject, growth: Growth) -> None:
    """`list_objects` and `used` MUST tell the size a volume has now, after it has grown."""
    with subject.world() as world:
        made = world.create()
        world.resize(made, growth.beyond(made.volume.size_bytes, subject.declared.limits))
        with world.charged("list_objects"):
            told = [each.size_bytes for each in world.driver.list_objects(world.store) if each.size_bytes is not None]
        expect_equal("sizes listed", told, [made.volume.size_bytes] * len(told), PLUGIN)
        usage_is_true(world)


@requirement("LEK-005", needs=[WitnessPower.SIZE, WitnessPower.ACCESS], rests_on=["LEK-002", "LEK-003", "DEL-004"])
@given(first=sizes(), second=sizes())
def test_lek_005_tenants_share_a_store(subject: RunningSubject, first: Size, second: Size) -> None:
    """Volumes of several tenants in one store MUST all be listed, counted, granted and deleted, each alone, also by a
    new instance of the plugin; a tenant's last delete leaves the others' volumes and new ones of its own possible.
    """
    with subject.world() as world:
        host = world.host()
        mine, theirs, more = (
            world.create(world.request(size, tenant=tenant))
            for size, tenant in ((first, None), (second, world.tenant(1)), (first, world.tenant(2)))
        )
        for made in (mine, theirs, more):
            world.grant(made, host)
        volumes_are_told(world, mine, theirs, more)
        world.restart_plugin()
        volumes_are_told(world, mine, theirs, more)
        for made in (theirs, mine):
            world.revoke(made, host)
            with others_unchanged(world, made):
                expect_done("delete of a tenant's last volume", partial(world.delete, made))
        volumes_are_told(world, more)
        again = expect_done("a new volume of that tenant", lambda: world.create(theirs.volume.request))
        volumes_are_told(world, again, more)


@requirement("LEK-006", needs=[WitnessPower.LUNS], rests_on=["LEK-001", "LEK-005"])
def test_lek_006_nothing_of_any_tenant_is_left(subject: RunningSubject) -> None:
    """When a store is deleted in which several tenants had volumes nothing of any of them MUST remain, and what they
    have in another store stay as it is.
    """
    with subject.world() as world:
        second = world.add_store()
        tenants = (None, world.tenant(1), world.tenant(2))
        there = [world.create(world.request(tenant=each)) for each in tenants]
        other = [world.create(world.request(tenant=each), second) for each in tenants]
        world.delete(there[1])
        expect_equal("owners listed", world.owners(second), sorted(each.uuid for each in other), PLUGIN)
        world.forget(*there)
        with others_unchanged(world, *there):
            expect_done("delete_datastore", lambda: world.remove_store(world.store.request))
        left = {each.external_id for each in world.new_luns()}
        wanted = {each.lun.external_id for each in other if each.lun is not None}
        expect_equal("LUNs", sorted(left), sorted(wanted), ARRAY)
        for each in other:
            expect_done("delete in the other store", partial(world.delete, each))


@requirement("LEK-007", needs=[Capability.QOS, WitnessPower.QOS], rests_on=["LEK-003", "QOS-002"])
@given(first=policies(), second=policies())
def test_lek_007_iops_in_use_are_those_of_now(subject: RunningSubject, first: QosAt, second: QosAt) -> None:
    """`used` MUST tell the IOPS that the volumes have now, after each change of QoS, or unknown."""
    with subject.world() as world:
        limits = subject.declared.limits
        made, _neighbour = world.create(world.request(qos=first.resolve(limits))), world.create()
        for policy in (
            another_qos(world, first.resolve(limits)),
            second.resolve(limits),
            QosAt(0, 0, 0).resolve(limits),
        ):
            world.set_qos(made, policy)
            usage_is_true(world)
        world.restart_plugin()
        usage_is_true(world)


@requirement("LEK-008", rests_on=["LEK-002"])
def test_lek_008_all_of_many_volumes_are_listed(subject: RunningSubject) -> None:
    """`list_objects` MUST tell all volumes of a store that has more than 32, or than fit into a page."""
    with subject.world() as world:
        all_of_many_are_listed(world)
