"""The cloud is killed before each step and after each call of each operation; the next one carries on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.contract import AccessModel, Capability, Hookup, HypervisorFault, QosPolicy
from conformance.orchestrator import (
    Database,
    ObjectBusy,
    Orchestrator,
    OrchestratorKilled,
    SnapshotState,
    StoreState,
    TemplateState,
    VmState,
    VolumeState,
)

from .fakes import (
    CLONE,
    CLUSTER,
    HOSTS,
    OTHER_STORE,
    SNAPSHOT,
    STORE,
    TEMPLATE,
    TEMPLATE_UUID,
    VM,
    VOLUME,
    KillAt,
    World,
    host,
)
from .scenes import (
    attached,
    disabled,
    maintained,
    running,
    stopped,
    with_host_in_maintenance,
    with_snapshot,
    with_storage,
    with_template,
    with_two_stores,
    with_volume,
)

Scene = Callable[..., tuple[World, Orchestrator]]
Action = Callable[[Orchestrator], object]

WAYS: dict[str, dict[str, Any]] = {
    "framework": {"hookup": Hookup.FRAMEWORK},
    "plugin": {"hookup": Hookup.PLUGIN},
    "direct": {"model": AccessModel.DIRECT},
    "offline resize": {"lacks": frozenset({Capability.RESIZE_ONLINE})},
}


def nothing(**_: object) -> tuple[World, Orchestrator]:
    world = World()
    return world, world.cloud()


def clone(source: str) -> Action:
    return lambda cloud: cloud.create_volume_from(STORE.uuid, CLONE, CLUSTER, source)


ACTIONS: dict[str, tuple[Scene, Action]] = {
    "add storage": (nothing, lambda cloud: cloud.add_primary_storage(STORE, [CLUSTER])),
    "create": (with_storage, lambda cloud: cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)),
    "attach": (with_volume, lambda cloud: cloud.attach_volume(VOLUME.uuid, VM, host(3))),
    "detach": (attached, lambda cloud: cloud.detach_volume(VOLUME.uuid, VM)),
    "resize": (with_volume, lambda cloud: cloud.resize_volume(VOLUME.uuid, 20_000)),
    "set qos": (with_volume, lambda cloud: cloud.set_qos(VOLUME.uuid, QosPolicy(max_iops=100))),
    "start a VM": (stopped, lambda cloud: cloud.start_vm(VM, host(3))),
    "move a VM": (running, lambda cloud: cloud.move_vm(VM, host(3))),
    "stop a VM": (running, lambda cloud: cloud.stop_vm(VM)),
    "take snapshot": (attached, lambda cloud: cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)),
    "delete snapshot": (with_snapshot, lambda cloud: cloud.delete_snapshot(SNAPSHOT.uuid)),
    "revert": (with_snapshot, lambda cloud: cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)),
    "clone a snapshot": (with_snapshot, clone(SNAPSHOT.uuid)),
    "clone a volume": (attached, clone(VOLUME.uuid)),
    "delete": (with_volume, lambda cloud: cloud.delete_volume(VOLUME.uuid)),
    "add host": (with_volume, lambda cloud: cloud.add_host(host(3))),
    "remove host": (with_volume, lambda cloud: cloud.remove_host(HOSTS[1])),
    "copy": (with_two_stores, lambda cloud: cloud.copy_volume(VOLUME.uuid, OTHER_STORE, CLONE)),
    "rotate chap": (running, lambda cloud: cloud.rotate_chap(VOLUME.uuid)),
    "seed": (with_storage, lambda cloud: cloud.seed_template(STORE.uuid, TEMPLATE_UUID, TEMPLATE, CLUSTER)),
    "clone a template": (with_template, clone(TEMPLATE_UUID)),
    "delete template": (with_template, lambda cloud: cloud.delete_template(TEMPLATE_UUID)),
    "maintain storage": (stopped, lambda cloud: cloud.maintain_storage(STORE.uuid)),
    "cancel maintain storage": (maintained, lambda cloud: cloud.cancel_maintain_storage(STORE.uuid)),
    "disable storage": (with_volume, lambda cloud: cloud.disable_storage(STORE.uuid)),
    "enable storage": (disabled, lambda cloud: cloud.enable_storage(STORE.uuid)),
    "update storage": (with_volume, lambda cloud: cloud.update_storage(STORE.uuid, 1 << 30, 500)),
    "cancel maintain host": (with_host_in_maintenance, lambda cloud: cloud.cancel_maintain_host(HOSTS[1])),
    "disconnect host": (with_volume, lambda cloud: cloud.disconnect_host(HOSTS[1])),
    "connect host": (with_host_in_maintenance, lambda cloud: cloud.connect_host(HOSTS[1])),
    "delete storage": (with_storage, lambda cloud: cloud.delete_primary_storage(STORE.uuid)),
}
EVERY = pytest.mark.parametrize("way", WAYS)
ACTION = pytest.mark.parametrize("action", ACTIONS)


def agree(world: World, cloud: Orchestrator) -> None:
    """What the cloud believes is what is there, and nothing is in progress."""
    believed = {each.uuid: {one.uuid for one in each.hosts} for each in cloud.volumes()}
    assert believed == {each.uuid: each.hosts for each in world.array.luns.values()}
    assert {each.uuid for each in cloud.stores()} == world.array.stores
    assert all(each.state is VolumeState.READY for each in cloud.volumes())
    assert [each.uuid for each in cloud.snapshots()] == list(world.array.snapshots)
    assert all(each.state is SnapshotState.READY for each in cloud.snapshots())
    mounted = {each.wwid: each.hosts for each in world.hypervisor.pools.values()}
    assert world.array.maintained == {each.uuid for each in cloud.stores() if each.state is StoreState.MAINTENANCE}
    assert world.array.disabled == {each.uuid for each in cloud.stores() if each.state is StoreState.DISABLED}
    assert world.array.maintained or all(
        each.hosts == mounted.get(each.wwid, each.hosts) for each in world.array.luns.values()
    )
    attachments = [each for each in cloud.volumes() if each.attachment and each.attachment.host]
    assert {each.uuid: each.host.uuid for each in cloud.vms() if each.host} == {
        uuid: each.host for uuid, each in world.hypervisor.vms.items() if each.is_running
    }
    assert world.array.lifted == set()
    assert {each.uuid for each in cloud.templates()} == set(world.array.templates)
    assert all(each.state is TemplateState.READY and each.host is None for each in cloud.templates())
    assert not any(each.hosts for each in world.array.templates.values())
    assert all(each.state in {VmState.RUNNING, VmState.STOPPED} for each in cloud.vms())
    assert len(attachments) == len(world.hypervisor.vm_disks) + len(world.hypervisor.vm_luns)
    assert len({each for _, each in world.hypervisor.targets}) == len(world.hypervisor.vm_luns)
    assert cloud.recover() == []
    assert world.database.rows("SELECT * FROM claims") == []


def outcome(world: World) -> object:
    """All that is there, to be compared with another world."""
    return (
        world.array.luns,
        world.array.snapshots,
        world.array.capacity,
        world.array.stores,
        world.array.hosts,
        world.hypervisor,
    )


def undisturbed(action: str, way: str) -> tuple[object, int]:
    scene, act = ACTIONS[action]
    world, _ = scene(**WAYS[way])
    steps = KillAt(10_000)
    act(world.cloud(steps))
    return outcome(world), steps.seen


def deaths(action: str, way: str) -> Iterator[World]:
    """Worlds in which the cloud has died before each step."""
    scene, act = ACTIONS[action]
    for at in range(undisturbed(action, way)[1]):
        world, _ = scene(**WAYS[way])
        with pytest.raises(OrchestratorKilled):
            act(world.cloud(KillAt(at)))
        yield world


@EVERY
@ACTION
def test_killed_before_any_step_it_is_finished_by_the_next_cloud(action: str, way: str) -> None:
    expected, steps = undisturbed(action, way)
    worlds = list(deaths(action, way))
    assert len(worlds) == steps >= 2
    for world in worlds:
        cloud = world.cloud()
        assert [each.split(": ")[1] for each in cloud.recover()] == ["finished"]
        agree(world, cloud)
        ACTIONS[action][1](cloud)
        agree(world, cloud)
        assert outcome(world) == expected


@EVERY
@ACTION
def test_killed_after_any_call_it_is_finished_by_the_next_cloud(action: str, way: str) -> None:
    expected, _ = undisturbed(action, way)
    scene, act = ACTIONS[action]
    world, cloud = scene(**WAYS[way])
    calls = world.calls(lambda: act(cloud))
    for at in range(len(calls)):
        world, cloud = scene(**WAYS[way])
        world.script.names.clear()
        world.script.dies_after = at
        with pytest.raises(OrchestratorKilled):
            act(cloud)
        world.script.dies_after = None
        cloud = world.cloud()
        cloud.recover()
        act(cloud)
        agree(world, cloud)
        assert outcome(world) == expected


@ACTION
def test_killed_again_while_it_recovers_it_is_finished_by_the_third_cloud(action: str) -> None:
    for world in deaths(action, "framework"):
        for at in range(100):
            try:
                world.cloud(KillAt(at)).recover()
            except OrchestratorKilled:
                continue
            break
        agree(world, world.cloud())


FAILING = {
    "create": "bridge.create_disk",
    "attach": "bridge.attach_disk",
    "add host": "bridge.attach_datastore",
    "resize": "bridge.resize_disk",
    "start a VM": "bridge.start_vm",
    "copy": "bridge.create_disk",
    "seed": "bridge.read_disk",
    "maintain storage": "plugin.maintain",
    "cancel maintain host": "bridge.attach_datastore",
    "revert": "plugin.revert",
    "clone a snapshot": "bridge.create_disk",
}


@pytest.mark.parametrize("action", FAILING)
def test_killed_while_it_undoes_it_is_undone_by_the_next_cloud(action: str) -> None:
    scene, act = ACTIONS[action]
    reference, _ = scene()
    finished = 0
    for at in range(100):
        world, _ = scene()
        world.script.fail(FAILING[action], *[HypervisorFault("kvm", "host-1", "any", "code 1")] * 2)
        try:
            act(world.cloud(KillAt(at)))
        except OrchestratorKilled:
            finished += 1
        except HypervisorFault:
            break
        cloud = world.cloud()
        cloud.recover()
        agree(world, cloud)
        assert set(world.array.luns) == set(reference.array.luns)
        assert world.hypervisor.vm_disks == {}
        assert world.array.hosts == {"host-1", "host-2"}
    assert finished > 3


def test_what_died_keeps_others_off_its_objects_until_it_is_recovered() -> None:
    world, _ = with_volume()
    with pytest.raises(OrchestratorKilled):
        world.cloud(KillAt(0)).resize_volume(VOLUME.uuid, 20_000)
    cloud = world.cloud()
    with pytest.raises(ObjectBusy):
        cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    cloud.recover()
    cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])


def test_the_next_cloud_reads_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    world = World(database=Database(path))
    world.cloud().add_primary_storage(STORE, [CLUSTER])
    with pytest.raises(OrchestratorKilled):
        world.cloud(KillAt(3)).create_volume(STORE.uuid, VOLUME, CLUSTER)
    # Not closed: a process that was killed closes nothing.
    died, world.database = world.database, Database(path)
    cloud = world.cloud()
    assert cloud.recover() == ["create_volume volume-1: finished"]
    assert cloud.stores()[0].request == STORE
    agree(world, cloud)
    died.close()
    world.database.close()
