"""The bottom of the cloud's desk: the orchestrator, how failures are charged, and what is removed at the end."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast

from conformance.contract import (
    AccessModel,
    BridgeError,
    BridgeInventory,
    Cluster,
    DiskLocation,
    Host,
    VmRef,
    Volume,
    VolumeRequest,
    WitnessedLun,
)
from conformance.errors import KitError
from conformance.expect import CLOUD
from conformance.orchestrator import Orchestrator
from conformance.orchestrator.calls import DirectCalls
from conformance.orchestrator.errors import BrokenPromise, OperationRefused
from conformance.traced_cloud import TracedCloud
from conformance.verdict import Broken, Certainty, Violation

if TYPE_CHECKING:
    from conformance.world import World

T = TypeVar("T")


class DeskBase:
    """One orchestrator on one world's plugin and cluster."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._luns: dict[str, WitnessedLun] = {}
        self._is_ready = False
        self._bridge = world.traced(world.open_bridge(), "cloud")
        orchestrator = Orchestrator(
            database=None,
            provider=world.plugin.as_provider,
            bridges=lambda _cluster: self._bridge,
            hosts=lambda _cluster: world.cluster_world.hosts(),
            calls=DirectCalls(),
            hooks=world.subject.hooks,
            clock=world.watch.operations.clock,
            told=lambda request: world.instance.localised_request(request),
        )
        self._orchestrator = cast("Orchestrator", TracedCloud(world.trace, orchestrator))
        world.defer("close", orchestrator.close)
        self._request = world.store_request()

    def serve(self, model: AccessModel) -> None:
        """Add the primary storage in this access model; before anything is made."""
        if self._is_ready:
            raise KitError("the access model is chosen before the first volume is made")
        self._request = replace(self._request, access_model=model)
        self.ready()

    def ready(self) -> None:
        """Add the primary storage; done by itself when a volume is made. Removed at the end."""
        if not self._is_ready:
            self._is_ready = True
            self._first = self.inventory()
            note = {"name": self._request.name, "cluster": self._cluster.uuid}
            self._world.subject.journal.intend("store", self._request.uuid, note)
            self._world.defer("delete_primary_storage", self._remove_storage)
            self._do(
                "add_primary_storage",
                lambda: self._orchestrator.add_primary_storage(self._request, [self._cluster]),
            )

    def hosts(self) -> Sequence[Host]:
        """The cluster's hosts."""
        return self._world.cluster_world.hosts()

    def inventory(self) -> BridgeInventory:
        """All that the hypervisor holds because of storage, strangers' aside."""
        return self._world.without_strangers(self._bridge.inventory())

    def volume(self, uuid: str) -> Volume:
        """What the cloud believes of a volume."""
        return self._orchestrator.volume(uuid).volume

    @property
    def _cluster(self) -> Cluster:
        return self._world.cluster

    def _live(self) -> Sequence[WitnessedLun]:
        return self._world.view().live if self._world.witness.powers else ()

    def _disk(self, uuid: str) -> DiskLocation:
        disk = self.volume(uuid).disk
        if disk is None:
            raise Broken(Violation("a volume to be a disk", "it has none", CLOUD, self._world.home("create_volume")))
        return disk

    def _sees(self, host: Host, look: Callable[[Host], int]) -> bool:
        try:
            return look(host) > 0
        except BridgeError:
            return False

    def _vm(self, name: str, host: Host) -> VmRef:
        """The VM of that name, which runs; it is started on that host when it does not. Stopped at the end."""
        reference = VmRef(self._vm_uuid(name), name)
        if all(each.uuid != reference.uuid or each.host is None for each in self._orchestrator.vms()):
            self._world.defer("stop_vm", lambda: self._orchestrator.stop_vm(reference))
            self._do("start_vm", lambda: self._orchestrator.start_vm(reference, host))
        return reference

    def _vm_uuid(self, name: str) -> str:
        return str(uuids.uuid5(uuids.NAMESPACE_DNS, f"{self._world.tag}.{name}"))

    def _remove_storage(self) -> None:
        self._remove_store(self._request.uuid)

    def _remove_store(self, uuid: str) -> None:
        self._orchestrator.delete_primary_storage(uuid)
        self._world.subject.journal.gone(uuid)

    def _make(self, step: str, request: VolumeRequest, act: Callable[[], object]) -> None:
        """Carry out an operation that makes a volume, and remember the LUN that came with it."""
        known = {each.external_id for each in self._live()}
        self._will_make(request)
        self._do(step, act)
        new = [each for each in self._live() if each.external_id not in known]
        if len(new) == 1:
            self._luns[request.uuid] = new[0]

    def _will_make(self, request: VolumeRequest) -> None:
        note = {"store": self._request.uuid, "name": request.name}
        self._world.subject.journal.intend("volume", request.uuid, note)
        self._world.defer("delete_volume", lambda: self._remove_volume(request.uuid))

    def _remove_volume(self, uuid: str) -> None:
        attached = [each.attachment for each in self._orchestrator.volumes() if each.uuid == uuid and each.attachment]
        for each in attached:
            self._orchestrator.stop_vm(each.vm)
            self._orchestrator.detach_volume(uuid, each.vm)
        self._orchestrator.delete_volume(uuid)
        self._world.subject.journal.gone(uuid)

    def _do(self, step: str, act: Callable[[], T]) -> T:
        try:
            with self._world.charged(step):
                return act()
        except (OperationRefused, BrokenPromise) as error:
            home = self._world.home(step)
            raise Broken(Violation(f"{step} to succeed", str(error), CLOUD, home, certainty=Certainty.STEP)) from error
