"""Faults against CLN: volumes made from snapshots and from volumes."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import (
    CapacityExhausted,
    Conflict,
    Created,
    DeleteWithDependents,
    InUse,
    InvalidRequest,
    LimitReached,
    ObjectNotFound,
    OwnedObject,
    QosPolicy,
    Snapshot,
    Usage,
    Volume,
)
from tests.faulty_providers.corpus.acc import let_in_nobody
from tests.faulty_providers.corpus.ops import in_a_large_store
from tests.faulty_providers.corpus.prv import MIB, existing
from tests.faulty_providers.corpus.reg import declaring
from tests.faulty_providers.fault import Call, Change, Driver, Fault, Kind, Provider, When, Wire
from tests.faulty_providers.operators import (
    alter_field,
    alter_result,
    do_also,
    do_first,
    fail,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import (
    all_of_store,
    ask,
    end_sessions,
    listed_of_store,
    shut_out_all,
    snapshots_on,
    source_of,
    store_of,
)
from tests.faulty_providers.when import after_restart, argument, both, repeated


def of(*kinds: type) -> When:
    """When it is cloned from one of these."""
    return argument("source", lambda source: isinstance(source, kinds))


of_volume, of_snapshot = of(Volume), of(Snapshot)


of_numbered_snapshot = argument("snapshotID", lambda number: number is not None)


def is_clone(call: Call) -> bool:
    """When the volume that a call is about was cloned from something."""
    return bool(source_of(call, call.arguments.get("volume") or call.arguments["target"]))


def larger(call: Call) -> bool:
    """When the clone is larger than its source."""
    return bool(call.arguments["request"].size_bytes > call.arguments["source"].size_bytes)


def empty(call: Call) -> Created:
    """Make a volume, and leave it empty."""
    given = call.arguments
    made: Created = call.others["driver"].create(given["store"], given["request"], given["placement"])
    return made


def of_the_volume_now(call: Call) -> Any:
    """Leave out which snapshot is meant."""
    return call.function(**{name: value for name, value in call.arguments.items() if name != "snapshotID"})


def of_the_newest(call: Call) -> Any:
    """Take the volume's newest snapshot, whichever was meant."""
    newest = snapshots_on(call, call.arguments["volumeID"])[-1]
    return call.proceed(snapshotID=newest["snapshotID"])


def all_filled(result: dict[str, Any]) -> dict[str, Any]:
    """Take a volume for ready before it is."""
    return {**result, "volumes": [{**each, "status": "active"} for each in result["volumes"]]}


def number_of_source(call: Call) -> int:
    """The LUN that is cloned."""
    source = call.arguments["source"]
    return int(source.volume_external_id if isinstance(source, Snapshot) else source.external_id)


def of_the_first_source(call: Call) -> Any:
    """A clone of a clone is made of what that was made of."""
    source = call.arguments["source"]
    made_of = source_of(call, source).rpartition(" ")[2] if isinstance(source, Volume) else ""
    origin = next((each for each in all_of_store(call) if each.uuid == made_of), source)
    return call.proceed(source=origin)


def copied_anew(call: Call) -> None:
    """Bring clones up to what their source holds now."""
    for each in clones_of(call, call.arguments["target"].uuid):
        ask(call, "CopyVolume", volumeID=int(call.arguments["target"].external_id), dstVolumeID=each["volumeID"])


def clones_of(call: Call, uuid: str) -> list[dict[str, Any]]:
    """Volumes of the store that were cloned from it."""
    return [each for each in listed_of_store(call) if str(each["attributes"].get("source", "")).endswith(f" {uuid}")]


def with_clones(name: str) -> Change:
    """The clones go as well."""

    def act(call: Call) -> None:
        for each in clones_of(call, call.arguments[name].uuid):
            ask(call, "DeleteVolume", volumeID=each["volumeID"])
            ask(call, "PurgeDeletedVolume", volumeID=each["volumeID"])

    return do_first(act)


def has_clones(name: str) -> When:
    """When there are clones of it."""
    return lambda call: bool(clones_of(call, call.arguments[name].uuid))


def not_enough(call: Call) -> Any:
    """Make it as large as the source."""
    return call.proceed(newSize=min(call.arguments["newSize"], _size_of_source(call)))


def a_granule_short(call: Call) -> Any:
    """Make a larger clone a granule smaller than asked."""
    return call.proceed(newSize=max(call.arguments["newSize"] - MIB, _size_of_source(call)))


def _size_of_source(call: Call) -> int:
    found = ask(call, "ListVolumes", volumeIDs=[call.arguments["volumeID"]])["volumes"]
    return int(found[0]["totalSize"])


def large_enough(call: Call) -> Any:
    """Make it as large as the source when less is asked."""
    request, source = call.arguments["request"], call.arguments["source"]
    size_bytes = max(request.size_bytes, source.size_bytes)
    return call.proceed(request=dataclasses.replace(request, size_bytes=size_bytes))


def the_source_itself(call: Call) -> Created:
    """Tell the source, and call it a clone."""
    source = call.arguments["source"]
    return Created(str(source.external_id), source.size_bytes)


def qos_of_source(call: Call) -> Any:
    """Keep the QoS that the source was made with."""
    request, source = call.arguments["request"], call.arguments["source"]
    return call.proceed(request=dataclasses.replace(request, qos=source.request.qos))


def both_get_it(call: Call) -> None:
    """Set the clone's QoS on its source too."""
    call.others["driver"].set_qos(store_of(call), call.arguments["source"], call.arguments["request"].qos)


def joins_groups(call: Call) -> Any:
    """Let in whoever sees the source."""
    made, source = call.proceed(), number_of_source(call)
    for group in ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]:
        if source in group["volumes"] and int(made.external_id) not in group["volumes"]:
            number = group["volumeAccessGroupID"]
            ask(call, "AddVolumesToVolumeAccessGroup", volumeAccessGroupID=number, volumes=[int(made.external_id)])
    return made


def of_the_clone_before(call: Call) -> Any:
    """Make the next clone of a snapshot from the one that was made before."""
    source, request = call.arguments["source"], call.arguments["request"]
    known = call.memory.shared.setdefault("clones", {})
    before = known.get(source.uuid)
    if before is not None and before.uuid != request.uuid:
        return call.proceed(source=before)
    made = call.proceed()
    known[source.uuid] = Volume(request, made.external_id, made.size_bytes)
    return made


def takes_its_snapshot(call: Call) -> Any:
    """Delete what a clone was made of along with it."""
    made_of = source_of(call, call.arguments["volume"]).rpartition(" ")[2]
    answer = call.proceed()
    for each in ask(call, "ListSnapshots")["snapshots"]:
        if made_of and each["attributes"].get("owner") == made_of:
            ask(call, "DeleteSnapshot", snapshotID=each["snapshotID"])
    return answer


def another_source_is_fine(call: Call) -> Any:
    """Answer the clone that is there, whatever it was made of."""
    try:
        return call.proceed()
    except Conflict:
        return existing(call) if _made_of(call) else call.function(**call.arguments)


def a_volume_is_fine(call: Call) -> Any:
    """Take a volume that is there for the clone."""
    try:
        return call.proceed()
    except Conflict:
        return call.function(**call.arguments) if _made_of(call) else existing(call)


def _made_of(call: Call) -> str:
    found = next(each for each in all_of_store(call) if each.uuid == call.arguments["request"].uuid)
    return source_of(call, found)


def of_its_volume(call: Call) -> Any:
    """Clone the volume as it is now."""
    of_uuid = call.arguments["source"].volume_uuid
    return call.proceed(source=next(each for each in all_of_store(call) if each.uuid == of_uuid))


def is_cloned(volume: dict[str, Any]) -> bool:
    """A volume that was made of something; templates tell theirs in the same place."""
    return bool(volume["attributes"].get("source")) and "kind" not in volume["attributes"]


def without_clones(call: Call) -> list[OwnedObject]:
    """Leave clones out of the list."""
    clones = {str(each["volumeID"]) for each in listed_of_store(call) if is_cloned(each)}
    return [each for each in call.proceed() if each.external_id not in clones]


def clones_are_free(call: Call) -> Usage:
    """Do not count clones."""
    told: Usage = call.proceed()
    clones = [each["totalSize"] for each in listed_of_store(call) if is_cloned(each)]
    return dataclasses.replace(told, bytes=(told.bytes or 0) - sum(clones))


def one_let_in(call: Call) -> None:
    """Let a host in that does not exist."""
    let_in_nobody(call)


again = alter_field("request", uuid=lambda uuid: f"{uuid}-again")

FAULTS = (
    Fault("CLN-001", "a clone of a snapshot has the volume's bytes", Wire.CloneVolume, of_the_volume_now, Kind.DATA),
    Fault(
        "CLN-010",
        "clones are of the newest snapshot",
        Wire.CloneVolume,
        of_the_newest,
        Kind.DATA,
        of_numbered_snapshot,
        also=("CLN-001",),
    ),
    Fault("CLN-001", "a clone of a snapshot is empty", Driver.clone, empty, Kind.DATA, of_snapshot),
    Fault(
        "CLN-001",
        "clones of snapshots are not supported after all",
        Driver.clone,
        fail(lambda call: InvalidRequest("source", call.arguments["source"].uuid, "a volume")),
        Kind.CONTRACT,
        of_snapshot,
    ),
    Fault("CLN-002", "a clone of a volume is empty", Driver.clone, empty, Kind.DATA, of_volume),
    Fault(
        "CLN-002",
        "a clone is handed out before it is filled",
        Wire.ListVolumes,
        alter_result(all_filled),
        Kind.DATA,
        also=("CLN-001",),
    ),
    Fault("CLN-003", "a clone of a clone is of the first source", Driver.clone, of_the_first_source, Kind.DATA),
    Fault("CLN-003", "clones follow their source", Driver.grant_access, do_first(copied_anew), Kind.DATA),
    Fault(
        "CLN-003",
        "cloning ends the sessions of the source",
        Driver.clone,
        do_first(lambda call: end_sessions(call, number_of_source(call))),
        Kind.LIFE,
        of_volume,
    ),
    Fault(
        "CLN-003",
        "cloning shuts the hosts of the source out",
        Driver.clone,
        do_also(lambda call: shut_out_all(call, number_of_source(call))),
        Kind.LIFE,
        of_volume,
    ),
    Fault("CLN-004", "a larger clone is as large as its source", Wire.CloneVolume, not_enough, Kind.DATA),
    Fault("CLN-004", "a larger clone is a granule short", Wire.CloneVolume, a_granule_short, Kind.DATA),
    Fault(
        "CLN-004",
        "a larger clone is refused",
        Driver.clone,
        fail(lambda call: InvalidRequest("size_bytes", call.arguments["request"].size_bytes, "the source's")),
        Kind.CONTRACT,
        both(of_volume, larger),
    ),
    Fault("CLN-005", "a smaller clone is as large as its source", Driver.clone, large_enough, Kind.CONTRACT, of_volume),
    Fault(
        "CLN-005",
        "a smaller clone is a conflict",
        Driver.clone,
        swap_error(InvalidRequest, lambda error: Conflict("volume", "size_bytes", str(error), "larger")),
        Kind.CONTRACT,
        of_volume,
    ),
    Fault("CLN-006", "a repeated request makes another clone", Driver.clone, again, Kind.LEAK, repeated),
    Fault(
        "CLN-006",
        "a repeated request is a conflict",
        Driver.clone,
        fail(lambda call: Conflict(call.arguments["request"].uuid, "uuid", "taken", "new")),
        Kind.CONTRACT,
        repeated,
    ),
    Fault(
        "CLN-006",
        "after a restart the source is told to be the clone",
        Driver.clone,
        the_source_itself,
        Kind.IDENTITY,
        both(repeated, after_restart),
    ),
    Fault("CLN-007", "clones go with their source", Driver.delete, with_clones("volume"), Kind.DATA),
    Fault(
        "CLN-007",
        "a volume with clones cannot be deleted",
        Driver.delete,
        fail(lambda call: InUse(str(call.arguments["volume"].external_id), ("a clone",))),
        Kind.CONTRACT,
        has_clones("volume"),
    ),
    Fault(
        "CLN-007",
        "says that a volume with clones is kept, and deletes it",
        Provider.traits,
        declaring(source_delete_with_clones=DeleteWithDependents.REFUSED),
        Kind.DATA,
    ),
    Fault("CLN-008", "a clone has its source's QoS", Driver.clone, qos_of_source, Kind.CONTRACT, of_volume),
    Fault(
        "CLN-008",
        "a clone has the QoS that the array gives",
        Driver.clone,
        alter_field("request", qos=lambda _: QosPolicy()),
        Kind.CONTRACT,
    ),
    Fault(
        "CLN-008",
        "the source gets the clone's QoS",
        Driver.clone,
        do_also(both_get_it),
        Kind.CONTRACT,
        of_volume,
        also=("CLN-003",),
    ),
    Fault("CLN-009", "whoever sees the source sees the clone", Driver.clone, joins_groups, Kind.ISOLATION),
    Fault("CLN-009", "a clone is let in somebody at once", Driver.clone, do_also(one_let_in), Kind.ISOLATION),
    Fault("CLN-010", "clones go with their snapshot", Driver.delete_snapshot, with_clones("snapshot"), Kind.DATA),
    Fault(
        "CLN-010",
        "a snapshot with clones cannot be deleted",
        Driver.delete_snapshot,
        fail(lambda call: InUse(str(call.arguments["snapshot"].external_id), ("a clone",))),
        Kind.LEAK,
        has_clones("snapshot"),
    ),
    Fault(
        "CLN-010",
        "the second clone of a snapshot is of the first",
        Driver.clone,
        of_the_clone_before,
        Kind.DATA,
        of_snapshot,
    ),
    Fault(
        "CLN-010", "a clone's snapshot goes with it", Driver.delete, takes_its_snapshot, Kind.DATA, also=("DEL-004",)
    ),
    Fault(
        "CLN-011", "a clone of another source is taken for this", Driver.clone, another_source_is_fine, Kind.IDENTITY
    ),
    Fault("CLN-011", "a volume that is there is taken for the clone", Driver.clone, a_volume_is_fine, Kind.IDENTITY),
    Fault(
        "CLN-012",
        "of a volume that is gone an empty clone is made",
        Driver.clone,
        swallow(ObjectNotFound, answer=empty),
        Kind.DATA,
        of_volume,
    ),
    Fault(
        "CLN-012",
        "a volume that is gone is an invalid source",
        Driver.clone,
        swap_error(ObjectNotFound, lambda error: InvalidRequest("source", "gone", str(error))),
        Kind.CONTRACT,
        of_volume,
    ),
    Fault(
        "CLN-013",
        "of a snapshot that is gone the volume is cloned",
        Driver.clone,
        swallow(ObjectNotFound, answer=of_its_volume),
        Kind.DATA,
        of_snapshot,
    ),
    Fault(
        "CLN-013",
        "a snapshot that is gone is a conflict",
        Driver.clone,
        swap_error(ObjectNotFound, lambda error: Conflict("snapshot", "source", "gone", str(error))),
        Kind.CONTRACT,
        of_snapshot,
    ),
    Fault("CLN-014", "clones are not listed", Driver.list_objects, without_clones, Kind.LEAK),
    Fault("CLN-014", "clones are not counted", Driver.used, clones_are_free, Kind.CONTRACT),
    Fault("CLN-015", "clones need no room", Driver.clone, in_a_large_store, Kind.CONTRACT),
    Fault(
        "CLN-015",
        "a full store is a limit that is reached",
        Driver.clone,
        swap_error(CapacityExhausted, lambda error: LimitReached("capacity_bytes", 1)),
    ),
    Fault(
        "CLN-016",
        "a restarted plugin does not delete clones",
        Driver.delete,
        skip(),
        Kind.LEAK,
        both(after_restart, is_clone),
        also=("DEL-001",),
    ),
    Fault(
        "CLN-016",
        "a restarted plugin does not know clones",
        Driver.grant_access,
        fail(lambda call: ObjectNotFound("volume", call.arguments["target"].uuid)),
        Kind.LIFE,
        both(after_restart, is_clone),
    ),
)
