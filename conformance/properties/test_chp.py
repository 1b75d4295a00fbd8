"""CHP: CHAP, on the wire."""

from __future__ import annotations

from conformance.contract import Capability, ProbeRefused, Refusal
from conformance.expect import HOST, PLUGIN, expect, expect_equal, expect_refusal
from conformance.judgements import chap_of, foreign_credentials_refused, wrong_secret
from conformance.requirement import Need, requirement
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
