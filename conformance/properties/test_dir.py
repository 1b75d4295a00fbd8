"""DIR: access model DIRECT, the LUN goes to the VM's host without a datastore."""

from __future__ import annotations

from conformance.contract import AccessModel, WitnessPower
from conformance.expect import HOST, expect_bytes, expect_done
from conformance.machines.operations import LONG_PROGRAM, Step, programs
from conformance.machines.sequential import follow
from conformance.requirement import Need, given, pinned, requirement
from conformance.strategies.data import Pattern, patterns
from conformance.subject import RunningSubject


@requirement("DIR-001", needs=[Need.DIRECT, Need.PROBE], rests_on=["ACC-001", "ACC-012"])
@given(pattern=patterns())
def test_dir_001_several_hosts_may_have_a_lun(subject: RunningSubject, pattern: Pattern) -> None:
    """In access model DIRECT a second host's grant MUST leave the first its access: VMs migrate."""
    with subject.world() as world:
        world.use(world.store_request(model=AccessModel.DIRECT))
        made = world.create()
        _, first = world.access(made, "first")
        first.write(0, pattern.content)
        _, second = world.access(made, "second")
        expect_bytes("what the first host wrote", second.read(0, len(pattern.content)), pattern.content, HOST)
        found = expect_done("reading on", lambda: first.read(0, len(pattern.content)))
        expect_bytes("data of the first host", found, pattern.content, HOST)


@requirement(
    "DIR-002", needs=[Need.DIRECT, WitnessPower.ACCESS, Need.PROBE], rests_on=["DIR-001", "OPS-010"], examples=0.5
)
@pinned(program=list(LONG_PROGRAM))
@given(program=programs())
def test_dir_002_any_sequence_ends_as_the_model_says(subject: RunningSubject, program: list[Step]) -> None:
    """In access model DIRECT any sequence of operations MUST end as expected on the array, on hosts and in the data."""
    with subject.world() as world:
        world.use(world.store_request(model=AccessModel.DIRECT))
        follow(world, program)
