"""From nothing to bytes on a LUN, and back to nothing."""

from __future__ import annotations

from tests.hypervisor_bridge.kvm.lab import Lab
from tests.hypervisor_bridge.kvm.small_array import MIB


def test_bytes_written_through_a_datastore_are_bytes_on_the_lun(lab: Lab) -> None:
    lun = lab.array.add(1)
    bridge = lab.bridge()
    before = bridge.inventory()
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    disk = bridge.create_disk(ref, "disk1", 4 * MIB)
    bridge.write_disk(disk, 1000, b"hello")
    assert bridge.read_disk(disk, 998, 9) == b"\0\0hello\0\0"
    assert lun.read(512, 512)[488:493] == b"hello"
    assert bridge.list_disks(ref) == {"disk1": 4 * MIB}
    assert bridge.datastore_bytes(ref, lab.hosts[1]) == 4 * MIB
    assert bridge.inventory() != before
    bridge.delete_disk(disk)
    bridge.delete_datastore(ref)
    assert bridge.inventory() == before
    assert lab.ledger.kept == {}
