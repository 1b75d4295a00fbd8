"""VMs start, move and stop, and their volumes with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import AccessModel, ArrayUnreachable, Hookup, HypervisorFault, VmRef
from conformance.orchestrator import (
    ObjectBusy,
    Orchestrator,
    OrchestratorKilled,
    UnknownObject,
    VmState,
    VolumeInUse,
    VolumeState,
    WrongState,
)

from .fakes import CLUSTER, HOSTS, OTHER_VM, SECOND, STORE, VM, VOLUME, KillAt, World, host
from .scenes import attached, running, stopped, with_storage, with_volume

DIRECT = AccessModel.DIRECT
FAULT = HypervisorFault("kvm", "host-1", "any", "code 1")
DEAD = ArrayUnreachable("https://array.test", "no answer")
REACH = ["plugin.grant_access", "plugin.connection", "bridge.connect_target"]
JOIN = ["plugin.grant_access", "plugin.connection", "bridge.attach_datastore"]
LEAVE = ["plugin.connection", "bridge.disconnect_target", "plugin.revoke_access"]


def refused(world: World, error: type[Exception], action: Callable[[], object]) -> None:
    """The action is refused without any call and leaves nothing in progress."""
    world.script.names.clear()
    with pytest.raises(error):
        action()
    assert world.script.names == []
    assert world.database.rows("SELECT * FROM operations") == []
    assert world.database.rows("SELECT * FROM claims") == []


def granted(world: World) -> list[set[str]]:
    """Hosts that see the first volume, and the second."""
    return [world.array.luns[each.uuid].hosts for each in (VOLUME, SECOND)]


# -- start


def test_a_start_gives_the_vm_its_disks_before_it_runs() -> None:
    for hookup in Hookup:
        world, cloud = stopped(hookup)
        assert world.calls(lambda cloud=cloud: cloud.start_vm(VM, HOSTS[0])) == [  # type: ignore[misc]
            "bridge.create_vm",
            "bridge.attach_disk",
            "bridge.attach_disk",
            "bridge.start_vm",
        ]
        assert world.calls(lambda cloud=cloud: cloud.start_vm(VM, HOSTS[0])) == []  # type: ignore[misc]
        assert set(world.hypervisor.vm_disks.values()) == {VM.uuid}
        assert cloud.vm(VM.uuid).state is VmState.RUNNING


def test_a_start_on_a_host_without_access_hooks_it_up_first() -> None:
    world, cloud = stopped()
    assert world.calls(lambda: cloud.start_vm(VM, host(3)))[:7] == [*JOIN, *JOIN, "bridge.create_vm"]
    world, cloud = stopped(Hookup.PLUGIN)
    calls = world.calls(lambda: cloud.start_vm(VM, host(3)))
    assert calls[:3] == ["plugin.grant_access", "plugin.grant_access", "bridge.create_vm"]


def test_a_start_in_the_direct_model_is_granted_and_only_its_host_is() -> None:
    world, cloud = stopped(model=DIRECT)
    assert granted(world) == [set(), set()]
    assert world.calls(lambda: cloud.start_vm(VM, HOSTS[1])) == [
        *REACH,
        *REACH,
        "bridge.create_vm",
        "bridge.attach_lun",
        "bridge.attach_lun",
        "bridge.start_vm",
    ]
    assert granted(world) == [{"host-2"}, {"host-2"}]


def test_every_start_is_granted_again_wherever_it_is() -> None:
    world, cloud = running(model=DIRECT)
    for each in (HOSTS[1], HOSTS[0], HOSTS[0]):
        cloud.stop_vm(VM)
        assert granted(world) == [set(), set()]
        cloud.start_vm(VM, each)
        assert granted(world) == [{each.uuid}, {each.uuid}]


def test_a_vm_without_volumes_starts_and_stops_and_is_forgotten() -> None:
    world, cloud = with_storage()
    assert world.calls(lambda: cloud.start_vm(VM, HOSTS[0])) == ["bridge.create_vm", "bridge.start_vm"]
    assert world.calls(lambda: cloud.stop_vm(VM)) == ["bridge.stop_vm", "bridge.delete_vm"]
    assert cloud.vms() == ()
    assert world.hypervisor.vms == {}


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize(
    "name", [*JOIN, "bridge.create_vm", "bridge.attach_disk", "bridge.start_vm"], ids=lambda each: each.split(".")[1]
)
def test_a_start_that_failed_leaves_the_vm_stopped_with_its_volumes(name: str, *, after: bool) -> None:
    world, cloud = stopped()
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.start_vm(VM, host(3))
    assert (cloud.vm(VM.uuid).state, cloud.vm(VM.uuid).host) == (VmState.STOPPED, None)
    assert (world.hypervisor.vms, world.hypervisor.vm_disks) == ({}, {})
    assert granted(world) == [{"host-1", "host-2"}] * 2
    assert cloud.volume(VOLUME.uuid).is_attached
    cloud.start_vm(VM, host(3))


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", [*REACH, "bridge.create_vm", "bridge.attach_lun", "bridge.start_vm"])
def test_a_direct_start_that_failed_leaves_no_grant(name: str, *, after: bool) -> None:
    world, cloud = stopped(model=DIRECT)
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.start_vm(VM, HOSTS[0])
    assert granted(world) == [set(), set()]
    assert (world.hypervisor.vms, world.hypervisor.vm_luns, world.hypervisor.targets) == ({}, {}, set())
    cloud.start_vm(VM, HOSTS[0])


def test_a_start_that_could_not_be_undone_is_undone_by_recover_or_by_a_stop() -> None:
    finishes: list[Callable[[Orchestrator], object]] = [lambda cloud: cloud.recover(), lambda cloud: cloud.stop_vm(VM)]
    for finish in finishes:
        world, cloud = stopped(model=DIRECT)
        world.script.fail("bridge.start_vm", FAULT)
        world.script.fail("plugin.revoke_access", DEAD)
        with pytest.raises(HypervisorFault):
            cloud.start_vm(VM, HOSTS[0])
        assert cloud.vm(VM.uuid).state is VmState.FAILED
        refused_start = pytest.raises(WrongState)
        with refused_start:
            cloud.start_vm(VM, HOSTS[0])
        finish(cloud)
        assert cloud.vm(VM.uuid).state is VmState.STOPPED
        assert granted(world) == [set(), set()]
        assert cloud.recover() == []


def test_a_vm_is_where_it_runs() -> None:
    world, cloud = running()
    refused(world, WrongState, lambda: cloud.start_vm(VM, HOSTS[1]))
    refused(world, UnknownObject, lambda: cloud.move_vm(OTHER_VM, HOSTS[1]))
    cloud.stop_vm(VM)
    refused(world, WrongState, lambda: cloud.move_vm(VM, HOSTS[1]))
    assert world.calls(lambda: cloud.stop_vm(VM)) == []
    assert world.calls(lambda: cloud.stop_vm(OTHER_VM)) == []


def test_a_vm_does_not_start_with_half_of_its_volumes() -> None:
    world, cloud = stopped(model=DIRECT)
    world.database.change("UPDATE volumes SET state = ? WHERE uuid = ?", VolumeState.FAILED, SECOND.uuid)
    refused(world, WrongState, lambda: cloud.start_vm(VM, HOSTS[0]))
    assert cloud.vms() == ()


def test_volumes_of_another_cluster_are_refused() -> None:
    world, cloud = stopped()
    elsewhere = replace(CLUSTER, uuid="cluster-2")
    cloud.add_primary_storage(replace(STORE, uuid="store-2"), [elsewhere])
    there = replace(HOSTS[0], uuid="host-9", cluster_uuid="cluster-2")
    refused(world, WrongState, lambda: cloud.start_vm(VM, there))


def test_a_vm_that_somebody_else_has_started_is_not_started() -> None:
    world, cloud = attached()
    refused(world, WrongState, lambda: cloud.start_vm(VM, HOSTS[0]))


# -- volumes of a VM that the cloud starts


def test_a_volume_is_assigned_to_a_stopped_vm_without_a_call() -> None:
    world, cloud = with_volume()
    assert world.calls(lambda: cloud.attach_volume(VOLUME.uuid, VM)) == []
    refused(world, VolumeInUse, lambda: cloud.attach_volume(VOLUME.uuid, OTHER_VM))
    refused(world, VolumeInUse, lambda: cloud.delete_volume(VOLUME.uuid))
    assert world.calls(lambda: cloud.detach_volume(VOLUME.uuid, VM)) == []
    assert not cloud.volume(VOLUME.uuid).is_attached


def test_a_volume_attached_to_a_running_vm_goes_where_it_runs() -> None:
    world, cloud = running(model=DIRECT)
    third = replace(VOLUME, uuid="volume-3")
    cloud.create_volume(STORE.uuid, third, CLUSTER)
    refused(world, WrongState, lambda: cloud.attach_volume(third.uuid, VM, HOSTS[1]))
    assert world.calls(lambda: cloud.attach_volume(third.uuid, VM)) == [*REACH, "bridge.attach_lun"]
    assert world.array.luns[third.uuid].hosts == {"host-1"}
    cloud.move_vm(VM, HOSTS[1])
    assert world.array.luns[third.uuid].hosts == {"host-2"}
    cloud.detach_volume(third.uuid, VM)
    assert world.array.luns[third.uuid].hosts == set()


def test_nothing_is_attached_to_a_vm_while_it_starts_moves_or_stops() -> None:
    world, cloud = stopped()
    third = replace(VOLUME, uuid="volume-3")
    cloud.create_volume(STORE.uuid, third, CLUSTER)
    met: list[str] = []
    actions: list[Callable[[Orchestrator], object]] = [
        lambda cloud: cloud.attach_volume(third.uuid, VM),
        lambda cloud: cloud.detach_volume(VOLUME.uuid, VM),
        lambda cloud: cloud.start_vm(VM, HOSTS[0]),
        lambda cloud: cloud.stop_vm(VM),
        lambda cloud: cloud.remove_host(HOSTS[0]),
    ]

    def meet(name: str) -> None:
        if name in {"bridge.start_vm", "bridge.migrate_vm", "bridge.stop_vm"}:
            for action in actions:
                with pytest.raises((ObjectBusy, WrongState)):
                    action(world.cloud())
            met.append(name)

    world.script.during = meet
    cloud.start_vm(VM, HOSTS[1])
    cloud.move_vm(VM, host(3))
    cloud.stop_vm(VM)
    assert met == ["bridge.start_vm", "bridge.migrate_vm", "bridge.stop_vm"]


# -- stop


def test_a_stop_takes_the_disks_and_leaves_the_hosts_their_datastores() -> None:
    world, cloud = running()
    assert world.calls(lambda: cloud.stop_vm(VM)) == [
        "bridge.stop_vm",
        "bridge.detach_disk",
        "bridge.detach_disk",
        "bridge.delete_vm",
    ]
    assert granted(world) == [{"host-1", "host-2"}] * 2
    assert [each.is_attached for each in cloud.volumes()] == [True, True]


DIRECT_STOP = ["plugin.connection", "bridge.detach_lun", "bridge.disconnect_target", "plugin.revoke_access"]


def test_a_stop_in_the_direct_model_revokes_last() -> None:
    world, cloud = running(model=DIRECT)
    assert world.calls(lambda: cloud.stop_vm(VM)) == [
        "bridge.stop_vm",
        *DIRECT_STOP,
        *DIRECT_STOP,
        "bridge.delete_vm",
    ]
    assert granted(world) == [set(), set()]


@pytest.mark.parametrize(
    "again", [lambda cloud: cloud.stop_vm(VM), lambda cloud: cloud.recover()], ids=["again", "recover"]
)
@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", ["bridge.stop_vm", *DIRECT_STOP, "bridge.delete_vm"])
def test_a_stop_that_failed_goes_on_from_there(
    name: str, again: Callable[[Orchestrator], object], *, after: bool
) -> None:
    world, cloud = running(model=DIRECT)
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.stop_vm(VM)
    assert cloud.vm(VM.uuid).state is VmState.FAILED
    again(cloud)
    assert cloud.vm(VM.uuid).state is VmState.STOPPED
    assert (granted(world), world.hypervisor.vms, world.hypervisor.vm_luns) == ([set(), set()], {}, {})
    assert cloud.recover() == []


# -- move


def test_a_move_leaves_the_hosts_of_a_dedicated_volume_as_they_are() -> None:
    world, cloud = running()
    assert world.calls(lambda: cloud.move_vm(VM, HOSTS[1])) == ["bridge.migrate_vm"]
    assert world.calls(lambda: cloud.move_vm(VM, HOSTS[1])) == []
    assert world.calls(lambda: cloud.move_vm(VM, host(3))) == [*JOIN, *JOIN, "bridge.migrate_vm"]
    assert world.hypervisor.vms[VM.uuid].host == "host-3"


def test_a_move_in_the_direct_model_grants_both_only_meanwhile() -> None:
    world, cloud = running(model=DIRECT)
    during: list[list[set[str]]] = []
    world.script.during = lambda name: (
        during.append([set(each) for each in granted(world)]) if name == "bridge.migrate_vm" else None
    )
    assert world.calls(lambda: cloud.move_vm(VM, HOSTS[1])) == [*REACH, *REACH, "bridge.migrate_vm", *LEAVE, *LEAVE]
    assert during == [[{"host-1", "host-2"}] * 2]
    assert granted(world) == [{"host-2"}, {"host-2"}]
    assert {each for each, _ in world.hypervisor.targets} == {"host-2"}


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", [*REACH, "bridge.migrate_vm"])
def test_a_direct_move_that_failed_revokes_the_new_host(name: str, *, after: bool) -> None:
    world, cloud = running(model=DIRECT)
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.move_vm(VM, HOSTS[1])
    assert ("bridge.migrate_vm" in world.script.names[1:]) is (name == "bridge.migrate_vm")
    assert world.hypervisor.vms[VM.uuid].host == "host-1"
    assert granted(world) == [{"host-1"}, {"host-1"}]
    assert {each for each, _ in world.hypervisor.targets} == {"host-1"}
    record = cloud.vm(VM.uuid)
    assert (record.state, record.host, record.destination) == (VmState.RUNNING, HOSTS[0], None)
    cloud.move_vm(VM, HOSTS[1])


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", [*JOIN, "bridge.migrate_vm"])
def test_a_dedicated_move_that_failed_takes_away_the_access_it_gave(name: str, *, after: bool) -> None:
    world, cloud = running()
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.move_vm(VM, host(3))
    assert world.hypervisor.vms[VM.uuid].host == "host-1"
    assert granted(world) == [{"host-1", "host-2"}] * 2
    assert all(each.hosts == {"host-1", "host-2"} for each in world.hypervisor.pools.values())


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", LEAVE)
@pytest.mark.parametrize("finish", ["recover", "stop"])
def test_a_move_that_could_not_take_the_old_hosts_access_does_so_later(name: str, finish: str, *, after: bool) -> None:
    world, cloud = running(model=DIRECT)

    def break_what_follows(called: str) -> None:
        if called == "bridge.migrate_vm":
            world.script.fails_after = after
            world.script.fail(name, FAULT)

    world.script.during = break_what_follows
    with pytest.raises(HypervisorFault):
        cloud.move_vm(VM, HOSTS[1])
    assert world.hypervisor.vms[VM.uuid].host == "host-2", "a move that happened stays"
    assert all("host-2" in each for each in granted(world))
    world.script.during = lambda _: None
    if finish == "stop":
        cloud.stop_vm(VM)
        assert granted(world) == [set(), set()]
    else:
        assert cloud.recover() == [f"move_vm {VM.uuid}: finished"]
        assert granted(world) == [{"host-2"}, {"host-2"}]
    assert cloud.recover() == []


def test_killed_while_a_move_is_undone_it_is_undone_by_the_next_cloud() -> None:
    for at in range(100):
        world, _ = running(model=DIRECT)
        world.script.fail("bridge.migrate_vm", FAULT)
        try:
            world.cloud(KillAt(at)).move_vm(VM, HOSTS[1])
        except OrchestratorKilled:
            world.script.failures.clear()
            cloud = world.cloud()
            cloud.recover()
            place = world.hypervisor.vms[VM.uuid].host
            assert granted(world) == [{place}, {place}]
            assert cloud.vm(VM.uuid).state is VmState.RUNNING
            continue
        except HypervisorFault:
            break
    assert at > 8


def test_a_move_to_another_cluster_is_refused() -> None:
    world, cloud = running()
    refused(world, WrongState, lambda: cloud.move_vm(VM, replace(HOSTS[1], cluster_uuid="cluster-2")))


def test_two_vms_do_not_share_a_volume() -> None:
    world, cloud = running()
    cloud.start_vm(OTHER_VM, HOSTS[1])
    refused(world, VolumeInUse, lambda: cloud.attach_volume(VOLUME.uuid, VmRef(OTHER_VM.uuid, OTHER_VM.name)))
