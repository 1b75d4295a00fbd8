"""Primary storages in use: maintenance, disabling, capacity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    Capability,
    CapabilityNotSupported,
    DataStore,
    Hookup,
    HypervisorFault,
    InvalidRequest,
    QosPolicy,
)
from conformance.orchestrator import (
    BrokenPromise,
    OperationRefused,
    Orchestrator,
    StoreState,
    UnknownObject,
    VolumeInUse,
    WrongState,
)

from .fakes import CLONE, CLUSTER, HOSTS, SECOND, SNAPSHOT, STORE, VM, VOLUME, FakePlugin, World, host
from .scenes import attached, maintained, running, stopped, with_snapshot, with_storage, with_volume

DIRECT = AccessModel.DIRECT
DEAD = ArrayUnreachable("https://array.test", "no answer")
FAULT = HypervisorFault("kvm", "host-1", "any", "code 1")
CONNECTED = ["plugin.host_connected"] * 2
HOOK_UP = ["plugin.grant_access", "plugin.connection", "bridge.attach_datastore"]


def refused(world: World, error: type[Exception], action: Callable[[], object]) -> None:
    """The action is refused without any call that changes something, and leaves nothing in progress."""
    world.script.names.clear()
    with pytest.raises(error):
        action()
    # The size a LUN needs is asked of the bridge, which changes nothing.
    assert set(world.script.names) <= {"bridge.lun_bytes_for"}
    assert world.database.rows("SELECT * FROM operations") == []
    assert world.database.rows("SELECT * FROM claims") == []


def state(cloud: Orchestrator) -> StoreState:
    return cloud.stores()[0].state


# -- maintenance


def test_maintenance_unmounts_every_datastore_first_and_leaves_the_rest_to_the_plugin() -> None:
    world, cloud = stopped()
    expected = ["bridge.detach_datastore"] * 4 + ["plugin.maintain"]
    assert world.calls(lambda: cloud.maintain_storage(STORE.uuid)) == expected
    assert state(cloud) is StoreState.MAINTENANCE
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    assert world.calls(lambda: cloud.maintain_storage(STORE.uuid)) == []


def test_maintenance_in_plugin_hookup_unhooks_by_revoke() -> None:
    world, cloud = stopped(Hookup.PLUGIN)
    expected = ["plugin.revoke_access"] * 4 + ["plugin.maintain"]
    assert world.calls(lambda: cloud.maintain_storage(STORE.uuid)) == expected
    expected = ["plugin.cancel_maintain", *CONNECTED, *["plugin.grant_access"] * 4]
    assert world.calls(lambda: cloud.cancel_maintain_storage(STORE.uuid)) == expected


def test_maintenance_in_the_direct_model_is_one_call() -> None:
    world, cloud = stopped(model=DIRECT)
    assert world.calls(lambda: cloud.maintain_storage(STORE.uuid)) == ["plugin.maintain"]
    assert world.calls(lambda: cloud.cancel_maintain_storage(STORE.uuid)) == ["plugin.cancel_maintain", *CONNECTED]


def test_after_maintenance_every_host_has_every_datastore_and_the_data_is_the_same() -> None:
    world, cloud = stopped()
    before = (dict(world.array.luns), {name: set(each.hosts) for name, each in world.hypervisor.pools.items()})
    cloud.maintain_storage(STORE.uuid)
    expected = ["plugin.cancel_maintain", *CONNECTED, *HOOK_UP * 4]
    assert world.calls(lambda: cloud.cancel_maintain_storage(STORE.uuid)) == expected
    assert (world.array.luns, {name: each.hosts for name, each in world.hypervisor.pools.items()}) == before
    assert state(cloud) is StoreState.UP
    assert world.calls(lambda: cloud.cancel_maintain_storage(STORE.uuid)) == []
    cloud.start_vm(VM, HOSTS[0])


def test_a_storage_whose_volumes_are_used_is_not_taken_out_of_use() -> None:
    for scene in (running, attached):
        world, cloud = scene()
        refused(world, VolumeInUse, lambda cloud=cloud: cloud.maintain_storage(STORE.uuid))  # type: ignore[misc]
        assert state(cloud) is StoreState.UP


IN_MAINTENANCE: dict[str, Callable[[Orchestrator], object]] = {
    "create": lambda cloud: cloud.create_volume(STORE.uuid, CLONE, CLUSTER),
    "clone": lambda cloud: cloud.create_volume_from(STORE.uuid, CLONE, CLUSTER, VOLUME.uuid),
    "attach": lambda cloud: cloud.attach_volume("volume-3", VM),
    "start": lambda cloud: cloud.start_vm(VM, HOSTS[0]),
    "resize": lambda cloud: cloud.resize_volume(VOLUME.uuid, 20_000),
    "qos": lambda cloud: cloud.set_qos(VOLUME.uuid, QosPolicy(max_iops=100)),
    "snapshot": lambda cloud: cloud.take_snapshot(VOLUME.uuid, SNAPSHOT),
    "delete": lambda cloud: cloud.delete_volume("volume-3"),
    "disable": lambda cloud: cloud.disable_storage(STORE.uuid),
    "update": lambda cloud: cloud.update_storage(STORE.uuid, 1 << 30),
}


@pytest.mark.parametrize("action", IN_MAINTENANCE)
def test_nothing_is_done_with_a_storage_in_maintenance(action: str) -> None:
    world, cloud = stopped()
    cloud.create_volume(STORE.uuid, replace(VOLUME, uuid="volume-3"), CLUSTER)
    cloud.maintain_storage(STORE.uuid)
    refused(world, WrongState, lambda: IN_MAINTENANCE[action](cloud))


def test_snapshots_wait_for_the_end_of_maintenance() -> None:
    world, cloud = with_snapshot()
    cloud.maintain_storage(STORE.uuid)
    refused(world, WrongState, lambda: cloud.delete_snapshot(SNAPSHOT.uuid))
    refused(world, WrongState, lambda: cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid))


def test_a_volume_in_maintenance_can_be_taken_from_its_stopped_vm() -> None:
    world, cloud = maintained()
    assert world.calls(lambda: cloud.detach_volume(SECOND.uuid, VM)) == []
    assert not cloud.volume(SECOND.uuid).is_attached


def test_hosts_that_come_during_maintenance_get_the_storage_afterwards() -> None:
    world, cloud = maintained()
    assert world.calls(lambda: cloud.add_host(host(3))) == ["plugin.host_added"]
    world.hosts.append(host(3))
    cloud.cancel_maintain_storage(STORE.uuid)
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2", "host-3"}


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", ["bridge.detach_datastore", "plugin.maintain"])
def test_a_maintenance_that_failed_gives_the_hosts_their_datastores_back(name: str, *, after: bool) -> None:
    world, cloud = stopped()
    world.script.fails_after = after
    world.script.fail(name, DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.maintain_storage(STORE.uuid)
    assert ("plugin.cancel_maintain" in world.script.names) is (name == "plugin.maintain")
    assert state(cloud) is StoreState.UP
    assert world.array.maintained == set()
    assert all(each.hosts == {"host-1", "host-2"} for each in world.hypervisor.pools.values())
    cloud.maintain_storage(STORE.uuid)


@pytest.mark.parametrize(
    "again",
    [lambda cloud: cloud.recover(), lambda cloud: cloud.cancel_maintain_storage(STORE.uuid)],
    ids=["recover", "again"],
)
@pytest.mark.parametrize("name", ["plugin.cancel_maintain", "plugin.host_connected", *HOOK_UP])
def test_a_maintenance_that_could_not_end_ends_later(name: str, again: Callable[[Orchestrator], object]) -> None:
    world, cloud = maintained()
    world.script.fails_after = True
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.cancel_maintain_storage(STORE.uuid)
    assert state(cloud) is StoreState.ERROR_IN_MAINTENANCE
    refused_start = pytest.raises(WrongState)
    with refused_start:
        cloud.start_vm(VM, HOSTS[0])
    again(cloud)
    assert state(cloud) is StoreState.UP
    assert all(each.hosts == {"host-1", "host-2"} for each in world.hypervisor.pools.values())
    assert cloud.recover() == []


def test_nobody_works_on_a_storage_or_its_volumes_while_it_goes() -> None:
    world, cloud = stopped()
    met: list[str] = []
    actions: list[Callable[[Orchestrator], object]] = [
        lambda cloud: cloud.create_volume(STORE.uuid, CLONE, CLUSTER),
        lambda cloud: cloud.start_vm(VM, HOSTS[0]),
        lambda cloud: cloud.add_host(host(3)),
        lambda cloud: cloud.delete_primary_storage(STORE.uuid),
        lambda cloud: cloud.cancel_maintain_storage(STORE.uuid),
    ]

    def meet(name: str) -> None:
        if name == "plugin.maintain":
            for each in actions:
                with pytest.raises(OperationRefused):
                    each(world.cloud())
            met.append(name)

    world.script.during = meet
    cloud.maintain_storage(STORE.uuid)
    assert met == ["plugin.maintain"]


@pytest.mark.parametrize(
    ("method", "action"),
    [
        ("maintain", lambda cloud: cloud.maintain_storage(STORE.uuid)),
        ("cancel_maintain", lambda cloud: cloud.cancel_maintain_storage(STORE.uuid)),
        ("disable", lambda cloud: cloud.disable_storage(STORE.uuid)),
        ("enable", lambda cloud: cloud.enable_storage(STORE.uuid)),
        ("update", lambda cloud: cloud.update_storage(STORE.uuid, 1)),
    ],
)
def test_what_the_life_cycle_does_not_have_is_refused(
    method: str, action: Callable[[Orchestrator], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakePlugin, method, None)
    world, cloud = with_storage()
    refused(world, CapabilityNotSupported, lambda: action(cloud))


def test_unknown_storages_are_named() -> None:
    world, cloud = with_storage()
    refused(world, UnknownObject, lambda: cloud.maintain_storage("none"))
    refused(world, UnknownObject, lambda: cloud.update_storage("none", 1))


# -- disabling


def test_a_disabled_storage_takes_no_new_volumes_and_serves_those_it_has() -> None:
    world, cloud = with_snapshot()
    assert world.calls(lambda: cloud.disable_storage(STORE.uuid)) == ["plugin.disable"]
    assert world.calls(lambda: cloud.disable_storage(STORE.uuid)) == []
    refused(world, WrongState, lambda: cloud.create_volume(STORE.uuid, CLONE, CLUSTER))
    refused(world, WrongState, lambda: cloud.create_volume_from(STORE.uuid, CLONE, CLUSTER, SNAPSHOT.uuid))
    refused(world, WrongState, lambda: cloud.maintain_storage(STORE.uuid))
    cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    cloud.resize_volume(VOLUME.uuid, 20_000)
    cloud.detach_volume(VOLUME.uuid, VM)
    cloud.add_host(host(3))
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2", "host-3"}
    assert world.calls(lambda: cloud.enable_storage(STORE.uuid)) == ["plugin.enable"]
    cloud.create_volume(STORE.uuid, CLONE, CLUSTER)


def test_a_storage_that_could_not_be_switched_is_as_before() -> None:
    world, cloud = with_storage()
    world.script.fail("plugin.disable", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.disable_storage(STORE.uuid)
    assert state(cloud) is StoreState.UP
    cloud.disable_storage(STORE.uuid)
    world.script.fail("plugin.enable", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.enable_storage(STORE.uuid)
    assert state(cloud) is StoreState.DISABLED


# -- capacity


def test_a_capacity_is_changed_by_one_call_and_what_is_not_given_stays() -> None:
    world, cloud = with_volume()
    assert world.calls(lambda: cloud.update_storage(STORE.uuid, 1 << 30, 500)) == ["plugin.update"]
    cloud.update_storage(STORE.uuid, 1 << 31)
    request = cloud.stores()[0].request
    assert (request.capacity_bytes, request.capacity_iops) == (1 << 31, 500)
    assert world.array.capacity[STORE.uuid] == (1 << 31, 500)
    assert cloud.stores()[0].store == DataStore(request, {"pool": "7"})
    assert request.secrets == STORE.secrets


def test_a_capacity_below_what_is_used_is_the_plugins_to_refuse_and_changes_nothing() -> None:
    world, cloud = with_volume()
    with pytest.raises(InvalidRequest):
        cloud.update_storage(STORE.uuid, 1)
    assert cloud.stores()[0].request == STORE
    assert state(cloud) is StoreState.UP
    assert world.database.rows("SELECT * FROM operations") == []


def test_a_plugin_that_answers_with_another_capacity_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakePlugin, "update", lambda _self, store, _request: store)
    _, cloud = with_volume()
    with pytest.raises(BrokenPromise, match="capacity"):
        cloud.update_storage(STORE.uuid, 1 << 30)
    assert cloud.stores()[0].request == STORE


def test_capabilities_do_not_matter_to_the_life_cycle() -> None:
    _, cloud = with_volume(lacks=frozenset(Capability))
    cloud.maintain_storage(STORE.uuid)
    cloud.cancel_maintain_storage(STORE.uuid)
