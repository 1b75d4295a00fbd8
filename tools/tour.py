"""Every user operation once, on reference providers in memory: what the pictures in the docs are drawn from.

A new user operation gets a line in `TOUR`, and nothing else: that none is missing is checked against those that the
orchestrator knows how to carry on after a crash.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, cast

from conformance.bridge_breaks import BridgeBreaks
from conformance.contract import (
    AccessModel,
    CapabilityNotSupported,
    Cluster,
    Host,
    HypervisorBridge,
    QosPolicy,
    SnapshotRequest,
    Template,
    Transport,
    VmRef,
)
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
    """One cloud with a store, a volume, a VM, and a host that comes and goes."""

    def __init__(self, world: World, model: AccessModel) -> None:
        self.world = world
        self.store, self.second = world.store_request(model=model), world.store_request(model=model)
        self.volume, self.clone, self.copy = world.request(), world.request(), world.request()
        self.snapshot = SnapshotRequest(world.request().uuid, "snapshot")
        self.template_uuid = world.request().uuid
        self.vm = VmRef("vm-of-the-tour", "vm")
        bridge = TracedBridge(world.trace, world.open_bridge(), "cloud", BridgeBreaks())
        orchestrator = Orchestrator(
            database=None,
            provider=world.plugin.as_provider,
            bridges=lambda _cluster: cast("HypervisorBridge", bridge),
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
    def hosts(self) -> Sequence[Host]:
        """Its hosts."""
        return self.world.cluster_world.hosts()

    @property
    def larger(self) -> int:
        """A size in bytes that the volume can grow to."""
        return self.volume.size_bytes + 8 * self.world.subject.declared.limits.granularity_bytes

    @cached_property
    def newcomer(self) -> Host:
        """A host that is not in the cluster at first."""
        return self.world.cluster_world.add_host()

    @cached_property
    def template(self) -> Template:
        """A raw template in a file that is removed at the end."""
        content = b"template" * 512
        with tempfile.NamedTemporaryFile(suffix=".raw", delete=False) as file:
            file.write(content)
        self.world.defer("delete_template_file", partial(Path(file.name).unlink, missing_ok=True))
        return Template(f"file:{file.name}", "raw", len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")

    def newcomer_leaves(self) -> None:
        """First the cloud lets the host go, then it is gone."""
        self.cloud.remove_host(self.newcomer)
        self.world.cluster_world.remove_host(self.newcomer)

    def clones(self) -> None:
        """A volume is made from the snapshot, as large as that."""
        request = self.cloud.as_large_as(self.snapshot.uuid, self.clone)
        self.cloud.create_volume_from(self.store.uuid, request, self.cluster, self.snapshot.uuid)

    def copies(self) -> None:
        """A volume is copied to another storage."""
        self.cloud.add_primary_storage(self.second, [self.cluster])
        request = self.cloud.as_large_as(self.volume.uuid, self.copy)
        self.cloud.copy_volume(self.volume.uuid, self.second.uuid, request)

    def deletes_volumes(self) -> None:
        """All volumes go."""
        for each in (self.volume, self.clone, self.copy):
            self.cloud.delete_volume(each.uuid)

    def deletes_storages(self) -> None:
        """All storages go."""
        for each in (self.store, self.second):
            self.cloud.delete_primary_storage(each.uuid)


TOUR: Final[Mapping[str, Callable[[Scene], object]]] = {
    "add_primary_storage": lambda on: on.cloud.add_primary_storage(on.store, [on.cluster]),
    "create_volume": lambda on: on.cloud.create_volume(on.store.uuid, on.volume, on.cluster),
    "start_vm": lambda on: on.cloud.start_vm(on.vm, on.hosts[0]),
    "attach_volume": lambda on: on.cloud.attach_volume(on.volume.uuid, on.vm),
    "move_vm": lambda on: on.cloud.move_vm(on.vm, on.hosts[1]),
    "resize_volume": lambda on: on.cloud.resize_volume(on.volume.uuid, on.larger),
    "set_qos": lambda on: on.cloud.set_qos(on.volume.uuid, QosPolicy(100, 200, 300)),
    "rotate_chap": lambda on: on.cloud.rotate_chap(on.volume.uuid),
    "with_migration": lambda on: on.cloud.with_migration(on.volume.uuid, lambda: None),
    "take_snapshot": lambda on: on.cloud.take_snapshot(on.volume.uuid, on.snapshot),
    "create_volume_from": lambda on: on.clones(),
    "copy_volume": lambda on: on.copies(),
    "add_host": lambda on: on.cloud.add_host(on.newcomer),
    "disconnect_host": lambda on: on.cloud.disconnect_host(on.newcomer),
    "connect_host": lambda on: on.cloud.connect_host(on.newcomer),
    "maintain_host": lambda on: on.cloud.maintain_host(on.newcomer),
    "cancel_maintain_host": lambda on: on.cloud.cancel_maintain_host(on.newcomer),
    "remove_host": lambda on: on.newcomer_leaves(),
    "stop_vm": lambda on: on.cloud.stop_vm(on.vm),
    "detach_volume": lambda on: on.cloud.detach_volume(on.volume.uuid, on.vm),
    "revert_volume": lambda on: on.cloud.revert_volume(on.volume.uuid, on.snapshot.uuid),
    "delete_snapshot": lambda on: on.cloud.delete_snapshot(on.snapshot.uuid),
    "seed_template": lambda on: on.cloud.seed_template(on.store.uuid, on.template_uuid, on.template, on.cluster),
    "delete_template": lambda on: on.cloud.delete_template(on.template_uuid),
    "update_storage": lambda on: on.cloud.update_storage(on.store.uuid, on.store.capacity_bytes, None),
    "disable_storage": lambda on: on.cloud.disable_storage(on.store.uuid),
    "enable_storage": lambda on: on.cloud.enable_storage(on.store.uuid),
    "maintain_storage": lambda on: on.cloud.maintain_storage(on.store.uuid),
    "cancel_maintain_storage": lambda on: on.cloud.cancel_maintain_storage(on.store.uuid),
    "delete_volume": lambda on: on.deletes_volumes(),
    "delete_primary_storage": lambda on: on.deletes_storages(),
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
            # What a provider does not support in this variant has no picture there.
            with suppress(CapabilityNotSupported):
                take(scene)
        asked = {each.name: each for each in reversed(world.trace.calls) if each.party == CLOUD and each.error is None}
        return {name: _bare(messages(world.trace, [asked[name]])) if name in asked else [] for name in TOUR}


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
