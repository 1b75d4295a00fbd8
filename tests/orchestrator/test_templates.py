"""Templates on the array: filled, verified, revoked, and only then cloned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    CachedTemplate,
    Capability,
    CapabilityNotSupported,
    DataStore,
    DatastoreConflict,
    Hookup,
    HypervisorFault,
    HypervisorType,
    InvalidRequest,
)
from conformance.orchestrator import (
    AlreadyExists,
    BrokenPromise,
    ObjectBusy,
    Orchestrator,
    OrchestratorKilled,
    StoreInUse,
    TemplateState,
    UnknownObject,
    WrongState,
)

from .fakes import CLONE, CLUSTER, IMAGE, OVERHEAD, STORE, TEMPLATE, TEMPLATE_UUID, FakePlugin, KillAt, World
from .scenes import with_storage, with_template

DIRECT = AccessModel.DIRECT
DEAD = ArrayUnreachable("https://array.test", "no answer")
FAULT = HypervisorFault("kvm", "host-1", "any", "code 1")
BEGUN = ["plugin.seed_template", "plugin.grant_access", "plugin.connection"]
IN_DATASTORE = [
    *BEGUN,
    "bridge.create_datastore",
    "bridge.import_template",
    "bridge.read_disk",
    "bridge.detach_datastore",
    "plugin.revoke_access",
]
RAW = [
    *BEGUN,
    "bridge.connect_target",
    "bridge.write_template",
    "bridge.disconnect_target",
    "plugin.revoke_access",
]


def seed(cloud: Orchestrator) -> CachedTemplate:
    return cloud.seed_template(STORE.uuid, TEMPLATE_UUID, TEMPLATE, CLUSTER)


def clone(cloud: Orchestrator) -> None:
    cloud.create_volume_from(STORE.uuid, CLONE, CLUSTER, TEMPLATE_UUID)


def refused(world: World, error: type[Exception], action: Callable[[], object]) -> None:
    """The action is refused without any call that changes something, and leaves nothing in progress."""
    world.script.names.clear()
    with pytest.raises(error):
        action()
    assert set(world.script.names) <= {"bridge.lun_bytes_for"}
    assert world.database.rows("SELECT * FROM operations") == []
    assert world.database.rows("SELECT * FROM claims") == []


@pytest.mark.parametrize("hookup", Hookup)
def test_a_template_is_filled_verified_and_revoked_by_the_cloud_in_both_hookups(hookup: Hookup) -> None:
    world, cloud = with_storage(hookup)
    assert world.calls(lambda: seed(cloud)) == ["bridge.lun_bytes_for", *IN_DATASTORE]
    (record,) = cloud.templates()
    assert (record.state, record.host) == (TemplateState.READY, None)
    lun = world.array.templates[TEMPLATE_UUID]
    assert lun.size_bytes >= len(IMAGE) + OVERHEAD
    assert record.cached == CachedTemplate(
        TEMPLATE_UUID, TEMPLATE, f"template-{lun.number}", lun.size_bytes, record.cached.identity
    )
    assert lun.hosts == set()
    assert [each.hosts for each in world.hypervisor.pools.values()] == [set()]


def test_a_template_without_a_datastore_is_written_onto_the_lun() -> None:
    world, cloud = with_storage(model=DIRECT)
    assert world.calls(lambda: seed(cloud)) == RAW
    lun = world.array.templates[TEMPLATE_UUID]
    assert (world.hypervisor.images[lun.wwid], lun.hosts, world.hypervisor.targets) == (IMAGE, set(), set())


def test_a_template_seeded_again_is_the_same_without_a_call() -> None:
    world, cloud = with_storage()
    first = seed(cloud)
    assert world.calls(lambda: seed(cloud)) == []
    assert seed(cloud) == first
    other = replace(TEMPLATE, source="file:other.raw")
    refused(world, AlreadyExists, lambda: cloud.seed_template(STORE.uuid, TEMPLATE_UUID, other, CLUSTER))


def test_a_template_that_is_not_what_its_checksum_says_is_found_out_and_removed() -> None:
    world, cloud = with_storage()
    world.script.during = lambda name: world.hypervisor.images.update(
        dict.fromkeys(world.hypervisor.images, IMAGE[::-1]) if name == "bridge.read_disk" else {}
    )
    with pytest.raises(BrokenPromise, match="checksum sha256"):
        seed(cloud)
    world.assert_empty()


def test_what_cannot_be_kept_is_refused() -> None:
    world, cloud = with_storage()
    vague = replace(TEMPLATE, checksum="soundex:00")
    refused(world, InvalidRequest, lambda: cloud.seed_template(STORE.uuid, TEMPLATE_UUID, vague, CLUSTER))
    refused(world, UnknownObject, lambda: cloud.seed_template("none", TEMPLATE_UUID, TEMPLATE, CLUSTER))
    cloud.disable_storage(STORE.uuid)
    refused(world, WrongState, lambda: seed(cloud))
    world.lacks = frozenset({Capability.TEMPLATE_CACHE})
    refused(world, CapabilityNotSupported, lambda: seed(world.cloud()))


@pytest.mark.parametrize("model", [AccessModel.DEDICATED, DIRECT])
@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, reply lost"])
@pytest.mark.parametrize("at", range(8))
def test_a_seeding_that_failed_at_any_call_leaves_nothing(model: AccessModel, at: int, *, after: bool) -> None:
    names = RAW if model is DIRECT else IN_DATASTORE
    world, cloud = with_storage(model=model)
    world.script.fails_after = after
    world.script.fail(names[min(at, len(names) - 1)], FAULT)
    with pytest.raises(HypervisorFault):
        seed(cloud)
    world.assert_empty()
    seed(cloud)


def test_a_seeding_that_gave_no_answer_is_deleted_by_its_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    delete = FakePlugin.delete_template

    def noted(self: FakePlugin, store: DataStore, cached: CachedTemplate) -> None:
        seen.append(cached.external_id)
        delete(self, store, cached)

    monkeypatch.setattr(FakePlugin, "delete_template", noted)
    world, cloud = with_storage()
    world.script.fails_after = True
    world.script.fail("plugin.seed_template", DEAD)
    with pytest.raises(ArrayUnreachable):
        seed(cloud)
    assert seen == [None]
    world.assert_empty()


def test_a_datastore_of_somebody_else_is_not_touched() -> None:
    world, cloud = with_storage()
    world.script.fail("bridge.create_datastore", DatastoreConflict("kvm", "host-1", "create", "is taken"))
    with pytest.raises(DatastoreConflict):
        seed(cloud)
    assert not {"bridge.find_datastore", "bridge.delete_datastore"} & set(world.script.names)
    world.assert_empty()


def test_a_seeding_that_could_not_be_undone_is_by_recover_or_by_a_delete() -> None:
    finishes: list[Callable[[Orchestrator], object]] = [
        lambda cloud: cloud.recover(),
        lambda cloud: cloud.delete_template(TEMPLATE_UUID),
    ]
    for finish in finishes:
        world, cloud = with_storage()
        world.script.fail("bridge.import_template", FAULT)
        world.script.fail("plugin.delete_template", DEAD)
        with pytest.raises(HypervisorFault):
            seed(cloud)
        assert cloud.templates()[0].state is TemplateState.EXPUNGING
        with pytest.raises(WrongState):
            seed(cloud)
        finish(cloud)
        world.assert_empty()


# -- clones of templates


def test_a_root_disk_is_a_clone_of_the_template() -> None:
    world, cloud = with_template()
    assert world.calls(lambda: clone(cloud))[:2] == ["bridge.lun_bytes_for", "plugin.clone"]
    assert world.array.luns[CLONE.uuid].content == "template"
    assert cloud.volume(CLONE.uuid).disk_bytes == CLONE.size_bytes


def test_a_root_disk_keeps_the_disk_of_its_template_where_datastores_have_signatures() -> None:
    xen = replace(CLUSTER, hypervisor=HypervisorType.XENSERVER)
    world = World()
    world.hypervisor.kind = HypervisorType.XENSERVER
    cloud = world.cloud()
    cloud.add_primary_storage(STORE, [xen])
    cloud.seed_template(STORE.uuid, TEMPLATE_UUID, TEMPLATE, xen)
    volume = cloud.create_volume_from(STORE.uuid, CLONE, xen, TEMPLATE_UUID)
    assert volume.disk is not None
    assert world.hypervisor.pools[volume.disk.datastore.name].disks == {"root": CLONE.size_bytes}


@pytest.mark.parametrize(
    ("hookup", "model"),
    [(Hookup.FRAMEWORK, AccessModel.DEDICATED), (Hookup.FRAMEWORK, DIRECT)],
)
def test_a_root_disk_as_large_as_its_template_is_not_too_small(hookup: Hookup, model: AccessModel) -> None:
    world, cloud = with_template(hookup, model)
    asked = cloud.as_large_as(TEMPLATE_UUID, CLONE)
    assert asked.size_bytes == len(IMAGE)
    cloud.create_volume_from(STORE.uuid, asked, CLUSTER, TEMPLATE_UUID)
    assert world.array.luns[CLONE.uuid].size_bytes == world.array.templates[TEMPLATE_UUID].size_bytes


def test_a_template_is_not_cloned_before_it_is_ready() -> None:
    world, cloud = with_storage()
    with pytest.raises(OrchestratorKilled):
        seed(world.cloud(KillAt(4)))
    refused_clone = pytest.raises((ObjectBusy, WrongState))
    with refused_clone:
        clone(cloud)
    with pytest.raises(ObjectBusy):
        cloud.delete_template(TEMPLATE_UUID)
    cloud.recover()
    clone(cloud)


def test_clones_keep_working_without_their_template() -> None:
    world, cloud = with_template()
    clone(cloud)
    refused(world, StoreInUse, lambda: cloud.delete_primary_storage(STORE.uuid))
    expected = ["bridge.delete_datastore", "plugin.delete_template"]
    assert world.calls(lambda: cloud.delete_template(TEMPLATE_UUID)) == expected
    assert world.calls(lambda: cloud.delete_template(TEMPLATE_UUID)) == []
    assert set(world.array.luns) == {CLONE.uuid}
    cloud.delete_volume(CLONE.uuid)
    world.assert_empty()


def test_a_template_without_a_datastore_is_deleted_by_one_call() -> None:
    world, cloud = with_template(model=DIRECT)
    assert world.calls(lambda: cloud.delete_template(TEMPLATE_UUID)) == ["plugin.delete_template"]
    world.assert_empty()


def test_a_template_whose_deletion_failed_is_deleted_later() -> None:
    world, cloud = with_template()
    world.script.fail("plugin.delete_template", DEAD)
    with pytest.raises(ArrayUnreachable):
        cloud.delete_template(TEMPLATE_UUID)
    assert cloud.recover() == [f"delete_template {TEMPLATE_UUID}: finished"]
    world.assert_empty()


def test_a_template_that_is_cloned_is_not_deleted_meanwhile() -> None:
    world, cloud = with_template()
    with pytest.raises(OrchestratorKilled):
        clone(world.cloud(KillAt(1)))
    with pytest.raises(ObjectBusy):
        cloud.delete_template(TEMPLATE_UUID)
    cloud.recover()
    cloud.delete_template(TEMPLATE_UUID)
