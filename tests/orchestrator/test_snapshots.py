"""Snapshots, reverts and clones: who is called when, what is refused, what is undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    Capability,
    CapabilityNotSupported,
    DataStore,
    DeleteWithDependents,
    Hookup,
    HypervisorFault,
    HypervisorType,
    InvalidRequest,
    LimitReached,
    RevertScope,
    Snapshot,
    SnapshotRequest,
)
from conformance.orchestrator import (
    AlreadyExists,
    BrokenPromise,
    HasDependents,
    ObjectBusy,
    OperationRefused,
    Orchestrator,
    OrchestratorKilled,
    SnapshotState,
    StoreInUse,
    UnknownObject,
    VolumeInUse,
    VolumeState,
    WrongState,
)

from .fakes import CLONE, CLUSTER, HOSTS, SNAPSHOT, STORE, VM, VOLUME, FakePlugin, KillAt, World
from .scenes import attached, with_snapshot, with_storage, with_volume

DIRECT = AccessModel.DIRECT
LATER = SnapshotRequest("snapshot-2", "later")
DEAD = ArrayUnreachable("https://array.test", "no answer")
FAULT = HypervisorFault("kvm", "host-1", "any", "code 1")
WAYS = pytest.mark.parametrize(
    ("hookup", "model"),
    [(Hookup.FRAMEWORK, AccessModel.DEDICATED), (Hookup.PLUGIN, AccessModel.DEDICATED), (Hookup.FRAMEWORK, DIRECT)],
)


def refused(world: World, error: type[Exception], action: Callable[[], object]) -> None:
    """The action is refused without any call and leaves nothing in progress."""
    world.script.names.clear()
    with pytest.raises(error):
        action()
    assert world.script.names == []
    assert world.database.rows("SELECT * FROM operations") == []
    assert world.database.rows("SELECT * FROM claims") == []


def clone(cloud: Orchestrator, source: str = SNAPSHOT.uuid, size_bytes: int = CLONE.size_bytes) -> None:
    cloud.create_volume_from(STORE.uuid, replace(CLONE, size_bytes=size_bytes), CLUSTER, source)


# -- snapshots


@WAYS
def test_a_snapshot_is_one_call_whoever_has_the_volume(hookup: Hookup, model: AccessModel) -> None:
    world, cloud = attached(hookup, model)
    assert world.calls(lambda: cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)) == ["plugin.take_snapshot"]
    (record,) = cloud.snapshots()
    assert (record.state, record.volume_uuid, record.store_uuid) == (SnapshotState.READY, VOLUME.uuid, STORE.uuid)
    assert record.snapshot.external_id == "snapshot-2"
    assert record.snapshot.details == {"of": "1"}
    assert record.disk_bytes == VOLUME.size_bytes
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY
    assert world.calls(lambda: cloud.delete_snapshot(SNAPSHOT.uuid)) == ["plugin.delete_snapshot"]
    assert world.calls(lambda: cloud.delete_snapshot(SNAPSHOT.uuid)) == []
    assert (cloud.snapshots(), world.array.snapshots) == ((), {})


def test_a_snapshot_repeated_after_success_is_the_same_without_a_call() -> None:
    world, cloud = with_volume()
    taken = cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
    assert world.calls(lambda: cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)) == []
    assert cloud.take_snapshot(VOLUME.uuid, SNAPSHOT) == taken
    other = replace(SNAPSHOT, name="other")
    refused(world, AlreadyExists, lambda: cloud.take_snapshot(VOLUME.uuid, other))
    refused(world, AlreadyExists, lambda: cloud.take_snapshot(VOLUME.uuid, SNAPSHOT, quiesced=True))


def test_a_quiesced_snapshot_is_asked_for_as_such_and_refused_where_undeclared() -> None:
    world, cloud = with_volume()
    cloud.take_snapshot(VOLUME.uuid, SNAPSHOT, quiesced=True)
    assert world.array.snapshots[SNAPSHOT.uuid].quiesced
    world, cloud = with_volume(lacks=frozenset({Capability.QUIESCED_SNAPSHOT}))
    refused(world, CapabilityNotSupported, lambda: cloud.take_snapshot(VOLUME.uuid, SNAPSHOT, quiesced=True))
    cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
    assert not world.array.snapshots[SNAPSHOT.uuid].quiesced


def test_a_snapshot_that_gave_no_answer_is_deleted_by_its_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    delete = FakePlugin.delete_snapshot

    def noted(self: FakePlugin, store: DataStore, snapshot: Snapshot) -> None:
        seen.append(snapshot.external_id)
        delete(self, store, snapshot)

    monkeypatch.setattr(FakePlugin, "delete_snapshot", noted)
    world, cloud = with_volume()
    world.script.fails_after = True
    world.script.fail("plugin.take_snapshot", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
    assert seen == [None]
    assert (cloud.snapshots(), world.array.snapshots) == ((), {})
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY


def test_a_snapshot_that_could_not_be_undone_does_not_hold_its_volume() -> None:
    world, cloud = with_volume()
    world.script.fail("plugin.take_snapshot", LimitReached("snapshots_per_volume", 1))
    world.script.fail("plugin.delete_snapshot", DEAD)
    with pytest.raises(LimitReached):
        cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
    assert cloud.snapshot(SNAPSHOT.uuid).state is SnapshotState.EXPUNGING
    refused_again = pytest.raises(WrongState)
    with refused_again:
        cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
    cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    assert world.cloud().recover() == ["take_snapshot snapshot-1: undone"]
    assert cloud.snapshots() == ()


def test_what_is_left_of_a_snapshot_does_not_change_the_state_of_its_volume() -> None:
    world, cloud = with_volume(model=DIRECT)
    world.script.fail("plugin.take_snapshot", DEAD)
    world.script.fail("plugin.delete_snapshot", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
    world.script.fail("bridge.attach_lun", FAULT)
    world.script.fail("plugin.revoke_access", DEAD, DEAD)
    with pytest.raises(HypervisorFault):
        cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    said = cloud.recover()
    assert said[0] == "take_snapshot snapshot-1: undone"
    assert cloud.volume(VOLUME.uuid).state is VolumeState.FAILED


def test_a_snapshot_whose_deletion_failed_is_deleted_later() -> None:
    world, cloud = with_snapshot()
    world.script.fail("plugin.delete_snapshot", DEAD, DEAD)
    for _ in range(2):
        with pytest.raises(ArrayUnreachable):
            cloud.delete_snapshot(SNAPSHOT.uuid)
        assert cloud.snapshot(SNAPSHOT.uuid).state is SnapshotState.EXPUNGING
    refused_clone = pytest.raises(WrongState)
    with refused_clone:
        clone(cloud)
    assert cloud.recover() == ["delete_snapshot snapshot-1: finished"]
    assert world.array.snapshots == {}


def test_nobody_else_works_on_volume_or_snapshot_while_it_is_taken() -> None:
    world, cloud = with_volume()
    met: list[str] = []

    def meet(name: str) -> None:
        if name == "plugin.take_snapshot":
            other = world.cloud()
            for action in (
                lambda: other.take_snapshot(VOLUME.uuid, SNAPSHOT),
                lambda: other.take_snapshot(VOLUME.uuid, LATER),
                lambda: other.delete_snapshot(SNAPSHOT.uuid),
                lambda: other.delete_volume(VOLUME.uuid),
            ):
                with pytest.raises(OperationRefused):
                    action()
            with pytest.raises(ObjectBusy):
                other.attach_volume(VOLUME.uuid, VM, HOSTS[0])
            met.append(name)

    world.script.during = meet
    cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
    assert met == ["plugin.take_snapshot"]


@pytest.mark.parametrize(
    ("lacking", "action"),
    [
        (Capability.SNAPSHOT, lambda cloud: cloud.take_snapshot(VOLUME.uuid, LATER)),
        (Capability.REVERT, lambda cloud: cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)),
        (Capability.VOLUME_FROM_SNAPSHOT, clone),
        (Capability.VOLUME_FROM_VOLUME, lambda cloud: clone(cloud, VOLUME.uuid)),
    ],
)
def test_what_is_not_declared_is_refused(lacking: Capability, action: Callable[[Orchestrator], object]) -> None:
    world, _ = with_snapshot()
    world.lacks = frozenset({lacking})
    cloud = world.cloud()
    refused(world, CapabilityNotSupported, lambda: action(cloud))


def test_unknown_objects_are_named() -> None:
    world, cloud = with_snapshot()
    refused(world, UnknownObject, lambda: cloud.take_snapshot("none", LATER))
    refused(world, UnknownObject, lambda: cloud.revert_volume(VOLUME.uuid, "none"))
    refused(world, UnknownObject, lambda: cloud.revert_volume("none", SNAPSHOT.uuid))
    refused(world, UnknownObject, lambda: clone(cloud, "none"))
    cloud.create_volume(STORE.uuid, replace(VOLUME, uuid="volume-2"), CLUSTER)
    refused(world, UnknownObject, lambda: cloud.revert_volume("volume-2", SNAPSHOT.uuid))


# -- a volume that goes while something depends on it


def test_a_volume_with_snapshots_stays_where_the_plugin_declares_so() -> None:
    world, cloud = with_snapshot()
    refused(world, HasDependents, lambda: cloud.delete_volume(VOLUME.uuid))
    refused(world, StoreInUse, lambda: cloud.delete_primary_storage(STORE.uuid))
    cloud.delete_snapshot(SNAPSHOT.uuid)
    cloud.delete_volume(VOLUME.uuid)
    world.assert_empty()


def test_snapshots_go_with_their_volume_where_the_plugin_declares_so() -> None:
    world, _ = with_snapshot()
    world.traits = {"delete_with_snapshots": DeleteWithDependents.CASCADES}
    cloud = world.cloud()
    cloud.delete_volume(VOLUME.uuid)
    world.assert_empty()


def test_a_snapshot_that_outlives_its_volume_can_be_cloned_and_deleted() -> None:
    world, _ = with_snapshot()
    world.traits = {"delete_with_snapshots": DeleteWithDependents.INDEPENDENT}
    cloud = world.cloud()
    cloud.delete_volume(VOLUME.uuid)
    refused(world, StoreInUse, lambda: cloud.delete_primary_storage(STORE.uuid))
    clone(cloud)
    assert world.array.luns[CLONE.uuid].content == "old"
    cloud.delete_volume(CLONE.uuid)
    cloud.delete_snapshot(SNAPSHOT.uuid)
    world.assert_empty()


def test_a_volume_with_clones_stays_where_the_plugin_declares_so() -> None:
    world, _ = with_volume()
    world.traits = {"source_delete_with_clones": DeleteWithDependents.REFUSED}
    cloud = world.cloud()
    clone(cloud, VOLUME.uuid)
    refused(world, HasDependents, lambda: cloud.delete_volume(VOLUME.uuid))
    cloud.delete_volume(CLONE.uuid)
    cloud.delete_volume(VOLUME.uuid)
    world.assert_empty()


def test_a_snapshot_with_clones_stays_where_the_plugin_declares_so() -> None:
    world, _ = with_snapshot()
    world.traits = {"source_delete_with_clones": DeleteWithDependents.REFUSED}
    cloud = world.cloud()
    clone(cloud)
    refused(world, HasDependents, lambda: cloud.delete_snapshot(SNAPSHOT.uuid))
    cloud.delete_volume(CLONE.uuid)
    cloud.delete_snapshot(SNAPSHOT.uuid)
    cloud.delete_volume(VOLUME.uuid)
    world.assert_empty()


# -- reverts

OFFLINE = ["bridge.detach_datastore"] * 2 + ["plugin.revoke_access"] * 2
ONLINE = ["plugin.grant_access", "plugin.connection", "bridge.attach_datastore"] * 2


def test_a_revert_in_framework_hookup_takes_the_lun_from_all_hosts_meanwhile() -> None:
    world, cloud = with_snapshot()
    expected = [*OFFLINE, "plugin.revert", *ONLINE]
    assert world.calls(lambda: cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)) == expected
    assert world.array.luns[VOLUME.uuid].content == "old"
    assert cloud.volume(VOLUME.uuid).hosts == HOSTS


def test_a_revert_in_plugin_hookup_unhooks_by_revoke_and_hooks_up_by_grant() -> None:
    world, cloud = with_snapshot(Hookup.PLUGIN)
    assert world.calls(lambda: cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)) == [
        *["plugin.revoke_access"] * 2,
        "plugin.revert",
        *["plugin.grant_access"] * 2,
    ]
    assert world.hypervisor.pools["plugin-volume-1"].hosts == {"host-1", "host-2"}


def test_a_revert_in_the_direct_model_is_one_call() -> None:
    world, cloud = with_snapshot(model=DIRECT)
    assert world.calls(lambda: cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)) == ["plugin.revert"]
    assert world.array.luns[VOLUME.uuid].content == "old"


@WAYS
def test_a_revert_brings_back_the_size_of_that_time(hookup: Hookup, model: AccessModel) -> None:
    world, cloud = with_snapshot(hookup, model)
    before = cloud.volume(VOLUME.uuid)
    cloud.resize_volume(VOLUME.uuid, 20_000)
    cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)
    after = cloud.volume(VOLUME.uuid)
    assert (after.disk_bytes, after.volume.size_bytes) == (before.disk_bytes, before.volume.size_bytes)
    assert after.volume.size_bytes == world.array.luns[VOLUME.uuid].size_bytes


@pytest.mark.parametrize(
    ("scope", "left"),
    [(RevertScope.DISCARDS_NEWER, [SNAPSHOT.uuid]), (RevertScope.ONLY_THIS, [SNAPSHOT.uuid, LATER.uuid])],
)
def test_newer_snapshots_go_as_declared(scope: RevertScope, left: list[str]) -> None:
    world, _ = with_snapshot()
    world.traits = {"revert_scope": scope}
    cloud = world.cloud()
    cloud.take_snapshot(VOLUME.uuid, LATER)
    cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)
    assert [each.uuid for each in cloud.snapshots()] == left == list(world.array.snapshots)


def test_what_was_left_to_be_finished_on_a_newer_snapshot_goes_with_it() -> None:
    world, cloud = with_snapshot()
    cloud.take_snapshot(VOLUME.uuid, LATER)
    world.script.fail("plugin.delete_snapshot", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.delete_snapshot(LATER.uuid)
    cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)
    assert cloud.recover() == []


def test_a_volume_that_a_vm_has_is_not_reverted() -> None:
    for model in (AccessModel.DEDICATED, DIRECT):
        world, cloud = attached(model=model)
        cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
        refused(world, VolumeInUse, lambda cloud=cloud: cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid))  # type: ignore[misc]


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", ["bridge.detach_datastore", "plugin.revoke_access", "plugin.revert"])
def test_a_revert_that_failed_gives_the_hosts_their_lun_back(name: str, *, after: bool) -> None:
    world, cloud = with_snapshot()
    world.script.fails_after = after
    world.script.fail(name, DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)
    assert world.array.luns[VOLUME.uuid].hosts == {"host-1", "host-2"}
    assert [each.hosts for each in world.hypervisor.pools.values()] == [{"host-1", "host-2"}]
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY
    cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)
    assert world.array.luns[VOLUME.uuid].content == "old"


@pytest.mark.parametrize("name", ["plugin.grant_access", "plugin.connection", "bridge.attach_datastore"])
def test_a_revert_whose_hosts_could_not_come_back_is_known_to_have_happened(name: str) -> None:
    world, cloud = with_snapshot()
    cloud.resize_volume(VOLUME.uuid, 20_000)
    world.script.fail(name, FAULT, FAULT)
    with pytest.raises(HypervisorFault):
        cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)
    record = cloud.volume(VOLUME.uuid)
    assert (record.state, record.disk_bytes) == (VolumeState.FAILED, VOLUME.size_bytes)
    assert world.cloud().recover() == ["revert_volume volume-1: undone"]
    assert cloud.volume(VOLUME.uuid).hosts == HOSTS
    assert [each.hosts for each in world.hypervisor.pools.values()] == [{"host-1", "host-2"}]


# -- clones


def test_a_clone_in_framework_hookup_is_introduced_as_a_datastore_of_its_own() -> None:
    world, cloud = with_snapshot()
    assert world.calls(lambda: clone(cloud)) == [
        "bridge.lun_bytes_for",
        "plugin.clone",
        "plugin.grant_access",
        "plugin.grant_access",
        "plugin.connection",
        "plugin.connection",
        "bridge.create_datastore",
        "bridge.create_disk",
    ]
    assert world.array.luns[CLONE.uuid].content == "old"
    assert cloud.volume(CLONE.uuid).hosts == HOSTS
    assert cloud.volume(CLONE.uuid).source == SNAPSHOT.uuid
    assert world.calls(lambda: clone(cloud)) == []
    refused(world, AlreadyExists, lambda: clone(cloud, VOLUME.uuid))
    refused(world, AlreadyExists, lambda: cloud.create_volume(STORE.uuid, CLONE, CLUSTER))


RESIGNATURED = ["bridge.resignature_datastore", "bridge.list_disks"]


@pytest.mark.parametrize(
    ("size_bytes", "introduced"),
    [(10_000, RESIGNATURED), (20_000, [*RESIGNATURED, "bridge.expand_datastore", "bridge.resize_disk"])],
)
def test_where_datastores_have_signatures_the_clone_gets_its_own_and_is_never_formatted(
    size_bytes: int, introduced: list[str]
) -> None:
    xen = replace(CLUSTER, hypervisor=HypervisorType.XENSERVER)
    world = World()
    world.hypervisor.kind = HypervisorType.XENSERVER
    cloud = world.cloud()
    cloud.add_primary_storage(STORE, [xen])
    cloud.create_volume(STORE.uuid, VOLUME, xen)
    asked = replace(CLONE, size_bytes=size_bytes)
    calls = world.calls(lambda: cloud.create_volume_from(STORE.uuid, asked, xen, VOLUME.uuid))
    assert calls == ["bridge.lun_bytes_for", "plugin.clone", *ONLINE_CALLS, *introduced]
    disk = cloud.volume(CLONE.uuid).volume.disk
    assert disk is not None
    assert disk.disk == "data-volume-1", "the name it has in its source"
    assert world.hypervisor.pools[disk.datastore.name].disks == {disk.disk: size_bytes}
    cloud.delete_volume(CLONE.uuid)
    cloud.delete_volume(VOLUME.uuid)
    world.assert_empty()


ONLINE_CALLS = ["plugin.grant_access"] * 2 + ["plugin.connection"] * 2


def test_a_clone_without_its_sources_disk_is_found_out_and_removed() -> None:
    xen = replace(CLUSTER, hypervisor=HypervisorType.XENSERVER)
    world = World()
    world.hypervisor.kind = HypervisorType.XENSERVER
    cloud = world.cloud()
    cloud.add_primary_storage(STORE, [xen])
    cloud.create_volume(STORE.uuid, VOLUME, xen)
    world.script.during = lambda name: world.hypervisor.written.clear() if "resignature" in name else None
    world.hypervisor.written = defaultdict(dict, world.hypervisor.written)
    with pytest.raises(BrokenPromise, match="one disk"):
        cloud.create_volume_from(STORE.uuid, CLONE, xen, VOLUME.uuid)
    assert set(world.array.luns) == {VOLUME.uuid}
    assert len(world.hypervisor.pools) == 1


def test_a_clone_in_plugin_hookup_is_the_plugins_and_is_looked_at() -> None:
    world, cloud = with_snapshot(Hookup.PLUGIN)
    assert world.calls(lambda: clone(cloud)) == ["plugin.clone", "bridge.list_disks"]
    assert cloud.volume(CLONE.uuid).hosts == HOSTS


def test_a_clone_in_the_direct_model_is_one_call_and_seen_by_nobody() -> None:
    world, cloud = with_snapshot(model=DIRECT)
    assert world.calls(lambda: clone(cloud, VOLUME.uuid)) == ["plugin.clone"]
    assert (world.array.luns[CLONE.uuid].content, world.array.luns[CLONE.uuid].hosts) == ("new", set())


def test_a_volume_that_a_vm_writes_to_can_be_cloned() -> None:
    world, cloud = attached()
    clone(cloud, VOLUME.uuid)
    assert cloud.volume(VOLUME.uuid).is_attached
    assert set(world.array.luns) == {VOLUME.uuid, CLONE.uuid}


@WAYS
def test_a_clone_of_the_size_that_was_asked_for_its_source_is_not_too_small(hookup: Hookup, model: AccessModel) -> None:
    world, cloud = with_volume(hookup, model)
    clone(cloud, VOLUME.uuid, VOLUME.size_bytes)
    assert world.array.luns[CLONE.uuid].size_bytes == world.array.luns[VOLUME.uuid].size_bytes


def test_a_smaller_clone_is_for_the_plugin_to_refuse_and_leaves_nothing() -> None:
    world, cloud = with_snapshot()
    with pytest.raises(InvalidRequest):
        clone(cloud, SNAPSHOT.uuid, 5_000)
    assert set(world.array.luns) == {VOLUME.uuid}
    assert [each.uuid for each in cloud.volumes()] == [VOLUME.uuid]


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize(
    "name",
    ["plugin.clone", "plugin.grant_access", "plugin.connection", "bridge.create_datastore", "bridge.create_disk"],
)
def test_a_failed_clone_is_undone_and_its_source_untouched(name: str, *, after: bool) -> None:
    world, cloud = with_snapshot()
    before = (world.array.luns[VOLUME.uuid], cloud.volume(VOLUME.uuid), dict(world.array.snapshots))
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        clone(cloud)
    assert (world.array.luns[VOLUME.uuid], cloud.volume(VOLUME.uuid), world.array.snapshots) == before
    assert set(world.array.luns) == {VOLUME.uuid}
    assert len(world.hypervisor.pools) == 1
    clone(cloud)


def test_the_source_is_not_worked_on_while_it_is_cloned() -> None:
    world, cloud = with_snapshot()
    with pytest.raises(OrchestratorKilled):
        clone(world.cloud(KillAt(1)))
    with pytest.raises(ObjectBusy):
        cloud.delete_snapshot(SNAPSHOT.uuid)
    with pytest.raises(ObjectBusy):
        cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)
    cloud.recover()
    cloud.revert_volume(VOLUME.uuid, SNAPSHOT.uuid)


def test_a_source_in_another_store_is_refused() -> None:
    world, cloud = with_storage()
    cloud.add_primary_storage(replace(STORE, uuid="store-2"), [CLUSTER])
    cloud.create_volume("store-2", VOLUME, CLUSTER)
    world.script.names.clear()
    with pytest.raises(WrongState, match="in primary storage store-2"):
        clone(cloud, VOLUME.uuid)
    assert world.script.names == ["bridge.lun_bytes_for"]
