"""A call fails: what is undone, what is raised, what stays, and how it is finished later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    Backing,
    Busy,
    Capability,
    CapacityExhausted,
    DataStore,
    DatastoreConflict,
    Hookup,
    HostUnavailable,
    HypervisorFault,
    InUse,
    LunIdentity,
    ObjectNotFound,
    QosPolicy,
    Volume,
)
from conformance.orchestrator import (
    UNDO,
    BrokenPromise,
    Orchestrator,
    OrchestratorKilled,
    StepHooks,
    StoreState,
    VolumeState,
)
from conformance.orchestrator.calls import BUSY_TRIES, LONGEST_BUSY_WAIT

from .fakes import CLUSTER, GRANULE, HOSTS, STORE, VM, VOLUME, FakePlugin, KillAt, World, host
from .scenes import attached, with_storage, with_volume

DIRECT = AccessModel.DIRECT
FAULT = HypervisorFault("kvm", "host-1", "any", "code 1")
DEAD = ArrayUnreachable("https://array.test", "no answer")


def create(cloud: Orchestrator) -> None:
    cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize(
    ("name", "undone"),
    [
        ("plugin.create", ["plugin.delete"]),
        ("plugin.grant_access", ["plugin.revoke_access", "plugin.delete"]),
        ("plugin.connection", ["plugin.revoke_access", "plugin.revoke_access", "plugin.delete"]),
        ("bridge.create_disk", None),
    ],
)
def test_a_failed_create_is_undone_in_reverse(name: str, undone: list[str] | None, *, after: bool) -> None:
    world, cloud = with_storage()
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        create(cloud)
    unmount = [
        "bridge.delete_datastore",
        "plugin.revoke_access",
        "plugin.revoke_access",
        "plugin.delete",
    ]
    made = world.script.names.index(name) + 1
    assert world.script.names[made:] == (undone if undone is not None else unmount)
    world.assert_empty()
    create(cloud)
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
def test_a_datastore_whose_making_failed_is_looked_for_by_name(*, after: bool) -> None:
    world, cloud = with_storage()
    world.script.fails_after = after
    world.script.fail("bridge.create_datastore", FAULT)
    with pytest.raises(HypervisorFault):
        create(cloud)
    assert "bridge.find_datastore" in world.script.names
    assert ("bridge.delete_datastore" in world.script.names) is after
    world.assert_empty()


def test_a_datastore_of_somebody_else_is_not_touched() -> None:
    world, cloud = with_storage()
    world.script.fail("bridge.create_datastore", DatastoreConflict("kvm", "host-1", "create", "is taken"))
    with pytest.raises(DatastoreConflict):
        create(cloud)
    assert not {"bridge.find_datastore", "bridge.delete_datastore"} & set(world.script.names)
    world.assert_empty()


def test_a_create_that_gave_no_answer_is_deleted_by_its_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    delete = FakePlugin.delete

    def noted(self: FakePlugin, store: DataStore, volume: Volume) -> None:
        seen.append(volume.external_id)
        delete(self, store, volume)

    monkeypatch.setattr(FakePlugin, "delete", noted)
    world, cloud = with_storage()
    world.script.fails_after = True
    world.script.fail("plugin.create", DEAD)
    with pytest.raises(ArrayUnreachable):
        create(cloud)
    assert seen == [None]
    world.assert_empty()


def test_a_failed_clean_up_is_told_kept_and_finished_by_recover() -> None:
    world, cloud = with_storage()
    world.script.fail("bridge.create_disk", FAULT)
    world.script.fail("bridge.delete_datastore", HostUnavailable("kvm", "host-2", "destroy", "no answer"))
    with pytest.raises(HypervisorFault) as raised:
        create(cloud)
    assert "undoing create_volume volume-1 also failed" in "".join(raised.value.__notes__)
    assert "host-2" in "".join(raised.value.__notes__)
    assert cloud.volume(VOLUME.uuid).state is VolumeState.EXPUNGING
    assert world.script.names[-1] == "bridge.delete_datastore", "nothing is unmapped under a mounted datastore"
    assert world.cloud().recover() == ["create_volume volume-1: undone"]
    world.assert_empty()


def test_a_failed_clean_up_is_finished_by_a_delete() -> None:
    world, cloud = with_storage()
    world.script.fail("bridge.create_disk", FAULT)
    world.script.fail("plugin.delete", DEAD, DEAD)
    with pytest.raises(HypervisorFault):
        create(cloud)
    with pytest.raises(ArrayUnreachable):
        cloud.delete_volume(VOLUME.uuid)
    assert cloud.volume(VOLUME.uuid).state is VolumeState.EXPUNGING
    cloud.delete_volume(VOLUME.uuid)
    world.assert_empty()
    assert cloud.recover() == []


def test_a_delete_that_failed_is_finished_by_recover_and_says_when_it_cannot() -> None:
    world, cloud = with_volume()
    world.script.fail("plugin.revoke_access", DEAD, DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.delete_volume(VOLUME.uuid)
    assert cloud.volume(VOLUME.uuid).state is VolumeState.EXPUNGING
    (said,) = cloud.recover()
    assert said.startswith("delete_volume volume-1: failed: the array at https://array.test")
    assert world.calls(cloud.recover) == ["plugin.revoke_access", "plugin.revoke_access", "plugin.delete"]
    world.assert_empty()


def test_a_plugin_that_answers_without_its_disk_is_found_out() -> None:
    world, cloud = with_storage(Hookup.PLUGIN)
    world.script.during = lambda name: (
        world.hypervisor.pools["plugin-volume-1"].disks.clear() if name == "bridge.list_disks" else None
    )
    with pytest.raises(BrokenPromise, match="no such disk"):
        create(cloud)
    world.assert_empty()


@pytest.mark.parametrize("name", ["initialize", "attach_cluster", "host_connected"])
def test_a_storage_that_cannot_be_added_is_deleted(name: str) -> None:
    world = World()
    cloud = world.cloud()
    world.script.fails_after = True
    world.script.fail(f"plugin.{name}", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.add_primary_storage(STORE, [CLUSTER])
    assert world.script.names[-1] == "plugin.delete_datastore"
    assert cloud.stores() == ()
    assert world.array.stores == set()
    cloud.add_primary_storage(STORE, [CLUSTER])


def test_a_storage_whose_removal_failed_can_be_removed_again() -> None:
    world = World()
    cloud = world.cloud()
    world.script.fails_after = True
    world.script.fail("plugin.initialize", DEAD)
    world.script.failures["plugin.delete_datastore"] = [DEAD]
    with pytest.raises(ArrayUnreachable):
        cloud.add_primary_storage(STORE, [CLUSTER])
    assert [each.state for each in cloud.stores()] == [StoreState.FAILED]
    cloud.delete_primary_storage(STORE.uuid)
    assert cloud.stores() == ()
    assert cloud.recover() == []


def test_a_storage_whose_deletion_failed_is_deleted_by_recover() -> None:
    world, cloud = with_storage()
    world.script.fail("plugin.delete_datastore", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.delete_primary_storage(STORE.uuid)
    assert [each.state for each in cloud.stores()] == [StoreState.FAILED]
    assert cloud.recover() == ["delete_primary_storage store-1: finished"]
    assert cloud.stores() == ()


@pytest.mark.parametrize("name", ["plugin.grant_access", "bridge.attach_datastore", "bridge.attach_disk"])
@pytest.mark.parametrize("after", [False, True])
def test_a_failed_attach_takes_away_the_access_it_gave(name: str, *, after: bool) -> None:
    world, cloud = with_volume()
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.attach_volume(VOLUME.uuid, VM, host(3))
    record = cloud.volume(VOLUME.uuid)
    assert (record.state, record.attachment, record.hosts) == (VolumeState.READY, None, HOSTS)
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    assert world.hypervisor.vm_disks == {}
    cloud.attach_volume(VOLUME.uuid, VM, host(3))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "name", ["plugin.grant_access", "plugin.connection", "bridge.connect_target", "bridge.attach_lun"]
)
def test_a_failed_direct_attach_leaves_no_grant(name: str, *, after: bool) -> None:
    world, cloud = with_volume(model=DIRECT)
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    assert world.array.luns[VOLUME.uuid].hosts == set()
    assert world.hypervisor.targets == set()
    assert world.hypervisor.vm_luns == {}
    assert cloud.volume(VOLUME.uuid).grants == ()
    cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])


def test_an_attach_that_cannot_be_undone_is_undone_by_recover() -> None:
    world, cloud = with_volume(model=DIRECT)
    world.script.fail("bridge.attach_lun", FAULT)
    world.script.fail("plugin.revoke_access", DEAD)
    with pytest.raises(HypervisorFault):
        cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    assert cloud.volume(VOLUME.uuid).state is VolumeState.FAILED
    assert cloud.recover() == ["attach_volume volume-1: undone"]
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY
    assert world.array.luns[VOLUME.uuid].hosts == set()


def test_an_attach_that_cannot_be_undone_does_not_keep_the_volume_from_being_deleted() -> None:
    world, cloud = with_volume(model=DIRECT)
    world.script.fail("bridge.attach_lun", FAULT)
    world.script.fail("bridge.disconnect_target", FAULT)
    with pytest.raises(HypervisorFault):
        cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    cloud.delete_volume(VOLUME.uuid)
    world.assert_empty()


DIRECT_DETACH = ["plugin.connection", "bridge.detach_lun", "bridge.disconnect_target", "plugin.revoke_access"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("plugin.connection", DIRECT_DETACH),
        ("bridge.detach_lun", DIRECT_DETACH),
        ("bridge.disconnect_target", [DIRECT_DETACH[0], *DIRECT_DETACH[2:]]),
        # After a lost revoke there is no connection to ask for any more.
        ("plugin.revoke_access", DIRECT_DETACH[3:]),
    ],
)
def test_a_failed_detach_keeps_the_volume_attached_and_goes_on_from_there(
    name: str, again: list[str], *, after: bool
) -> None:
    world, cloud = attached(model=DIRECT)
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.detach_volume(VOLUME.uuid, VM)
    assert cloud.volume(VOLUME.uuid).is_attached
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY
    assert world.calls(lambda: cloud.detach_volume(VOLUME.uuid, VM)) == again
    assert world.array.luns[VOLUME.uuid].hosts == set()
    assert not cloud.volume(VOLUME.uuid).is_attached


@pytest.mark.parametrize("name", ["plugin.resize", "bridge.expand_datastore", "bridge.resize_disk"])
def test_a_resize_that_failed_keeps_the_old_size_and_ends_in_agreement_when_repeated(name: str) -> None:
    world, cloud = attached()
    before = cloud.volume(VOLUME.uuid)
    world.script.fails_after = True
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.resize_volume(VOLUME.uuid, 20_000)
    assert cloud.volume(VOLUME.uuid) == before
    assert cloud.resize_volume(VOLUME.uuid, 20_000) == 20_000
    assert cloud.volume(VOLUME.uuid).volume.size_bytes == world.array.luns[VOLUME.uuid].size_bytes
    assert [list(each.disks.values()) for each in world.hypervisor.pools.values()] == [[20_000]]


def test_a_resize_that_failed_while_the_hosts_were_without_the_lun_gives_it_back() -> None:
    world, cloud = with_volume(lacks=frozenset({Capability.RESIZE_ONLINE}))
    world.script.fail("plugin.resize", CapacityExhausted(20_000, 0))
    with pytest.raises(CapacityExhausted):
        cloud.resize_volume(VOLUME.uuid, 20_000)
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    assert [each.hosts for each in world.hypervisor.pools.values()] == [{"host-1", "host-2"}]
    assert cloud.volume(VOLUME.uuid).disk_bytes == VOLUME.size_bytes


def test_a_qos_change_that_failed_keeps_the_old_values() -> None:
    world, cloud = with_volume()
    world.script.fail("plugin.set_qos", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.set_qos(VOLUME.uuid, QosPolicy(min_iops=100))
    assert cloud.volume(VOLUME.uuid).volume.request.qos == QosPolicy()
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY


@pytest.mark.parametrize(
    "name", ["plugin.host_added", "plugin.host_connected", "plugin.grant_access", "bridge.attach_datastore"]
)
def test_a_host_that_could_not_join_has_nothing(name: str) -> None:
    world, cloud = with_volume()
    world.script.fails_after = True
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.add_host(host(3))
    assert world.script.names[-2:] == ["plugin.host_about_to_be_removed", "plugin.host_removed"]
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    assert [each.hosts for each in world.hypervisor.pools.values()] == [{"host-1", "host-2"}]
    cloud.add_host(host(3))


def test_a_known_host_that_could_not_catch_up_keeps_what_it_had() -> None:
    world, cloud = with_volume()
    world.script.fail("bridge.attach_datastore", FAULT)
    with pytest.raises(HypervisorFault):
        cloud.add_host(HOSTS[0])
    assert world.script.names[-1] == "bridge.attach_datastore"
    assert cloud.volume(VOLUME.uuid).hosts == HOSTS


@pytest.mark.parametrize(
    "again", [lambda cloud: cloud.remove_host(HOSTS[0]), lambda cloud: cloud.recover()], ids=["again", "recover"]
)
@pytest.mark.parametrize(
    "name",
    [
        "bridge.detach_datastore",
        "plugin.revoke_access",
        "plugin.host_about_to_be_removed",
        "plugin.host_removed",
    ],
)
def test_a_host_that_could_not_leave_leaves_later(name: str, again: Callable[[Orchestrator], object]) -> None:
    world, cloud = with_volume()
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.remove_host(HOSTS[0])
    again(cloud)
    assert world.array.luns[VOLUME.uuid].hosts == {"host-2"}
    assert world.array.hosts == {"host-2"}
    assert cloud.recover() == []


def test_a_host_that_stuck_on_its_way_in_can_be_removed() -> None:
    world, cloud = with_volume()
    world.script.fail("bridge.attach_datastore", FAULT)
    world.script.fail("bridge.detach_datastore", FAULT)
    with pytest.raises(HypervisorFault):
        cloud.add_host(host(3))
    cloud.remove_host(host(3))
    assert world.array.hosts == {"host-1", "host-2"}
    assert cloud.recover() == []


def test_busy_is_waited_for_and_the_same_call_repeated() -> None:
    world, cloud = with_volume()
    world.script.fail("plugin.delete", Busy(2.0), Busy(3.0))
    cloud.delete_volume(VOLUME.uuid)
    assert world.clock.slept == [2.0, 3.0]
    assert world.script.names.count("plugin.delete") == 3


def test_busy_without_end_is_raised() -> None:
    world, cloud = with_volume()
    world.script.fail("plugin.set_qos", *[Busy(each) for each in (-1.0, float("nan"), 1e9, 1.0, 1.0)])
    with pytest.raises(Busy):
        cloud.set_qos(VOLUME.uuid, QosPolicy(min_iops=100))
    assert world.clock.slept == [0.0, LONGEST_BUSY_WAIT, LONGEST_BUSY_WAIT, 1.0]
    assert world.script.names.count("plugin.set_qos") == BUSY_TRIES


def test_errors_that_are_not_the_contracts_are_undone_too() -> None:
    world, cloud = with_storage()
    world.script.fail("bridge.create_disk", ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        create(cloud)
    world.assert_empty()


class Without(StepHooks):
    """A cloud that leaves out a step."""

    def __init__(self, operation: str, step: str) -> None:
        self._operation, self._step = operation, step

    def plan(self, operation: str, steps: list) -> list:  # type: ignore[type-arg, override]
        return [each for each in steps if (operation, each.name) != (self._operation, self._step)]


def test_a_cloud_can_be_made_to_leave_out_a_step() -> None:
    world, _ = with_volume()
    cloud = world.cloud(Without("delete_volume", "revoke_access"))
    with pytest.raises(InUse):
        cloud.delete_volume(VOLUME.uuid)
    world.cloud().recover()
    world.assert_empty()


def test_undoing_has_a_name_of_its_own() -> None:
    world, _ = with_storage()
    cloud = world.cloud(Without(UNDO + "create_volume", "delete"))
    world.script.fail("bridge.create_disk", FAULT)
    with pytest.raises(HypervisorFault):
        create(cloud)
    assert list(world.array.luns) == [VOLUME.uuid]


def test_sizes_are_what_the_array_made() -> None:
    world, cloud = with_storage()
    volume = cloud.create_volume(STORE.uuid, replace(VOLUME, size_bytes=1), CLUSTER)
    assert volume.size_bytes == 2 * GRANULE
    world.array.luns.clear()
    world.script.fail("plugin.resize", ObjectNotFound("volume", volume.external_id))
    with pytest.raises(ObjectNotFound):
        cloud.resize_volume(VOLUME.uuid, 20_000)


def test_backings_in_a_model_without_shared_datastores_are_not_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backing = Backing("backing-1", "lun-9", 1, LunIdentity(None))
    monkeypatch.setattr(FakePlugin, "attach_cluster", lambda *_: [backing])
    world = World()
    with pytest.raises(BrokenPromise, match="no backing"):
        world.cloud().add_primary_storage(STORE, [CLUSTER])
    assert world.array.stores == set()


def test_a_plugin_without_a_host_listener_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakePlugin, "host_listener", None)
    world, cloud = with_volume()
    assert world.calls(lambda: cloud.remove_host(HOSTS[0])) == [
        "bridge.detach_datastore",
        "plugin.revoke_access",
    ]


def test_a_create_that_fails_again_while_it_is_carried_on_is_undone() -> None:
    world, _ = with_storage()
    with pytest.raises(OrchestratorKilled):
        world.cloud(KillAt(4)).create_volume(STORE.uuid, VOLUME, CLUSTER)
    world.script.fail("bridge.create_datastore", FAULT)
    (said,) = world.cloud().recover()
    assert said.startswith("create_volume volume-1: failed: kvm host host-1")
    world.assert_empty()
