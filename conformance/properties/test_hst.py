"""HST: hosts come, go and come back."""

from __future__ import annotations

from functools import partial

from conformance.contract import AccessModel, HostListener, WitnessPower
from conformance.expect import ARRAY, HOST, HYPERVISOR, expect_bytes, expect_done, expect_equal, expect_none
from conformance.judgements import (
    access_left,
    agrees,
    cannot_write,
    comes_back,
    facts,
    host_told_of_beside,
    listener_of,
    locked_out,
    nothing_changes,
    objects_of,
    only_granted_are_let_in,
)
from conformance.requirement import CLOUD, Need, given, requirement
from conformance.strategies.data import BLOCK, Pattern, patterns
from conformance.subject import RunningSubject


@requirement(
    "HST-001",
    subject=CLOUD,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-001", "HST-004"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_hst_001_a_new_host_gets_the_clusters_datastores(subject: RunningSubject, pattern: Pattern) -> None:
    """After a host was added every datastore of its cluster MUST be usable from it, with its data, and nothing
    restarted.
    """
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.write(volume, 0, pattern.content)
        host = world.cloud.add_host()
        expect_equal(
            "hosts that see the datastore",
            world.cloud.hosts_seeing(volume),
            world.cloud.host_names(),
            HYPERVISOR,
        )
        found = world.cloud.read_from(host, volume, 0, len(pattern.content))
        expect_bytes("data from the new host", found, pattern.content, HYPERVISOR)


@requirement("HST-002", needs=[Need.HOST_LISTENER, WitnessPower.ACCESS, Need.PROBE], rests_on=["HST-004", "ACC-001"])
@given(pattern=patterns())
def test_hst_002_reconnecting_changes_nothing(subject: RunningSubject, pattern: Pattern) -> None:
    """A host that disconnects and comes back, once or twice, MUST leave every LUN and session as it is."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        session.write(0, pattern.content)
        listener: HostListener = listener_of(world)
        with nothing_changes(world):
            expect_done("host_disconnected", lambda: listener.host_disconnected(host, world.store))
            for _ in range(2):
                expect_done("host_connected", lambda: listener.host_connected(host, world.store))
                expect_done("host_enabled", lambda: listener.host_enabled(host, [world.store]))
        expect_bytes("data after reconnecting", session.read(0, len(pattern.content)), pattern.content, HOST)


@requirement(
    "HST-003", needs=[Need.HOST_LISTENER, WitnessPower.ACCOUNTS, Need.PROBE], rests_on=["ACC-004", "HST-004", "ACC-007"]
)
@given(pattern=patterns())
def test_hst_003_a_removed_host_leaves_nothing(subject: RunningSubject, pattern: Pattern) -> None:
    """After a host was removed its initiator MUST be gone from the array, while other hosts work on."""
    with subject.world() as world:
        made = world.create()
        leaver, staying = world.host("leaver"), world.host("staying", world.separate_cluster)
        world.grant(made, leaver)
        world.grant(made, staying)
        session = world.login(made, staying)
        session.write(0, pattern.content)
        world.revoke(made, leaver)
        world.remove_host(leaver)
        iqns = {str(each) for each in leaver.iqns}
        expect_none("trace of the host's initiator", objects_of(world, iqns), ARRAY)
        found = expect_done("reading on", lambda: session.read(0, len(pattern.content)))
        expect_bytes("data of the host that stays", found, pattern.content, HOST)
        world.login(made, staying)


@requirement("HST-004", needs=[Need.HOST_LISTENER, WitnessPower.ACCESS], rests_on=["PRV-001"])
def test_hst_004_host_added_can_be_repeated(subject: RunningSubject) -> None:
    """`host_added` MUST succeed, also twice, and let the host see no volume that it was not granted."""
    with subject.world() as world:
        made = world.create()
        host = world.host()
        listener: HostListener = listener_of(world)
        before = facts(world.own_view())
        objects = world.view().objects
        expect_done("a repeated host_added", lambda: listener.host_added(host, [world.store]))
        expect_equal("LUNs and who sees them", facts(world.own_view()), before, ARRAY)
        expect_equal("objects on the array", world.view().objects, objects, ARRAY)
        expect_none("initiator of the new host let in", world.lun(made).visible_to & set(host.iqns), ARRAY)


@requirement("HST-005", needs=[Need.HOST_LISTENER, WitnessPower.ACCESS], rests_on=["HST-003"])
def test_hst_005_events_may_come_twice_or_late(subject: RunningSubject) -> None:
    """Removal events that come twice, late, or for a host never seen MUST succeed and change no LUN."""
    with subject.world() as world:
        world.create()
        host, never = world.host(), world.unknown_host()
        world.remove_host(host)
        listener: HostListener = listener_of(world)
        with nothing_changes(world):
            for gone in (host, never):
                expect_done("host_disconnected", partial(listener.host_disconnected, gone, world.store))
                expect_done(
                    "host_about_to_be_removed",
                    partial(listener.host_about_to_be_removed, gone, [world.store]),
                )
                expect_done("host_removed", partial(listener.host_removed, gone, [world.store]))


@requirement("HST-006", needs=[Need.HOST_LISTENER, Need.PROBE], rests_on=["HST-003", "ACC-013"])
def test_hst_006_a_removed_host_can_join_again(subject: RunningSubject) -> None:
    """A host that was removed and added again MUST be able to get access."""
    with subject.world() as world:
        made = world.create()
        host = world.host("again")
        world.grant(made, host)
        world.login(made, host).close()
        world.revoke(made, host)
        world.remove_host(host)
        world.access(made, "again")


@requirement(
    "HST-007",
    subject=CLOUD,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED, WitnessPower.ACCESS],
    rests_on=["HST-001", "DST-003"],
    hooked_up=True,
)
def test_hst_007_a_host_that_left_holds_nothing(subject: RunningSubject) -> None:
    """After a host was removed it MUST hold no target, datastore or secret, and be let in by the array no more."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        host = world.cloud.add_host()
        world.cloud.remove_host(host)
        expect_none("storage left on the host", world.cloud.inventory_of(host), HYPERVISOR)
        expect_none("access left", access_left(world, world.cloud.lun(volume), host), ARRAY)


@requirement(
    "HST-008",
    subject=CLOUD,
    needs=[Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["HST-007", "ACC-013"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_hst_008_a_host_that_comes_back_is_hooked_up_again(subject: RunningSubject, pattern: Pattern) -> None:
    """A host that left and comes back MUST see every datastore of its cluster again, with its data."""
    with subject.world(hypervisor=True) as world:
        volume = world.cloud.create_volume()
        world.cloud.write(volume, 0, pattern.content)
        host = world.cloud.add_host()
        world.cloud.remove_host(host)
        world.cloud.come_back(host)
        found = world.cloud.read_from(host, volume, 0, len(pattern.content))
        expect_bytes("data from the host that came back", found, pattern.content, HYPERVISOR)


@requirement("HST-009", needs=[Need.PROBE], rests_on=["ACC-004", "ACC-013"])
def test_hst_009_a_host_may_change_its_initiator(subject: RunningSubject) -> None:
    """A host granted with another initiator than before MUST reach the LUN with the new one."""
    with subject.world() as world:
        made, other = world.create(), world.create()
        host, session = world.access(made)
        world.grant(other, host)
        session.close()
        world.revoke(made, host)
        changed = world.with_new_initiator(host)
        other.granted.clear()
        for each in (other, made):
            world.grant(each, changed)
            world.login(each, changed)


@requirement("HST-011", needs=[WitnessPower.ACCESS], rests_on=["HST-009"])
def test_hst_011_an_initiator_that_is_gone_is_let_in_no_more(subject: RunningSubject) -> None:
    """An initiator that a host does not have any more SHOULD lose access when the host is revoked or granted anew."""
    with subject.world() as world:
        made, other, host = world.create(), world.create(), world.host()
        world.grant(made, host)
        world.grant(other, host)
        changed = world.with_new_initiator(host)
        world.revoke(other, changed)
        expect_none("initiator let in after the revoke", world.lun(other).visible_to & set(host.iqns), ARRAY)
        made.granted.clear()
        world.act()
        world.grant(made, changed)
        expect_none("initiator let in that is gone", world.lun(made).visible_to & set(host.iqns), ARRAY)


@requirement(
    "HST-010",
    subject=CLOUD,
    needs=[Need.PLUGIN, Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["DST-003"],
    hooked_up=True,
)
def test_hst_010_a_revoked_host_holds_nothing(subject: RunningSubject) -> None:
    """In hookup PLUGIN a host that was revoked, the last one included, MUST hold no datastore of the volume."""
    with subject.world() as world:
        made = world.create()
        for host in world.placement.hosts:
            world.revoke(made, host)
            mine = [each for each in world.inventory().items if each.host_uuid == host.uuid]
            expect_none("storage left on the host", mine, HYPERVISOR)


@requirement(
    "HST-012",
    subject=CLOUD,
    needs=[Need.HYPERVISOR, Need.SECOND_HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["HST-001", "DST-001"],
    examples=0.5,
    hooked_up=True,
)
@given(pattern=patterns())
def test_hst_012_a_host_that_was_away_catches_up(subject: RunningSubject, pattern: Pattern) -> None:
    """A host that was away or in maintenance while a volume was made MUST see its datastore, with its data, once it is
    back.
    """
    with subject.world(hypervisor=True) as world:
        world.cloud.ready()
        away, desk = world.cloud.hosts()[-1], world.cloud
        for leave, come_back in (
            (desk.maintain_host, desk.cancel_maintain_host),
            (desk.disconnect_host, desk.connect_host),
        ):
            leave(away)
            volume = desk.create_volume()
            desk.write(volume, 0, pattern.content)
            come_back(away)
            agrees(world, volume, 1)
            found = desk.read_from(away, volume, 0, len(pattern.content))
            expect_bytes("data from the host that was away", found, pattern.content, HYPERVISOR)
            desk.delete_volume(volume)


@requirement("HST-013", needs=[Need.HOST_LISTENER, WitnessPower.ACCESS, Need.PROBE], rests_on=["HST-014", "ACC-011"])
def test_hst_013_a_fenced_host_that_comes_back_stays_out(subject: RunningSubject) -> None:
    """A host that was fenced and comes back MUST stay out of the LUN, and in others, until `grant_access` names it."""
    with subject.world() as world:
        made, other = world.create(), world.create()
        host = world.host()
        for each in (made, other):
            world.grant(each, host)
        session, connection = world.login(made, host), world.connection(made, host)
        with world.charged("fence"):
            world.driver.fence(world.store, made.volume, [host])
        world.was_fenced(made, host)
        comes_back(world, host)
        expect_none("fenced initiator let in", world.lun(made).visible_to & set(host.iqns), ARRAY)
        cannot_write(session, host)
        locked_out(world, host, connection)
        world.login(other, host)
        world.grant(made, host)
        world.login(made, host)


@requirement("HST-014", needs=[Need.HOST_LISTENER, WitnessPower.ACCESS], rests_on=["HST-004", "ACC-016"])
def test_hst_014_a_host_that_comes_back_gets_only_what_it_had(subject: RunningSubject) -> None:
    """A host that comes back MUST be let in to no volume that it was not granted, not even one that all others have."""
    with subject.world() as world:
        made, other = world.create(), world.create()
        host = world.host("late")
        world.grant(other, host)
        for each in world.mates_of(host):
            world.grant(made, each)
        comes_back(world, host)
        only_granted_are_let_in(world, made)
        only_granted_are_let_in(world, other)


@requirement("HST-015", needs=[Need.HOST_LISTENER, Need.PROBE], rests_on=["HST-004", "ACC-001"])
def test_hst_015_a_host_that_is_added_late_keeps_its_access(subject: RunningSubject) -> None:
    """`host_added`, told late or twice, MUST leave the host what it was granted, without a break."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        listener, stores = listener_of(world), [world.store]
        world.act()
        for _ in range(2):
            expect_done("host_added", partial(listener.host_added, host, stores))
        expect_done("reading on", partial(session.read, 0, BLOCK))
        world.login(made, host)


@requirement("HST-016", needs=[Need.HOST_LISTENER, Need.ENDPOINT, Need.PROBE], rests_on=["HST-004", "ACC-025"])
def test_hst_016_a_host_that_connects_keeps_what_it_is_granted_meanwhile(subject: RunningSubject) -> None:
    """`host_connected` and `host_added` at the same time as a grant, by two instances, MUST leave the host in."""
    with subject.world() as world:
        host_told_of_beside(world)
