"""A warm place to try faults at: one environment, kept open, and what a run on it comes to."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from conformance.calls import CallThreads
from conformance.catalogue import catalogue, from_the_ground
from conformance.contract import BridgeFactory, Transport
from conformance.environments.opened import Environment, open_environment
from conformance.orchestrator.steps import StepHooks
from conformance.profile import PROFILES
from conformance.requirement import Need
from conformance.session import attempts
from conformance.settle import ranking, settle
from conformance.subject import RunningSubject
from conformance.verdict import Outcome, Verdict
from tests.faulty_providers.corpus import all_faults
from tests.faulty_providers.fault import Fault, Provider, Site
from tests.faulty_providers.faulty import FaultySteps, Injector, faulty_bridge_factory, plan_for_fault
from tests.kit_quality import reach
from tests.kit_quality.at_once import AtOnce
from tests.variants import ENVIRONMENTS, all_variants

_MEMBERS: Final = "REG-001"
_SMOKE: Final = replace(PROFILES["smoke"], goes_to_limits=True)
_HANGING: Final = replace(_SMOKE, completion_ceiling=0.3)


@dataclass(frozen=True, slots=True)
class Run:
    """What one plugin came to. `verdicts` are settled; `ranked` are failed ids, the cause first."""

    name: str
    verdicts: Mapping[str, str]
    ranked: Sequence[str]
    seconds: float
    fired: int = 0
    error: str = ""
    findings: Mapping[str, str] = field(default_factory=dict)
    reach: Mapping[str, frozenset[Site]] = field(default_factory=dict)
    cpu_seconds: float = 0.0


def needs_sockets(fault: Fault) -> bool:
    """Whether the fault cannot be seen in memory, where there are no connections that stay open, and no TLS."""
    one = catalogue().get(fault.requirement)
    return fault.at == Provider.close or (one is not None and Need.VERIFIED_TLS in one.needs)


class Bench:
    """One worker's environments and what it can do with them. Use it as a context manager."""

    def __init__(self, seed: int, asked: Sequence[str] = (), *, is_shuffled: bool = False) -> None:
        self._seed, self._is_shuffled = seed, is_shuffled
        self._asked = list(asked) or list(catalogue())
        self._stack = ExitStack()
        self._environments: dict[tuple[Transport, Path | None, str], Environment] = {}
        self._bridges: dict[Transport, BridgeFactory | None] = {}
        self.faults = {each.name: each for each in all_faults()}
        self._variants = dict(all_variants())

    def fault(self, name: str, only: Sequence[str], unbroken: Mapping[str, str], *, with_threads: bool = False) -> Run:
        """Try the requirements `only` against a fault; the others are as with the unbroken base."""
        fault = self.faults[name]
        injector = Injector(fault)
        transport = Transport.SOCKETS if needs_sockets(fault) else Transport.MEMORY
        is_hanging = getattr(fault.change, "hangs", False)
        profile = _HANGING if is_hanging else _SMOKE
        environment = self._environment(transport, provider=fault.base)
        factory = self._bridges[transport]
        if factory is not None:
            environment.bridge_factory = faulty_bridge_factory(injector, factory)
        plan, hooks = plan_for_fault(injector, fault.base), FaultySteps(injector)
        threads = CallThreads() if with_threads or is_hanging else AtOnce()
        with RunningSubject(plan, environment, profile, hooks=hooks, threads=threads) as subject:
            run = self._run(name, subject, only, unbroken=unbroken)
        return replace(run, fired=injector.fired)

    def base(self, name: str) -> Run:
        """Try everything against an unbroken base, and learn what each requirement touches."""
        reached = reach.Reached()
        environment = self._environment(Transport.MEMORY, provider=name)
        factory = self._bridges[Transport.MEMORY]
        if factory is not None:
            environment.bridge_factory = reach.noting_bridges(reached, factory)
        plan, hooks = reach.noting_plan(reached, name), reach.NotingSteps(reached)
        with RunningSubject(plan, environment, _SMOKE, hooks=hooks, threads=AtOnce()) as subject:
            return self._run(name, subject, self._asked, reached)

    def variant(self, name: str) -> Run:
        """Try everything against a plugin that is unusual and right."""
        environment = self._environment(Transport.MEMORY, ENVIRONMENTS.get(name))
        environment.bridge_factory = self._bridges[Transport.MEMORY]
        plan = self._variants[name]
        with RunningSubject(plan, environment, _SMOKE, hooks=StepHooks(), threads=AtOnce()) as subject:
            return self._run(name, subject, self._asked)

    def _run(
        self,
        name: str,
        subject: RunningSubject,
        only: Iterable[str],
        reached: reach.Reached | None = None,
        unbroken: Mapping[str, str] = MappingProxyType({}),
    ) -> Run:
        gc.collect()
        began, cpu = time.perf_counter(), time.process_time()
        requirements = catalogue()
        # With members missing nothing else is asked, as in any run.
        ids = [_MEMBERS] if subject.mismatches else only
        order = list(from_the_ground((requirements[each] for each in ids), requirements))
        if self._is_shuffled:
            random.Random(self._seed).shuffle(order)
        outcomes: list[Outcome] = []
        touched: dict[str, frozenset[Site]] = {}
        for outcome in attempts(subject, order, requirements, seed=self._seed, shrink=False):
            outcomes.append(outcome)
            if reached is not None:
                touched[outcome.requirement.id] = reached.take()
        tried = {each.requirement.id for each in outcomes}
        left_out = [] if subject.mismatches else [each for each in unbroken if each not in tried]
        # A step that fails is charged by how its own requirement did.
        outcomes += [Outcome(requirements[each], Verdict(unbroken[each])) for each in left_out]
        settled = settle(outcomes, requirements)
        return Run(
            name,
            {each: str(outcome.verdict) for each, outcome in settled.items()},
            ranking(settled, requirements),
            time.perf_counter() - began,
            findings={each: _told(outcome) for each, outcome in settled.items() if _told(outcome)},
            reach=touched,
            cpu_seconds=time.process_time() - cpu,
        )

    def _environment(self, transport: Transport, path: Path | None = None, provider: str = "") -> Environment:
        place = (transport, path, provider)
        if place not in self._environments:
            opened = self._stack.enter_context(open_environment(path, transport, provider))
            self._environments[place] = opened
            self._bridges[transport] = opened.bridge_factory
        return self._environments[place]

    def __enter__(self) -> Self:
        self._environment(Transport.MEMORY)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def is_red(verdict: str) -> bool:
    """Whether a reader of the report would have to look at it as a cause."""
    return verdict == Verdict.FAILED


def is_broken_kit(verdict: str) -> bool:
    """Whether the kit itself went wrong."""
    return verdict == Verdict.KIT_ERROR


def _told(outcome: Outcome) -> str:
    if outcome.verdict is Verdict.KIT_ERROR:
        return outcome.reason
    if outcome.finding is None:
        return ""
    violation = outcome.finding.violation
    return f"expected {violation.expected}; {violation.observer} observed {violation.observed}"
