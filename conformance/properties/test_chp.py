"""CHP: CHAP, on the wire."""

from __future__ import annotations

from functools import partial
from typing import Any

from conformance.contract import AccessModel, Capability, ProbeRefused, Refusal, WitnessPower
from conformance.expect import HOST, PLUGIN, expect, expect_bytes, expect_done, expect_equal, expect_refusal
from conformance.judgements import (
    bridge_was_told,
    chap_of,
    foreign_credentials_refused,
    logs_in,
    not_rotated,
    old_secret_refused,
    others_keep_their_secrets,
    rotated,
    secret_is_changed_everywhere,
    secret_is_usable,
    session_is_as_declared,
    wrong_secret,
)
from conformance.requirement import Need, given, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.subject import RunningSubject


@requirement("CHP-001", needs=[Capability.CHAP, Need.PROBE], rests_on=["ACC-001"])
def test_chp_001_no_login_without_credentials(subject: RunningSubject) -> None:
    """With CHAP a granted host MUST be refused when it offers no authentication."""
    with subject.world() as world:
        made = world.create()
        host, _ = world.access(made)
        connection = world.connection(made, host)
        error = expect_refusal(
            ProbeRefused, "login without CHAP", lambda: world.probe(host).open_without_chap(connection)
        )
        expect_equal("the reason of the refusal", getattr(error, "refusal", None), Refusal.AUTHENTICATION, HOST)


@requirement("CHP-002", needs=[Capability.CHAP, Need.PROBE], rests_on=["CHP-001"])
def test_chp_002_no_login_with_a_wrong_secret(subject: RunningSubject) -> None:
    """With CHAP a granted host MUST be refused with a wrong secret, and let in with the one it was told."""
    with subject.world() as world:
        made = world.create()
        host, _ = world.access(made)
        connection = world.connection(made, host)
        wrong = wrong_secret(chap_of(connection))
        expect_refusal(ProbeRefused, "login with a wrong secret", lambda: world.probe(host).open(connection, wrong))
        world.login(made, host)


@requirement("CHP-003", needs=[Capability.CHAP, Need.PROBE], rests_on=["CHP-002"])
def test_chp_003_credentials_of_another_are_refused(subject: RunningSubject) -> None:
    """Credentials MUST open only what the trait chap_scope says: no other volume's and no other host's door."""
    with subject.world() as world:
        made = world.create()
        host, _ = world.access(made)
        foreign_credentials_refused(world, made, host)


@requirement("CHP-004", needs=[Capability.CHAP, Need.PROBE], rests_on=["CHP-001"])
def test_chp_004_credentials_are_told_the_same_each_time(subject: RunningSubject) -> None:
    """`connection` MUST tell the same working credentials each time, from any instance of the plugin."""
    with subject.world() as world:
        made = world.create()
        host = world.host()
        world.grant(made, host)
        first = chap_of(world.connection(made, host))
        world.restart_plugin()
        again = chap_of(world.connection(made, host))
        expect(again == first, "the same credentials from a new instance", "others", PLUGIN)
        world.login(made, host)


@requirement("CHP-005", needs=[Capability.MUTUAL_CHAP, Need.PROBE], rests_on=["CHP-001"])
def test_chp_005_the_target_proves_itself(subject: RunningSubject) -> None:
    """With MUTUAL_CHAP `connection` MUST tell a mutual secret that the target proves to know."""
    with subject.world() as world:
        made = world.create()
        host, _ = world.access(made)
        chap = chap_of(world.connection(made, host))
        expect(chap.mutual_secret is not None, "a mutual secret", "none", PLUGIN)


@requirement("CHP-006", needs=[Capability.CHAP_ROTATION, Need.PROBE], rests_on=["CHP-002"])
def test_chp_006_a_rotated_secret_is_another(subject: RunningSubject) -> None:
    """After `rotate_chap` no secret of before MUST work, however often it is rotated, and `connection` tell a new one
    that does.
    """
    with subject.world() as world:
        made, host = world.create(), world.host()
        world.grant(made, host)
        olds = [chap_of(world.connection(made, host))]
        for _ in range(3):
            rotated(world, made, host)
            connection, probe = world.connection(made, host), world.probe(host)
            for old in olds:
                expect(chap_of(connection).secret != old.secret, "another secret", "one of before", PLUGIN)
                old_secret_refused(probe, connection, old)
            expect_done("login with the new secret", partial(probe.open, connection)).close()
            olds.append(chap_of(connection))


@requirement("CHP-007", needs=[Capability.CHAP_ROTATION, Need.PROBE], rests_on=["CHP-006"])
def test_chp_007_others_keep_their_secrets(subject: RunningSubject) -> None:
    """`rotate_chap` MUST leave the credentials of other hosts and other volumes alone, as far as chap_scope says."""
    with subject.world() as world:
        made, host = world.create(), world.host()
        world.grant(made, host)
        others_keep_their_secrets(world, made, host)


@requirement("CHP-008", needs=[Capability.CHAP_ROTATION, Need.PROBE], rests_on=["CHP-006"])
@given(pattern=patterns())
def test_chp_008_sessions_during_a_rotation_are_as_declared(subject: RunningSubject, pattern: Pattern) -> None:
    """A session MUST live on through `rotate_chap`, unless rotation_drops_sessions is declared; its data stays."""
    with subject.world() as world:
        made = world.create()
        host, session = world.access(made)
        session.write(0, pattern.content)
        rotated(world, made, host)
        session_is_as_declared(world, session)
        again = world.login(made, host)
        expect_bytes("the data", again.read(0, len(pattern.content)), pattern.content, HOST)


@requirement("CHP-009", needs=[Capability.CHAP, Need.PROBE], rests_on=["CHP-001"])
def test_chp_009_secrets_are_what_initiators_take(subject: RunningSubject) -> None:
    """A CHAP secret MUST have 12 to 16 printable ASCII characters without blanks: what every initiator takes."""
    with subject.world() as world:
        made, host = world.create(), world.host()
        world.grant(made, host)
        secret_is_usable(chap_of(world.connection(made, host)))


@requirement("CHP-010", needs=[Capability.CHAP_ROTATION, WitnessPower.ACCESS], rests_on=["CHP-006", "ACC-008"])
def test_chp_010_only_who_has_access_has_a_secret(subject: RunningSubject) -> None:
    """`rotate_chap` for a host without access to this volume MUST raise AccessNotGranted and change nothing, whatever
    else the host sees, and also when it had access before.
    """
    with subject.world() as world:
        never, revoked, other, host = world.create(), world.create(), world.create(), world.host()
        not_rotated(world, host, never, revoked)
        world.grant(other, host)
        world.grant(revoked, host)
        before = chap_of(world.connection(other, host))
        world.revoke(revoked, host)
        not_rotated(world, host, never, revoked)
        told = chap_of(world.connection(other, host))
        expect(told == before, "the same credentials after refused rotations", "others", PLUGIN)


@requirement("CHP-011", needs=[Capability.CHAP_ROTATION, Need.PROBE], rests_on=["CHP-006"])
def test_chp_011_all_initiators_of_a_host_get_the_new_secret(subject: RunningSubject) -> None:
    """After `rotate_chap` every initiator of the host MUST be refused with the old secret and let in with the new."""
    with subject.world() as world:
        made, host = world.create(), world.host("two", initiators=2)
        world.grant(made, host)
        old = chap_of(world.connection(made, host))
        rotated(world, made, host)
        connection = world.connection(made, host)
        for probe in (world.probe(host), world.second_probe(host)):
            got_in = logs_in(partial(probe.open, connection, old))
            expect(not got_in, "the old secret to be refused", "it was accepted", HOST)
            expect_done("login with the new secret", partial(probe.open, connection)).close()


@requirement("CHP-012", needs=[Capability.CHAP_ROTATION, Need.PROBE], rests_on=["CHP-006", "CHP-007"])
def test_chp_012_a_rotation_reaches_as_far_as_its_secret(subject: RunningSubject) -> None:
    """After `rotate_chap` for one of a host's volumes `connection` MUST tell for each what works there, and the old
    secret open none that it is declared to open, whichever instance of the plugin rotated it.
    """
    with subject.world() as world:
        volumes, host = [world.create() for _ in range(3)], world.host()
        for made in volumes:
            world.grant(made, host)
        secret_is_changed_everywhere(world, volumes, host)
        other = world.new_instance()
        store = other.localised(world.store)
        driver: Any = other.plugin.driver
        expect_done("rotating by another instance", lambda: driver.rotate_chap(store, volumes[1].volume, host))
        for made in volumes:
            expect_done("login after a rotation by another instance", partial(world.login, made, host)).close()


@requirement(
    "CHP-013",
    needs=[Capability.CHAP_ROTATION, Need.PLUGIN, Need.HYPERVISOR, AccessModel.DEDICATED],
    rests_on=["CHP-006", "DST-001"],
    hooked_up=True,
)
def test_chp_013_hosts_log_in_again_after_a_rotation(subject: RunningSubject) -> None:
    """In hookup PLUGIN `rotate_chap` MUST bring the new secret to the host for every datastore that it opens."""
    with subject.world() as world:
        volumes = [world.create() for _ in range(2)]
        host = world.placement.hosts[0]
        for made in volumes:
            rotated(world, made, host)
            bridge_was_told(world, volumes, host)
