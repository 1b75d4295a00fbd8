"""Hookup PLUGIN: what snapshots, reverts and clones mean for datastores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import (
    BridgeError,
    Created,
    HypervisorType,
    InUse,
    LimitReached,
    ObjectNotFound,
    Placement,
    Snapshot,
    SnapshotRequest,
    Volume,
    VolumeRequest,
)

from .conftest import OpenScene
from .scene import CLUSTER, GB, HOSTS, lost_after
from .test_plugin_hookup import TWO, PluginScene

FIRST, SECOND, _ = HOSTS
VSPHERE = Placement(replace(CLUSTER, hypervisor=HypervisorType.VSPHERE), (FIRST, SECOND))
COPY = VolumeRequest("clone-1", "copy", 2 * GB)


@pytest.fixture
def hooked_up(open_scene: OpenScene) -> PluginScene:
    return PluginScene(open_scene("plugin-hookup"))


def _snapshot(hooked_up: PluginScene, volume: Volume) -> Snapshot:
    return hooked_up.scene.snapshot(hooked_up.store, volume)


def _clone(hooked_up: PluginScene, source: Snapshot | Volume, placement: Placement = TWO) -> Created:
    made: Created = hooked_up.scene.driver.clone(hooked_up.store, COPY, placement, source)
    return made


def test_a_snapshot_speaks_of_the_disk(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    taken = _snapshot(hooked_up, volume)
    assert taken.size_bytes == volume.size_bytes
    grown = replace(volume, size_bytes=hooked_up.scene.driver.resize(hooked_up.store, volume, 3 * GB).size_bytes)
    assert _snapshot(hooked_up, grown) == taken
    hooked_up.scene.driver.delete_snapshot(hooked_up.store, taken)
    hooked_up.scene.driver.delete(hooked_up.store, grown)
    assert hooked_up.scene.view().luns == ()


def test_a_volume_with_snapshots_keeps_its_datastore(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    _snapshot(hooked_up, volume)
    before = hooked_up.see()
    with pytest.raises(InUse):
        hooked_up.scene.driver.delete(hooked_up.store, volume)
    assert hooked_up.see() == before


def test_a_clone_on_kvm_is_its_lun(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    made = _clone(hooked_up, _snapshot(hooked_up, volume))
    assert made.size_bytes == 2 * GB
    assert made.disk is not None
    assert "resignature_datastore" not in hooked_up.bridge.calls
    datastore = hooked_up.bridge.datastores["vol-clone-1"]
    assert datastore.hosts == {FIRST.uuid, SECOND.uuid}
    assert made.identity is not None
    assert datastore.wwid == made.identity.wwid
    assert _clone(hooked_up, _snapshot(hooked_up, volume)) == made


def test_a_clone_elsewhere_gets_a_new_signature_and_is_never_made_anew(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    taken = _snapshot(hooked_up, volume)
    hooked_up.bridge.carried = {"vol-volume-1.vmdk": GB}
    hooked_up.bridge.calls.clear()
    made = _clone(hooked_up, taken, VSPHERE)
    assert made.disk is not None
    assert made.disk.disk == "vol-volume-1.vmdk"
    assert made.size_bytes == 2 * GB
    assert hooked_up.bridge.calls == ["resignature_datastore", "expand_datastore", "resize_disk"]
    assert _clone(hooked_up, taken, VSPHERE) == made
    assert hooked_up.bridge.calls[3:] == ["attach_datastore"]


def test_a_clone_without_a_disk_is_undone(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    before = hooked_up.see()
    with pytest.raises(ObjectNotFound):
        _clone(hooked_up, volume, VSPHERE)
    assert hooked_up.see() == before


@pytest.mark.parametrize("is_late", [False, True])
def test_a_clone_that_cannot_be_hooked_up_leaves_nothing(hooked_up: PluginScene, is_late: bool) -> None:
    volume = hooked_up.create()
    before = hooked_up.see()
    hooked_up.bridge.fails_at = ("create_datastore", is_late)
    with pytest.raises(BridgeError):
        _clone(hooked_up, volume)
    assert hooked_up.see() == before


def test_a_revert_takes_the_datastore_off_its_hosts_meanwhile(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    taken = _snapshot(hooked_up, volume)
    before = hooked_up.see()
    hooked_up.bridge.calls.clear()
    hooked_up.scene.driver.revert(hooked_up.store, volume, taken)
    assert hooked_up.bridge.calls == ["detach_datastore", "attach_datastore"]
    assert hooked_up.see() == before


def test_a_revert_of_a_disk_in_a_vm_is_refused(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    taken = _snapshot(hooked_up, volume)
    assert volume.disk is not None
    hooked_up.bridge.attached.add(volume.disk.disk)
    before = hooked_up.see()
    with pytest.raises(InUse):
        hooked_up.scene.driver.revert(hooked_up.store, volume, taken)
    assert hooked_up.see() == before


def test_a_revert_that_fails_gives_the_datastore_back(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    before = hooked_up.see()
    missing = Snapshot(SnapshotRequest("snapshot-9", "x"), volume.uuid, volume.external_id or "", "99", GB)
    with pytest.raises(ObjectNotFound):
        hooked_up.scene.driver.revert(hooked_up.store, volume, missing)
    assert hooked_up.see() == before


def test_a_volume_that_has_grown_has_the_size_of_its_snapshot_again(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    taken = _snapshot(hooked_up, volume)
    lun_bytes = hooked_up.scene.view().luns[0].size_bytes
    grown = replace(volume, size_bytes=hooked_up.scene.driver.resize(hooked_up.store, volume, 3 * GB).size_bytes)
    hooked_up.scene.driver.revert(hooked_up.store, grown, taken)
    assert hooked_up.scene.view().luns[0].size_bytes == lun_bytes


def test_a_volume_that_no_host_has_is_reverted_at_the_array(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    taken = _snapshot(hooked_up, volume)
    for host in TWO.hosts:
        hooked_up.scene.driver.revoke_access(hooked_up.store, volume, host, ())
    hooked_up.bridge.calls.clear()
    hooked_up.scene.driver.revert(hooked_up.store, volume, taken)
    assert hooked_up.bridge.calls == []


def test_limits_are_told_as_they_are(open_scene: OpenScene) -> None:
    hooked_up = PluginScene(open_scene("plugin-hookup", limits={"snapshots_per_volume": 1}))
    volume = hooked_up.create()
    _snapshot(hooked_up, volume)
    with pytest.raises(LimitReached):
        hooked_up.scene.snapshot(hooked_up.store, volume, "snapshot-2")


def test_lost_replies_of_the_array_cost_the_caller_nothing(open_scene: OpenScene) -> None:
    for number in range(1, 100):
        hooked_up = PluginScene(open_scene("plugin-hookup"))
        driver, store = hooked_up.scene.driver, hooked_up.store
        volume = hooked_up.create()
        hooked_up.scene.wire.break_call(number, lost_after)
        taken = _snapshot(hooked_up, volume)
        clone = _clone(hooked_up, taken)
        driver.revert(store, volume, taken)
        driver.delete_snapshot(store, taken)
        driver.delete(store, volume)
        driver.delete(store, Volume(COPY, clone.external_id, clone.size_bytes))
        assert hooked_up.scene.view().luns == ()
        assert hooked_up.bridge.datastores == {}
        if hooked_up.scene.wire.is_fault_pending:
            return
    pytest.fail("it never ended")
