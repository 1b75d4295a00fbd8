"""Every user operation once, on reference providers in memory: what the pictures in the docs are drawn from.

A new user operation gets a line in `TOUR`, and nothing else: that none is missing is checked against those that the
orchestrator knows how to carry on after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, cast

from conformance.contract import AccessModel, Cluster, Host, HypervisorBridge, QosPolicy, Transport, VmRef
from conformance.environments.opened import open_environment
from conformance.guard import TracedBridge
from conformance.messages import Message, messages
from conformance.orchestrator import DirectCalls, Orchestrator
from conformance.orchestrator.orchestrator import REVIVE
from conformance.subject import RunningSubject, SubjectPlan
from conformance.traced_cloud import CLOUD, TracedCloud
from conformance.world import World
from reference_providers import solidfire


@dataclass(frozen=True, slots=True)
class Variant:
    """A provider in one access model."""

    name: str
    title: str
    maker: Callable[..., Any]
    model: AccessModel = AccessModel.DEDICATED


VARIANTS: Final = (
    Variant("framework", "the cloud hooks volumes up (hookup FRAMEWORK)", solidfire.PROVIDER),
    Variant("plugin", "the plugin hooks volumes up (hookup PLUGIN)", solidfire.PLUGIN_HOOKUP),
    Variant("direct", "a VM gets the LUN itself (access model DIRECT)", solidfire.PROVIDER, AccessModel.DIRECT),
)


class Scene:
    """One cloud with one store, one volume, one VM and a host that comes and goes."""

    def __init__(self, world: World, model: AccessModel) -> None:
        self.world = world
        self.store = world.store_request(model=model)
        self.volume = world.request()
        self.vm = VmRef("vm-of-the-tour", "vm")
        self.bridge = cast("HypervisorBridge", TracedBridge(world.trace, world.open_bridge(), "cloud", set()))
        orchestrator = Orchestrator(
            database=None,
            provider=world.plugin.as_provider,
            bridges=lambda _cluster: self.bridge,
            hosts=lambda _cluster: world.cluster_world.hosts(),
            calls=DirectCalls(),
            clock=world.watch.operations.clock,
        )
        world.defer("close", orchestrator.close)
        self.cloud = cast("Orchestrator", TracedCloud(world.trace, orchestrator))

    @property
    def cluster(self) -> Cluster:
        """The hypervisor's cluster."""
        return self.world.cluster

    @property
    def larger(self) -> int:
        """A size in bytes that the volume can grow to."""
        return self.volume.size_bytes + 8 * self.world.subject.declared.limits.granularity_bytes

    @cached_property
    def vms_host(self) -> Host:
        """A host on which the VM runs."""
        host = self.world.cluster_world.hosts()[0]
        self.bridge.create_vm(self.vm, host)
        self.bridge.start_vm(self.vm, host)
        return host

    @cached_property
    def newcomer(self) -> Host:
        """A host that is not in the cluster at first."""
        return self.world.cluster_world.add_host()

    def newcomer_leaves(self) -> None:
        """First the cloud lets the host go, then it is gone."""
        self.cloud.remove_host(self.newcomer)
        self.world.cluster_world.remove_host(self.newcomer)


TOUR: Final[Mapping[str, Callable[[Scene], object]]] = {
    "add_primary_storage": lambda on: on.cloud.add_primary_storage(on.store, [on.cluster]),
    "create_volume": lambda on: on.cloud.create_volume(on.store.uuid, on.volume, on.cluster),
    "attach_volume": lambda on: on.cloud.attach_volume(on.volume.uuid, on.vm, on.vms_host),
    "resize_volume": lambda on: on.cloud.resize_volume(on.volume.uuid, on.larger),
    "set_qos": lambda on: on.cloud.set_qos(on.volume.uuid, QosPolicy(100, 200, 300)),
    "add_host": lambda on: on.cloud.add_host(on.newcomer),
    "remove_host": lambda on: on.newcomer_leaves(),
    "detach_volume": lambda on: on.cloud.detach_volume(on.volume.uuid, on.vm),
    "delete_volume": lambda on: on.cloud.delete_volume(on.volume.uuid),
    "delete_primary_storage": lambda on: on.cloud.delete_primary_storage(on.store.uuid),
}
"""In an order in which each can be done."""


def missing() -> list[str]:
    """User operations that the orchestrator has and the tour has not."""
    return sorted(REVIVE.keys() - TOUR.keys())


def taken(variant: Variant) -> dict[str, list[Message]]:
    """What each operation led to, without what differs from run to run."""
    if missing():
        raise LookupError(f"tools/tour.py: TOUR has no line for {', '.join(missing())}")
    with _world(variant) as world:
        scene = Scene(world, variant.model)
        for take in TOUR.values():
            take(scene)
        scene.bridge.stop_vm(scene.vm)
        scene.bridge.delete_vm(scene.vm)
        asked = {each.name: each for each in world.trace.calls if each.party == CLOUD}
        return {name: _bare(messages(world.trace, [asked[name]])) for name in TOUR}


@contextmanager
def _world(variant: Variant) -> Iterator[World]:
    plan = SubjectPlan(variant.name, variant.maker, lambda network: variant.maker(connect=network.connect))
    with (
        open_environment(None, Transport.MEMORY) as environment,
        RunningSubject(plan, environment) as subject,
        subject.world(hypervisor=True) as world,
    ):
        yield world


def _bare(told: Sequence[Message]) -> list[Message]:
    hosts: dict[str, str] = {"": ""}
    found = []
    for each in told:
        host = hosts.setdefault(each.host, f"host {len(hosts)}")
        found.append(replace(each, about="", host=host, at_ms=0.0, took_ms=None))
    return found
