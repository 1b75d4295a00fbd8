"""Disks and LUNs in VMs: one VM each, on whichever host, with the LUN numbers of that host."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.contract import (
    BlockConnection,
    DatastoreConflict,
    DiskInUse,
    DiskLocation,
    DiskNotFound,
    HostEventKind,
    HypervisorBridge,
    HypervisorFault,
    InventoryKind,
    NoSpaceInDatastore,
    Template,
    VmNotFound,
    VmRef,
)
from tests.hypervisor_bridge.kvm.lab import Lab
from tests.hypervisor_bridge.kvm.small_array import CHAP, MIB

ONE, OTHER = VmRef("vm-1", "one"), VmRef("vm-2", "other")


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """Two hosts, CHAP, and other LUN numbers on the second host."""
    lab = make_lab(chap=CHAP)
    lab.array.shift[str(lab.hosts[1].iqns[0])] = 3
    lab.array.add(1)
    return lab


def _disk(lab: Lab, bridge: HypervisorBridge) -> DiskLocation:
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    return bridge.create_disk(ref, "disk1", MIB)


def _lun(lab: Lab, place: int = 0) -> BlockConnection:
    connection = lab.array.at(lab.hosts)[place].connection
    assert isinstance(connection, BlockConnection)
    return connection


def test_a_disk_is_attached_to_one_vm_at_a_time(lab: Lab) -> None:
    bridge = lab.bridge()
    disk = _disk(lab, bridge)
    for vm, host in ((ONE, lab.hosts[0]), (OTHER, lab.hosts[1])):
        bridge.create_vm(vm, host)
        bridge.start_vm(vm, host)
    bridge.attach_disk(ONE, disk)
    before = bridge.inventory()
    bridge.attach_disk(ONE, disk)
    with pytest.raises(DiskInUse, match="VM one has LUN"):
        bridge.attach_disk(OTHER, disk)
    with pytest.raises(DiskInUse, match="VM one has LUN"):
        bridge.attach_lun(OTHER, _lun(lab, 1))
    with pytest.raises(DiskInUse):
        bridge.delete_disk(disk)
    assert bridge.inventory() == before
    assert len(lab.array.target.sessions()) == 1
    bridge.detach_disk(ONE, disk)
    bridge.detach_disk(ONE, disk)
    assert lab.array.target.sessions() == []
    bridge.attach_disk(OTHER, disk)


def test_a_lun_is_attached_without_a_datastore_and_leaves_nothing(lab: Lab) -> None:
    bridge = lab.bridge()
    bridge.create_vm(ONE, lab.hosts[0])
    bridge.start_vm(ONE, lab.hosts[0])
    before, ledger = bridge.inventory(), dict(lab.ledger.kept)
    bridge.attach_lun(ONE, _lun(lab))
    assert len(bridge.inventory().of(InventoryKind.VM_DISK)) == 1
    with pytest.raises(DiskInUse):
        bridge.disconnect_target(lab.array.at(lab.hosts[:1]))
    bridge.detach_lun(ONE, _lun(lab))
    bridge.detach_lun(ONE, _lun(lab))
    assert bridge.inventory() == before
    assert lab.ledger.kept == ledger


def test_a_running_vm_moves_with_its_disk_and_its_lun(lab: Lab) -> None:
    bridge = lab.bridge()
    lab.array.add(2)
    disk = _disk(lab, bridge)
    second = [each.connection for each in lab.array.at(lab.hosts, 2)]
    bridge.create_vm(ONE, lab.hosts[0])
    bridge.start_vm(ONE, lab.hosts[0])
    bridge.attach_disk(ONE, disk)
    bridge.attach_lun(ONE, second[0])  # type: ignore[arg-type]
    with pytest.raises(HypervisorFault, match="was not given"):
        bridge.migrate_vm(ONE, lab.hosts[1])
    bridge.migrate_vm(ONE, lab.hosts[1], [second[1]])  # type: ignore[list-item]
    items = bridge.inventory()
    assert {each.host_uuid for each in items.of(InventoryKind.VM)} == {lab.hosts[1].uuid}
    assert {each.initiator_iqn for each in lab.array.target.sessions()} == {str(lab.hosts[1].iqns[0])}
    bridge.stop_vm(ONE)
    bridge.start_vm(ONE, lab.hosts[0], [second[0]])  # type: ignore[list-item]
    assert {each.initiator_iqn for each in lab.array.target.sessions()} == {str(lab.hosts[0].iqns[0])}
    bridge.delete_vm(ONE)
    bridge.delete_vm(ONE)
    bridge.delete_datastore(disk.datastore)
    assert bridge.inventory().items == frozenset()
    assert lab.ledger.kept == {}


def test_a_vm_that_runs_elsewhere_is_not_started_twice(lab: Lab) -> None:
    bridge = lab.bridge()
    bridge.create_vm(ONE, lab.hosts[0])
    bridge.create_vm(ONE, lab.hosts[1])
    bridge.start_vm(ONE, lab.hosts[0])
    bridge.start_vm(ONE, lab.hosts[0])
    with pytest.raises(HypervisorFault, match="runs here already"):
        bridge.start_vm(ONE, lab.hosts[1])
    bridge.stop_vm(ONE)
    bridge.stop_vm(ONE)
    with pytest.raises(VmNotFound):
        bridge.stop_vm(OTHER)


def test_a_stopped_vm_keeps_its_disk_and_logs_in_when_it_starts(lab: Lab) -> None:
    bridge = lab.bridge()
    disk = _disk(lab, bridge)
    bridge.create_vm(ONE, lab.hosts[0])
    bridge.attach_disk(ONE, disk)
    assert lab.array.target.sessions() == []
    bridge.start_vm(ONE, lab.hosts[1])
    assert [each.initiator_iqn for each in lab.array.target.sessions()] == [str(lab.hosts[1].iqns[0])]


def test_a_disk_grows_while_a_vm_has_it(lab: Lab) -> None:
    bridge = lab.bridge()
    disk = _disk(lab, bridge)
    bridge.create_vm(ONE, lab.hosts[0])
    bridge.start_vm(ONE, lab.hosts[0])
    bridge.attach_disk(ONE, disk)
    with pytest.raises(NoSpaceInDatastore):
        bridge.resize_disk(disk, 8 * MIB)
    lab.array.targets["iqn.2020-01.org.small:one"][1].grow(8 * MIB)
    bridge.expand_datastore(disk.datastore, lab.array.at(lab.hosts))
    assert bridge.resize_disk(disk, 8 * MIB) == 8 * MIB
    connections: Any = lab.world.connections
    domain = connections.connect(lab.hosts[0]).lookupByName("one")
    assert domain.blockInfo("sda")[0] == 8 * MIB
    assert bridge.resize_disk(disk, MIB) == 8 * MIB


def test_a_lun_that_grew_is_as_large_in_the_vm_that_has_it(lab: Lab) -> None:
    bridge = lab.bridge()
    bridge.create_vm(ONE, lab.hosts[0])
    bridge.start_vm(ONE, lab.hosts[0])
    bridge.attach_lun(ONE, _lun(lab))
    lab.array.targets["iqn.2020-01.org.small:one"][1].grow(8 * MIB)
    bridge.attach_lun(ONE, _lun(lab))
    connections: Any = lab.world.connections
    assert connections.connect(lab.hosts[0]).lookupByName("one").blockInfo("sda")[0] == 8 * MIB
    bridge.stop_vm(ONE)
    bridge.attach_lun(ONE, _lun(lab))


def test_a_disk_that_somebody_else_attached_is_recognised_without_its_serial(lab: Lab) -> None:
    bridge = lab.bridge()
    disk = _disk(lab, bridge)
    connections: Any = lab.world.connections
    virt = connections.connect(lab.hosts[1])
    for source in (
        "<disk type='volume'><source pool='ds1' volume='unit:0:0:4'/>",
        "<disk type='network'><source protocol='iscsi' name='iqn.2020-01.org.small:one/4'><host name='x'/></source>",
    ):
        theirs = virt.defineXML(
            "<domain type='qemu'><name>theirs</name><memory>65536</memory><os><type>hvm</type></os><devices>"
            f"{source}<target dev='sda' bus='scsi'/></disk></devices></domain>"
        )
        with pytest.raises(DiskInUse, match="theirs"):
            bridge.delete_disk(disk)
        theirs.undefine()
    bridge.delete_disk(disk)


def test_a_disk_that_the_guest_does_not_release_is_not_reported_as_gone(lab: Lab) -> None:
    bridge = lab.bridge()
    disk = _disk(lab, bridge)
    bridge.create_vm(ONE, lab.hosts[0])
    bridge.start_vm(ONE, lab.hosts[0])
    connections: Any = lab.world.connections
    domain = connections.connect(lab.hosts[0]).lookupByName("one")
    virtio = "<disk type='volume'><source pool='ds1' volume='unit:0:0:1'/><target dev='vda' bus='virtio'/></disk>"
    domain.attachDeviceFlags(virtio, 1)
    with pytest.raises(DiskInUse, match="still has vda"):
        bridge.detach_disk(ONE, disk)
    bridge.stop_vm(ONE)
    bridge.detach_disk(ONE, disk)


def test_a_datastore_has_one_disk_that_fits(lab: Lab) -> None:
    bridge = lab.bridge()
    disk = _disk(lab, bridge)
    assert bridge.create_disk(disk.datastore, "disk1", MIB) == disk
    with pytest.raises(DatastoreConflict):
        bridge.create_disk(disk.datastore, "disk1", 2 * MIB)
    with pytest.raises(NoSpaceInDatastore):
        bridge.create_disk(disk.datastore, "disk2", MIB)
    bridge.delete_disk(disk)
    bridge.delete_disk(disk)
    with pytest.raises(DiskNotFound):
        bridge.read_disk(disk, 0, 1)
    with pytest.raises(NoSpaceInDatastore):
        bridge.create_disk(disk.datastore, "disk2", 4 * MIB + 1)
    assert bridge.create_disk(disk.datastore, "disk2", 4 * MIB).disk == "disk2"
    with pytest.raises(HypervisorFault, match="outside the disk"):
        bridge.read_disk(DiskLocation(disk.datastore, "disk2"), 4 * MIB - 1, 2)


def test_a_template_becomes_a_disk_and_a_disk_a_copy(lab: Lab, tmp_path: Path) -> None:
    image = bytes(range(256)) * 4096
    path = tmp_path / "image.raw"
    path.write_bytes(image)
    checksum = f"sha256:{hashlib.sha256(image).hexdigest()}"
    lab.array.add(2)
    bridge = lab.bridge()
    told: list[tuple[int, int]] = []
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    target = bridge.create_datastore("ds2", lab.array.at(lab.hosts, 2))
    template = Template(str(path), "raw", len(image), checksum)
    disk = bridge.import_template(ref, template, "disk1", lambda *each: told.append(each))
    copy = bridge.copy_disk(disk, target, "copy1", lambda *each: told.append(each))
    assert bridge.read_disk(copy, 0, len(image)) == image
    assert told == [(MIB, MIB), (MIB, MIB)]
    bridge.write_template(lab.array.at(lab.hosts, 1)[0], template, lambda *_: None)
    bad = Template(str(path), "raw", len(image), "sha256:" + "0" * 64)
    bridge.delete_disk(disk)
    with pytest.raises(HypervisorFault, match="does not have checksum"):
        bridge.import_template(ref, bad, "disk1", lambda *_: None)
    assert bridge.list_disks(ref) == {}


def test_host_events_are_given_once(lab: Lab) -> None:
    bridge = lab.bridge()
    assert list(bridge.watch_hosts()) == []
    joined = lab.world.add_host()
    kinds = [(each.kind, each.host) for each in bridge.watch_hosts()]
    assert kinds == [(HostEventKind.ADDED, joined), (HostEventKind.CONNECTED, joined)]
    assert list(bridge.watch_hosts()) == []
    lab.world.remove_host(joined)
    assert [each.kind for each in bridge.watch_hosts()] == [HostEventKind.REMOVED]
    assert joined not in bridge.hosts()
