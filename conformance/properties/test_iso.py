"""ISO: only one's own."""

from __future__ import annotations

from conformance.contract import Capability, WitnessPower
from conformance.expect import ARRAY, PLUGIN, expect_equal
from conformance.judgements import (
    granted_beside_or_refused,
    joins_or_is_refused,
    leaves,
    life_on_hosts,
    planted_snapshot_stays,
    strangers_untouched,
    whole_life,
)
from conformance.requirement import BRIDGE, Need, requirement
from conformance.subject import RunningSubject


@requirement("ISO-001", needs=[WitnessPower.FILL], rests_on=["DEL-004", "LIF-006", "PRV-002"], watches=True)
def test_iso_001_strangers_luns_are_left_alone(subject: RunningSubject) -> None:
    """LUNs that somebody else made on the array MUST stay as they are, whatever the plugin does."""
    with subject.world() as world:
        room = 64 * subject.declared.limits.rounded_up(subject.declared.limits.smallest_lun_bytes)
        world.fill(room)
        before = world.view()
        whole_life(world)
        with world.charged("delete_datastore"):
            world.remove_store(world.store.request)
        after = {each.external_id: each for each in world.view().luns}
        for each in before.luns:
            expect_equal("a stranger's LUN", after.get(each.external_id), each, ARRAY)


@requirement("ISO-002", needs=[Need.ENDPOINT], rests_on=["LIF-001", "PRV-001"])
def test_iso_002_each_store_has_its_own_array(subject: RunningSubject) -> None:
    """Calls for a store MUST go to the endpoint of that store and no other, when one plugin serves several arrays."""
    with subject.world() as world:
        here = world.store
        there, doors = world.store_elsewhere()
        before = doors.exchanges
        world.create(store=here)
        world.owners(here)
        expect_equal("requests sent to the other array", doors.exchanges, before, PLUGIN)
        before = world.instance.doors.exchanges
        world.create(store=there)
        world.owners(there)
        expect_equal("requests sent to the first array", world.instance.doors.exchanges, before, PLUGIN)


@requirement("ISO-003", needs=[WitnessPower.PLANT], rests_on=["ISO-001"], watches=True)
def test_iso_003_what_strangers_have_beside_luns_is_left_alone(subject: RunningSubject) -> None:
    """Accounts, groups, initiators and snapshots of others MUST stay as they are, however alike their names."""
    with subject.world() as world:
        whole_life(world)
        with world.charged("delete_datastore"):
            world.remove_store(world.store.request)


@requirement("ISO-004", needs=[WitnessPower.PLANT, Need.PROBE], rests_on=["ISO-003", "ACC-004"])
def test_iso_004_an_initiator_that_others_hold_stays_theirs(subject: RunningSubject) -> None:
    """A host whose initiator others have let in to LUNs of theirs MUST be granted beside that or refused, and whatever
    is theirs stay, also when the host leaves.
    """
    with subject.world() as world:
        host, made = world.held_by_others(), world.create()
        joins_or_is_refused(world, host)
        granted_beside_or_refused(world, made, host)
        strangers_untouched(world, "after the grant")
        leaves(world, made, host)
        strangers_untouched(world, "after the host has left")


@requirement(
    "ISO-005",
    subject=BRIDGE,
    needs=[Need.HYPERVISOR, Need.HYPERVISOR_WITNESS],
    rests_on=["DST-003"],
    hooked_up=True,
    watches=True,
)
def test_iso_005_what_others_have_on_hosts_is_left_alone(subject: RunningSubject) -> None:
    """Storage that others have on hypervisor hosts SHOULD stay as it is, defined and active, however alike its name."""
    with subject.world(hypervisor=True) as world:
        life_on_hosts(world)


@requirement(
    "ISO-006",
    needs=[Capability.SNAPSHOT, WitnessPower.PLANT_SNAPSHOTS, WitnessPower.SNAPSHOTS],
    rests_on=["ISO-003", "SNP-005", "SNP-009"],
)
def test_iso_006_a_strangers_snapshot_of_a_volume_stays(subject: RunningSubject) -> None:
    """A snapshot that somebody else took of a volume MUST stay, and not be told as the plugin's; where volumes with
    snapshots are not deleted, one with such a snapshot is not either.
    """
    with subject.world() as world:
        planted_snapshot_stays(world, world.create())
