"""Whole volumes per second: create, grant, log in, write, read, revoke, delete."""

from __future__ import annotations

from conformance.contract import Transport
from conformance.environments.opened import open_environment
from conformance.profile import PROFILES
from conformance.subject import RunningSubject
from conformance.world import World
from tests.benchmarks.timing import per_second
from tests.faulty_providers.faulty import Injector, plan_for_fault

BLOCK = bytes(range(256)) * 16


def cycle(world: World) -> None:
    """One volume's life, through plugin, array and initiator."""
    made = world.create()
    host, session = world.access(made)
    session.write(0, BLOCK)
    if session.read(0, len(BLOCK)) != BLOCK:
        raise AssertionError("a benchmark that reads wrong bytes measures nothing")
    session.close()
    world.revoke(made, host)
    world.delete(made)


def cycles_per_second(transport: Transport) -> float:
    """Cycles per second over this transport."""
    plan = plan_for_fault(Injector(None), "solidfire")
    with (
        open_environment(None, transport) as environment,
        RunningSubject(plan, environment, PROFILES["smoke"]) as subject,
        subject.world() as world,
    ):
        return per_second(lambda: cycle(world))
