"""A look at the array after every snapshot, revert, clone and template that a property arranges; see `watching`."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.contract import Hookup, RevertScope, WitnessPower
from conformance.world.glance import Glance, broken, check_identity

if TYPE_CHECKING:
    from conformance.world.snapshots import Taken, WithSnapshots
    from conformance.world.volumes import Made, WithVolumes


def after_snapshot(world: WithSnapshots, taken: Taken) -> None:
    """It is a snapshot of this volume, as large as that; the volume and all others are as they were."""
    made, seen, glance = taken.of, taken.seen, Glance(world)
    _check_volume(glance, made, "SNP-004")
    if world.subject.hookup is Hookup.FRAMEWORK and taken.snapshot.size_bytes != made.volume.size_bytes:
        home = "SNP-013" if made.has_grown else "SNP-001"
        broken(home, f"the volume's {made.volume.size_bytes} bytes", f"{taken.snapshot.size_bytes}")
    if seen is not None and made.lun is not None and seen.lun_external_id != made.lun.external_id:
        broken("SNP-001", f"a snapshot of LUN {made.lun.external_id}", f"one of {seen.lun_external_id}")
    _check_snapshots(world, glance, "SNP-004")
    glance.check_others(made, "SNP-004")


def after_growth(world: WithSnapshots) -> None:
    """All snapshots are there."""
    _check_snapshots(world, Glance(world), "SNP-013")


def after_delete(world: WithSnapshots, made: Made) -> None:
    """The snapshots of other volumes are there."""
    _check_snapshots(world, Glance(world), "DEL-004", [each for each in world.snapshots if each.of is not made])


def after_delete_snapshot(world: WithSnapshots, taken: Taken) -> None:
    """The snapshot is gone; its siblings and its volume are not."""
    glance = Glance(world)
    if taken.seen is not None and taken.seen.external_id in _ids(world, glance):
        broken("SNP-005", "the snapshot to be gone", "it is still there")
    _check_snapshots(world, glance, "SNP-005")
    if taken.of in world.volumes:
        _check_volume(glance, taken.of, "SNP-005")


def after_revert(world: WithSnapshots, made: Made, taken: Taken, before: Set[str]) -> None:
    """The volume is there, nobody was let in, and of its snapshots only newer ones may be gone, where declared."""
    glance = Glance(world)
    if world.subject.declared.traits.revert_scope is RevertScope.DISCARDS_NEWER:
        mine = [each for each in world.snapshots if each.of is made]
        world.forget_snapshots(*mine[mine.index(taken) + 1 :])
    _check_snapshots(world, glance, "REV-002")
    if more := _ids(world, glance) - before:
        broken("REV-002", "no snapshot that nobody asked for", f"{len(more)} more")
    lun = glance.lun(made, "REV-001")
    if lun is not None:
        made.lun_bytes = lun.size_bytes
        # A volume that has grown since is as large as the snapshot again, unless the array cannot do that.
        if taken.seen is not None and lun.size_bytes == taken.seen.size_bytes:
            made.volume = replace(made.volume, size_bytes=taken.snapshot.size_bytes)
    glance.check_qos(made, "REV-007")
    glance.check_hosts(made, missing="REV-007", extra="REV-007")
    glance.check_others(made, "REV-003")


def after_clone(world: WithVolumes, made: Made, *, size_home: str) -> None:
    """It is a LUN as large as asked and ready, with the QoS asked, that no host sees; the others are as they were."""
    glance = Glance(world)
    glance.check_ready(made, "CLN-001")
    glance.check_size(made, made.volume.request.size_bytes, size_home)
    check_identity(made, made.volume.identity)
    glance.check_qos(made, "CLN-008")
    glance.check_hosts(made, missing="CLN-009", extra="CLN-009")
    glance.check_datastores(made, made.volume.request.size_bytes, "CLN-002")
    glance.check_others(made, "CLN-003")


def after_seed(world: WithVolumes, made: Made) -> None:
    """It is a LUN as large as asked; the others are as they were."""
    glance = Glance(world)
    glance.check_size(made, made.volume.request.size_bytes, "TPL-001")
    check_identity(made, made.volume.identity)
    glance.check_others(made, "TPL-001")


def _check_volume(glance: Glance, made: Made, home: str) -> None:
    glance.check_same_size(made, home)
    glance.check_qos(made, home)
    glance.check_hosts(made, missing=home, extra=home)


def _check_snapshots(world: WithSnapshots, glance: Glance, home: str, snapshots: Sequence[Taken] | None = None) -> None:
    there = _ids(world, glance)
    for each in world.snapshots if snapshots is None else snapshots:
        if each.seen is not None and each.seen.external_id not in there:
            broken(home, f"snapshot {each.seen.name} to stay", "it is gone")


def snapshots_there(world: WithSnapshots) -> set[str]:
    """Ids of the snapshots on the array, others' included."""
    return _ids(world, Glance(world))


def _ids(world: WithSnapshots, glance: Glance) -> set[str]:
    if not glance.sees(WitnessPower.SNAPSHOTS):
        return {each.seen.external_id for each in world.snapshots if each.seen is not None}
    return {each.external_id for each in glance.view.snapshots}
