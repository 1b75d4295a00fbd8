"""SEC: secrets and trust."""

from __future__ import annotations

from conformance.contract import ArrayUnreachable
from conformance.expect import PLUGIN, expect_equal, expect_refusal
from conformance.judgements import breaks_off, everything_fails, one_world_each, whole_life
from conformance.requirement import Need, requirement
from conformance.subject import RunningSubject


@requirement("SEC-001", rests_on=["REG-001"], watches=True)
def test_sec_001_no_secret_is_readable(subject: RunningSubject) -> None:
    """No secret MUST be readable in logs, output, errors, answers or on a hypervisor, also when calls fail or the
    array refuses or does not answer midway.
    """
    one_world_each(subject, whole_life, everything_fails, breaks_off)


@requirement("SEC-002", needs=[Need.VERIFIED_TLS, Need.ENDPOINT], rests_on=["LIF-001"])
def test_sec_002_a_stranger_is_not_trusted(subject: RunningSubject) -> None:
    """A plugin MUST NOT send anything to an array whose certificate the ca_file does not vouch for."""
    with subject.world() as world:
        distrusting = world.with_other_authority(world.store_request())
        before = world.instance.exchanges
        expect_refusal(
            ArrayUnreachable,
            "a certificate of a stranger",
            lambda: world.plugin.lifecycle.initialize(distrusting),
        )
        expect_equal("requests sent to the stranger", world.instance.exchanges - before, 0, PLUGIN)
