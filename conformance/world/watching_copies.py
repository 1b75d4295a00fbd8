"""A look at the array after every snapshot, revert, clone and template that a property arranges; see `watching`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.contract import Hookup, RevertScope, WitnessPower
from conformance.world import watching

if TYPE_CHECKING:
    from conformance.world.snapshots import Taken, WithSnapshots
    from conformance.world.volumes import Made, WithVolumes


def after_snapshot(world: WithSnapshots, taken: Taken) -> None:
    """It is a snapshot of this volume, as large as that; the volume and all others are as they were."""
    made, seen = taken.of, taken.seen
    if world.subject.hookup is Hookup.FRAMEWORK and taken.snapshot.size_bytes != made.volume.size_bytes:
        watching.broken("SNP-001", f"the volume's {made.volume.size_bytes} bytes", f"{taken.snapshot.size_bytes}")
    if seen is not None and made.lun is not None and seen.lun_external_id != made.lun.external_id:
        watching.broken("SNP-001", f"a snapshot of LUN {made.lun.external_id}", f"one of {seen.lun_external_id}")
    _check_volume(world, made, "SNP-004")
    watching.check_others(world, made, "SNP-004", "SNP-004", "SNP-004")


def after_delete_snapshot(world: WithSnapshots, taken: Taken) -> None:
    """The snapshot is gone; its siblings and its volume are not."""
    if taken.seen is not None and taken.seen.external_id in _ids(world):
        watching.broken("SNP-005", "the snapshot to be gone", "it is still there")
    _check_snapshots(world, "SNP-005")
    if taken.of in world.volumes:
        _check_volume(world, taken.of, "SNP-005")


def after_revert(world: WithSnapshots, made: Made, taken: Taken) -> None:
    """The volume is there, nobody was let in, and of its snapshots only newer ones may be gone, where declared."""
    if world.subject.declared.traits.revert_scope is RevertScope.DISCARDS_NEWER:
        mine = [each for each in world.snapshots if each.of is made]
        world.forget_snapshots(*mine[mine.index(taken) + 1 :])
    _check_snapshots(world, "REV-002")
    lun = watching.lun_of(world, made, "REV-001")
    if lun is not None:
        made.lun_bytes = lun.size_bytes
        # A volume that has grown since may be as large as the snapshot again: the array knows.
        if world.subject.hookup is Hookup.FRAMEWORK:
            made.volume = replace(made.volume, size_bytes=lun.size_bytes)
    watching.check_qos(world, made, "REV-007")
    watching.check_hosts(world, made, missing="REV-007", extra="REV-007")
    watching.check_others(world, made, "REV-003", "REV-003", "REV-003")


def after_clone(world: WithVolumes, made: Made) -> None:
    """It is a LUN as large as asked, with the QoS asked, that no host sees; the others are as they were."""
    watching.check_size(world, made, made.volume.request.size_bytes, "CLN-004")
    watching.check_identity(made, made.volume.identity)
    watching.check_qos(world, made, "CLN-008")
    watching.check_hosts(world, made, missing="CLN-009", extra="CLN-009")
    watching.check_others(world, made, "CLN-003", "CLN-003", "CLN-003")


def after_seed(world: WithVolumes, made: Made) -> None:
    """It is a LUN as large as asked; the others are as they were."""
    watching.check_size(world, made, made.volume.request.size_bytes, "TPL-001")
    watching.check_identity(made, made.volume.identity)
    watching.check_others(world, made, "TPL-001", "TPL-001", "TPL-001")


def _check_volume(world: WithSnapshots, made: Made, home: str) -> None:
    lun = watching.lun_of(world, made, home)
    if lun is not None and lun.size_bytes != made.lun_bytes:
        watching.broken(home, f"the LUN to stay at {made.lun_bytes} bytes", f"{lun.size_bytes}")
    watching.check_qos(world, made, home)
    watching.check_hosts(world, made, missing=home, extra=home)


def _check_snapshots(world: WithSnapshots, home: str) -> None:
    there = _ids(world)
    for each in world.snapshots:
        if each.seen is not None and each.seen.external_id not in there:
            watching.broken(home, f"snapshot {each.seen.name} to stay", "it is gone")


def _ids(world: WithSnapshots) -> set[str]:
    if WitnessPower.SNAPSHOTS not in world.witness.powers:
        return {each.seen.external_id for each in world.snapshots if each.seen is not None}
    return {each.external_id for each in world.view().snapshots}
