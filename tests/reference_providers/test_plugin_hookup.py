"""Hookup PLUGIN: LUN, access, datastore and disk come together and go together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import (
    BridgeError,
    DiskInUse,
    InvalidRequest,
    Placement,
    Volume,
    VolumeRequest,
)

from .conftest import OpenScene
from .fake_bridge import OVERHEAD_BYTES, FakeBridge
from .scene import CLUSTER, GB, HOSTS, PLACEMENT, Scene, lost_after

FIRST, SECOND, THIRD = HOSTS
TWO = Placement(CLUSTER, (FIRST, SECOND))
REQUEST = VolumeRequest("volume-1", "data", 2 * GB)


class PluginScene:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.bridge = FakeBridge(scene.login)
        scene.cloud.bridge = self.bridge.as_bridge()
        self.store = scene.store()

    def create(self, placement: Placement = TWO) -> Volume:
        made = self.scene.driver.create(self.store, REQUEST, placement)
        return Volume(REQUEST, made.external_id, made.size_bytes, made.identity, made.disk, placement)

    def see(self) -> object:
        return self.scene.view(), {name: set(each.hosts) for name, each in self.bridge.datastores.items()}


@pytest.fixture
def hooked_up(open_scene: OpenScene) -> PluginScene:
    return PluginScene(open_scene("plugin-hookup"))


def test_create_makes_all_and_delete_takes_all_away(hooked_up: PluginScene) -> None:
    before = hooked_up.scene.view()
    volume = hooked_up.create()
    assert volume.size_bytes == 2 * GB
    assert volume.disk is not None
    (datastore,) = hooked_up.bridge.datastores.values()
    assert datastore.hosts == {FIRST.uuid, SECOND.uuid}
    assert datastore.wwid == hooked_up.scene.view().luns[0].wwid
    assert hooked_up.scene.view().luns[0].size_bytes >= 2 * GB + OVERHEAD_BYTES
    assert hooked_up.create() == volume
    hooked_up.scene.driver.delete(hooked_up.store, volume)
    hooked_up.scene.driver.delete(hooked_up.store, volume)
    assert hooked_up.bridge.datastores == {}
    assert hooked_up.scene.view().luns == before.luns == ()


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("step", ["create_datastore", "create_disk"])
def test_a_failed_create_leaves_nothing(hooked_up: PluginScene, step: str, is_late: bool) -> None:
    hooked_up.bridge.fails_at = (step, is_late)
    with pytest.raises(BridgeError, match=step):
        hooked_up.create()
    assert hooked_up.bridge.datastores == {}
    assert hooked_up.scene.view().luns == ()
    assert hooked_up.create().size_bytes == 2 * GB


def test_a_failed_repetition_does_not_take_away_what_was_there(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    hooked_up.bridge.fails_at = ("create_datastore", False)
    before = hooked_up.see()
    with pytest.raises(BridgeError):
        hooked_up.create()
    assert hooked_up.see() == before
    assert hooked_up.create() == volume


def test_an_undo_that_fails_is_told_with_the_first_error(hooked_up: PluginScene) -> None:
    hooked_up.bridge.fails_at = ("create_disk", False)
    hooked_up.bridge.find_datastore = lambda name: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    with pytest.raises(BridgeError, match="create_disk") as failed:
        hooked_up.create()
    assert failed.value.__notes__ == ["undo also failed: division by zero"]


def test_a_create_that_nobody_heard_of_is_taken_off_its_hosts(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    lost = Volume(REQUEST, None, volume.size_bytes)
    hooked_up.scene.another().driver.delete(hooked_up.store, lost)
    assert hooked_up.bridge.datastores == {}
    assert hooked_up.scene.view().luns == ()


def test_a_disk_in_a_vm_stays(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    assert volume.disk is not None
    hooked_up.bridge.attached.add(volume.disk.disk)
    before = hooked_up.see()
    with pytest.raises(DiskInUse):
        hooked_up.scene.driver.delete(hooked_up.store, volume)
    assert hooked_up.see() == before


def test_hosts_join_and_leave(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    driver, store = hooked_up.scene.driver, hooked_up.store
    (datastore,) = hooked_up.bridge.datastores.values()
    for _ in range(2):
        driver.grant_access(store, volume, THIRD)
        assert datastore.hosts == {each.uuid for each in HOSTS}
    for _ in range(2):
        driver.revoke_access(store, volume, FIRST, (SECOND, THIRD))
        assert datastore.hosts == {SECOND.uuid, THIRD.uuid}
    assert hooked_up.scene.view().luns[0].visible_to == {SECOND.iqns[0], THIRD.iqns[0]}
    assert hooked_up.bridge.calls.count("detach_datastore") == 1
    with pytest.raises(InvalidRequest):
        driver.grant_access(store, volume, replace(THIRD, cluster_uuid="elsewhere"))


def test_a_host_that_cannot_be_hooked_up_is_not_granted(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    before = hooked_up.scene.view().luns
    hooked_up.bridge.fails_at = ("attach_datastore", False)
    with pytest.raises(BridgeError):
        hooked_up.scene.driver.grant_access(hooked_up.store, volume, THIRD)
    assert hooked_up.scene.view().luns == before


def test_a_host_that_has_left_is_revoked_without_being_asked(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    hooked_up.scene.cloud.present = (SECOND,)
    hooked_up.scene.driver.revoke_access(hooked_up.store, volume, FIRST, [SECOND])
    assert "detach_datastore" not in hooked_up.bridge.calls
    assert hooked_up.scene.view().luns[0].visible_to == {SECOND.iqns[0]}


def test_fencing_asks_the_array_alone(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    asked = len(hooked_up.bridge.calls)
    hooked_up.scene.driver.fence(hooked_up.store, volume, [FIRST])
    assert len(hooked_up.bridge.calls) == asked
    assert hooked_up.scene.view().luns[0].visible_to == {SECOND.iqns[0]}


@pytest.mark.parametrize("step", ["expand_datastore", "resize_disk"])
def test_resize_grows_lun_datastore_and_disk_and_resumes(hooked_up: PluginScene, step: str) -> None:
    volume = hooked_up.create()
    hooked_up.bridge.fails_at = (step, False)
    with pytest.raises(BridgeError):
        hooked_up.scene.driver.resize(hooked_up.store, volume, 3 * GB)
    assert hooked_up.scene.driver.resize(hooked_up.store, volume, 3 * GB).size_bytes == 3 * GB
    assert hooked_up.scene.driver.resize(hooked_up.store, volume, 3 * GB).size_bytes == 3 * GB
    (datastore,) = hooked_up.bridge.datastores.values()
    assert list(datastore.disks.values()) == [3 * GB]
    assert datastore.lun_bytes == hooked_up.scene.view().luns[0].size_bytes
    with pytest.raises(InvalidRequest):
        hooked_up.scene.driver.resize(hooked_up.store, volume, 2 * GB)


def test_create_repeated_after_a_resize_answers_what_is_there(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    hooked_up.scene.driver.resize(hooked_up.store, volume, 3 * GB)
    assert hooked_up.create().size_bytes == 3 * GB


def test_a_volume_that_every_host_has_given_back_is_deleted(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    for host in TWO.hosts:
        hooked_up.scene.driver.revoke_access(hooked_up.store, volume, host, ())
    hooked_up.scene.driver.delete(hooked_up.store, volume)
    assert hooked_up.bridge.datastores == {}
    assert hooked_up.scene.view().luns == ()


def test_half_a_datastore_of_a_killed_call_is_cleared_away(hooked_up: PluginScene) -> None:
    volume = hooked_up.create()
    hooked_up.bridge.find_datastore = lambda name: None  # type: ignore[method-assign]
    hooked_up.scene.driver.delete(hooked_up.store, volume)
    assert hooked_up.bridge.datastores == {}


def test_delete_datastore_unhooks_what_is_left(hooked_up: PluginScene) -> None:
    hooked_up.create()
    hooked_up.scene.plugin.lifecycle.delete_datastore(hooked_up.store.request)
    assert hooked_up.bridge.datastores == {}
    assert hooked_up.scene.view().luns == ()
    assert hooked_up.scene.view().objects == ()


def test_a_placement_without_hosts_or_size_is_refused(hooked_up: PluginScene) -> None:
    with pytest.raises(InvalidRequest):
        hooked_up.create(Placement(CLUSTER, ()))
    with pytest.raises(InvalidRequest):
        hooked_up.scene.driver.create(hooked_up.store, VolumeRequest("volume-1", "data", 0), PLACEMENT)
    assert hooked_up.bridge.calls == []


def test_lost_replies_of_the_array_cost_the_caller_nothing(open_scene: OpenScene) -> None:
    for number in range(1, 40):
        hooked_up = PluginScene(open_scene("plugin-hookup"))
        hooked_up.scene.wire.break_call(number, lost_after)
        volume = hooked_up.create()
        hooked_up.scene.driver.delete(hooked_up.store, volume)
        assert hooked_up.scene.view().luns == ()
        assert hooked_up.bridge.datastores == {}
        if hooked_up.scene.wire.is_fault_pending:
            return
    pytest.fail("create and delete never ended")
