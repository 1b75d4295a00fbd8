"""Who is called when, for each user operation and each way of hooking up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import AccessModel, Capability, Hookup, HostState, InvalidRequest, QosPolicy
from conformance.orchestrator import VolumeState

from .fakes import CLUSTER, GRANULE, HOSTS, OVERHEAD, STORE, VM, VOLUME, World, host
from .scenes import attached, with_storage, with_volume

DEDICATED, DIRECT = AccessModel.DEDICATED, AccessModel.DIRECT


def test_add_storage_initializes_then_attaches_then_connects_each_host() -> None:
    world = World()
    cloud = world.cloud()
    assert world.calls(lambda: cloud.add_primary_storage(STORE, [CLUSTER])) == [
        "plugin.initialize",
        "plugin.attach_cluster",
        "plugin.host_connected",
        "plugin.host_connected",
    ]
    assert [each.state for each in cloud.stores()] == ["Up"]
    assert cloud.stores()[0].store is not None


def test_add_storage_repeated_after_success_makes_no_call() -> None:
    world, cloud = with_storage()
    assert world.calls(lambda: cloud.add_primary_storage(STORE, [CLUSTER])) == []


def test_delete_storage_detaches_then_deletes() -> None:
    world, cloud = with_storage()
    assert world.calls(lambda: cloud.delete_primary_storage(STORE.uuid)) == [
        "plugin.detach_cluster",
        "plugin.delete_datastore",
    ]
    assert cloud.stores() == ()
    assert world.array.stores == set()
    assert world.calls(lambda: cloud.delete_primary_storage(STORE.uuid)) == []


def test_create_in_framework_hookup_grants_before_it_connects_and_connects_before_the_datastore() -> None:
    world, cloud = with_storage()
    assert world.calls(lambda: cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)) == [
        "bridge.lun_bytes_for",
        "plugin.create",
        "plugin.grant_access",
        "plugin.grant_access",
        "plugin.connection",
        "plugin.connection",
        "bridge.create_datastore",
        "bridge.create_disk",
    ]
    record = cloud.volume(VOLUME.uuid)
    assert record.state is VolumeState.READY
    assert record.hosts == HOSTS
    assert record.volume.request.size_bytes == VOLUME.size_bytes + OVERHEAD
    assert record.disk_bytes == VOLUME.size_bytes
    assert [each.disks for each in world.hypervisor.pools.values()] == [{"data-volume-1": 10_000}]


def test_create_in_plugin_hookup_is_the_plugins_and_is_looked_at() -> None:
    world, cloud = with_storage(Hookup.PLUGIN)
    assert world.calls(lambda: cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)) == [
        "plugin.create",
        "bridge.list_disks",
    ]
    assert cloud.volume(VOLUME.uuid).volume.request.size_bytes == VOLUME.size_bytes


def test_create_in_the_direct_model_grants_nobody() -> None:
    world, cloud = with_storage(Hookup.PLUGIN, DIRECT)
    assert world.calls(lambda: cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)) == ["plugin.create"]
    assert world.array.luns[VOLUME.uuid].hosts == set()


def test_create_repeated_after_success_answers_the_same_volume_without_a_call() -> None:
    world, cloud = with_volume()
    believed = cloud.volume(VOLUME.uuid).volume
    world.script.names.clear()
    assert cloud.create_volume(STORE.uuid, VOLUME, CLUSTER) == believed
    assert world.script.names == []


def test_attach_gives_the_vm_the_disk() -> None:
    for hookup in Hookup:
        world, cloud = with_volume(hookup)
        attach = lambda cloud=cloud: cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])  # noqa: E731
        assert world.calls(attach) == ["bridge.attach_disk"]
        assert world.calls(attach) == []
        assert cloud.volume(VOLUME.uuid).is_attached


def test_attach_on_a_host_without_access_hooks_it_up_first() -> None:
    world, cloud = with_volume()
    assert world.calls(lambda: cloud.attach_volume(VOLUME.uuid, VM, host(3))) == [
        "plugin.grant_access",
        "plugin.connection",
        "bridge.attach_datastore",
        "bridge.attach_disk",
    ]
    world, cloud = with_volume(Hookup.PLUGIN)
    assert world.calls(lambda: cloud.attach_volume(VOLUME.uuid, VM, host(3))) == [
        "plugin.grant_access",
        "bridge.attach_disk",
    ]


def test_attach_in_the_direct_model_grants_only_the_vms_host() -> None:
    world, cloud = with_volume(model=DIRECT)
    assert world.calls(lambda: cloud.attach_volume(VOLUME.uuid, VM, HOSTS[1])) == [
        "plugin.grant_access",
        "plugin.connection",
        "bridge.connect_target",
        "bridge.attach_lun",
    ]
    assert world.array.luns[VOLUME.uuid].hosts == {HOSTS[1].uuid}


def test_detach_takes_the_disk_and_leaves_the_hosts_their_access() -> None:
    world, cloud = attached()
    assert world.calls(lambda: cloud.detach_volume(VOLUME.uuid, VM)) == ["bridge.detach_disk"]
    assert world.calls(lambda: cloud.detach_volume(VOLUME.uuid, VM)) == []
    assert cloud.volume(VOLUME.uuid).hosts == HOSTS


def test_detach_in_the_direct_model_revokes_last() -> None:
    world, cloud = attached(model=DIRECT)
    assert world.calls(lambda: cloud.detach_volume(VOLUME.uuid, VM)) == [
        "plugin.connection",
        "bridge.detach_lun",
        "bridge.disconnect_target",
        "plugin.revoke_access",
    ]
    assert world.array.luns[VOLUME.uuid].hosts == set()
    assert cloud.volume(VOLUME.uuid).grants == ()


def test_resize_grows_the_array_then_the_datastore_then_the_disk() -> None:
    world, cloud = attached()
    assert world.calls(lambda: cloud.resize_volume(VOLUME.uuid, 20_000)) == [
        "bridge.lun_bytes_for",
        "plugin.resize",
        "plugin.connection",
        "plugin.connection",
        "bridge.expand_datastore",
        "bridge.resize_disk",
    ]
    assert cloud.volume(VOLUME.uuid).disk_bytes == 20_000
    assert cloud.volume(VOLUME.uuid).volume.size_bytes == world.array.luns[VOLUME.uuid].size_bytes


def test_resize_in_plugin_hookup_and_the_direct_model_is_one_call() -> None:
    for hookup, model in ((Hookup.PLUGIN, DEDICATED), (Hookup.FRAMEWORK, DIRECT)):
        world, cloud = with_volume(hookup, model)
        assert cloud.resize_volume(VOLUME.uuid, 20_000) == -(-20_000 // GRANULE) * GRANULE
        assert world.script.names == ["plugin.resize"]


def test_resize_in_the_direct_model_shows_the_vm_the_new_size() -> None:
    world, cloud = attached(model=DIRECT)
    assert world.calls(lambda: cloud.resize_volume(VOLUME.uuid, 20_000)) == [
        "plugin.resize",
        "plugin.connection",
        "bridge.connect_target",
        "bridge.attach_lun",
    ]


def test_resize_without_resize_online_takes_the_lun_from_all_hosts_meanwhile() -> None:
    world, cloud = with_volume(lacks=frozenset({Capability.RESIZE_ONLINE}))
    assert world.calls(lambda: cloud.resize_volume(VOLUME.uuid, 20_000)) == [
        "bridge.lun_bytes_for",
        "bridge.detach_datastore",
        "bridge.detach_datastore",
        "plugin.revoke_access",
        "plugin.revoke_access",
        "plugin.resize",
        "plugin.grant_access",
        "plugin.connection",
        "bridge.attach_datastore",
        "plugin.grant_access",
        "plugin.connection",
        "bridge.attach_datastore",
        "bridge.expand_datastore",
        "bridge.resize_disk",
    ]
    assert cloud.volume(VOLUME.uuid).hosts == HOSTS


def test_set_qos_is_one_call_and_keeps_what_is_not_given() -> None:
    world, cloud = with_volume()
    cloud.set_qos(VOLUME.uuid, QosPolicy(min_iops=100, max_iops=200))
    assert world.calls(lambda: cloud.set_qos(VOLUME.uuid, QosPolicy(max_iops=300))) == ["plugin.set_qos"]
    assert cloud.volume(VOLUME.uuid).volume.request.qos == QosPolicy(100, 300)


def test_delete_in_framework_hookup_mirrors_create() -> None:
    world, cloud = with_volume()
    assert world.calls(lambda: cloud.delete_volume(VOLUME.uuid)) == [
        "bridge.delete_disk",
        "bridge.delete_datastore",
        "plugin.revoke_access",
        "plugin.revoke_access",
        "plugin.delete",
    ]
    world.assert_empty()
    assert world.calls(lambda: cloud.delete_volume(VOLUME.uuid)) == []


def test_delete_in_plugin_hookup_and_the_direct_model_is_one_call() -> None:
    for hookup, model in ((Hookup.PLUGIN, DEDICATED), (Hookup.FRAMEWORK, DIRECT)):
        world, cloud = with_volume(hookup, model)
        assert world.calls(lambda cloud=cloud: cloud.delete_volume(VOLUME.uuid)) == ["plugin.delete"]  # type: ignore[misc]
        world.assert_empty()


def test_a_host_that_joins_is_announced_and_gets_every_datastore() -> None:
    world, cloud = with_volume()
    cloud.create_volume(STORE.uuid, replace(VOLUME, uuid="volume-2"), CLUSTER)
    hook_up = ["plugin.grant_access", "plugin.connection", "bridge.attach_datastore"]
    expected = ["plugin.host_added", "plugin.host_connected", *hook_up, *hook_up]
    assert world.calls(lambda: cloud.add_host(host(3))) == expected
    assert all(pool.hosts == {"host-1", "host-2", "host-3"} for pool in world.hypervisor.pools.values())
    assert world.calls(lambda: cloud.add_host(host(3))) == expected


def test_a_host_that_joins_is_hooked_up_by_grant_in_plugin_hookup() -> None:
    world, cloud = with_volume(Hookup.PLUGIN)
    assert world.calls(lambda: cloud.add_host(host(3))) == [
        "plugin.host_added",
        "plugin.host_connected",
        "plugin.grant_access",
    ]


def test_a_host_that_joins_is_granted_nothing_in_the_direct_model() -> None:
    world, cloud = with_volume(model=DIRECT)
    assert world.calls(lambda: cloud.add_host(host(3))) == ["plugin.host_added", "plugin.host_connected"]


def test_a_host_that_leaves_loses_its_datastores_before_the_plugin_forgets_it() -> None:
    world, cloud = with_volume()
    assert world.calls(lambda: cloud.remove_host(HOSTS[0])) == [
        "bridge.detach_datastore",
        "plugin.revoke_access",
        "plugin.host_about_to_be_removed",
        "plugin.host_removed",
    ]
    assert cloud.volume(VOLUME.uuid).hosts == HOSTS[1:]


def test_a_host_that_leaves_is_unhooked_by_revoke_in_plugin_hookup() -> None:
    world, cloud = with_volume(Hookup.PLUGIN)
    assert world.calls(lambda: cloud.remove_host(HOSTS[0])) == [
        "plugin.revoke_access",
        "plugin.host_about_to_be_removed",
        "plugin.host_removed",
    ]


def test_disabled_hosts_get_storage_and_disconnected_ones_do_not() -> None:
    world, cloud = with_storage()
    world.hosts[0] = replace(HOSTS[0], state=HostState.DISCONNECTED)
    world.hosts[1] = replace(HOSTS[1], state=HostState.DISABLED)
    cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)
    assert world.array.luns[VOLUME.uuid].hosts == {HOSTS[1].uuid}


def test_a_size_that_is_no_size_is_for_the_plugin_to_refuse() -> None:
    world, cloud = with_storage()
    world.script.fail("plugin.create", InvalidRequest("size_bytes", -1, "a positive number"))
    with pytest.raises(InvalidRequest):
        cloud.create_volume(STORE.uuid, replace(VOLUME, size_bytes=-1), CLUSTER)
    assert world.script.names == ["plugin.create", "plugin.delete"]
