"""Hosts that are out of use for a while, and catch up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.contract import AccessModel, Hookup, HostState, HypervisorFault
from conformance.orchestrator import HostInUse, NoUsableHost, Orchestrator, WrongState

from .fakes import CLUSTER, HOSTS, SECOND, STORE, VM, VOLUME, FakePlugin, World
from .scenes import attached, running, stopped, with_host_in_maintenance, with_storage, with_volume

FAULT = HypervisorFault("kvm", "host-1", "any", "code 1")
HOOK_UP = ["plugin.grant_access", "plugin.connection", "bridge.attach_datastore"]
AWAY: dict[str, tuple[Callable[[Orchestrator], object], Callable[[Orchestrator], object], HostState]] = {
    "maintenance": (
        lambda cloud: cloud.maintain_host(HOSTS[1]),
        lambda cloud: cloud.cancel_maintain_host(HOSTS[1]),
        HostState.MAINTENANCE,
    ),
    "disconnected": (
        lambda cloud: cloud.disconnect_host(HOSTS[1]),
        lambda cloud: cloud.connect_host(HOSTS[1]),
        HostState.DISCONNECTED,
    ),
}
EVERY = pytest.mark.parametrize("way", AWAY)


def refused(world: World, error: type[Exception], action: Callable[[], object]) -> None:
    """The action is refused without any call and leaves nothing in progress."""
    world.script.names.clear()
    with pytest.raises(error):
        action()
    assert world.script.names == []
    assert world.database.rows("SELECT * FROM operations") == []


def test_maintenance_of_a_host_makes_no_call_and_its_end_is_announced() -> None:
    world, cloud = with_volume()
    assert world.calls(lambda: cloud.maintain_host(HOSTS[1])) == []
    assert cloud.host_state(HOSTS[1]) is HostState.MAINTENANCE
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    expected = ["plugin.host_enabled", "plugin.host_connected", *HOOK_UP]
    assert world.calls(lambda: cloud.cancel_maintain_host(HOSTS[1])) == expected
    assert world.array.heard == ["host-2 is back at store-1"]
    assert world.calls(lambda: cloud.cancel_maintain_host(HOSTS[1])) == []


def test_a_host_that_is_gone_is_announced_and_keeps_its_access() -> None:
    world, cloud = with_volume()
    assert world.calls(lambda: cloud.disconnect_host(HOSTS[1])) == ["plugin.host_disconnected"]
    assert world.array.heard == ["host-2 is gone from store-1"]
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    assert world.calls(lambda: cloud.connect_host(HOSTS[1])) == ["plugin.host_connected", *HOOK_UP]


@EVERY
def test_a_host_that_is_away_gets_nothing_new_and_catches_up(way: str) -> None:
    leave, come_back, state = AWAY[way]
    world, cloud = with_storage()
    leave(cloud)
    assert cloud.host_state(HOSTS[1]) is state
    cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1"}
    refused(world, WrongState, lambda: cloud.attach_volume(VOLUME.uuid, VM, HOSTS[1]))
    refused(world, WrongState, lambda: cloud.start_vm(VM, HOSTS[1]))
    come_back(cloud)
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    assert [each.hosts for each in world.hypervisor.pools.values()] == [{"host-1", "host-2"}]
    assert cloud.host_state(HOSTS[1]) is HostState.ENABLED
    cloud.start_vm(VM, HOSTS[1])


@EVERY
def test_no_vm_moves_to_a_host_that_is_away(way: str) -> None:
    world, cloud = running()
    AWAY[way][0](cloud)
    refused(world, WrongState, lambda: cloud.move_vm(VM, HOSTS[1]))


@EVERY
def test_a_cluster_whose_hosts_are_all_away_makes_no_volumes(way: str) -> None:
    world, cloud = with_storage()
    AWAY[way][0](cloud)
    cloud.maintain_host(HOSTS[0])
    refused(world, NoUsableHost, lambda: cloud.create_volume(STORE.uuid, VOLUME, CLUSTER))


@EVERY
def test_a_host_that_comes_back_hooks_up_by_grant_in_plugin_hookup_and_not_at_all_in_the_direct_model(way: str) -> None:
    for hookup, model, expected in (
        (Hookup.PLUGIN, AccessModel.DEDICATED, ["plugin.grant_access"]),
        (Hookup.FRAMEWORK, AccessModel.DIRECT, []),
    ):
        world, cloud = with_volume(hookup, model)
        AWAY[way][0](cloud)
        calls = world.calls(lambda cloud=cloud: AWAY[way][1](cloud))  # type: ignore[misc]
        assert [each for each in calls if "host_" not in each] == expected


def test_a_host_with_running_vms_is_not_taken_out_of_use() -> None:
    for model in (AccessModel.DEDICATED, AccessModel.DIRECT):
        for scene in (running, attached):
            world, cloud = scene(model=model)
            refused(world, HostInUse, lambda cloud=cloud: cloud.maintain_host(HOSTS[0]))  # type: ignore[misc]
    world, cloud = with_storage()
    cloud.start_vm(VM, HOSTS[0])
    refused(world, HostInUse, lambda: cloud.maintain_host(HOSTS[0]))
    refused(world, HostInUse, lambda: cloud.remove_host(HOSTS[0]))
    cloud.stop_vm(VM)
    cloud.maintain_host(HOSTS[0])


def test_a_stopped_vm_does_not_hold_a_host() -> None:
    world, cloud = running()
    cloud.stop_vm(VM)
    cloud.maintain_host(HOSTS[0])
    cloud.cancel_maintain_host(HOSTS[0])
    cloud.remove_host(HOSTS[0])
    assert world.array.luns[VOLUME.uuid].hosts == {"host-2"}


def test_a_host_that_a_vm_is_moving_to_is_not_taken_out_of_use() -> None:
    world, cloud = running()
    met: list[str] = []

    def meet(name: str) -> None:
        if name == "bridge.migrate_vm":
            with pytest.raises(HostInUse):
                world.cloud().maintain_host(HOSTS[1])
            met.append(name)

    world.script.during = meet
    cloud.move_vm(VM, HOSTS[1])
    assert met == ["bridge.migrate_vm"]


@pytest.mark.parametrize("name", ["plugin.host_enabled", "plugin.host_connected", *HOOK_UP])
def test_a_host_that_could_not_catch_up_stays_away_and_keeps_what_it_had(name: str) -> None:
    world, cloud = with_volume()
    cloud.maintain_host(HOSTS[1])
    cloud.create_volume(STORE.uuid, SECOND, CLUSTER)
    world.script.fails_after = True
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.cancel_maintain_host(HOSTS[1])
    assert cloud.host_state(HOSTS[1]) is HostState.MAINTENANCE
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    assert world.array.luns[SECOND.uuid].hosts == {"host-1"}
    cloud.cancel_maintain_host(HOSTS[1])
    assert world.array.luns[SECOND.uuid].hosts == {"host-1", "host-2"}


def test_a_disconnect_that_the_plugin_did_not_hear_can_be_repeated() -> None:
    world, cloud = with_volume()
    world.script.fail("plugin.host_disconnected", FAULT)
    with pytest.raises(HypervisorFault):
        cloud.disconnect_host(HOSTS[1])
    assert cloud.host_state(HOSTS[1]) is HostState.ENABLED
    cloud.disconnect_host(HOSTS[1])
    assert cloud.host_state(HOSTS[1]) is HostState.DISCONNECTED


def test_a_plugin_without_a_host_listener_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakePlugin, "host_listener", None)
    world, cloud = with_host_in_maintenance()
    assert world.calls(lambda: cloud.cancel_maintain_host(HOSTS[1])) == HOOK_UP
    assert world.calls(lambda: cloud.disconnect_host(HOSTS[1])) == []


def test_a_host_that_is_added_again_is_in_use() -> None:
    _, cloud = stopped()
    cloud.maintain_host(HOSTS[1])
    cloud.add_host(HOSTS[1])
    assert cloud.host_state(HOSTS[1]) is HostState.ENABLED
