"""The cloud's desk in a world: user operations through the orchestrator, and looks at the hypervisor.

A failing operation is charged to the requirement that answers for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from conformance.contract import (
    BridgeError,
    DiskInUse,
    Host,
    InventoryItem,
    InventoryKind,
    ProviderError,
    VmRef,
    WitnessedLun,
)
from conformance.desks.copies import CopyDesk
from conformance.desks.snapshots import SnapshotDesk
from conformance.desks.upkeep import UpkeepDesk
from conformance.desks.vms import VmDesk
from conformance.expect import HYPERVISOR, broken, expect
from conformance.orchestrator.errors import OperationRefused
from conformance.orchestrator.states import VolumeState
from conformance.strategies.faults import Silence
from conformance.strategies.sizes import Granules, Size
from conformance.verdict import Broken, Violation


class CloudDesk(SnapshotDesk, CopyDesk, VmDesk, UpkeepDesk):
    """One orchestrator on one world's plugin and cluster."""

    # --- user operations -------------------------------------------------------------------------------------------

    def create_volume(self, size: Size | None = None) -> str:
        """Create a volume; answers its uuid. Deleted at the end."""
        self.ready()
        request = self._world.request(size or Granules(0))
        self._make(
            "create_volume",
            request,
            lambda: self._orchestrator.create_volume(self._request.uuid, request, self._cluster),
        )
        return request.uuid

    @contextmanager
    def failing_host(self, silence: Silence) -> Iterator[None]:
        """One call to a hypervisor host fails inside, and so may the operation."""
        self._world.act()
        with self._world.bridge_breaks.nth(silence.nth), suppress(BridgeError, ProviderError, Broken):
            yield

    def delete_volume(self, uuid: str) -> None:
        """Delete a volume."""
        self._do("delete_volume", lambda: self._orchestrator.delete_volume(uuid))

    def resize(self, uuid: str, size_bytes: int) -> int:
        """Resize a volume; answers its size in bytes."""
        return self._do("resize_volume", lambda: self._orchestrator.resize_volume(uuid, size_bytes))

    def attach(self, uuid: str, vm: str) -> None:
        """Attach a volume to a VM, which is started on the cluster's first host when it does not run."""
        host = self.hosts()[0]
        reference = self._vm(vm, host)
        self._do("attach_volume", lambda: self._orchestrator.attach_volume(uuid, reference))

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

    def host_names(self) -> list[str]:
        """Their names, sorted."""
        return sorted(each.name for each in self.hosts())

    def volumes(self) -> list[str]:
        """Uuids of the volumes that the cloud believes in."""
        return [each.uuid for each in self._orchestrator.volumes() if each.state is VolumeState.READY]

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

    def left_on_hosts(self) -> list[InventoryItem]:
        """What the hypervisor holds and did not hold before the storage was added, VMs aside."""
        items = self.inventory().items - self._first.items
        return sorted(each for each in items if each.kind is not InventoryKind.VM)

    def inventory_of(self, host: Host) -> list[InventoryItem]:
        """What one host holds because of storage."""
        return sorted(each for each in self.inventory().items if each.host_uuid == host.uuid)

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
