"""One smoke run of a right plugin, in an order and with inputs that its seed decides."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from conformance.catalogue import catalogue
from conformance.contract import Transport
from conformance.environments.opened import open_environment
from conformance.profile import PROFILES
from conformance.session import Result, run_session
from conformance.subject import RunningSubject
from tests.faulty_providers.faulty import Injector, plan_for_fault

SUBJECTS: Final = ("solidfire", "solidfire-plugin-hookup", "minimal", "zadara")


@dataclass(frozen=True, slots=True)
class Run:
    """All that decides what a run does."""

    subject: str
    transport: Transport
    seed: int


def made(run: Run) -> Result:
    """Make the run, in an environment of its own."""
    requirements = catalogue()
    with (
        open_environment(None, run.transport, run.subject) as environment,
        RunningSubject(plan_for_fault(Injector(None), run.subject), environment, PROFILES["smoke"]) as subject,
    ):
        chosen = list(requirements.values())
        # The order that `storage-conformance run --order random` with the same seed has.
        random.Random(run.seed).shuffle(chosen)
        return run_session(subject, chosen, requirements, seed=run.seed)
