"""Faults against REV: reverting a volume to a snapshot."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import (
    Conflict,
    InUse,
    InvalidRequest,
    ObjectNotFound,
    QosPolicy,
    RevertScope,
    Volume,
)
from tests.faulty_providers.corpus.acc import let_in_nobody
from tests.faulty_providers.corpus.reg import declaring
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Provider, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    do_also,
    do_first,
    fail,
    only_first_time,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import (
    all_of_store,
    ask,
    drop_snapshots,
    lun_of,
    others_of_store,
    roll_back,
    shut_out_all,
    snapshots_on,
    store_of,
)
from tests.faulty_providers.when import after_restart


def to_it(call: Call, lun_id: object = None) -> None:
    """Put back what the snapshot that is meant holds, whoever is there."""
    snapshot = call.arguments["snapshot"]
    there = {"volumeID": int(snapshot.volume_external_id), "snapshotID": int(snapshot.external_id)}
    roll_back(call, there, lun_id)


def number_of_newest(call: Call) -> int:
    """The volume's newest snapshot."""
    return int(snapshots_on(call, call.arguments["volumeID"])[-1]["snapshotID"])


def newer(call: Call) -> list[dict[str, Any]]:
    """Snapshots that were taken after the one that is meant."""
    number = int(call.arguments["snapshot"].external_id or 0)
    found = snapshots_on(call, call.arguments["volume"].external_id)
    return [each for each in found if each["snapshotID"] > number]


def used_up(call: Call) -> None:
    """Remove the snapshot that was reverted to."""
    call.others["driver"].delete_snapshot(store_of(call), call.arguments["snapshot"])


def all_back(call: Call) -> None:
    """Put every volume of the store back to its newest snapshot."""
    for each in others_of_store(call):
        for snapshot in snapshots_on(call, each.external_id)[-1:]:
            roll_back(call, snapshot)


def neighbours_out(call: Call) -> None:
    """Take the access of the other volumes' hosts away."""
    for each in others_of_store(call):
        shut_out_all(call, each.external_id)


def under_the_host(call: Call) -> Any:
    """Put back although a host uses it."""
    try:
        return call.proceed()
    except InUse:
        return to_it(call)


def throws_out(call: Call) -> None:
    """Take the hosts' access away, that nobody is in the way."""
    shut_out_all(call, call.arguments["volume"].external_id)


def refused_and_done(call: Call) -> Any:
    """Put back and refuse."""
    try:
        return call.proceed()
    except InUse:
        to_it(call)
        raise


def has_grown(call: Call) -> bool:
    """When the volume is larger than the snapshot."""
    now = lun_of(call, call.arguments["volume"]).get("totalSize", 0)
    return bool(now > call.arguments["snapshot"].size_bytes)


def of_the_snapshots_volume(call: Call) -> Any:
    """Put back whatever volume the snapshot is of."""
    snapshot = call.arguments["snapshot"]
    of = next(each for each in all_of_store(call) if each.uuid == snapshot.volume_uuid)
    return call.proceed(volume=of)


def to_the_last_there_is(call: Call) -> Any:
    """Put back to the newest snapshot when the one that is meant is gone."""
    try:
        return call.proceed()
    except ObjectNotFound:
        for each in snapshots_on(call, call.arguments["volume"].external_id)[-1:]:
            roll_back(call, each)


def first_qos(call: Call) -> None:
    """Give the volume the QoS that arrays give by default."""
    call.others["driver"].set_qos(store_of(call), call.arguments["volume"], QosPolicy(50, 15_000, 15_000))


def nobodys(call: Call) -> None:
    """Forget whose the volume is."""
    ask(call, "ModifyVolume", volumeID=int(call.arguments["volume"].external_id), attributes={})


def someone_in(call: Call) -> None:
    """Let a host in that does not exist."""
    let_in_nobody(dataclasses.replace(call, arguments={**call.arguments, "request": call.arguments["volume"].request}))


def frozen(call: Call) -> None:
    """Freeze the volume, and forget to thaw it."""
    ask(call, "ModifyVolume", volumeID=int(call.arguments["volume"].external_id), access="readOnly")


def pair(call: Call) -> Any:
    """Which volume and which snapshot this is about."""
    volume: Volume = call.arguments["volume"]
    return volume.uuid, call.arguments["snapshot"].uuid


def to_the_oldest(call: Call) -> Any:
    """Put back what the oldest snapshot of the volume holds."""
    return call.proceed(snapshotID=int(snapshots_on(call, call.arguments["volumeID"])[0]["snapshotID"]))


FAULTS = (
    Fault("REV-001", "reverting does nothing", Driver.revert, skip(), Kind.DATA),
    Fault(
        "REV-008", "a reverted volume cannot be written", Driver.revert, do_also(frozen), Kind.LIFE, also=("REV-002",)
    ),
    Fault(
        "REV-002",
        "reverting drops newer snapshots",
        Driver.revert,
        do_also(lambda call: drop_snapshots(call, newer(call))),
        Kind.DATA,
    ),
    Fault("REV-002", "reverting uses the snapshot up", Driver.revert, do_also(used_up), Kind.DATA),
    Fault(
        "REV-002",
        "reverts to the newest snapshot",
        Wire.RollbackToSnapshot,
        lambda call: call.proceed(snapshotID=number_of_newest(call)),
        Kind.DATA,
    ),
    Fault("REV-002", "reverts to the oldest snapshot", Wire.RollbackToSnapshot, to_the_oldest, Kind.DATA),
    Fault(
        "REV-002",
        "says that newer snapshots go, and keeps them",
        Provider.traits,
        declaring(revert_scope=RevertScope.DISCARDS_NEWER),
    ),
    Fault(
        "REV-002",
        "reverting leaves a snapshot of what was there",
        Wire.RollbackToSnapshot,
        alter_argument("saveCurrentState", lambda _: True),
        Kind.LEAK,
    ),
    Fault("REV-003", "all volumes of the store are reverted", Driver.revert, do_also(all_back), Kind.DATA),
    Fault("REV-003", "reverting shuts other volumes' hosts out", Driver.revert, do_also(neighbours_out), Kind.LIFE),
    Fault("REV-004", "reverts under a host", Driver.revert, under_the_host, Kind.DATA),
    Fault("REV-004", "throws the hosts out and reverts", Driver.revert, do_first(throws_out), Kind.DATA),
    Fault("REV-004", "refuses and reverts all the same", Driver.revert, refused_and_done, Kind.DATA),
    Fault(
        "REV-004",
        "a volume in use is a conflict",
        Driver.revert,
        swap_error(InUse, lambda error: Conflict("volume", "hosts", str(error), "none")),
    ),
    Fault("REV-005", "a volume that has grown is not reverted", Driver.revert, skip(), Kind.DATA, has_grown),
    Fault(
        "REV-005",
        "a volume that has grown is refused",
        Driver.revert,
        fail(lambda call: InvalidRequest("snapshot", call.arguments["snapshot"].uuid, "one of the present size")),
        Kind.CONTRACT,
        has_grown,
    ),
    Fault(
        "REV-006",
        "reverts whatever volume the snapshot is of",
        Driver.revert,
        swallow(InvalidRequest, answer=of_the_snapshots_volume),
        Kind.DATA,
    ),
    Fault("REV-006", "a snapshot that is gone is success", Driver.revert, swallow(ObjectNotFound), Kind.DATA),
    Fault("REV-006", "for a snapshot that is gone the newest is taken", Driver.revert, to_the_last_there_is, Kind.DATA),
    Fault("REV-007", "reverting puts the QoS back as well", Driver.revert, do_also(first_qos), Kind.CONTRACT),
    Fault(
        "REV-007", "a reverted volume is nobody's", Driver.revert, do_also(nobodys), Kind.IDENTITY, also=("REV-001",)
    ),
    Fault(
        "REV-007", "reverting lets somebody in", Driver.revert, do_also(someone_in), Kind.ISOLATION, also=("REV-002",)
    ),
    Fault("REV-008", "a restarted plugin reverts nothing", Driver.revert, skip(), Kind.LIFE, after_restart),
    Fault(
        "REV-008",
        "a restarted plugin does not know the snapshot",
        Driver.revert,
        fail(lambda call: ObjectNotFound("snapshot", call.arguments["snapshot"].uuid)),
        Kind.LIFE,
        after_restart,
    ),
    Fault("REV-002", "a volume is reverted to a snapshot once", Driver.revert, only_first_time(pair), Kind.LIFE),
)
