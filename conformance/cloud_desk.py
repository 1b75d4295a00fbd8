"""The cloud's desk in a world: user operations through the orchestrator, and looks at the hypervisor.

A failing operation is charged to the requirement that answers for it.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from conformance.contract import (
    BridgeError,
    BridgeInventory,
    Cluster,
    DiskInUse,
    DiskLocation,
    Host,
    HypervisorBridge,
    InventoryItem,
    InventoryKind,
    ProviderError,
    VmRef,
    Volume,
    VolumeRequest,
    WitnessedLun,
)
from conformance.expect import CLOUD, HYPERVISOR, broken, expect
from conformance.guard import TracedBridge
from conformance.orchestrator import Orchestrator
from conformance.orchestrator.calls import DirectCalls
from conformance.orchestrator.errors import BrokenPromise, OperationRefused
from conformance.strategies.sizes import Granules, Size
from conformance.traced_cloud import TracedCloud
from conformance.verdict import Broken, Certainty, Violation

if TYPE_CHECKING:
    from conformance.world import World

T = TypeVar("T")


class CloudDesk:
    """One orchestrator on one world's plugin and cluster."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._luns: dict[str, WitnessedLun] = {}
        self._is_ready = False
        inner = world.open_bridge()
        self._bridge = cast("HypervisorBridge", TracedBridge(world.trace, inner, "cloud", world.bridge_breaks))
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

    # --- user operations -------------------------------------------------------------------------------------------

    def ready(self) -> None:
        """Add the primary storage; done by itself when a volume is made. Removed at the end."""
        if not self._is_ready:
            self._is_ready = True
            self._first = self._bridge.inventory()
            note = {"name": self._request.name, "cluster": self._cluster.uuid}
            self._world.subject.journal.intend("store", self._request.uuid, note)
            self._world.defer("delete_primary_storage", self._remove_storage)
            self._do(
                "add_primary_storage",
                lambda: self._orchestrator.add_primary_storage(self._request, [self._cluster]),
            )

    def create_volume(self, size: Size | None = None) -> str:
        """Create a volume; answers its uuid. Deleted at the end."""
        self.ready()
        known = {each.external_id for each in self._live()}
        request = self._world.request(size or Granules(0))
        self._will_make(request)
        self._do(
            "create_volume",
            lambda: self._orchestrator.create_volume(self._request.uuid, request, self._cluster),
        )
        new = [each for each in self._live() if each.external_id not in known]
        if len(new) == 1:
            self._luns[request.uuid] = new[0]
        return request.uuid

    def create_volume_while_hypervisor_fails(self) -> None:
        """Create a volume while hypervisors make no disks; it must fail."""
        self.ready()
        request = self._world.request()
        self._will_make(request)
        self._world.bridge_breaks.add("create_disk")
        try:
            self._orchestrator.create_volume(self._request.uuid, request, self._cluster)
        except (ProviderError, BridgeError, OperationRefused):
            return
        finally:
            self._world.bridge_breaks.discard("create_disk")
        broken("creating a volume to fail", "it succeeded without a disk", CLOUD)

    def delete_volume(self, uuid: str) -> None:
        """Delete a volume."""
        self._do("delete_volume", lambda: self._orchestrator.delete_volume(uuid))

    def resize(self, uuid: str, size_bytes: int) -> int:
        """Resize a volume; answers its size in bytes."""
        return self._do("resize_volume", lambda: self._orchestrator.resize_volume(uuid, size_bytes))

    def attach(self, uuid: str, vm: str) -> None:
        """Attach a volume to a VM on the cluster's first host, which is made when it is not there."""
        host = self.hosts()[0]
        reference = self._vm(vm, host)
        self._do("attach_volume", lambda: self._orchestrator.attach_volume(uuid, reference, host))

    def attach_is_refused(self, uuid: str, vm: str) -> None:
        """Attaching must be refused, by the cloud and by the bridge alike."""
        host = self.hosts()[0]
        reference, disk = self._vm(vm, host), self._disk(uuid)
        self._refused(OperationRefused, lambda: self._orchestrator.attach_volume(uuid, reference, host))
        self._refused(DiskInUse, lambda: self._bridge.attach_disk(reference, disk))

    def _refused(self, kind: type[Exception], act: Callable[[], None]) -> None:
        try:
            act()
        except kind:
            return
        broken("attaching a disk in use to be refused", "it succeeded", HYPERVISOR)

    def detach(self, uuid: str, vm: str) -> None:
        """Detach a volume from a VM."""
        self._do("detach_volume", lambda: self._orchestrator.detach_volume(uuid, VmRef(self._vm_uuid(vm), vm)))

    def add_host(self) -> Host:
        """A new host joins the hypervisor's cluster and the cloud."""
        host = self._world.cluster_world.add_host()
        self._do("add_host", lambda: self._orchestrator.add_host(host))
        return host

    def come_back(self, host: Host) -> None:
        """A host that left joins the cloud again."""
        self._do("add_host", lambda: self._orchestrator.add_host(host))

    def remove_host(self, host: Host) -> None:
        """The cloud lets a host go."""
        self._do("remove_host", lambda: self._orchestrator.remove_host(host))

    # --- looking ---------------------------------------------------------------------------------------------------

    def hosts(self) -> Sequence[Host]:
        """The cluster's hosts."""
        return self._world.cluster_world.hosts()

    def host_names(self) -> list[str]:
        """Their names, sorted."""
        return sorted(each.name for each in self.hosts())

    def volume(self, uuid: str) -> Volume:
        """What the cloud believes of a volume."""
        return self._orchestrator.volume(uuid).volume

    def size(self, uuid: str) -> int:
        """The size in bytes that the user was told."""
        return self.volume(uuid).size_bytes

    def lun(self, uuid: str) -> WitnessedLun:
        """The volume's LUN as the witness sees it now."""
        known = self._luns.get(uuid)
        for each in self._live():
            if known is not None and each.external_id == known.external_id:
                return each
        raise Broken(
            Violation("the volume to be one LUN", "there is none", "the array", self._world.home("create_volume"))
        )

    def hosts_seeing(self, uuid: str) -> list[str]:
        """Names of the hosts that see the volume's datastore, sorted."""
        ref = self._disk(uuid).datastore
        return sorted(
            each.name for each in self.hosts() if self._sees(each, lambda h: self._bridge.datastore_bytes(ref, h))
        )

    def disk_sizes(self, uuid: str) -> list[int]:
        """The size of the volume's disk, and of its datastore from every host, in bytes."""
        disk = self._disk(uuid)
        with self._world.charged("create_volume"):
            sizes = [self._bridge.datastore_bytes(disk.datastore, each) for each in self.hosts()]
            return [*sizes, self._bridge.list_disks(disk.datastore).get(disk.disk, 0)]

    def datastores(self) -> list[InventoryItem]:
        """Datastores on the first host that were not there before."""
        first = self.hosts()[0].uuid
        return [each for each in self.left_on_hosts() if each.kind == "datastore" and each.host_uuid == first]

    def disks(self, uuid: str) -> list[str]:
        """Names of the disks in the volume's datastore."""
        return sorted(self._bridge.list_disks(self._disk(uuid).datastore))

    def write(self, uuid: str, offset: int, data: bytes) -> None:
        """Write to the volume's disk."""
        with self._world.charged("create_volume"):
            self._bridge.write_disk(self._disk(uuid), offset, data)

    def read(self, uuid: str, offset: int, length: int) -> bytes:
        """Read from the volume's disk."""
        with self._world.charged("create_volume"):
            return self._bridge.read_disk(self._disk(uuid), offset, length)

    def read_from(self, host: Host, uuid: str, offset: int, length: int) -> bytes:
        """Read from the volume's disk in a VM's stead on this host: the other hosts are detached from the datastore."""
        expect(
            host.name in self.hosts_seeing(uuid),
            f"{host.name} to see the datastore",
            "it does not",
            HYPERVISOR,
        )
        return self.read(uuid, offset, length)

    def inventory(self) -> BridgeInventory:
        """All that the hypervisor holds because of storage."""
        return self._bridge.inventory()

    def left_on_hosts(self) -> list[InventoryItem]:
        """What the hypervisor holds and did not hold before the storage was added, VMs aside."""
        items = self._bridge.inventory().items - self._first.items
        return sorted(each for each in items if each.kind is not InventoryKind.VM)

    def inventory_of(self, host: Host) -> list[InventoryItem]:
        """What one host holds because of storage."""
        return sorted(each for each in self._bridge.inventory().items if each.host_uuid == host.uuid)

    def watch_revokes(self, uuid: str) -> list[str]:
        """A list that fills with hosts that were revoked while they still saw the volume's datastore."""
        early: list[str] = []
        ref = self._disk(uuid).datastore

        def look(name: str, arguments: Sequence[object]) -> None:
            if (
                name == "revoke_access"
                and isinstance(arguments[2], Host)
                and self._sees(arguments[2], lambda host: self._bridge.datastore_bytes(ref, host))
            ):
                early.append(arguments[2].name)

        self._world.watch.before_calls.append(look)
        return early

    # --- plumbing --------------------------------------------------------------------------------------------------

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
        reference = VmRef(self._vm_uuid(name), name)
        self._bridge.create_vm(reference, host)
        self._bridge.start_vm(reference, host)
        self._world.defer("delete_vm", lambda: self._bridge.delete_vm(reference))
        self._world.defer("stop_vm", lambda: self._bridge.stop_vm(reference))
        return reference

    def _vm_uuid(self, name: str) -> str:

        return str(uuids.uuid5(uuids.NAMESPACE_DNS, f"{self._world.tag}.{name}"))

    def _remove_storage(self) -> None:
        self._orchestrator.delete_primary_storage(self._request.uuid)
        self._world.subject.journal.gone(self._request.uuid)

    def _will_make(self, request: VolumeRequest) -> None:
        note = {"store": self._request.uuid, "name": request.name}
        self._world.subject.journal.intend("volume", request.uuid, note)
        self._world.defer("delete_volume", lambda: self._remove_volume(request.uuid))

    def _remove_volume(self, uuid: str) -> None:
        self._orchestrator.delete_volume(uuid)
        self._world.subject.journal.gone(uuid)

    def _do(self, step: str, act: Callable[[], T]) -> T:
        try:
            with self._world.charged(step):
                return act()
        except (OperationRefused, BrokenPromise) as error:
            home = self._world.home(step)
            raise Broken(Violation(f"{step} to succeed", str(error), CLOUD, home, certainty=Certainty.STEP)) from error
