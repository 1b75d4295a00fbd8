"""DED: access model DEDICATED, one LUN and one datastore for each volume."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from conformance.contract import AccessModel, Capability, InvalidRequest, WitnessPower
from conformance.expect import ARRAY, HYPERVISOR, expect, expect_done, expect_equal, expect_none, expect_refusal
from conformance.judgements import (
    datastore_lost,
    disk_holds,
    hosts_with_datastore,
    is_hooked_up,
    largest_asked_of_bridge,
    none_left_on_hosts,
    nothing_changes,
    others_unchanged,
    refused_at_each_call,
    refused_at_each_call_of,
    refused_or_done,
    whole_or_as_before,
    whole_or_nothing,
    written_to_disk,
)
from conformance.requirement import CLOUD, Need, given, pinned, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.strategies.faults import Cut, Silence, cuts, silences
from conformance.strategies.sizes import Granules, Growth, Size, growths, sizes
from conformance.subject import RunningSubject


@requirement("DED-001", needs=[AccessModel.DEDICATED, WitnessPower.LUNS], rests_on=["LIF-001"])
def test_ded_001_adding_a_store_makes_no_lun(subject: RunningSubject) -> None:
    """In access model DEDICATED adding a store and attaching clusters MUST make no LUN and answer no backing."""
    with subject.world() as world:
        store = world.store
        with world.charged("attach_cluster"):
            answered = world.plugin.lifecycle.attach_cluster(store, world.cluster)
        expect_none("backing answered", list(answered), "the plugin")
        expect_none("LUN made", world.new_luns(), ARRAY)


@requirement(
    "DED-002",
    subject=CLOUD,
    needs=[AccessModel.DEDICATED, Need.HYPERVISOR, WitnessPower.LUNS],
    rests_on=["DST-001"],
    examples=0.5,
    hooked_up=True,
)
@given(asked=sizes())
def test_ded_002_a_volume_is_one_lun_one_datastore_one_disk(subject: RunningSubject, asked: Size) -> None:
    """In access model DEDICATED creating a volume MUST make one LUN, one datastore on it and one disk that fills it."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume(asked)
        expect_equal("new LUNs", len(world.new_luns()), 1, ARRAY)
        expect_equal("datastores", len(world.cloud.datastores()), 1, HYPERVISOR)
        expect_equal("disks", len(world.cloud.disks(volume)), 1, HYPERVISOR)


@requirement(
    "DED-003",
    subject=CLOUD,
    needs=[AccessModel.DEDICATED, Need.HYPERVISOR, WitnessPower.LUNS],
    rests_on=["DED-002", "DST-003"],
    examples=1,
    hooked_up=True,
)
@pinned(silence=Silence(4))
@pinned(silence=Silence(3))
@pinned(silence=Silence(2))
@pinned(silence=Silence(1))
@pinned(silence=Silence(0))
@given(silence=silences())
def test_ded_003_a_failure_on_the_way_leaves_nothing(subject: RunningSubject, silence: Silence) -> None:
    """When a host fails while a volume is created there MUST be no LUN, datastore or disk left, or the volume whole."""
    with subject.world(hypervisor=True) as world:
        world.cloud.ready()
        with world.cloud.failing_host(silence):
            world.cloud.create_volume()
        whole_or_nothing(world)


@requirement(
    "DED-004", needs=[AccessModel.DEDICATED, Need.PLUGIN, Need.HYPERVISOR], rests_on=["DST-001"], hooked_up=True
)
@pinned(asked=Granules(1, 512))
@given(asked=sizes())
def test_ded_004_the_disk_is_asked_for_in_its_whole_size(subject: RunningSubject, asked: Size) -> None:
    """In hookup PLUGIN `create` MUST ask the bridge for a disk of at least the size the user asked."""
    with subject.world() as world:
        made = world.create(world.request(asked))
        size = largest_asked_of_bridge(world, "create_disk")
        wanted = made.volume.request.size_bytes
        expect(size >= wanted, f"a disk of {wanted} bytes", f"{size}", "the bridge")


@requirement(
    "DED-005",
    needs=[AccessModel.DEDICATED, Need.PLUGIN, Need.HYPERVISOR, Capability.RESIZE],
    rests_on=["DED-004", "DST-005"],
    hooked_up=True,
)
@given(growth=growths())
def test_ded_005_the_disk_grows_in_its_whole_size(subject: RunningSubject, growth: Growth) -> None:
    """In hookup PLUGIN `resize` MUST ask the bridge to grow the disk to at least the size the user asked."""
    with subject.world() as world:
        made = world.create()
        wanted = growth.beyond(made.volume.size_bytes, subject.declared.limits)
        world.resize(made, wanted)
        size = largest_asked_of_bridge(world, "resize_disk")
        expect(size >= wanted, f"a disk of {wanted} bytes", f"{size}", "the bridge")


@requirement(
    "DED-006",
    needs=[AccessModel.DEDICATED, Need.PLUGIN, Need.HYPERVISOR, WitnessPower.LUNS],
    rests_on=["DST-001", "DED-004"],
    examples=0.5,
    hooked_up=True,
)
@pinned(silence=Silence(3))
@pinned(silence=Silence(1))
@given(silence=silences())
def test_ded_006_a_create_that_a_bridge_refuses_leaves_nothing(subject: RunningSubject, silence: Silence) -> None:
    """In hookup PLUGIN `create` that a bridge refuses at any call MUST leave array and hosts as they were; repeated, it
    makes the volume whole.
    """
    with subject.world() as world:
        world.create()
        request, store = world.request(), world.store
        whole_or_as_before(world, silence, lambda: world.driver_create(request, store))
        answer = expect_done("the repeated create", lambda: world.driver_create(request, store))
        expect_equal("LUNs", len(world.new_luns()), 2, ARRAY)
        is_hooked_up(world, answer.disk, request.size_bytes)


@requirement(
    "DED-007",
    needs=[Capability.VOLUME_FROM_VOLUME, Need.PLUGIN, Need.HYPERVISOR, WitnessPower.LUNS],
    rests_on=["CLN-002", "DED-006"],
    examples=0.5,
    hooked_up=True,
)
@pinned(silence=Silence(3))
@pinned(silence=Silence(1))
@given(silence=silences())
def test_ded_007_a_clone_that_a_bridge_refuses_leaves_nothing(subject: RunningSubject, silence: Silence) -> None:
    """In hookup PLUGIN `clone` that a bridge refuses at any call MUST leave array and hosts as they were; repeated, it
    makes the volume whole.
    """
    with subject.world() as world:
        source = world.create()
        request = world.clone_request(source)
        whole_or_as_before(world, silence, lambda: world.driver_clone(source, request))
        answer = expect_done("the repeated clone", lambda: world.driver_clone(source, request))
        expect_equal("LUNs", len(world.new_luns()), 2, ARRAY)
        is_hooked_up(world, answer.disk, request.size_bytes)


@requirement(
    "DED-008",
    needs=[AccessModel.DEDICATED, Need.PLUGIN, Need.HYPERVISOR, Capability.RESIZE, WitnessPower.SIZE],
    rests_on=["DED-005", "DED-006"],
    examples=0.5,
    hooked_up=True,
)
@given(silence=silences())
def test_ded_008_what_a_bridge_refused_can_be_repeated(subject: RunningSubject, silence: Silence) -> None:
    """In hookup PLUGIN `resize`, `revoke_access`, `grant_access` and `delete` that a bridge refuses at any call MUST
    raise an error, or have had their whole effect; repeated, they end whole, with the volume's neighbour untouched.
    """
    with subject.world() as world:
        world.create()
        held, made = world.inventory(), world.create()
        (host, *staying), driver = world.placement.hosts, world.copier
        names = sorted(each.name for each in staying)
        with others_unchanged(world, made):
            refused_at_each_call(
                world,
                lambda: Growth(1).beyond(world.lun(made).size_bytes, subject.declared.limits),
                lambda asked: driver.resize(world.store, made.volume, asked),
                lambda asked: is_hooked_up(world, made.volume.disk, asked),
            )
            size = world.lun(made).size_bytes
            world.resize(made, size)
            refused_at_each_call(
                world,
                lambda: world.grant(made, host),
                lambda _: driver.revoke_access(world.store, made.volume, host, staying),
                lambda _: expect_equal("hosts with it", hosts_with_datastore(world, made), names, HYPERVISOR),
            )
            whole_or_as_before(world, silence, lambda: driver.grant_access(world.store, made.volume, host))
            expect_done("the repeated grant", lambda: world.grant(made, host))
            is_hooked_up(world, made.volume.disk, size)
            delete = partial(driver.delete, world.store, made.volume)
            refused_or_done(world, silence, delete, lambda: none_left_on_hosts(world, held))
            world.delete(made)


@requirement(
    "DED-009",
    needs=[Capability.VOLUME_FROM_VOLUME, Need.PLUGIN, Need.HYPERVISOR],
    rests_on=["CLN-002", "DED-004"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns(), growth=growths())
def test_ded_009_a_cloned_disk_is_the_sources(subject: RunningSubject, pattern: Pattern, growth: Growth) -> None:
    """In hookup PLUGIN a clone MUST be a disk with the source's bytes, in a datastore of its own that every host sees,
    and its source stay the disk that it was.
    """
    with subject.world() as world:
        source = world.create()
        larger = growth.beyond(source.volume.size_bytes, subject.declared.limits)
        written_to_disk(world, source, pattern.content)
        for size_bytes in (source.volume.size_bytes, larger):
            clone = world.clone(source, replace(world.request(), size_bytes=size_bytes))
            is_hooked_up(world, clone.volume.disk, size_bytes)
            disk_holds(world, clone, pattern.content)
            written_to_disk(world, clone, bytes(len(pattern.content)))
            disk_holds(world, source, pattern.content)


@requirement(
    "DED-010",
    needs=[AccessModel.DEDICATED, Need.PLUGIN, Need.HYPERVISOR, WitnessPower.LUNS],
    rests_on=["DED-004"],
    hooked_up=True,
)
def test_ded_010_a_host_that_cannot_be_hooked_up_is_told(subject: RunningSubject) -> None:
    """In hookup PLUGIN `create` for hosts of which one has no usable initiator MUST raise an error, and leave nothing;
    for the others it then succeeds.
    """
    with subject.world() as world:
        world.create()
        request, placement, store = world.request(), world.placement, world.store
        bare = replace(placement.hosts[-1], uuid=f"bare-{world.tag}", name="bare", initiators=())
        with_bare = replace(placement, hosts=(*placement.hosts, bare))
        held = world.inventory()
        world.act()
        with nothing_changes(world):
            expect_refusal(
                InvalidRequest,
                "a create for a host without initiator",
                lambda: world.driver_create(request, store, with_bare),
            )
        none_left_on_hosts(world, held)
        made = world.create(request)
        is_hooked_up(world, made.volume.disk, request.size_bytes)


@requirement(
    "DED-011",
    needs=[AccessModel.DEDICATED, Need.PLUGIN, Need.HYPERVISOR, Need.ENDPOINT, WitnessPower.LUNS],
    rests_on=["DED-006", "FLT-001"],
    examples=0.25,
    hooked_up=True,
)
@given(cut=cuts())
def test_ded_011_a_create_that_was_interrupted_is_hooked_up(subject: RunningSubject, cut: Cut) -> None:
    """In hookup PLUGIN `create` repeated after the array was silent from any request on MUST make the volume whole,
    with datastore and disk.
    """
    with subject.world() as world:
        for at in world.at_each_request(replace(cut, lasts=True)):
            request, store, before = world.request(), world.store, world.view()
            create = partial(world.driver_create, request, store)
            with world.broken_off(at):
                create()
            answer = expect_done("the repeated create", create)
            is_hooked_up(world, answer.disk, request.size_bytes)
            world.delete(world.keep(request, answer, before, store))


@requirement(
    "DED-012",
    needs=[AccessModel.DEDICATED, Need.PLUGIN, Need.HYPERVISOR],
    rests_on=["DED-004", "DED-005"],
    hooked_up=True,
)
def test_ded_012_a_host_that_lost_its_datastore_gets_it_back(subject: RunningSubject) -> None:
    """In hookup PLUGIN `grant_access`, repeated for a host that has lost the datastore, MUST hook it up again."""
    with subject.world() as world:
        made, (host, *_) = world.create(), world.placement.hosts
        datastore_lost(world, made, host)
        grant = partial(world.driver.grant_access, world.store, made.volume, host)
        expect_done("the grant of a host that has lost its datastore", grant)
        is_hooked_up(world, made.volume.disk, made.volume.size_bytes)


@requirement(
    "DED-013",
    needs=[AccessModel.DEDICATED, Need.PLUGIN, Need.HYPERVISOR, WitnessPower.LUNS],
    rests_on=["DED-006"],
    hooked_up=True,
)
@given(pattern=patterns())
def test_ded_013_a_create_repeated_in_vain_takes_nothing(subject: RunningSubject, pattern: Pattern) -> None:
    """In hookup PLUGIN `create`, repeated for a volume that is there, MUST leave it with its data, also where a bridge
    refuses any call.
    """
    with subject.world() as world:
        made = world.create()
        written_to_disk(world, made, pattern.content)
        create = partial(world.driver_create, made.volume.request)
        refused_at_each_call_of(world, create, lambda: disk_holds(world, made, pattern.content))
        expect_done("the repeated create", create)
        is_hooked_up(world, made.volume.disk, made.volume.size_bytes)
        disk_holds(world, made, pattern.content)
