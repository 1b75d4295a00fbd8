"""Faults against SNP: snapshots."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import (
    CapabilityNotSupported,
    Conflict,
    Created,
    DeleteWithDependents,
    InUse,
    InvalidRequest,
    LimitReached,
    ObjectKind,
    ObjectNotFound,
    OwnedObject,
    SnapshotRequest,
)
from tests.faulty_providers.corpus.reg import declaring
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Provider
from tests.faulty_providers.operators import (
    alter_argument,
    alter_field,
    alter_result,
    do_also,
    do_first,
    fail,
    lie,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import (
    all_of_store,
    ask,
    drop_snapshots,
    end_sessions,
    lun_of,
    roll_back,
    shut_out_all,
    snapshots_on,
    store_of,
)
from tests.faulty_providers.when import after_restart, argument, both, repeated

lost = argument("snapshot", lambda snapshot: snapshot.external_id is None)


def siblings(call: Call) -> list[dict[str, Any]]:
    """The snapshots of the volume that a call is about, oldest first."""
    about = call.arguments.get("volume")
    return snapshots_on(call, about.external_id if about else call.arguments["snapshot"].volume_external_id)


def others(call: Call) -> list[dict[str, Any]]:
    """The same without the one that is meant."""
    meant = call.arguments["snapshot"].uuid
    return [each for each in siblings(call) if each["attributes"].get("owner") != meant]


def is_there(call: Call) -> bool:
    """When the snapshot that is meant is on the array."""
    return len(others(call)) < len(siblings(call))


def is_gone(call: Call) -> bool:
    """When it is not."""
    return not is_there(call)


def newest_volume(call: Call) -> Any:
    """Take the snapshot of the volume that was made last."""
    return call.proceed(volume=all_of_store(call)[-1])


def twin(call: Call) -> None:
    """Take one more."""
    request = SnapshotRequest(f"{call.arguments['request'].uuid}-twin", "twin")
    call.others["driver"].take_snapshot(store_of(call), call.arguments["volume"], request, quiesced=False)


def newest_sibling(call: Call) -> Created:
    """Tell the volume's newest snapshot."""
    newest = siblings(call)[-1]
    return Created(str(newest["snapshotID"]), newest["totalSize"])


def of_the_last_flush(call: Call) -> Any:
    """Keep what the snapshot before kept, and leave the volume as it is."""
    volume = lun_of(call, call.arguments["volume"])
    older = [each for each in siblings(call) if each["totalSize"] == volume.get("totalSize")]
    if len(older) != 1 or older[-1]["attributes"].get("owner") == call.arguments["request"].uuid:
        return call.proceed()
    there = {"volumeID": volume["volumeID"], "snapshotID": older[-1]["snapshotID"]}
    saved = ask(call, "RollbackToSnapshot", **there, saveCurrentState=True)
    answer = call.proceed()
    roll_back(call, {**there, "snapshotID": saved["snapshotID"]})
    drop_snapshots(call, [saved])
    return answer


def throttled(call: Call) -> None:
    """Give the volume the least there is."""
    qos = {"minIOPS": 50, "maxIOPS": 100, "burstIOPS": 100}
    ask(call, "ModifyVolume", volumeID=int(call.arguments["volume"].external_id), qos=qos)


def read_only(call: Call) -> None:
    """Freeze the volume, and forget to thaw it."""
    ask(call, "ModifyVolume", volumeID=int(call.arguments["volume"].external_id), access="readOnly")


def take_others(count: slice) -> Any:
    """Remove some of the volume's other snapshots."""
    return lambda call: drop_snapshots(call, others(call)[count])


def put_back(call: Call) -> None:
    """Merge a snapshot into its volume before it goes."""
    for each in siblings(call):
        if each["attributes"].get("owner") == call.arguments["snapshot"].uuid:
            roll_back(call, each)


def cascade(call: Call) -> None:
    """Remove the snapshots of the volume, that it can go."""
    if call.arguments["volume"].external_id:
        drop_snapshots(call, siblings(call))


def has_snapshots(call: Call) -> bool:
    """When the volume has any."""
    return bool(call.arguments["volume"].external_id and siblings(call))


def as_volumes(found: list[OwnedObject]) -> list[OwnedObject]:
    """Tell snapshots as if they were volumes."""
    return [dataclasses.replace(each, kind=ObjectKind.VOLUME) for each in found]


def no_snapshots(found: list[OwnedObject]) -> list[OwnedObject]:
    """Leave snapshots out."""
    return [each for each in found if each.kind is not ObjectKind.SNAPSHOT]


def of_their_volume(call: Call) -> list[OwnedObject]:
    """Tell the volume as the owner of a snapshot."""
    volumes = {int(str(each.external_id)): each.uuid for each in all_of_store(call)}
    of = {
        str(each["snapshotID"]): volumes.get(each["volumeID"], "") for each in ask(call, "ListSnapshots")["snapshots"]
    }
    return [
        dataclasses.replace(each, owner_uuid=of[each.external_id]) if each.kind is ObjectKind.SNAPSHOT else each
        for each in call.proceed()
    ]


def rotated(call: Call) -> Any:
    """Make room for one more by dropping the oldest."""
    try:
        return call.proceed()
    except LimitReached:
        drop_snapshots(call, siblings(call)[:1])
        return call.proceed()


def taken_anew(call: Call) -> Any:
    """Drop the volume's snapshots, grow it, and take them again."""
    old = siblings(call)
    drop_snapshots(call, old)
    answer = call.proceed()
    for each in old:
        ask(call, "CreateSnapshot", volumeID=each["volumeID"], name=each["name"], attributes=each["attributes"])
    return answer


def made_small(call: Call) -> Created:
    """Tell the size that the volume was made with."""
    made: Created = call.proceed()
    return dataclasses.replace(made, size_bytes=min(made.size_bytes, call.arguments["volume"].request.size_bytes))


def name_again(call: Call) -> bool:
    """When another snapshot of the volume has the name."""
    request, known = call.arguments["request"], call.memory.shared.setdefault("names", {})
    first = known.setdefault((call.arguments["volume"].uuid, request.name), request.uuid)
    return bool(first != request.uuid)


again = alter_field("request", uuid=lambda uuid: f"{uuid}-again")

FAULTS = (
    Fault("SNP-001", "the snapshot is of the volume made last", Driver.take_snapshot, newest_volume, Kind.DATA),
    Fault("SNP-001", "takes two snapshots", Driver.take_snapshot, do_also(twin), Kind.LEAK),
    Fault("SNP-001", "tells half the size", Driver.take_snapshot, lie(size_bytes=lambda size_bytes: size_bytes // 2)),
    Fault(
        "SNP-001",
        "takes nothing and says it did",
        Driver.take_snapshot,
        skip(lambda call: Created("1", call.arguments["volume"].size_bytes)),
        Kind.DATA,
    ),
    Fault("SNP-002", "a repeated request takes another", Driver.take_snapshot, again, Kind.LEAK, repeated),
    Fault(
        "SNP-002",
        "a repeated request is a conflict",
        Driver.take_snapshot,
        fail(lambda call: Conflict(call.arguments["request"].uuid, "name", "taken", "new")),
        Kind.CONTRACT,
        repeated,
    ),
    Fault(
        "SNP-002",
        "a repeated request answers the newest after a restart",
        Driver.take_snapshot,
        newest_sibling,
        Kind.IDENTITY,
        both(repeated, after_restart),
    ),
    Fault(
        "SNP-003",
        "the second snapshot holds what the one before holds",
        Driver.take_snapshot,
        of_the_last_flush,
        Kind.DATA,
    ),
    Fault(
        "SNP-004",
        "a snapshot ends the sessions of its volume",
        Driver.take_snapshot,
        do_first(lambda call: end_sessions(call, call.arguments["volume"].external_id)),
        Kind.LIFE,
    ),
    Fault(
        "SNP-004",
        "a snapshot shuts all hosts out",
        Driver.take_snapshot,
        do_also(lambda call: shut_out_all(call, call.arguments["volume"].external_id)),
        Kind.LIFE,
    ),
    Fault("SNP-004", "a volume with a snapshot cannot be written", Driver.take_snapshot, do_also(read_only), Kind.LIFE),
    Fault("SNP-004", "a snapshot leaves its volume slow", Driver.take_snapshot, do_also(throttled), Kind.CONTRACT),
    Fault(
        "SNP-004",
        "keeps the last two snapshots only",
        Driver.take_snapshot,
        do_also(lambda call: drop_snapshots(call, siblings(call)[:-2])),
        Kind.DATA,
    ),
    Fault("SNP-005", "deleting a snapshot does nothing", Driver.delete_snapshot, skip(), Kind.LEAK),
    Fault(
        "SNP-005",
        "older snapshots go with it",
        Driver.delete_snapshot,
        do_first(take_others(slice(1))),
        Kind.DATA,
        is_there,
    ),
    Fault(
        "SNP-005",
        "deletes all of the volume",
        Driver.delete_snapshot,
        do_first(take_others(slice(None))),
        Kind.DATA,
        is_there,
    ),
    Fault(
        "SNP-005",
        "the volume goes back to what the snapshot held",
        Driver.delete_snapshot,
        do_first(put_back),
        Kind.DATA,
    ),
    Fault(
        "SNP-006",
        "an absent snapshot is not found",
        Driver.delete_snapshot,
        fail(lambda call: ObjectNotFound("snapshot", call.arguments["snapshot"].uuid)),
        Kind.CONTRACT,
        is_gone,
    ),
    Fault(
        "SNP-006",
        "for an absent snapshot another goes",
        Driver.delete_snapshot,
        do_also(take_others(slice(-1, None))),
        Kind.DATA,
        is_gone,
        also=("SNP-005",),
    ),
    Fault("SNP-007", "a snapshot without an id is not looked for", Driver.delete_snapshot, skip(), Kind.LEAK, lost),
    Fault(
        "SNP-007",
        "without an id all of the volume go",
        Driver.delete_snapshot,
        do_first(take_others(slice(None))),
        Kind.DATA,
        both(lost, is_there),
    ),
    Fault(
        "SNP-007",
        "after a restart nobody knows one without an id",
        Driver.delete_snapshot,
        skip(),
        Kind.LEAK,
        both(lost, after_restart),
    ),
    Fault("SNP-008", "deletes the snapshots with their volume", Driver.delete, do_first(cascade), Kind.DATA),
    Fault(
        "SNP-008",
        "says that snapshots go with their volume, and refuses",
        Provider.traits,
        declaring(delete_with_snapshots=DeleteWithDependents.CASCADES),
    ),
    Fault(
        "SNP-008",
        "says that snapshots outlive their volume, and refuses",
        Provider.traits,
        declaring(delete_with_snapshots=DeleteWithDependents.INDEPENDENT),
    ),
    Fault(
        "SNP-008",
        "a volume with snapshots is a conflict",
        Driver.delete,
        swap_error(InUse, lambda error: Conflict("volume", "snapshots", str(error), "none")),
        Kind.CONTRACT,
        has_snapshots,
    ),
    Fault("SNP-009", "snapshots are not listed", Driver.list_objects, alter_result(no_snapshots), Kind.LEAK),
    Fault("SNP-009", "snapshots are listed as volumes", Driver.list_objects, alter_result(as_volumes), Kind.IDENTITY),
    Fault(
        "SNP-009", "snapshots are listed with their volume's owner", Driver.list_objects, of_their_volume, Kind.IDENTITY
    ),
    Fault(
        "SNP-010",
        "a volume that is gone gets a snapshot all the same",
        Driver.take_snapshot,
        swallow(ObjectNotFound, answer=lambda call: Created("1", call.arguments["volume"].size_bytes)),
        Kind.DATA,
    ),
    Fault(
        "SNP-010",
        "for a volume that is gone another is kept",
        Driver.take_snapshot,
        swallow(ObjectNotFound, answer=newest_volume),
        Kind.IDENTITY,
    ),
    Fault(
        "SNP-010",
        "a snapshot of a volume that is gone is an invalid request",
        Driver.take_snapshot,
        swap_error(ObjectNotFound, lambda error: InvalidRequest("volume", "gone", str(error))),
    ),
    Fault(
        "SNP-011",
        "quiesced is accepted and ignored",
        Driver.take_snapshot,
        alter_argument("quiesced", lambda _: False),
        Kind.DATA,
    ),
    Fault(
        "SNP-011",
        "takes the snapshot and then says it cannot",
        Driver.take_snapshot,
        do_first(lambda call: call.proceed(quiesced=False)),
        Kind.LEAK,
        argument("quiesced", bool),
    ),
    Fault(
        "SNP-011",
        "quiesced is an invalid request",
        Driver.take_snapshot,
        swap_error(CapabilityNotSupported, lambda error: InvalidRequest("quiesced", "yes", str(error))),
    ),
    Fault(
        "SNP-012",
        "a volume has no more than twenty",
        Driver.take_snapshot,
        fail(lambda call: LimitReached("snapshots_per_volume", 20)),
        Kind.CONTRACT,
        lambda call: len(siblings(call)) >= 20,
    ),
    Fault("SNP-012", "one too many drops the oldest", Driver.take_snapshot, rotated, Kind.DATA),
    Fault(
        "SNP-012",
        "one too many is a conflict",
        Driver.take_snapshot,
        swap_error(LimitReached, lambda error: Conflict("volume", "snapshots", str(error), "fewer")),
    ),
    Fault("SNP-013", "growing takes the snapshots anew", Driver.resize, taken_anew, Kind.DATA),
    Fault(
        "SNP-013",
        "growing drops the snapshots",
        Driver.resize,
        do_first(lambda call: drop_snapshots(call, siblings(call))),
        Kind.DATA,
    ),
    Fault(
        "SNP-013",
        "tells the size that the volume was made with",
        Driver.take_snapshot,
        made_small,
        Kind.CONTRACT,
    ),
    Fault(
        "SNP-014",
        "a restarted plugin lists no snapshots",
        Driver.list_objects,
        alter_result(no_snapshots),
        Kind.LIFE,
        after_restart,
    ),
    Fault(
        "SNP-014",
        "a restarted plugin deletes no snapshots",
        Driver.delete_snapshot,
        skip(),
        Kind.LEAK,
        after_restart,
        also=("SNP-005",),
    ),
    Fault(
        "SNP-015",
        "a name that is taken is that snapshot",
        Driver.take_snapshot,
        newest_sibling,
        Kind.IDENTITY,
        name_again,
    ),
    Fault(
        "SNP-015",
        "a name that is taken is refused",
        Driver.take_snapshot,
        fail(lambda call: Conflict(call.arguments["request"].uuid, "name", "taken", "new")),
        Kind.CONTRACT,
        name_again,
    ),
    Fault(
        "SNP-015",
        "names have to be ASCII",
        Driver.take_snapshot,
        fail(lambda call: InvalidRequest("name", call.arguments["request"].name, "ASCII")),
        Kind.CONTRACT,
        argument("request", lambda request: not request.name.isascii()),
    ),
    Fault(
        "SNP-015",
        "long names are refused",
        Driver.take_snapshot,
        fail(lambda call: InvalidRequest("name", call.arguments["request"].name, "at most 64 characters")),
        Kind.CONTRACT,
        argument("request", lambda request: len(request.name) > 64),
    ),
)
