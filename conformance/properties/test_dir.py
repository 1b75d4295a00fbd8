"""DIR: access model DIRECT, the LUN goes to the VM's host without a datastore."""

from __future__ import annotations

from conformance.contract import AccessModel, WitnessPower
from conformance.expect import HOST, expect_bytes, expect_done
from conformance.judgements import let_in
from conformance.machines.operations import Step, programs
from conformance.machines.sequential import follow
from conformance.machines.tours import tours
from conformance.requirement import CLOUD, Need, given, pinned, requirement
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
@pinned(program=list(tours()[0]))
@given(program=programs())
def test_dir_002_any_sequence_ends_as_the_model_says(subject: RunningSubject, program: list[Step]) -> None:
    """In access model DIRECT any sequence of operations MUST end as expected on the array, on hosts and in the data."""
    with subject.world() as world:
        world.use(world.store_request(model=AccessModel.DIRECT))
        follow(world, program)


@requirement(
    "DIR-003",
    subject=CLOUD,
    needs=[Need.DIRECT, Need.HYPERVISOR, Need.SECOND_HYPERVISOR, WitnessPower.ACCESS],
    rests_on=["DIR-001", "ACC-004"],
)
def test_dir_003_only_the_host_of_the_vm_has_access(subject: RunningSubject) -> None:
    """In access model DIRECT only the host that a VM runs on MUST have access: from its start, through moves, to its
    stop.
    """
    with subject.world(hypervisor=True) as world:
        world.cloud.serve(AccessModel.DIRECT)
        first, second = world.cloud.hosts()[:2]
        volume = world.cloud.create_volume()
        world.cloud.assign(volume, "web")
        let_in(world, volume, [])
        world.cloud.start("web", first)
        let_in(world, volume, [first])
        world.cloud.move("web", second)
        let_in(world, volume, [second])
        world.cloud.stop("web")
        let_in(world, volume, [])
        world.cloud.start("web", second)
        let_in(world, volume, [second])
