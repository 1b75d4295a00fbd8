"""Domains with hot-plug, growth and migration, as QEMU behind libvirtd 9.0.0 does them."""

from __future__ import annotations

import pytest

from tests.simulators.libvirt.simple_targets import MIB, Rig, code_of, network_disk, volume_disk

LIVE, CONFIG, BYTES = 1, 2, 1
MIGRATION = 1 | 2 | 8 | 16


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_running_domain_holds_a_session_for_each_disk(rig: Rig) -> None:
    domain = rig.domain(rig.connect(), network_disk())
    assert rig.targets.open == 0
    domain.create()
    assert rig.targets.open == 1
    assert code_of(domain.create) == 55
    domain.destroy()
    assert rig.targets.open == 0
    assert code_of(domain.destroy) == 55


def test_a_domain_whose_lun_is_missing_does_not_start(rig: Rig) -> None:
    domain = rig.domain(rig.connect(), network_disk("sda", lun=1), network_disk("sdb", lun=9))
    assert code_of(domain.create, "blockdev-add.*LOGICAL_UNIT_NOT_SUPPORTED") == 1
    assert not domain.isActive()
    assert rig.targets.open == 0


@pytest.mark.parametrize("flags", [LIVE, CONFIG, LIVE | CONFIG])
def test_hot_plug_affects_what_it_is_told_to(rig: Rig, flags: int) -> None:
    domain = rig.domain(rig.connect())
    domain.create()
    domain.attachDeviceFlags(network_disk(), flags)
    assert ("sda" in domain.XMLDesc(0)) == bool(flags & LIVE)
    assert ("sda" in domain.XMLDesc(2)) == bool(flags & CONFIG)
    assert rig.targets.open == (1 if flags & LIVE else 0)
    domain.detachDeviceFlags(network_disk(), flags)
    assert "sda" not in domain.XMLDesc(0) + domain.XMLDesc(2)
    assert rig.targets.open == 0
    assert code_of(lambda: domain.detachDeviceFlags(network_disk(), flags)) == 99


def test_a_target_dev_is_given_once_and_a_lun_as_often_as_asked(rig: Rig) -> None:
    domain = rig.domain(rig.connect())
    domain.create()
    domain.attachDeviceFlags(network_disk("sda"), LIVE)
    assert code_of(lambda: domain.attachDeviceFlags(network_disk("sda", lun=2), LIVE)) == 27
    domain.attachDeviceFlags(network_disk("sdb"), LIVE)
    assert rig.targets.open == 2


def test_a_pool_volume_is_attached_after_the_refresh_that_shows_it(rig: Rig) -> None:
    connection = rig.connect()
    pool = rig.pool(connection)
    domain = rig.domain(connection)
    domain.create()
    assert code_of(lambda: domain.attachDeviceFlags(volume_disk(), LIVE)) == 55
    pool.create(0)
    rig.targets.sizes[5] = MIB
    late = volume_disk(volume="unit:0:0:5")
    assert code_of(lambda: domain.attachDeviceFlags(late, LIVE)) == 50
    pool.refresh(0)
    domain.attachDeviceFlags(late, LIVE)
    pool.destroy()
    assert rig.targets.open == 1


def test_a_virtio_disk_stays_because_no_guest_lets_go(rig: Rig) -> None:
    domain = rig.domain(rig.connect())
    domain.create()
    disk = network_disk("vda", bus="virtio")
    domain.attachDeviceFlags(disk, LIVE)
    assert domain.detachDeviceFlags(disk, LIVE) == 0
    assert "vda" in domain.XMLDesc(0)
    assert rig.targets.open == 1


def test_growth_is_seen_when_qemu_is_told(rig: Rig) -> None:
    domain = rig.domain(rig.connect(), network_disk())
    assert code_of(lambda: domain.blockInfo("sda")) == 55
    domain.create()
    rig.targets.sizes[1] = 6 * MIB
    assert domain.blockInfo("sda")[0] == 4 * MIB
    assert code_of(lambda: domain.blockResize("sda", 7 * MIB, BYTES), "Cannot grow iSCSI devices") == 1
    assert domain.blockResize("sda", MIB, BYTES) == 0
    assert domain.blockInfo("sda")[0] == 4 * MIB
    assert domain.blockResize("sda", 6 * 1024, 0) == 0
    assert domain.blockInfo("sda")[0] == 6 * MIB
    assert code_of(lambda: domain.blockInfo("sdz")) == 8


def test_a_domain_moves_with_its_sessions_or_not_at_all(rig: Rig) -> None:
    here, there = rig.connect("h1"), rig.connect("h2")
    domain = rig.domain(here, network_disk())
    domain.create()
    broken = domain.XMLDesc(2).replace(":t/1", ":t/9")
    assert code_of(lambda: domain.migrateToURI3(there.getURI(), {"destination_xml": broken}, MIGRATION)) == 1
    assert (domain.isActive(), there.listAllDomains(0), rig.targets.open) == (1, [], 1)
    domain.migrateToURI3(there.getURI(), {}, MIGRATION)
    assert here.listAllDomains(0) == []
    assert [each.isActive() for each in there.listAllDomains(0)] == [1]
    assert rig.targets.open == 1
    assert code_of(lambda: domain.migrateToURI3(there.getURI(), {}, MIGRATION)) == 42
    moved = there.lookupByName("vm")
    assert code_of(lambda: moved.migrateToURI3("qemu+tls://h3/system", {}, MIGRATION)) == 1
    assert code_of(lambda: moved.migrateToURI3(here.getURI(), {}, 1)) == 3


def test_only_iscsi_disks_can_run(rig: Rig) -> None:
    file_disk = "<disk type='file' device='disk'><source file='/x'/><target dev='sda' bus='scsi'/></disk>"
    connection = rig.connect()
    assert code_of(rig.domain(connection, file_disk).create) == 3
    domain = rig.domain(connection, name="other")
    domain.create()
    nic = "<interface type='user'/>"
    assert code_of(lambda: domain.attachDeviceFlags(nic, LIVE)) == 3
    assert code_of(lambda: domain.attachDeviceFlags("<disk", LIVE)) == 35
    assert code_of(lambda: domain.attachDeviceFlags(network_disk(), 8)) == 8


def test_an_unreachable_host_is_a_broken_rpc_and_goes_on_meanwhile(rig: Rig) -> None:
    domain = rig.domain(rig.connect(), network_disk())
    domain.create()
    rig.cluster.set_reachable("h1", is_reachable=False)
    assert code_of(domain.isActive, "Connection refused") == 38
    assert code_of(rig.connect) == 38
    rig.cluster.set_reachable("h1", is_reachable=True)
    assert domain.isActive()
    rig.cluster.remove_host("h1")
    assert rig.targets.open == 0
    assert code_of(rig.connect) == 38
