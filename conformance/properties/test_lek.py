"""LEK: nothing without an owner, and nothing that is not told."""

from __future__ import annotations

from conformance.contract import Capability, ObjectKind, WitnessPower
from conformance.expect import PLUGIN, expect_equal
from conformance.judgements import usage_is_true, whole_life
from conformance.requirement import given, requirement
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
