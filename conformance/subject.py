"""A subject in an environment: what `with subject.world() as world:` opens worlds of."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast

from conformance import registration
from conformance.calls import CallHung, CallThreads, StrayExit, Threads, run_with_deadline
from conformance.chronicle import Chronicle
from conformance.contract import (
    AccessModel,
    ArrayWitness,
    Capability,
    DataStoreProvider,
    Dial,
    Hookup,
    Secret,
    Subject,
    Transport,
    WitnessedHosts,
    WitnessPower,
)
from conformance.environments.opened import Environment, load
from conformance.errors import WiringError
from conformance.gating import Ground
from conformance.instance import Door
from conformance.journal import Journal
from conformance.orchestrator.steps import StepHooks
from conformance.profile import PROFILES, Profile
from conformance.requirement import Need
from conformance.wire.memory import MemoryNetwork
from conformance.wire.proxy import ProxyServer
from conformance.world import World

Factory = Callable[[], object]
MemoryFactory = Callable[[MemoryNetwork], object]
_FACTORY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class SubjectPlan:
    """What to judge. `memory_factory` makes the plugin with its HTTP connector on the in-memory network."""

    name: str
    factory: Factory
    memory_factory: MemoryFactory | None = None
    parameters: Mapping[str, str | Secret] = field(default_factory=dict)
    witness: ArrayWitness | None = None


def plan_for(reference: str, parameters: Mapping[str, str | Secret] | None = None) -> SubjectPlan:
    """Load ``module:attribute``: a provider factory, or a `Subject`."""
    try:
        found = run_with_deadline(lambda: load(reference, "provider"), _FACTORY_SECONDS)
    except CallHung:
        raise WiringError(f"provider {reference}: importing it did not end within {_FACTORY_SECONDS:g} s") from None
    except StrayExit as error:
        raise WiringError(f"provider {reference}: importing it raised {error}") from None
    if isinstance(found, Subject):
        return SubjectPlan(reference, found.provider, None, {**found.parameters, **(parameters or {})}, found.witness)
    if not callable(found):
        raise WiringError(f"provider {reference} is {type(found).__name__}; expected a factory without arguments")
    return SubjectPlan(reference, found, None, parameters or {})


class RunningSubject:
    """A plugin, declared once, and the environment it is judged in. Opens one world at a time."""

    def __init__(
        self,
        plan: SubjectPlan,
        environment: Environment,
        profile: Profile = PROFILES["smoke"],
        *,
        journal: Journal | None = None,
        hooks: StepHooks | None = None,
        threads: Threads | None = None,
    ) -> None:
        self.plan, self.environment, self.profile = plan, environment, profile
        self.journal = journal or Journal(None)
        # Steps of our own cloud that go wrong on purpose: how requirements on it are seen to bite.
        self.hooks = hooks or StepHooks()
        self._memory = MemoryNetwork()
        # Methods that did not come back once: no later world waits as long for them again.
        self.hung: set[str] = set()
        self.chronicle = Chronicle()
        self.threads = threads or CallThreads()
        self._proxies: ProxyServer | None = None
        self._numbers = itertools.count(1)
        # Two runs against one array must not meet: names carry the process and a random part.
        self.tag = f"{os.getpid():x}{secrets.token_hex(2)}"
        self.declared = self._declare()
        self.mismatches = registration.check(self.declared)
        self.access_model = None if self.mismatches else _model(self.declared)

    def __repr__(self) -> str:
        return f"<subject {self.plan.name}>"

    def new_provider(self) -> DataStoreProvider:
        """Make a plugin object."""
        in_memory = self.environment.transport is Transport.MEMORY
        if in_memory and self.plan.memory_factory is None:
            raise WiringError(f"{self.plan.name} has no in-memory factory; use transport sockets")
        maker = self.plan.memory_factory
        made = maker(self._memory) if in_memory and maker is not None else self.plan.factory()
        return cast("DataStoreProvider", made)

    def _declare(self) -> DataStoreProvider:
        try:
            return run_with_deadline(self.new_provider, _FACTORY_SECONDS)
        except CallHung as error:
            raise WiringError(f"the factory {self.plan.name} hangs: {error}") from None
        except WiringError:
            raise
        except Exception as error:
            raise WiringError(f"the factory {self.plan.name} raised {type(error).__name__}: {error}") from error

    @property
    def hookup(self) -> Hookup:
        """Who calls the bridge."""
        return self.declared.hookup

    @property
    def door(self) -> Door:
        """How this subject's proxies are opened."""
        if self.environment.transport is Transport.MEMORY:
            return Door(self._memory.open, self._memory.close, self._memory.connections, None)
        proxies = self.proxies
        return Door(proxies.open, proxies.close, proxies.connections, proxies.ca_file)

    @property
    def proxies(self) -> ProxyServer:
        """The proxy server, started when first needed."""
        if self._proxies is None:
            self._proxies = ProxyServer(is_upstream_here=self.environment.file.array.kind == "simulated")
        return self._proxies

    def witness(self, world_witness: ArrayWitness) -> ArrayWitness:
        """The vendor's witness if there is one, else the environment's."""
        return self.plan.witness or world_witness

    def ground(self) -> Ground:
        """What can be asked of this subject here."""
        with_array = self.environment.array.open_world()
        try:
            powers = frozenset(self.witness(with_array.witness).powers)
            hypervisors = self._of_hypervisors(with_array.dial)
        finally:
            with_array.close()
        offered, missing = self._needs(powers, hypervisors)
        answers = {} if self.mismatches else self.declared.capabilities
        models = frozenset() if self.mismatches else self.declared.access_models
        return Ground(answers, self.access_model, models, powers, offered, missing)

    def _of_hypervisors(self, dial: Dial) -> dict[Need, str]:
        """Why what needs hypervisors cannot be had; empty for each that can."""
        entry, missing = self.environment.cluster, self.environment.missing_cluster
        if entry is None:
            return dict.fromkeys((Need.HYPERVISOR, Need.SECOND_HYPERVISOR, Need.HYPERVISOR_WITNESS), missing)
        cluster = entry.open_world(dial)
        try:
            alone = "" if len(cluster.hosts()) > 1 else "the cluster has one host only"
            unseen = "" if isinstance(cluster, WitnessedHosts) else "this cluster has no witness of its hosts"
        finally:
            cluster.close()
        return {Need.HYPERVISOR: "", Need.SECOND_HYPERVISOR: alone, Need.HYPERVISOR_WITNESS: unseen}

    def _needs(
        self, powers: frozenset[WitnessPower], hypervisors: Mapping[Need, str]
    ) -> tuple[set[Need], dict[Need, str]]:
        environment, declared = self.environment, self.declared
        parameters = () if self.mismatches else declared.parameters
        simulated = environment.file.array.kind == "simulated"
        tls = environment.transport is Transport.SOCKETS
        checks = {
            **{need: (not reason, reason) for need, reason in hypervisors.items()},
            Need.PROBE: (environment.probe is not None, environment.missing_probe),
            Need.WITNESS: (bool(powers), "this array has no witness"),
            Need.SIMULATED: (simulated, "only done on simulated arrays"),
            Need.ENDPOINT: (any(each.endpoint for each in parameters), "no parameter is marked as endpoint"),
            Need.OPTIONAL_PARAMETER: (
                not all(each.required or each.ca_file for each in parameters),
                "all parameters but the certificate's are required",
            ),
            Need.SECRET: (any(each.secret for each in parameters), "no parameter is marked as secret"),
            Need.UPDATE: (
                not self.mismatches and hasattr(declared.lifecycle, "update"),
                "the plugin has no update",
            ),
        }
        if not self.mismatches:
            framework = declared.hookup is Hookup.FRAMEWORK
            checks[Need.FRAMEWORK] = (framework, "hookup is PLUGIN")
            checks[Need.PLUGIN] = (not framework, "hookup is FRAMEWORK")
            direct = AccessModel.DIRECT in declared.access_models
            checks[Need.DIRECT] = (direct, "the plugin does not serve access model direct")
            checks[Need.CAPACITY] = (not declared.traits.overprovisioning, "over-provisioning is declared")
            checks[Need.HOST_LISTENER] = (
                declared.host_listener is not None,
                "the plugin has no host listener",
            )
        offered = {need for need, (is_there, _) in checks.items() if is_there}
        missing = {need: why for need, (is_there, why) in checks.items() if not is_there}
        has_ca = any(each.ca_file for each in parameters)
        if has_ca and tls:
            offered.add(Need.VERIFIED_TLS)
        missing[Need.VERIFIED_TLS] = "no TLS on this transport" if has_ca else "no parameter is marked as ca_file"
        return offered, missing

    def world(self, *, hypervisor: bool = False) -> World:
        """A fresh world; use it as a context manager. `hypervisor`: its cluster is the hypervisor's."""
        return World(self, f"{self.tag}-{next(self._numbers)}", hypervisor=hypervisor)

    def supports(self, capability: Capability) -> bool:
        """Whether the plugin declares it."""
        return bool(self.declared.capabilities.get(capability))

    def close(self) -> None:
        """Stop the proxies; the environment is closed by who opened it."""
        self.threads.close()
        if self._proxies is not None:
            self._proxies.shut_down()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _model(provider: DataStoreProvider) -> AccessModel | None:
    for model in (AccessModel.DEDICATED, AccessModel.DIRECT):
        if model in provider.access_models:
            return model
    return None
