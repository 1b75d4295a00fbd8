"""Faults against PRV: provisioning."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import (
    CapacityExhausted,
    Conflict,
    Created,
    InvalidRequest,
    LimitReached,
    LunIdentity,
    Volume,
    VolumeRequest,
)
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_field,
    do_also,
    fail,
    lie,
    remember_answer,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import all_of_store, ask, store_of
from tests.faulty_providers.when import argument, both, nth_object, repeated

MIB = 1 << 20
LARGEST = 8_000_000_491_520


def asked(call: Call) -> VolumeRequest:
    """The request of a create."""
    request: VolumeRequest = call.arguments["request"]
    return request


def existing(call: Call) -> Created:
    """The volume of that uuid, as if it were what is asked."""
    found = next(each for each in all_of_store(call) if each.uuid == asked(call).uuid)
    return Created(str(found.external_id), found.size_bytes)


def grown(call: Call) -> Created:
    """The same, made as large as is asked."""
    found = existing(call)
    volume = Volume(asked(call), found.external_id, found.size_bytes)
    larger = call.others["driver"].resize(store_of(call), volume, asked(call).size_bytes)
    return Created(found.external_id, larger.size_bytes)


def twin(call: Call) -> None:
    """One more volume of the same size."""
    more = dataclasses.replace(asked(call), uuid=f"{asked(call).uuid}-twin")
    call.others["driver"].create(store_of(call), more, call.arguments["placement"])


def id_of_namesake(call: Call) -> Created:
    """Tell the id of the first volume whose name begins alike."""
    made: Created = call.proceed()
    first = call.memory.shared.setdefault("ids", {}).setdefault(asked(call).name[:24], made.external_id)
    return dataclasses.replace(made, external_id=first)


def identity_before(call: Call) -> Created:
    """Tell the identity of the volume made before."""
    made: Created = call.proceed()
    before = call.memory.shared.get("identity", made.identity)
    call.memory.shared["identity"] = made.identity
    return dataclasses.replace(made, identity=before)


def revived(call: Call) -> Any:
    """Take a deleted volume of that size out of the trash, with all that is on it."""
    size = -(-asked(call).size_bytes // MIB) * MIB
    old = [each for each in ask(call, "ListDeletedVolumes")["volumes"] if each["totalSize"] == size]
    if not old or repeated(call):
        return call.proceed()
    found = old[-1]
    marks = {**found["attributes"], "owner": asked(call).uuid, "store": store_of(call).request.uuid}
    ask(call, "RestoreDeletedVolume", volumeID=found["volumeID"])
    ask(call, "ModifyVolume", volumeID=found["volumeID"], attributes=marks)
    return Created(str(found["volumeID"]), found["totalSize"], LunIdentity(found["scsiNAADeviceID"]))


def revived_by_name(call: Call) -> Any:
    """Take the deleted volume of that name out of the trash."""
    deleted = ask(call, "ListDeletedVolumes")["volumes"]
    old = [each for each in deleted if each["attributes"].get("owner") == asked(call).uuid]
    if not old:
        return call.proceed()
    found = old[-1]
    ask(call, "RestoreDeletedVolume", volumeID=found["volumeID"])
    return Created(str(found["volumeID"]), found["totalSize"], LunIdentity(found["scsiNAADeviceID"]))


def swallow_qos_conflict(call: Call) -> Any:
    """Answer what is there when only the QoS differs."""
    try:
        return call.proceed()
    except Conflict as error:
        if error.field != "qos":
            raise
        return existing(call)


def size(holds: Any) -> Any:
    """When the size asked for is so."""
    return argument("request", lambda request: holds(request.size_bytes))


FAULTS = (
    Fault(
        "PRV-001",
        "the array is asked for a granule less",
        Wire.CreateVolume,
        alter_argument("totalSize", lambda asked_bytes: asked_bytes - MIB),
        Kind.DATA,
    ),
    Fault(
        "PRV-001",
        "one granule short on the third volume",
        Driver.create,
        alter_field("request", size_bytes=lambda asked_bytes: asked_bytes - MIB),
        Kind.DATA,
        nth_object(3),
    ),
    Fault("PRV-001", "says a granule more than there is", Driver.create, lie(size_bytes=lambda n: n + MIB), Kind.DATA),
    Fault("PRV-001", "makes two LUNs", Driver.create, do_also(twin), Kind.LEAK, size(lambda n: n > 0)),
    Fault(
        "PRV-001",
        "odd sizes are rounded down",
        Driver.create,
        alter_field("request", size_bytes=lambda n: n // MIB * MIB),
        Kind.DATA,
        size(lambda n: n > 1_100_000_000 // 1 or n % MIB != 0),
        also=("CPB-002",),
    ),
    Fault(
        "PRV-002",
        "a repeated create makes another volume",
        Driver.create,
        alter_field("request", uuid=lambda uuid: f"{uuid}-again"),
        Kind.LEAK,
        repeated,
    ),
    Fault(
        "PRV-002",
        "a repeated create is a conflict",
        Driver.create,
        fail(lambda call: Conflict(asked(call).uuid, "uuid", "one", "another")),
        Kind.IDENTITY,
        repeated,
    ),
    Fault(
        "PRV-002",
        "a repeated create answers the size asked, not the size made",
        Driver.create,
        lie(size_bytes=lambda made_bytes: made_bytes - 1),
        Kind.CONTRACT,
        repeated,
    ),
    Fault(
        "PRV-003",
        "another size is taken for the same request",
        Driver.create,
        swallow(Conflict, answer=existing),
        Kind.IDENTITY,
    ),
    Fault("PRV-003", "another size resizes the volume", Driver.create, swallow(Conflict, answer=grown), Kind.IDENTITY),
    Fault(
        "PRV-003",
        "another size is an invalid request",
        Driver.create,
        swap_error(Conflict, lambda error: InvalidRequest("size_bytes", str(error), "the same")),
    ),
    Fault(
        "PRV-013",
        "another QoS is taken for the same request",
        Driver.create,
        swallow_qos_conflict,
        Kind.IDENTITY,
    ),
    Fault("PRV-004", "volumes whose names begin alike have one id", Driver.create, id_of_namesake, Kind.IDENTITY),
    Fault(
        "PRV-005",
        "zero is the smallest size",
        Driver.create,
        alter_field("request", size_bytes=lambda n: 10**9),
        Kind.CONTRACT,
        size(lambda n: n == 0),
    ),
    Fault(
        "PRV-005",
        "a negative size loses its sign",
        Driver.create,
        alter_field("request", size_bytes=lambda n: max(-n, 10**9)),
        Kind.CONTRACT,
        size(lambda n: n < 0),
    ),
    Fault(
        "PRV-005",
        "what is too large is made as large as possible",
        Driver.create,
        alter_field("request", size_bytes=lambda n: LARGEST),
        Kind.DATA,
        size(lambda n: n > LARGEST),
    ),
    Fault(
        "PRV-005",
        "what is too large is no room",
        Driver.create,
        swap_error(InvalidRequest, lambda error: CapacityExhausted(LARGEST + 1, None)),
        Kind.CONTRACT,
        size(lambda n: n > LARGEST),
    ),
    Fault(
        "PRV-006",
        "rounds up what it says it refuses",
        Driver.create,
        alter_field("request", size_bytes=lambda n: 10**9),
        Kind.CONTRACT,
        size(lambda n: 0 < n < 10**9),
        base="minimal",
    ),
    Fault(
        "PRV-006",
        "refuses what it says it rounds up",
        Driver.create,
        fail(lambda call: InvalidRequest("size_bytes", asked(call).size_bytes, "more")),
        Kind.CONTRACT,
        size(lambda n: 0 < n < 10**9),
    ),
    Fault(
        "PRV-007",
        "no room is a limit reached",
        Driver.create,
        swap_error(CapacityExhausted, lambda error: LimitReached("space", None)),
    ),
    Fault(
        "PRV-007",
        "no room is told as success",
        Driver.create,
        swallow(CapacityExhausted, answer=lambda call: Created("4711", asked(call).size_bytes)),
        Kind.DATA,
    ),
    Fault(
        "PRV-008", "takes the next volume out of the trash", Driver.create, revived, Kind.ISOLATION, base="with-trash"
    ),
    Fault(
        "PRV-009",
        "tells hosts a smaller LUN",
        Driver.connection,
        lie(size_bytes=lambda lun_bytes: lun_bytes - MIB),
        Kind.DATA,
    ),
    Fault("PRV-010", "tells the identity of the volume before", Driver.create, identity_before, Kind.IDENTITY),
    Fault(
        "PRV-010",
        "tells hosts another identity",
        Driver.connection,
        lie(identity=lambda _: LunIdentity("6f47acc1000000000badbadbadbadbad")),
        Kind.IDENTITY,
    ),
    Fault(
        "PRV-011",
        "a deleted volume comes back with its data",
        Driver.create,
        revived_by_name,
        Kind.ISOLATION,
        base="with-trash",
    ),
    Fault(
        "PRV-011",
        "remembers the answers to creates",
        Driver.create,
        remember_answer(lambda call: (asked(call).uuid, asked(call).size_bytes, asked(call).qos)),
        Kind.LIFE,
        size(lambda n: n > 0),
    ),
    Fault(
        "PRV-011",
        "a deleted uuid is taken for ever",
        Driver.create,
        fail(lambda call: Conflict(asked(call).uuid, "uuid", "deleted", "new")),
        Kind.LIFE,
        both(repeated, lambda call: asked(call).uuid not in {each.uuid for each in all_of_store(call)}),
    ),
)
