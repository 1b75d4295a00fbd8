"""Snapshots and clones, by consistency group: each volume has one of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.array.clones import CloneWish
from simulators.array.snapshots import SnapshotChange, SnapshotWish
from simulators.array.vpsa_api import finding, rendering
from simulators.array.vpsa_api.errors import NAME_TAKEN, SNAPSHOT_UNKNOWN, ApiError
from simulators.array.vpsa_api.route import Route, listed

if TYPE_CHECKING:
    from simulators.array.volume import Volume
    from simulators.array.vpsa_api.route import Asked, Members


def _list(asked: Asked) -> Members:
    volumes = asked.model.volumes
    rows = [each for each in asked.model.snapshots.rows if not volumes.get(each.volume_id).is_deleted]
    return listed("snapshots", rows, asked.form, partial(rendering.snapshot, asked.model))


def _list_of_group(asked: Asked) -> Members:
    rows = asked.model.snapshots.of(finding.of_group(asked.model, asked.name))
    return listed("snapshots", rows, asked.form, partial(rendering.snapshot, asked.model))


def _get(asked: Asked) -> Members:
    return {"snapshot": rendering.snapshot(asked.model, finding.snapshot(asked.model, asked.name))}


def _create(asked: Asked) -> Members:
    volume, name = finding.of_group(asked.model, asked.name), asked.form.text("display_name")
    _check_free(asked, volume, name)
    made = asked.model.snapshots.create(volume.volume_id, SnapshotWish(name=name))
    return {"snapshot_name": rendering.SNAPSHOTS.text(made.snapshot_id)}


def _rename(asked: Asked) -> Members:
    snapshot, name = finding.snapshot(asked.model, asked.name), asked.form.text("newname")
    if name != snapshot.name:
        _check_free(asked, asked.model.volumes.get(snapshot.volume_id), name)
        asked.model.snapshots.modify([snapshot], SnapshotChange(name=name))
    return {"snapshot_name": rendering.SNAPSHOTS.text(snapshot.snapshot_id)}


def _delete(asked: Asked) -> Members:
    asked.model.snapshots.delete(finding.snapshot(asked.model, asked.name))
    return {}


def _clone(asked: Asked) -> Members:
    model = asked.model
    volume = finding.of_group(model, asked.name)
    wish = CloneWish(volume.volume_id, asked.form.text("name"), snapshot_id=_snapshot_for(asked, volume), attributes={})
    job = model.clones.clone([wish])
    # Whoever looks for the clone after this finds it, ready.
    model.clones.finish_due()
    model.clones.forget(job)
    number = job.pairs[0].volume_id
    return {"vol_name": rendering.VOLUMES.text(number), "cg_name": rendering.GROUPS.text(number)}


def _snapshot_for(asked: Asked, volume: Volume) -> int | None:
    name = asked.form.find("snapshot_id") or asked.form.find("snapshot")
    if name is None:
        return None
    snapshot = finding.snapshot(asked.model, name)
    if snapshot.volume_id != volume.volume_id:
        raise ApiError(SNAPSHOT_UNKNOWN, f"Snapshot {name} not found in {asked.name}")
    return snapshot.snapshot_id


def _check_free(asked: Asked, volume: Volume, name: str) -> None:
    if any(each.name == name for each in asked.model.snapshots.of(volume)):
        raise ApiError(NAME_TAKEN, f"Snapshot name {name} is in use already")


ROUTES: Final = (
    Route("GET", "snapshots", _list),
    Route("GET", "snapshots/*", _get),
    Route("DELETE", "snapshots/*", _delete),
    Route("POST", "snapshots/*/rename", _rename, root="rename-snapshot-response"),
    Route("GET", "consistency_groups/*/snapshots", _list_of_group),
    Route("POST", "consistency_groups/*/snapshots", _create, root="create-snapshot-response"),
    Route("POST", "consistency_groups/*/clone", _clone, root="create-clone-response"),
)
