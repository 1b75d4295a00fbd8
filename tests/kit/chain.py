"""The whole chain in memory, for tests of the kit: a reference plugin with at most one fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from conformance.contract import Transport
from conformance.environments.opened import open_environment
from conformance.profile import PROFILES
from conformance.subject import RunningSubject
from tests.faulty_providers.fault import Fault
from tests.faulty_providers.faulty import Injector, plan_for_fault

QUICK = replace(PROFILES["smoke"], examples=2, completion_ceiling=2.0)


@contextmanager
def running(fault: Fault | None = None, base: str = "solidfire") -> Iterator[RunningSubject]:
    """A subject in the simulated environment, in memory."""
    with (
        open_environment(None, Transport.MEMORY) as environment,
        RunningSubject(plan_for_fault(Injector(fault), base), environment, QUICK) as subject,
    ):
        yield subject
