"""CHAP secrets are replaced: who is told, and when sessions would be lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    Capability,
    CapabilityNotSupported,
    ChapScope,
    Hookup,
    HypervisorFault,
    Tenant,
)
from conformance.orchestrator import Orchestrator, OrchestratorKilled, VolumeInUse, VolumeState, WrongState

from .fakes import CLUSTER, HOSTS, SECOND, STORE, VM, VOLUME, KillAt, World
from .scenes import running, stopped, with_volume

DIRECT = AccessModel.DIRECT
FAULT = HypervisorFault("kvm", "host-1", "any", "code 1")
TELL = ["plugin.connection", "bridge.attach_datastore"]
SCOPES = pytest.mark.parametrize("scope", ChapScope)


def with_chap(
    made: tuple[World, Orchestrator], scope: ChapScope = ChapScope.VOLUME, *, drops: bool = False
) -> tuple[World, Orchestrator]:
    """The same world, whose plugin has CHAP; the hosts have been told."""
    world, _ = made
    traits: Mapping[str, object] = {"chap_scope": scope, "rotation_drops_sessions": drops}
    world.traits = traits
    cloud = world.cloud()
    for each in HOSTS:
        cloud.add_host(each)
    world.script.names.clear()
    return world, cloud


def told(world: World) -> dict[str, set[str]]:
    """The secrets that hosts were last told, for each volume."""
    names = {each.wwid: each.uuid for each in world.array.luns.values()}
    return {
        uuid: {secret for (wwid, _), secret in world.hypervisor.secrets.items() if names[wwid] == uuid}
        for uuid in names.values()
    }


def test_the_secret_of_a_volume_is_replaced_once_and_every_host_is_told() -> None:
    world, cloud = with_chap(with_volume())
    assert world.calls(lambda: cloud.rotate_chap(VOLUME.uuid)) == ["plugin.rotate_chap", *TELL, *TELL]
    assert told(world) == {VOLUME.uuid: {"secret of 0001"}}
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY


def test_secrets_of_hosts_are_replaced_for_each_host() -> None:
    world, cloud = with_chap(with_volume(), ChapScope.HOST)
    expected = ["plugin.rotate_chap", "plugin.rotate_chap", *TELL, *TELL]
    assert world.calls(lambda: cloud.rotate_chap(VOLUME.uuid)) == expected
    assert world.array.rotations == {"host-1": 1, "host-2": 1}


@SCOPES
def test_whatever_is_reached_with_the_same_secret_is_told(scope: ChapScope) -> None:
    world, cloud = with_chap(stopped(), scope)
    stranger = replace(VOLUME, uuid="volume-3", tenant=Tenant("tenant-2", "other"))
    cloud.create_volume(STORE.uuid, stranger, CLUSTER)
    cloud.rotate_chap(VOLUME.uuid)
    changed = {uuid for uuid, secrets in told(world).items() if secrets == {"secret of 0001"}}
    assert (
        changed
        == {
            ChapScope.VOLUME: {VOLUME.uuid},
            ChapScope.HOST: {VOLUME.uuid, SECOND.uuid, stranger.uuid},
            ChapScope.TENANT: {VOLUME.uuid, SECOND.uuid},
            ChapScope.CONTROLLER: {VOLUME.uuid, SECOND.uuid, stranger.uuid},
        }[scope]
    )
    assert all(len(each) == 1 for each in told(world).values())


def test_where_sessions_are_dropped_the_datastores_are_detached_before() -> None:
    world, cloud = with_chap(with_volume(), drops=True)
    expected = ["bridge.detach_datastore", "bridge.detach_datastore", "plugin.rotate_chap", *TELL, *TELL]
    assert world.calls(lambda: cloud.rotate_chap(VOLUME.uuid)) == expected
    assert [each.hosts for each in world.hypervisor.pools.values()] == [{"host-1", "host-2"}]


def test_where_sessions_are_dropped_a_running_vm_keeps_its_disk() -> None:
    for model in (AccessModel.DEDICATED, DIRECT):
        world, cloud = with_chap(running(model=model), drops=True)
        world.script.names.clear()
        with pytest.raises(VolumeInUse):
            cloud.rotate_chap(VOLUME.uuid)
        assert world.script.names == []
        assert cloud.volume(VOLUME.uuid).state is VolumeState.READY


def test_a_volume_of_a_running_vm_is_told_where_sessions_stay() -> None:
    world, cloud = with_chap(running())
    assert world.calls(lambda: cloud.rotate_chap(VOLUME.uuid)) == ["plugin.rotate_chap", *TELL, *TELL]
    world, cloud = with_chap(running(model=DIRECT))
    expected = ["plugin.rotate_chap", "plugin.connection", "bridge.connect_target"]
    assert world.calls(lambda: cloud.rotate_chap(VOLUME.uuid)) == expected
    assert told(world)[VOLUME.uuid] == {"secret of 0001"}
    cloud.stop_vm(VM)


def test_in_plugin_hookup_hosts_are_hooked_up_again_by_grant() -> None:
    world, cloud = with_chap(with_volume(Hookup.PLUGIN))
    expected = ["plugin.rotate_chap", "plugin.grant_access", "plugin.grant_access"]
    assert world.calls(lambda: cloud.rotate_chap(VOLUME.uuid)) == expected


def test_a_volume_that_no_host_has_is_refused() -> None:
    world, cloud = with_chap(with_volume(model=DIRECT))
    with pytest.raises(WrongState, match="granted to no host"):
        cloud.rotate_chap(VOLUME.uuid)
    assert world.script.names == []


@pytest.mark.parametrize("lacking", [Capability.CHAP, Capability.CHAP_ROTATION])
def test_what_is_not_declared_is_refused(lacking: Capability) -> None:
    world, cloud = with_volume(lacks=frozenset({lacking}))
    with pytest.raises(CapabilityNotSupported):
        cloud.rotate_chap(VOLUME.uuid)
    assert world.script.names == []


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", ["plugin.rotate_chap", *TELL])
def test_a_rotation_that_failed_tells_the_hosts_what_holds(name: str, *, after: bool, drops: bool) -> None:
    world, cloud = with_chap(with_volume(), drops=drops)
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.rotate_chap(VOLUME.uuid)
    assert told(world) == {VOLUME.uuid: {f"secret of {world.array.rotations.get(VOLUME.uuid, 0):04}"}}
    assert [each.hosts for each in world.hypervisor.pools.values()] == [{"host-1", "host-2"}]
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY


@pytest.mark.parametrize("drops", [False, True])
@SCOPES
def test_killed_before_any_step_the_next_cloud_tells_the_hosts_what_holds(scope: ChapScope, *, drops: bool) -> None:
    died = 0
    for at in range(100):
        world, _ = with_chap(stopped(), scope, drops=drops)
        try:
            world.cloud(KillAt(at)).rotate_chap(VOLUME.uuid)
        except OrchestratorKilled:
            died += 1
        else:
            break
        world.cloud().recover()
        lun = world.array.luns[VOLUME.uuid]
        for each in HOSTS:
            account = {ChapScope.VOLUME: lun.uuid, ChapScope.HOST: each.uuid, ChapScope.TENANT: "system"}
            rotations = world.array.rotations[account.get(scope, "controller")]
            assert world.hypervisor.secrets[lun.wwid, each.uuid] == f"secret of {rotations:04}"
        assert all(each.hosts == {"host-1", "host-2"} for each in world.hypervisor.pools.values())
    assert died > 5


def test_volumes_reached_with_the_same_secret_are_not_worked_on_meanwhile() -> None:
    world, cloud = with_chap(stopped(), ChapScope.CONTROLLER)
    met: list[str] = []
    act: Callable[[], object] = lambda: world.cloud().resize_volume(SECOND.uuid, 20_000)  # noqa: E731

    def meet(name: str) -> None:
        if name == "plugin.rotate_chap":
            with pytest.raises(Exception, match="is being worked on"):
                act()
            met.append(name)

    world.script.during = meet
    cloud.rotate_chap(VOLUME.uuid)
    assert met == ["plugin.rotate_chap"]


def test_a_rotation_that_could_not_be_undone_is_finished_by_recover() -> None:
    world, cloud = with_chap(with_volume())
    dead = ArrayUnreachable("https://array.test", "no answer")
    world.script.fail("plugin.connection", dead, dead)
    with pytest.raises(ArrayUnreachable):
        cloud.rotate_chap(VOLUME.uuid)
    assert cloud.volume(VOLUME.uuid).state is VolumeState.FAILED
    assert cloud.recover() == ["rotate_chap volume-1: undone"]
    assert told(world) == {VOLUME.uuid: {"secret of 0001"}}
