"""DST: datastores on hypervisors."""

from __future__ import annotations

from conformance.contract import AccessModel, Capability, DatastoreConflict, WitnessPower
from conformance.expect import (
    ARRAY,
    HYPERVISOR,
    expect,
    expect_bytes,
    expect_done,
    expect_equal,
    expect_none,
    expect_refusal,
)
from conformance.expect import (
    CLOUD as THE_CLOUD,
)
from conformance.judgements import agrees, hooked_to, hosts_with_datastore
from conformance.requirement import BRIDGE, CLOUD, Need, given, pinned, requirement
from conformance.strategies.data import Pattern, Place, patterns, places
from conformance.strategies.faults import Silence, silences
from conformance.strategies.sizes import Growth, Size, growths, sizes
from conformance.subject import RunningSubject


@requirement(
    "DST-001",
    subject=BRIDGE,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["PRV-001", "ACC-001", "ACC-012"],
    examples=0.5,
    hooked_up=True,
)
@given(asked=sizes())
def test_dst_001_every_host_sees_a_datastore_the_disk_fits_in(subject: RunningSubject, asked: Size) -> None:
    """A new volume MUST be a disk, as large as asked, in a datastore that every host of the cluster sees."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume(asked)
        expect_equal(
            "hosts that see the datastore",
            world.cloud.hosts_seeing(volume),
            world.cloud.host_names(),
            HYPERVISOR,
        )
        sizes_seen = world.cloud.disk_sizes(volume)
        expect(
            min(sizes_seen) >= world.size(asked),
            f"a disk of {world.size(asked)} bytes",
            f"{sizes_seen}",
            HYPERVISOR,
        )


@requirement(
    "DST-002",
    subject=BRIDGE,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED, WitnessPower.BYTES],
    rests_on=["DST-001"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns(), place=places())
def test_dst_002_bytes_on_the_disk_are_bytes_on_the_lun(
    subject: RunningSubject, pattern: Pattern, place: Place
) -> None:
    """What is written to a disk MUST be readable from every host, and be on the volume's LUN."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        offset = place.offset(world.cloud.size(volume), len(pattern.content))
        world.cloud.write(volume, offset, pattern.content)
        expect_bytes("the disk", world.cloud.read(volume, offset, len(pattern.content)), pattern.content, HYPERVISOR)
        on_lun = world.witness.read(world.cloud.lun(volume).external_id, offset, len(pattern.content))
        expect_bytes("the LUN", on_lun, pattern.content, ARRAY)


@requirement(
    "DST-003",
    subject=BRIDGE,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED, WitnessPower.LUNS],
    rests_on=["DST-001", "DEL-001"],
    hooked_up=True,
)
def test_dst_003_a_deleted_volume_leaves_nothing_on_hosts(subject: RunningSubject) -> None:
    """Deleting a volume MUST leave no target, datastore, disk or secret on any host, except what others use."""
    with subject.world(hypervisor=True) as world:
        world.cloud.ready()
        staying = world.cloud.create_volume()
        before = world.cloud.inventory()
        going = world.cloud.create_volume()
        world.cloud.delete_volume(going)
        expect_equal("what the hosts hold", world.cloud.inventory(), before, HYPERVISOR)
        expect_equal(
            "hosts that see the other datastore",
            world.cloud.hosts_seeing(staying),
            world.cloud.host_names(),
            HYPERVISOR,
        )
        world.cloud.delete_volume(staying)
        expect_none("storage left on a host", world.cloud.left_on_hosts(), HYPERVISOR)


@requirement(
    "DST-004",
    subject=BRIDGE,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-001"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_dst_004_data_survives_attach_and_detach(subject: RunningSubject, pattern: Pattern) -> None:
    """A disk MUST keep its data when it is attached to a VM, detached, and attached to another, any number of times."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.write(volume, 0, pattern.content)
        for number in range(2):
            world.cloud.attach(volume, f"vm-{number}")
            world.cloud.detach(volume, f"vm-{number}")
        expect_bytes("the disk", world.cloud.read(volume, 0, len(pattern.content)), pattern.content, HYPERVISOR)


@requirement(
    "DST-005",
    subject=BRIDGE,
    needs=[Capability.RESIZE, Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-001", "EXT-001"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns(), growth=growths())
def test_dst_005_every_host_sees_a_datastore_grow(subject: RunningSubject, pattern: Pattern, growth: Growth) -> None:
    """After a resize every host MUST see the larger datastore, with a disk of at least the asked size and its data."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.write(volume, 0, pattern.content)
        asked = growth.beyond(world.cloud.size(volume), subject.declared.limits)
        world.cloud.resize(volume, asked)
        sizes_seen = world.cloud.disk_sizes(volume)
        expect(min(sizes_seen) >= asked, f"a disk of {asked} bytes on every host", f"{sizes_seen}", HYPERVISOR)
        expect_bytes("the disk", world.cloud.read(volume, 0, len(pattern.content)), pattern.content, HYPERVISOR)


@requirement(
    "DST-006",
    subject=CLOUD,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED, WitnessPower.SESSIONS],
    rests_on=["DST-003"],
    hooked_up=True,
)
def test_dst_006_unmount_comes_before_unmap(subject: RunningSubject) -> None:
    """No host MUST still use a datastore at the moment its access to the LUN is revoked."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        early = world.cloud.watch_revokes(volume)
        world.cloud.delete_volume(volume)
        expect_none("host revoked while it used the datastore", early, THE_CLOUD)


@requirement(
    "DST-007", subject=BRIDGE, needs=[Need.HYPERVISOR, AccessModel.DEDICATED], rests_on=["DST-004"], hooked_up=True
)
def test_dst_007_a_disk_in_use_is_not_given_to_another_vm(subject: RunningSubject) -> None:
    """A disk that is attached to a VM MUST be refused to another, and stay with the first."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.attach(volume, "first")
        world.cloud.attach_is_refused(volume, "second")
        world.cloud.detach(volume, "first")


@requirement(
    "DST-008", needs=[Need.PLUGIN, Need.HYPERVISOR, AccessModel.DEDICATED], rests_on=["DST-001"], hooked_up=True
)
def test_dst_008_hosts_are_taken_off_one_by_one(subject: RunningSubject) -> None:
    """In hookup PLUGIN granting or revoking one host MUST leave every other host its datastore, in its whole size."""
    with subject.world() as world:
        made = world.create()
        first, *others = world.placement.hosts
        world.revoke(made, first)
        seen = hosts_with_datastore(world, made)
        expect_equal("hosts that see the datastore", seen, sorted(each.name for each in others), HYPERVISOR)
        world.grant(made, first)
        seen = hosts_with_datastore(world, made)
        expect_equal("hosts that see the datastore", seen, sorted(each.name for each in (first, *others)), HYPERVISOR)


@requirement(
    "DST-009",
    subject=BRIDGE,
    needs=[Capability.RESIZE, Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-005"],
    hooked_up=True,
)
@pinned(silence=Silence(1), growth=Growth(1), pattern=Pattern(1))
@pinned(silence=Silence(0), growth=Growth(1), pattern=Pattern(1))
@given(silence=silences(), growth=growths(), pattern=patterns())
def test_dst_009_a_resize_broken_off_can_be_repeated(
    subject: RunningSubject, silence: Silence, growth: Growth, pattern: Pattern
) -> None:
    """A resize repeated after a host failed MUST end with array, hosts and disk agreeing on the new size."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.write(volume, 0, pattern.content)
        asked = growth.beyond(world.cloud.size(volume), subject.declared.limits)
        with world.cloud.failing_host(silence):
            world.cloud.resize(volume, asked)
        # Nothing may have failed, and sizes are rounded up: less than it has would be another request.
        again = max(asked, world.cloud.size(volume))
        expect_done("the repeated resize", lambda: world.cloud.resize(volume, again))
        agrees(world, volume, asked)
        expect_bytes("the disk", world.cloud.read(volume, 0, len(pattern.content)), pattern.content, HYPERVISOR)


@requirement(
    "DST-010",
    subject=CLOUD,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED, WitnessPower.LUNS],
    rests_on=["DST-003"],
    hooked_up=True,
)
@pinned(silence=Silence(1))
@pinned(silence=Silence(0))
@given(silence=silences())
def test_dst_010_a_delete_broken_off_can_be_repeated(subject: RunningSubject, silence: Silence) -> None:
    """A delete repeated after a host failed MUST leave nothing of the volume, and its neighbour whole."""
    with subject.world(hypervisor=True) as world:
        world.cloud.ready()
        neighbour = world.cloud.create_volume()
        before = world.cloud.inventory()
        volume = world.cloud.create_volume()
        with world.cloud.failing_host(silence):
            world.cloud.delete_volume(volume)
        expect_done("the repeated delete", lambda: world.cloud.delete_volume(volume))
        expect_equal("LUNs", len(world.new_luns()), 1, "the array")
        expect_equal("what the hosts hold", world.cloud.inventory(), before, HYPERVISOR)
        agrees(world, neighbour, 1)


@requirement(
    "DST-011",
    subject=CLOUD,
    needs=[Capability.REVERT, Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-001", "REV-001"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_dst_011_a_reverted_disk_is_the_snapshots(subject: RunningSubject, pattern: Pattern) -> None:
    """After a revert every host MUST see the volume's datastore again, with the snapshot's bytes on the disk."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.write(volume, 0, pattern.content)
        snapshot = world.cloud.take_snapshot(volume)
        world.cloud.write(volume, 0, bytes(len(pattern.content)))
        world.cloud.revert(volume, snapshot)
        agrees(world, volume, 1)
        expect_bytes("the disk", world.cloud.read(volume, 0, len(pattern.content)), pattern.content, HYPERVISOR)


@requirement(
    "DST-012",
    subject=CLOUD,
    needs=[Capability.VOLUME_FROM_SNAPSHOT, Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-001", "CLN-001"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_dst_012_a_disk_made_from_a_snapshot_is_its_own(subject: RunningSubject, pattern: Pattern) -> None:
    """A disk made from a snapshot MUST have its bytes, in a datastore of its own that every host sees."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.write(volume, 0, pattern.content)
        clone = world.cloud.clone(world.cloud.take_snapshot(volume))
        agrees(world, clone, 1)
        expect_bytes("the clone", world.cloud.read(clone, 0, len(pattern.content)), pattern.content, HYPERVISOR)
        world.cloud.write(clone, 0, bytes(len(pattern.content)))
        expect_bytes("its source", world.cloud.read(volume, 0, len(pattern.content)), pattern.content, HYPERVISOR)
        world.cloud.delete_volume(clone)
        agrees(world, volume, 1)


@requirement(
    "DST-013",
    subject=BRIDGE,
    needs=[Need.HYPERVISOR, Need.SECOND_HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-004"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_dst_013_a_vm_finds_its_disk_wherever_it_starts(subject: RunningSubject, pattern: Pattern) -> None:
    """A VM that is stopped, started elsewhere and moved MUST find its disk, with its data, each time."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        (first, second, *_), last = world.cloud.hosts(), world.cloud.hosts()[-1]
        world.cloud.write(volume, 0, pattern.content)
        world.cloud.assign(volume, "web")
        world.cloud.start("web", first)
        world.cloud.move("web", second)
        world.cloud.stop("web")
        world.cloud.start("web", last)
        world.cloud.attach_is_refused(volume, "another")
        agrees(world, volume, 1)
        expect_bytes("the disk", world.cloud.read(volume, 0, len(pattern.content)), pattern.content, HYPERVISOR)


@requirement(
    "DST-014",
    subject=CLOUD,
    needs=[Capability.CHAP_ROTATION, Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-001", "CHP-006"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_dst_014_hosts_stay_connected_through_a_rotation(subject: RunningSubject, pattern: Pattern) -> None:
    """After a rotation of CHAP secrets every host MUST see the datastore, with its data, hosts that come included."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.write(volume, 0, pattern.content)
        world.cloud.rotate_chap(volume)
        world.cloud.add_host()
        agrees(world, volume, 1)
        expect_bytes("the disk", world.cloud.read(volume, 0, len(pattern.content)), pattern.content, HYPERVISOR)


@requirement(
    "DST-015",
    subject=BRIDGE,
    needs=[Need.HYPERVISOR, Need.FRAMEWORK, AccessModel.DEDICATED],
    rests_on=["DST-001"],
    hooked_up=True,
)
def test_dst_015_a_name_that_is_taken_is_refused(subject: RunningSubject) -> None:
    """`create_datastore` MUST answer the same datastore on the same LUN, and on another LUN refuse its name."""
    with subject.world(hypervisor=True) as world:
        name, bridge = f"sc-{world.tag}", world.open_bridge()
        first, second = (hooked_to(world, world.create()) for _ in range(2))
        made = expect_done("create_datastore", lambda: bridge.create_datastore(name, first))
        world.defer("delete_datastore of the bridge", lambda: bridge.delete_datastore(made))
        expect_equal("the datastore", bridge.create_datastore(name, first), made, HYPERVISOR)
        expect_refusal(DatastoreConflict, "a name that is taken", lambda: bridge.create_datastore(name, second))
        expect_equal("the datastore", bridge.find_datastore(name), made, HYPERVISOR)


@requirement(
    "DST-016",
    subject=BRIDGE,
    needs=[Capability.TEMPLATE_CACHE, Need.HYPERVISOR, Need.FRAMEWORK, AccessModel.DEDICATED],
    rests_on=["DST-012", "TPL-002"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_dst_016_a_template_is_filled_and_cloned(subject: RunningSubject, pattern: Pattern) -> None:
    """A disk made from a template MUST have its bytes, also when it is there already and is filled anew."""
    with subject.world(hypervisor=True) as world:
        template = world.cloud.template(pattern.content)
        disk = world.cloud.clone(world.cloud.seed_template(template))
        agrees(world, disk, template.size_bytes)
        expect_bytes("the disk", world.cloud.read(disk, 0, len(pattern.content)), pattern.content, HYPERVISOR)
        world.cloud.write(disk, 0, bytes(len(pattern.content)))
        place = world.cloud.volume(disk).disk
        expect_done("import_template", lambda: world.cloud.filled_again(disk, template))
        expect_equal("the disk's place", world.cloud.volume(disk).disk, place, HYPERVISOR)
        expect_bytes("the filled disk", world.cloud.read(disk, 0, len(pattern.content)), pattern.content, HYPERVISOR)
