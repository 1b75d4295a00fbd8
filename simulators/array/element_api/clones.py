"""Methods for clones and copies, and for the jobs that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.clones import CloneWish
from simulators.array.element_api import rendering
from simulators.array.element_api.errors import CODE, NAMES
from simulators.array.element_api.method import Method
from simulators.array.element_api.parameters import (
    Arguments,
    Json,
    boolean,
    identifier,
    integer,
    list_of,
    mapping,
    optional,
    or_nothing,
    required,
    text,
)
from simulators.array.element_api.values import attributes, word_of
from simulators.array.volume import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.array.clones import CloneJob
    from simulators.array.element_api.method import Scene
    from simulators.array.snapshots import Snapshot

_KIND: Final = "Clone"
_VOLUME = required("volumeID", integer)
_NAME = required("name", text)
_ANY_NAME = optional("name", text)
_SNAPSHOT = optional("snapshotID", identifier)
_OWNER = optional("newAccountID", identifier)
_SIZE = optional("newSize", or_nothing(integer))
_ACCESS = optional("access", word_of(Access))
_ATTRIBUTES = optional("attributes", attributes)
_512E = optional("enable512e", boolean)
_DESTINATION = required("dstVolumeID", integer)
_CLONE = required("cloneID", integer)
_GROUP_CLONE = required("groupCloneID", integer)
_GROUP_SNAPSHOT = optional("groupSnapshotID", identifier)
_HANDLE = required("asyncHandle", integer)
_KEEP = optional("keepResult", boolean)
_KINDS = optional("asyncResultTypes", list_of(text))
_EACH: Final = (_VOLUME, _ANY_NAME, _OWNER, _SIZE, _ACCESS, _ATTRIBUTES)


def _one_of_many(given: object) -> Arguments:
    return Arguments(mapping(given), _EACH)


_MANY = required("volumes", list_of(_one_of_many))


def _clone(scene: Scene, given: Arguments) -> Json:
    wish = CloneWish(
        volume_id=given[_VOLUME],
        name=given[_NAME],
        snapshot_id=given[_SNAPSHOT],
        account_id=given[_OWNER],
        size_bytes=given[_SIZE],
        access=given[_ACCESS],
        attributes=given[_ATTRIBUTES],
        has_512e=given[_512E],
    )
    job = scene.model.clones.clone([wish])
    clone = scene.model.volumes.get(job.pairs[0].volume_id)
    return {
        "volumeID": clone.volume_id,
        "cloneID": job.job_id,
        "asyncHandle": job.job_id,
        "volume": rendering.volume(clone),
        "curve": rendering.curve(),
    }


def _clone_many(scene: Scene, given: Arguments) -> Json:
    group_id = given[_GROUP_SNAPSHOT]
    members = [] if group_id is None else scene.model.snapshots.members(scene.model.snapshots.get_group(group_id))
    wishes = [_wish_of(scene, given, each, members) for each in given[_MANY]]
    job = scene.model.clones.clone(wishes, is_group=True)
    return {"asyncHandle": job.job_id, **_group_content(job)}


def _wish_of(scene: Scene, given: Arguments, each: Arguments, members: list[Snapshot]) -> CloneWish:
    volume = scene.model.volumes.get_ready(each[_VOLUME])
    snapshot_id = None
    if given[_GROUP_SNAPSHOT] is not None:
        # Only members of the group snapshot can be cloned with it: get_of refuses 0, which is no snapshot.
        own = (member.snapshot_id for member in members if member.volume_id == volume.volume_id)
        snapshot_id = next(own, 0)
    return CloneWish(
        volume_id=volume.volume_id,
        name=each[_ANY_NAME] or volume.name,
        snapshot_id=snapshot_id,
        account_id=given[_OWNER] if each[_OWNER] is None else each[_OWNER],
        size_bytes=each[_SIZE],
        access=each[_ACCESS] or given[_ACCESS],
        attributes=each[_ATTRIBUTES],
    )


def _copy(scene: Scene, given: Arguments) -> Json:
    job = scene.model.clones.copy(given[_VOLUME], given[_DESTINATION], given[_SNAPSHOT])
    return {"cloneID": job.job_id, "asyncHandle": job.job_id}


def _cancel(scene: Scene, given: Arguments) -> Json:
    scene.model.cancel_clone(given[_CLONE], is_group=False)
    return {}


def _cancel_group(scene: Scene, given: Arguments) -> Json:
    scene.model.cancel_clone(given[_GROUP_CLONE], is_group=True)
    return {}


def _get_result(scene: Scene, given: Arguments) -> Json:
    job = scene.model.clones.get(given[_HANDLE])
    times = {"createTime": rendering.moment(job.created_at), "lastUpdateTime": rendering.moment(job.updated_at)}
    if not job.is_done:
        return {"status": "running", "resultType": _KIND, "details": _content(job), **times}
    if not given[_KEEP]:
        scene.model.clones.forget(job)
    return {"status": "complete", "resultType": _KIND, **_outcome(job), **times}


def _list_results(scene: Scene, given: Arguments) -> Json:
    kinds = given[_KINDS]
    jobs = scene.model.clones.jobs if kinds is None or _KIND in kinds else ()
    return {
        "asyncHandles": [
            {
                "asyncResultID": each.job_id,
                "completed": each.is_done,
                "success": each.is_done and each.failure is None,
                "resultType": _KIND,
                "createTime": rendering.moment(each.created_at),
                "lastUpdateTime": rendering.moment(each.updated_at),
                "data": _told(each),
            }
            for each in jobs
        ]
    }


def _outcome(job: CloneJob) -> Json:
    if job.failure is not None:
        return {"error": {"name": NAMES[job.failure.reason], "code": CODE, "message": job.failure.text}}
    return {"result": _told(job)}


def _told(job: CloneJob) -> Json:
    """A job with its good end, if that is what it has come to."""
    is_made = job.is_done and job.failure is None
    return {**_content(job), "message": "Clone complete."} if is_made else _content(job)


def _content(job: CloneJob) -> Json:
    if job.is_group:
        return _group_content(job)
    return {"cloneID": job.job_id, "volumeID": job.pairs[0].volume_id}


def _group_content(job: CloneJob) -> Json:
    return {"groupCloneID": job.job_id, "members": list(_members(job))}


def _members(job: CloneJob) -> Iterator[Json]:
    for each in job.pairs:
        yield {"volumeID": each.volume_id, "srcVolumeID": each.source_id}


METHODS: Final = (
    Method("CloneVolume", _clone, (_VOLUME, _NAME, _SNAPSHOT, _OWNER, _SIZE, _ACCESS, _ATTRIBUTES, _512E)),
    Method("CloneMultipleVolumes", _clone_many, (_MANY, _GROUP_SNAPSHOT, _OWNER, _ACCESS)),
    Method("CopyVolume", _copy, (_VOLUME, _DESTINATION, _SNAPSHOT)),
    Method("CancelClone", _cancel, (_CLONE,)),
    Method("CancelGroupClone", _cancel_group, (_GROUP_CLONE,)),
    Method("GetAsyncResult", _get_result, (_HANDLE, _KEEP)),
    Method("ListAsyncResults", _list_results, (_KINDS,)),
)
