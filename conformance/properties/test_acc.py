"""ACC: who sees a LUN, and when."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Final

from hypothesis import strategies as st

from conformance.contract import AccessNotGranted, HostState, InvalidRequest, ProbeRefused, WitnessPower
from conformance.expect import (
    ARRAY,
    HOST,
    PLUGIN,
    expect_bytes,
    expect_done,
    expect_equal,
    expect_none,
    expect_refusal,
)
from conformance.judgements import (
    as_many_hosts,
    cannot_write,
    fc_only_is_refused_or_served,
    granted_and_revoked_together,
    granted_together,
    locked_out,
    many_of_a_host,
    nothing_changes,
    nothing_is_left,
    one_more_host,
    only_granted_are_let_in,
    others_unchanged,
    out_of_reach,
    reached_from_each_or_refused,
    still_reads,
)
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import BLOCK, Pattern, Place, patterns, places
from conformance.subject import RunningSubject

_WITHOUT: Final = "without"
_FENCES: Final = (("lost",), (_WITHOUT, "lost", "failed"), ("lost", _WITHOUT, "failed"))
"""Hosts that are fenced together, one of them without access."""


@requirement("ACC-001", needs=[Need.PROBE], rests_on=["PRV-001"])
@given(pattern=patterns(), place=places())
def test_acc_001_a_granted_host_reaches_the_lun(subject: RunningSubject, pattern: Pattern, place: Place) -> None:
    """After `grant_access` the host MUST be able to log in as `connection` tells, and read what it wrote."""
    with subject.world() as world:
        made = world.create()
        _, session = world.access(made)
        offset = place.offset(session.size_bytes, len(pattern.content))
        expect_done("writing", lambda: session.write(offset, pattern.content))
        expect_bytes("what was written", session.read(offset, len(pattern.content)), pattern.content, HOST)


@requirement("ACC-002", needs=[WitnessPower.ACCESS], rests_on=["PRV-001"])
def test_acc_002_nobody_sees_a_lun_before_the_grant(subject: RunningSubject) -> None:
    """Before the first grant the LUN MUST be visible to no host, except those that hookup PLUGIN grants in `create`."""
    with subject.world() as world:
        made = world.create()
        placed = {iqn for host in world.placement.hosts for iqn in host.iqns}
        expect_none("initiator let in", world.lun(made).visible_to - placed, ARRAY)


@requirement("ACC-003", needs=[Need.PROBE], rests_on=["ACC-001"])
def test_acc_003_a_grant_lets_in_nobody_else(subject: RunningSubject) -> None:
    """After a grant a host outside the declared granule MUST NOT reach the LUN, also when it has a LUN of its own."""
    with subject.world() as world:
        made, other = world.create(), world.create()
        stranger = world.stranger()
        world.grant(other, stranger)
        world.login(other, stranger)
        host, session = world.access(made)
        out_of_reach(world, stranger, world.connection(made, host), session.wwid)


@requirement("ACC-004", needs=[Need.PROBE], rests_on=["ACC-001"])
def test_acc_004_after_the_revoke_the_host_is_out(subject: RunningSubject) -> None:
    """After `revoke_access` the host MUST NOT be able to log in again, not even with the credentials it had."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        connection = world.connection(made, host)
        session.close()
        world.revoke(made, host)
        locked_out(world, host, connection)


@requirement("ACC-005", needs=[Need.PROBE], rests_on=["ACC-001"])
@given(pattern=patterns())
def test_acc_005_grant_can_be_repeated(subject: RunningSubject, pattern: Pattern) -> None:
    """`grant_access` for a host that has access MUST succeed and not disturb it."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        connection = world.connection(made, host)
        session.write(0, pattern.content)
        expect_done("a repeated grant", lambda: world.driver.grant_access(world.store, made.volume, host))
        found = expect_done("reading on", lambda: session.read(0, len(pattern.content)))
        expect_bytes("data after a repeated grant", found, pattern.content, HOST)
        expect_done("login as told before the repeated grant", lambda: world.probe(host).open(connection)).close()


@requirement("ACC-006", needs=[WitnessPower.ACCESS], rests_on=["ACC-004", "DEL-001"])
def test_acc_006_revoking_what_is_not_there_succeeds(subject: RunningSubject) -> None:
    """`revoke_access` MUST succeed and change nothing for a host never granted, revoked before, or a volume deleted."""
    with subject.world() as world:
        made, gone = world.create(), world.create()
        host, never = world.host(), world.stranger()
        world.grant(made, host)
        world.revoke(made, host)
        world.delete(gone)
        with nothing_changes(world):
            for volume, whom in ((made.volume, never), (made.volume, host), (gone.volume, host)):
                expect_done(
                    "such a revoke",
                    partial(world.driver.revoke_access, world.store, volume, whom, []),
                )


@requirement("ACC-007", needs=[Need.PROBE], rests_on=["ACC-004"])
@given(pattern=patterns())
def test_acc_007_revoking_one_host_keeps_the_others(subject: RunningSubject, pattern: Pattern) -> None:
    """`revoke_access` of one host MUST leave the other holders their access, without a break."""
    with subject.world() as world:
        made = world.create()
        leaver, mate, far = world.host("leaver"), world.host("mate"), world.host("far", world.separate_cluster)
        for host in (leaver, mate, far):
            world.grant(made, host)
        sessions = [world.login(made, host) for host in (mate, far)]
        sessions[0].write(0, pattern.content)
        world.revoke(made, leaver)
        for session in sessions:
            found = expect_done("reading on", partial(session.read, 0, len(pattern.content)))
            expect_bytes("data of a host that stays", found, pattern.content, HOST)
        for host in (mate, far):
            world.login(made, host)


@requirement("ACC-008", rests_on=["ACC-001", "ACC-004"])
def test_acc_008_no_connection_without_a_grant(subject: RunningSubject) -> None:
    """`connection` for a host without a grant, or after its revoke, MUST raise AccessNotGranted, whatever else the host
    has.
    """
    with subject.world() as world:
        made = world.create()
        host, other = world.host(), world.stranger()
        world.grant(made, other)
        world.grant(world.create(), host)
        asked = partial(world.driver.connection, world.store, made.volume, host)
        expect_refusal(AccessNotGranted, "connection before the grant", asked)
        world.grant(made, host)
        world.connection(made, host)
        world.revoke(made, host)
        expect_refusal(AccessNotGranted, "connection after the revoke", asked)


@requirement("ACC-009", needs=[WitnessPower.ACCESS], rests_on=["ACC-001"])
def test_acc_009_a_host_without_initiator_is_refused(subject: RunningSubject) -> None:
    """`grant_access` for a host without an initiator of a usable kind MUST raise InvalidRequest and grant nothing."""
    with subject.world() as world:
        made = world.create()
        bare = replace(world.host(), uuid=f"bare-{world.tag}", name="bare", initiators=())
        with nothing_changes(world), nothing_is_left(world):
            expect_refusal(
                InvalidRequest,
                "granting a host without initiator",
                lambda: world.driver.grant_access(world.store, made.volume, bare),
            )


@requirement("ACC-010", needs=[Need.PROBE], rests_on=["ACC-004"])
@given(pattern=patterns())
def test_acc_010_revoking_one_volume_keeps_the_hosts_others(subject: RunningSubject, pattern: Pattern) -> None:
    """`revoke_access` of one volume MUST leave the host its other volumes, without a break."""
    with subject.world() as world:
        kept, made = world.create(), world.create()
        host, session = world.access(kept)
        world.grant(made, host)
        session.write(0, pattern.content)
        world.revoke(made, host)
        found = expect_done("reading on", lambda: session.read(0, len(pattern.content)))
        expect_bytes("the other volume", found, pattern.content, HOST)
        world.login(kept, host)


@requirement("ACC-011", needs=[Need.PROBE, WitnessPower.ACCESS], rests_on=["ACC-001", "ACC-012"], examples=0.5)
@pinned(pattern=Pattern(1), case=2)
@pinned(pattern=Pattern(1), case=1)
@pinned(pattern=Pattern(1), case=0)
@given(pattern=patterns(), case=st.integers(0, len(_FENCES) - 1))
def test_acc_011_fenced_hosts_cannot_write(subject: RunningSubject, pattern: Pattern, case: int) -> None:
    """`fence` MUST return only when the hosts cannot write, sessions they have included, and leave others their
    access.
    """
    with subject.world() as world:
        made, other = world.create(), world.create()
        fenced = [world.host(name) for name in _FENCES[case] if name != _WITHOUT]
        staying = world.host("staying", world.separate_cluster)
        for host in (*fenced, staying):
            world.grant(made, host)
        # Sessions of others come first and last: whoever looks at one of an array's sessions only sees those.
        session = world.login(made, staying)
        session.write(0, pattern.content)
        lost = {host: (world.login(made, host), world.connection(made, host)) for host in fenced}
        world.grant(other, fenced[0])
        elsewhere = world.login(other, fenced[0])
        # That the cloud has lost sight of a host says nothing of what it can reach.
        named = [replace(world.host(name), state=HostState.DISCONNECTED) for name in _FENCES[case]]
        with others_unchanged(world, made), world.charged("fence"):
            world.driver.fence(world.store, made.volume, named)
        for host, (old_session, connection) in lost.items():
            world.was_fenced(made, host)
            cannot_write(old_session, host)
            locked_out(world, host, connection)
        still_reads(world, made, staying, session, pattern.content)
        expect_done("reading another volume", lambda: elsewhere.read(0, BLOCK))


@requirement("ACC-012", needs=[Need.PROBE], rests_on=["ACC-001"])
@given(pattern=patterns())
def test_acc_012_two_hosts_share_one_lun(subject: RunningSubject, pattern: Pattern) -> None:
    """Two hosts granted one volume MUST reach the same LUN."""
    with subject.world() as world:
        made = world.create()
        _, one = world.access(made, "one")
        _, two = world.access(made, "two")
        one.write(0, pattern.content)
        expect_equal("the LUN's identity", two.wwid, one.wwid, HOST)
        expect_bytes("what the other host wrote", two.read(0, len(pattern.content)), pattern.content, HOST)


@requirement("ACC-013", needs=[Need.PROBE], rests_on=["ACC-004"])
@given(pattern=patterns())
def test_acc_013_a_host_can_come_back(subject: RunningSubject, pattern: Pattern) -> None:
    """A host granted again after a revoke MUST find its data."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        session.write(0, pattern.content)
        session.close()
        world.revoke(made, host)
        world.grant(made, host)
        found = world.login(made, host).read(0, len(pattern.content))
        expect_bytes("data after coming back", found, pattern.content, HOST)


@requirement("ACC-014", needs=[Need.PROBE], rests_on=["ACC-001", "PRV-012"])
def test_acc_014_each_volume_has_a_path_of_its_own(subject: RunningSubject) -> None:
    """Volumes granted to one host MUST have different LUN numbers or targets there, each leading to its own LUN."""
    with subject.world() as world:
        made = [world.create() for _ in range(3)]
        host = world.host()
        for each in made:
            world.grant(each, host)
        wwids = {world.login(each, host).wwid for each in made}
        expect_equal("different LUNs", len(wwids), len(made), HOST)
        paths = [str(path) for each in made for path in world.connection(each, host).paths]
        expect_none("path told for two volumes", {each for each in paths if paths.count(each) > 1}, PLUGIN)


@requirement("ACC-015", needs=[Need.PROBE], rests_on=["ACC-004"])
def test_acc_015_a_grant_is_for_the_host_named(subject: RunningSubject) -> None:
    """Revoking a host MUST take away that host's access and no less, while others come and go."""
    with subject.world() as world:
        made = world.create()
        first, second = world.host("first"), world.host("second", world.separate_cluster)
        for host in (first, second):
            world.grant(made, host)
        connections = {host: world.connection(made, host) for host in (first, second)}
        world.revoke(made, first)
        locked_out(world, first, connections[first])
        world.revoke(made, second)
        locked_out(world, second, connections[second])
        locked_out(world, first, connections[first])


@requirement("ACC-016", needs=[WitnessPower.ACCESS], rests_on=["ACC-001"])
def test_acc_016_a_grant_is_for_the_volume_named(subject: RunningSubject) -> None:
    """`grant_access` and `revoke_access`, also of a new instance, MUST leave who sees other volumes as it is."""
    with subject.world() as world:
        before, made, after, late = (world.create() for _ in range(4))
        host = world.host()
        world.grant(before, host)
        with others_unchanged(world, made):
            world.grant(made, host)
        world.grant(after, world.stranger())
        with others_unchanged(world, made):
            world.revoke(made, host)
        world.restart_plugin()
        with others_unchanged(world, late):
            world.grant(late, host)


@requirement("ACC-017", needs=[Need.PROBE], rests_on=["ACC-001"])
def test_acc_017_every_initiator_of_a_host_gets_in(subject: RunningSubject) -> None:
    """A granted host with several initiators MUST reach the LUN from each of them, and after the revoke from none."""
    with subject.world() as world:
        made = world.create()
        host = world.host("two", initiators=2)
        world.grant(made, host)
        first, connection = world.login(made, host), world.connection(made, host)
        second = expect_done("login from the second initiator", lambda: world.second_probe(host).open(connection))
        expect_equal("the LUN's identity", second.wwid, first.wwid, HOST)
        first.close()
        second.close()
        world.revoke(made, host)
        locked_out(world, host, connection)
        expect_refusal(
            ProbeRefused, "login from the second initiator", lambda: world.second_probe(host).open(connection)
        )


@requirement("ACC-018", needs=[WitnessPower.ACCESS], rests_on=["ACC-009"])
def test_acc_018_a_grant_gives_a_path_the_host_can_use(subject: RunningSubject) -> None:
    """`grant_access` for a host with initiators of another kind only MUST raise InvalidRequest, or give it such a
    path.
    """
    with subject.world() as world:
        fc_only_is_refused_or_served(world, world.create(), world.fc_host())


@requirement("ACC-019", needs=[Need.PLUGIN, Need.PROBE], rests_on=["ACC-011"])
def test_acc_019_a_fence_does_not_need_the_host(subject: RunningSubject) -> None:
    """`fence` MUST work while the hypervisor does not answer: the hosts it is called for are lost."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        with world.hypervisor_silent():
            expect_done("fence", lambda: world.driver.fence(world.store, made.volume, [host, *world.placement.hosts]))
        world.was_fenced(made, host, *world.placement.hosts)
        cannot_write(session, host)


@requirement("ACC-020", needs=[Need.PROBE], rests_on=["ACC-001"])
def test_acc_020_other_ports_of_a_host_do_not_matter(subject: RunningSubject) -> None:
    """A host with initiators of several kinds MUST get access through those that are usable."""
    with subject.world() as world:
        made, host = world.create(), world.with_fc_port(world.host())
        world.act()
        world.grant(made, host)
        world.login(made, host)


@requirement("ACC-021", needs=[WitnessPower.ACCESS, Need.PROBE], rests_on=["ACC-012"])
def test_acc_021_the_limit_of_hosts_is_true(subject: RunningSubject) -> None:
    """As many hosts as declared MUST be granted one volume; one more is granted too, or refused with LimitReached."""
    with subject.world() as world:
        made = world.create()
        first, session = world.access(made, "first")
        world.act()
        as_many_hosts(world, made)
        one_more_host(world, made, world.host("one more"))
        expect_done(f"reading on as {first.name}", lambda: session.read(0, BLOCK))


@requirement("ACC-022", needs=[Need.PROBE], rests_on=["ACC-014"])
def test_acc_022_a_host_can_have_many_volumes(subject: RunningSubject) -> None:
    """A host MUST reach each of its volumes when it has more than 32 and, in certification, more than 255 of them."""
    with subject.world() as world:
        host = world.host()
        volumes = many_of_a_host(world, host)
        for made in (volumes[0], volumes[-1]):
            session = world.login(made, host)
            expect_done("reading", partial(session.read, 0, BLOCK))


@requirement("ACC-023", needs=[WitnessPower.ACCESS], rests_on=["ACC-004", "ACC-011"])
def test_acc_023_a_revoke_lets_nobody_in(subject: RunningSubject) -> None:
    """`revoke_access` MUST let nobody in: of `remaining_hosts` those that have access keep it, the others get none."""
    with subject.world() as world:
        made = world.create()
        host, other = world.host(), world.stranger()
        world.grant(made, host)
        world.act()
        with world.charged("revoke_access"):
            world.driver.revoke_access(world.store, made.volume, host, [other])
        made.granted.pop(host)
        only_granted_are_let_in(world, made)
        for each in (host, other):
            world.grant(made, each)
        with world.charged("fence"):
            world.driver.fence(world.store, made.volume, [other])
        world.was_fenced(made, other)
        with world.charged("revoke_access"):
            world.driver.revoke_access(world.store, made.volume, host, [other])
        made.granted.pop(host)
        expect_none("fenced initiator let in", world.lun(made).visible_to & set(other.iqns), ARRAY)


@requirement("ACC-024", needs=[Need.PROBE, WitnessPower.SIZE], rests_on=["ACC-014", "ACC-017", "HST-009"])
def test_acc_024_an_initiator_that_is_added_is_led_to_the_volume_meant(subject: RunningSubject) -> None:
    """A host that has got one more initiator MUST reach a volume that it is granted then from each, or be refused."""
    with subject.world() as world:
        first, second, host = world.create(), world.create(), world.host()
        world.grant(first, host)
        taken = world.login(first, host).wwid
        both = world.with_another_initiator(host)
        reached_from_each_or_refused(world, second, both, taken)
        # Whether the new initiator is let in to the first one too is the plugin's affair.
        world.revoke(first, both)


@requirement("ACC-025", needs=[Need.ENDPOINT, Need.PROBE], rests_on=["ACC-005", "ACC-010", "OPS-009"])
def test_acc_025_grants_at_one_time_let_the_host_in_to_each(subject: RunningSubject) -> None:
    """`grant_access` for two volumes and one host at one time, by two instances, MUST let the host in to both."""
    with subject.world() as world:
        granted_together(world)


@requirement(
    "ACC-026", needs=[Need.ENDPOINT, Need.PROBE, WitnessPower.ACCESS], rests_on=["ACC-025", "ACC-004", "ACC-015"]
)
def test_acc_026_a_grant_and_a_revoke_at_one_time_are_both_done(subject: RunningSubject) -> None:
    """`grant_access` for one volume and `revoke_access` for another of the same host at one time, by two instances,
    MUST both have their effect.
    """
    with subject.world() as world:
        granted_and_revoked_together(world)


@requirement("ACC-027", needs=[Need.PROBE], rests_on=["ACC-002", "ACC-010", "ACC-012"])
@given(pattern=patterns())
def test_acc_027_each_host_is_led_to_the_volume_by_its_own_number(subject: RunningSubject, pattern: Pattern) -> None:
    """`connection` MUST lead each host to the volume meant, whatever the hosts have besides and in whatever order they
    got it.
    """
    with subject.world() as world:
        made, others = world.create(), [world.create(), world.create()]
        hosts = [world.host(name) for name in ("many", "one", "few")]
        for before, host in zip((others, [], others[1:]), hosts, strict=True):
            for each in (*before, made):
                world.grant(each, host)
        world.put(made, 0, pattern.content)
        world.act()
        for host in (*hosts, *reversed(hosts)):
            with closing(world.login(made, host)) as session:
                found = expect_done("reading", partial(session.read, 0, len(pattern.content)))
            expect_bytes(f"what {host.name} reads", found, pattern.content, HOST)
