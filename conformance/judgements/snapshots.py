"""Snapshots and clones, as far as what is declared goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from conformance.contract import Capability, DeleteWithDependents, InUse, ObjectKind, RevertScope
from conformance.errors import BeyondDeclared, KitError
from conformance.expect import ARRAY, HOST, PLUGIN, expect, expect_bytes, expect_done, expect_equal, expect_refusal
from conformance.judgements.array import is_gone, nothing_changes
from conformance.judgements.qos import another_qos
from conformance.strategies.qos import QosAt
from conformance.strategies.sizes import Growth
from conformance.world import Made, Taken, World


def snapshot_holds(world: World, taken: Taken, offset: int, content: bytes) -> None:
    """The snapshot has these bytes, read behind the data path."""
    if taken.seen is None:
        raise KitError("this property needs a witness of snapshots")
    found = world.witness.read_snapshot(taken.seen.external_id, offset, len(content))
    expect_bytes("the snapshot", found, content, ARRAY)


def volume_holds(world: World, made: Made, offset: int, content: bytes, *, what: str = "the volume") -> None:
    """A host that is granted the volume reads these bytes."""
    expect_bytes(what, world.get(made, offset, len(content)), content, HOST)


def changes_of(
    world: World, made: Made, content: bytes, growth: Growth, policy: QosAt
) -> Iterator[Callable[[], object]]:
    """What may happen to a volume, as far as the plugin can: it is written, grows, gets other QoS."""
    yield partial(world.put, made, 0, content)
    if world.subject.supports(Capability.RESIZE):
        yield lambda: world.resize(made, growth.beyond(made.volume.size_bytes, world.subject.declared.limits))
    if world.subject.supports(Capability.QOS):
        yield lambda: world.set_qos(made, another_qos(world, policy.resolve(world.subject.declared.limits)))


def listed(world: World, kind: ObjectKind) -> list[tuple[str, str]]:
    """Owners and ids of the objects of a kind that `list_objects` tells, sorted."""
    with world.charged("list_objects"):
        told = world.driver.list_objects(world.store)
    return sorted((each.owner_uuid, each.external_id) for each in told if each.kind is kind)


def ids_of(snapshots: Sequence[Taken]) -> list[tuple[str, str]]:
    """What `list_objects` has to tell of these snapshots."""
    return sorted((each.uuid, str(each.snapshot.external_id)) for each in snapshots)


def deleted_with_snapshot(world: World, made: Made, taken: Taken) -> None:
    """A delete while there is a snapshot does what the trait delete_with_snapshots declares."""
    declared = world.subject.declared.traits.delete_with_snapshots
    if declared is DeleteWithDependents.REFUSED:
        _refused(world, made)
        return
    expect_done("delete with a snapshot", lambda: world.driver.delete(world.store, made.volume))
    if declared is DeleteWithDependents.CASCADES:
        world.forget(made)
        world.forget_snapshots(taken)
        is_gone(world, made)
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), [], PLUGIN)
        return
    expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of([taken]), PLUGIN)
    expect_equal("volumes listed", listed(world, ObjectKind.VOLUME), [], PLUGIN)
    world.forget(made)
    if declared is DeleteWithDependents.INDEPENDENT:
        is_gone(world, made)
    expect_done("delete of the last snapshot", lambda: world.delete_snapshot(taken))
    is_gone(world, made)


def deleted_with_clone(world: World, source: Made, clone: Made, content: bytes) -> None:
    """A delete while there is a clone does what the trait source_delete_with_clones declares; the clone stays."""
    declared = world.subject.declared.traits.source_delete_with_clones
    if declared is DeleteWithDependents.REFUSED:
        _refused(world, source)
    else:
        expect_done("delete of a clone's source", lambda: world.driver.delete(world.store, source.volume))
        world.forget(source)
    volume_holds(world, clone, 0, content, what="the clone")


def snapshot_deleted_with_clone(world: World, taken: Taken) -> None:
    """A delete of a snapshot that has clones does what the trait source_delete_with_clones declares."""
    declared = world.subject.declared.traits.source_delete_with_clones
    call = partial(world.copier.delete_snapshot, world.store, taken.snapshot)
    if declared is DeleteWithDependents.REFUSED:
        with nothing_changes(world):
            expect_refusal(InUse, "delete of a snapshot with clones", call)
    elif declared is DeleteWithDependents.DEFERRED:
        # The array may keep it for the clones' sake; that it goes with the last of them is seen at the end.
        expect_done("delete of a snapshot with clones", call)
        world.forget_snapshots(taken)
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), [], PLUGIN)
    else:
        world.delete_snapshot(taken)


def planted_snapshot_stays(world: World, made: Made) -> None:
    """What somebody else took of a volume stays, and is nobody else's; it counts where volumes with snapshots stay."""
    assert made.lun is not None  # noqa: S101  (there is a witness)
    if world.subject.declared.limits.snapshots_per_volume == 1:
        raise BeyondDeclared("no room for a snapshot beside a stranger's: limits.snapshots_per_volume")
    with world.planted_snapshot(made.lun.external_id) as planted:
        own = world.snapshot(made)
        expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of([own]), PLUGIN)
        world.delete_snapshot(own)
        expect(planted in _snapshots_there(world), "a stranger's snapshot to stay", "gone", ARRAY)
        if world.subject.declared.traits.delete_with_snapshots is DeleteWithDependents.REFUSED:
            _refused(world, made)
            expect(planted in _snapshots_there(world), "a stranger's snapshot to stay", "gone", ARRAY)


def _snapshots_there(world: World) -> set[str]:
    return {each.external_id for each in world.view().snapshots}


def _refused(world: World, made: Made) -> None:
    with nothing_changes(world):
        expect_refusal(InUse, "delete with dependents", lambda: world.driver.delete(world.store, made.volume))


def snapshots_survive(world: World, older: Taken, newer: Taken) -> None:
    """After a revert to `older`, `newer` is there too, or gone where the trait revert_scope declares it."""
    gone = world.subject.declared.traits.revert_scope is RevertScope.DISCARDS_NEWER
    wanted = [older] if gone else [older, newer]
    expect_equal("snapshots listed", listed(world, ObjectKind.SNAPSHOT), ids_of(wanted), PLUGIN)
