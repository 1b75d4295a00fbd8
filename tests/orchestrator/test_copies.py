"""Copies between primary storages, and the QoS that is lifted for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    Capability,
    CapabilityNotSupported,
    DeleteWithDependents,
    Hookup,
    HypervisorFault,
    HypervisorType,
)
from conformance.orchestrator import (
    AlreadyExists,
    ObjectBusy,
    Orchestrator,
    OrchestratorKilled,
    VolumeInUse,
    VolumeState,
    WrongState,
)

from .fakes import CLONE, CLUSTER, HOSTS, OTHER_STORE, STORE, VM, VOLUME, World
from .scenes import with_two_stores, with_volume

DIRECT = AccessModel.DIRECT
FAULT = HypervisorFault("kvm", "host-1", "any", "code 1")
DEAD = ArrayUnreachable("https://array.test", "no answer")
MOVED = ["plugin.begin_migration", "plugin.copy", "plugin.end_migration"]


def copy(cloud: Orchestrator) -> None:
    cloud.copy_volume(VOLUME.uuid, OTHER_STORE, CLONE)


def refused(world: World, error: type[Exception], action: Callable[[], object]) -> None:
    """The action is refused without any call that changes something, and leaves nothing in progress."""
    world.script.names.clear()
    with pytest.raises(error):
        action()
    assert set(world.script.names) <= {"plugin.can_copy", "bridge.lun_bytes_for"}
    assert world.database.rows("SELECT * FROM operations") == []
    assert world.database.rows("SELECT * FROM claims") == []


def test_a_copy_is_made_with_the_qos_lifted_and_becomes_a_datastore_of_its_own() -> None:
    world, cloud = with_two_stores()
    assert world.calls(lambda: copy(cloud)) == [
        "plugin.can_copy",
        "bridge.lun_bytes_for",
        *MOVED,
        *["plugin.grant_access"] * 2,
        *["plugin.connection"] * 2,
        "bridge.create_datastore",
        "bridge.create_disk",
    ]
    assert world.array.luns[CLONE.uuid].content == "new"
    assert cloud.volume(CLONE.uuid).store_uuid == OTHER_STORE
    assert set(world.array.luns) == {VOLUME.uuid, CLONE.uuid}
    assert world.calls(lambda: copy(cloud)) == []
    refused(world, AlreadyExists, lambda: cloud.create_volume(OTHER_STORE, CLONE, CLUSTER))


def test_a_copy_in_plugin_hookup_is_the_plugins_and_is_looked_at() -> None:
    world, cloud = with_two_stores(Hookup.PLUGIN)
    assert world.calls(lambda: copy(cloud)) == ["plugin.can_copy", *MOVED, "bridge.list_disks"]
    assert world.array.luns[CLONE.uuid].hosts == {"host-1", "host-2"}


def test_a_copy_in_the_direct_model_is_seen_by_nobody() -> None:
    world, cloud = with_two_stores(model=DIRECT)
    assert world.calls(lambda: copy(cloud)) == ["plugin.can_copy", *MOVED]
    assert world.array.luns[CLONE.uuid].hosts == set()


def test_a_plugin_that_lifts_no_qos_is_only_asked_for_the_copy() -> None:
    world, cloud = with_two_stores(model=DIRECT, lacks=frozenset({Capability.MIGRATION_QOS}))
    assert world.calls(lambda: copy(cloud)) == ["plugin.can_copy", "plugin.copy"]


def test_where_datastores_have_signatures_the_copy_gets_its_own() -> None:
    xen = replace(CLUSTER, hypervisor=HypervisorType.XENSERVER)
    world = World()
    world.hypervisor.kind = HypervisorType.XENSERVER
    cloud = world.cloud()
    for uuid in (STORE.uuid, OTHER_STORE):
        cloud.add_primary_storage(replace(STORE, uuid=uuid), [xen])
    cloud.create_volume(STORE.uuid, VOLUME, xen)
    assert world.calls(lambda: copy(cloud))[-2:] == ["bridge.resignature_datastore", "bridge.list_disks"]


def test_the_source_of_a_copy_can_be_deleted() -> None:
    world, _ = with_two_stores()
    world.traits = {"source_delete_with_clones": DeleteWithDependents.REFUSED}
    cloud = world.cloud()
    copy(cloud)
    cloud.delete_volume(VOLUME.uuid)
    assert set(world.array.luns) == {CLONE.uuid}


def test_what_cannot_be_copied_is_refused() -> None:
    world, cloud = with_two_stores()
    refused(world, WrongState, lambda: cloud.copy_volume(VOLUME.uuid, STORE.uuid, CLONE))
    cloud.add_primary_storage(replace(STORE, uuid="store-3", access_model=DIRECT), [CLUSTER])
    refused(world, WrongState, lambda: cloud.copy_volume(VOLUME.uuid, "store-3", CLONE))
    cloud.add_primary_storage(replace(STORE, uuid="store-4", tags=frozenset({"far"})), [CLUSTER])
    refused(world, CapabilityNotSupported, lambda: cloud.copy_volume(VOLUME.uuid, "store-4", CLONE))
    cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    refused(world, VolumeInUse, lambda: copy(cloud))
    world.lacks = frozenset({Capability.COPY})
    refused(world, CapabilityNotSupported, lambda: copy(world.cloud()))


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("name", [*MOVED, "plugin.grant_access", "bridge.create_datastore", "bridge.create_disk"])
def test_a_copy_that_failed_is_undone_and_the_qos_is_back(name: str, *, after: bool) -> None:
    world, cloud = with_two_stores()
    before = cloud.volume(VOLUME.uuid)
    world.script.fails_after = after
    world.script.fail(name, FAULT)
    with pytest.raises(HypervisorFault):
        copy(cloud)
    assert world.array.lifted == set()
    assert set(world.array.luns) == {VOLUME.uuid}
    assert cloud.volumes() == (before,)
    copy(cloud)


# -- work with the QoS lifted


def test_work_is_done_with_the_qos_lifted_and_answers() -> None:
    world, cloud = with_volume()
    seen: list[set[str]] = []

    def work() -> int:
        seen.append(set(world.array.lifted))
        with pytest.raises(ObjectBusy):
            cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
        return 7

    assert cloud.with_migration(VOLUME.uuid, work) == 7
    assert seen == [{VOLUME.uuid}]
    assert world.array.lifted == set()
    assert world.script.names == ["plugin.begin_migration", "plugin.end_migration"]


def test_the_qos_is_back_when_the_work_failed() -> None:
    world, cloud = with_volume()
    with pytest.raises(ZeroDivisionError):
        cloud.with_migration(VOLUME.uuid, lambda: 1 // 0)
    assert world.array.lifted == set()
    assert cloud.volume(VOLUME.uuid).state is VolumeState.READY


@pytest.mark.parametrize("name", ["plugin.begin_migration", "plugin.end_migration"])
def test_the_qos_is_back_when_a_reply_was_lost(name: str) -> None:
    world, cloud = with_volume()
    world.script.fails_after = True
    world.script.fail(name, DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.with_migration(VOLUME.uuid, lambda: None)
    assert world.array.lifted == set()
    assert world.script.names[-1] == "plugin.end_migration"


def test_the_qos_is_back_after_the_cloud_died_in_the_work() -> None:
    world, cloud = with_volume()

    def die() -> None:
        raise OrchestratorKilled("work")

    with pytest.raises(OrchestratorKilled):
        cloud.with_migration(VOLUME.uuid, die)
    assert world.array.lifted == {VOLUME.uuid}
    following = world.cloud()
    assert world.calls(following.recover) == ["plugin.end_migration"]
    assert world.array.lifted == set()
    assert following.volume(VOLUME.uuid).state is VolumeState.READY


def test_a_qos_that_could_not_be_put_back_is_by_recover() -> None:
    world, cloud = with_volume()
    world.script.fail("plugin.end_migration", DEAD, DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.with_migration(VOLUME.uuid, lambda: None)
    assert cloud.volume(VOLUME.uuid).state is VolumeState.FAILED
    assert cloud.recover() == ["with_migration volume-1: undone"]
    assert world.array.lifted == set()


def test_lifting_the_qos_is_refused_where_it_is_not_declared() -> None:
    world, cloud = with_volume(lacks=frozenset({Capability.MIGRATION_QOS}))
    refused(world, CapabilityNotSupported, lambda: cloud.with_migration(VOLUME.uuid, lambda: None))
