"""BUD: what an operation costs does not grow with what else there is."""

from __future__ import annotations

from conformance.contract import Capability
from conformance.judgements import cost_of_a_life, cost_of_looking, cost_stays, many, snapshots_cost
from conformance.requirement import Need, requirement
from conformance.subject import RunningSubject


@requirement("BUD-001", needs=[Need.ENDPOINT], rests_on=["DEL-001", "ACC-004"])
def test_bud_001_volumes_cost_the_same_however_many_there_are(subject: RunningSubject) -> None:
    """The requests to the array for a volume's life MUST NOT grow with the number of volumes there are."""
    with subject.world() as world:
        few = cost_of_a_life(world)
        for _ in range(many(world, 24)):
            world.create()
        cost_stays(few, cost_of_a_life(world), "more volumes")


@requirement("BUD-002", needs=[Need.ENDPOINT], rests_on=["DEL-001", "ACC-004"])
def test_bud_002_volumes_cost_the_same_however_many_hosts_there_are(subject: RunningSubject) -> None:
    """The requests to the array for a volume's life MUST NOT grow with the number of hosts that have other volumes."""
    with subject.world() as world:
        other = world.create()
        # They are there before: a grant to a whole cluster may cost what its hosts cost, whatever they have.
        hosts = [world.host(f"more{number}") for number in range(many(world, 16))]
        few = cost_of_a_life(world)
        for host in hosts:
            world.grant(other, host)
        cost_stays(few, cost_of_a_life(world), "more hosts")


@requirement("BUD-003", needs=[Need.ENDPOINT, Capability.SNAPSHOT], rests_on=["SNP-005"])
def test_bud_003_snapshots_cost_the_same_however_many_there_are(subject: RunningSubject) -> None:
    """The requests to the array for a snapshot MUST NOT grow with the number of snapshots there are."""
    with subject.world() as world:
        made = world.create()
        few = snapshots_cost(world, made)
        for _ in range(many(world, 16)):
            world.snapshot(made)
        cost_stays(few, snapshots_cost(world, made), "more snapshots")


@requirement("BUD-004", needs=[Need.ENDPOINT], rests_on=["LEK-002", "LEK-003"])
def test_bud_004_looking_costs_the_same_however_many_there_are(subject: RunningSubject) -> None:
    """The requests to the array for `list_objects`, and for `used` where it tells what is provisioned, SHOULD NOT grow
    with the number of volumes there are.
    """
    with subject.world() as world:
        world.create()
        few = cost_of_looking(world)
        for _ in range(many(world, 24)):
            world.create()
        cost_stays(few, cost_of_looking(world), "more volumes")
