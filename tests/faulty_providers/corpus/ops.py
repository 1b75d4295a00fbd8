"""Faults against OPS: how calls behave, whatever they do."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

from conformance.contract import AccessModel, Busy, Conflict, LimitReached, ObjectNotFound, OperationCancelled, Resized
from tests.faulty_providers.corpus.acc import has_other_host
from tests.faulty_providers.corpus.ext import present
from tests.faulty_providers.corpus.prv import MIB
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Provider
from tests.faulty_providers.operators import (
    alter_field,
    alter_result,
    do_also,
    do_first,
    fail,
    first_argument,
    hang,
    leave_thread,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import listed_of_store, store_of
from tests.faulty_providers.when import after_restart, both, repeated

_LATER_SECONDS = 0.015


def purge_later(call: Call) -> None:
    """Empty the trash a moment after."""
    number = int(call.arguments["volume"].external_id or 0)
    element = call.others["lifecycle"]._arrays.of(store_of(call).request)
    client = element._client
    body = b'{"method": "PurgeDeletedVolume", "id": 1, "params": {"volumeID": %d}}' % number

    def purge() -> None:
        # Beside the wrapper that keeps the trash, and beside any deadline.
        with client._connections.lend(client._login.place, 1.0) as connection:
            connection._connection.request("POST", client._login.path, client._login.headers(), body, 1.0)

    threading.Timer(_LATER_SECONDS, purge).start()


def never_again(call: Call) -> Any:
    """Claim the store for this instance as long as it is not closed."""
    mine = call.others["provider"]
    owner = call.memory.shared.setdefault("owner", mine)
    if owner is not mine and owner._arrays._connections._is_closed:
        call.memory.shared["owner"] = owner = mine
    if owner is not mine:
        raise Conflict(call.arguments["request"].uuid, "instance", "another", "this")
    return call.proceed()


def short_the_second_time(call: Call) -> Any:
    """Grow a granule less when the volume has grown before, and say what was asked."""
    asked, now = call.arguments["size_bytes"], present(call)
    if now <= call.arguments["volume"].request.size_bytes + MIB or asked < now + MIB:
        return call.proceed()
    call.proceed(size_bytes=asked - MIB)
    return Resized(-(-asked // MIB) * MIB)


def drop_after_growth(call: Call) -> None:
    """Take the first host's access away from a volume that has changed size since it was made."""
    target = call.arguments["target"]
    if target.size_bytes > target.request.size_bytes + MIB:
        call.others["driver"].fence(store_of(call), target, [call.arguments["host"]])


def exits(call: Call) -> Any:
    """End the process."""
    raise SystemExit(3)


def without_those_in_use(call: Call) -> Any:
    """Leave out volumes that a host has and whose QoS was set."""
    found = listed_of_store(call)
    used = {
        str(each["volumeID"]) for each in found if each["volumeAccessGroups"] and each["qos"] != found_first(call, each)
    }
    return [each for each in call.proceed() if each.external_id not in used]


def found_first(call: Call, volume: Any) -> Any:
    """The QoS that a volume had when it was listed first."""
    return call.memory.shared.setdefault("first qos", {}).setdefault(volume["volumeID"], volume["qos"])


def is_direct(call: Call) -> bool:
    """When the store is of access model DIRECT."""
    return store_of(call).request.access_model is AccessModel.DIRECT


def shut_out_others(call: Call) -> None:
    """Cut off the hosts that were granted this volume before."""
    target, host = call.arguments["target"], call.arguments["host"]
    known = call.memory.shared.setdefault(f"hosts of {target.uuid}", [])
    call.others["driver"].fence(store_of(call), target, [each for each in known if each != host])
    known.append(host)


in_a_large_store = alter_field("store", request=lambda request: dataclasses.replace(request, capacity_bytes=10**14))

FAULTS = (
    Fault("OPS-001", "asking what is used never ends", Driver.used, hang(), Kind.LIFE),
    Fault(
        "OPS-002",
        "the trash is emptied a moment later",
        Driver.delete,
        do_also(purge_later),
        Kind.LIFE,
        base="with-trash",
    ),
    Fault("OPS-003", "an error of its own comes out of used", Driver.used, fail(lambda call: KeyError("bytes"))),
    Fault("OPS-003", "ends the process", Driver.used, exits, Kind.LIFE),
    Fault(
        "OPS-003",
        "a size of zero is a value error",
        Driver.create,
        fail(lambda call: ValueError("size")),
        Kind.CONTRACT,
        lambda call: call.arguments["request"].size_bytes <= 0,
    ),
    Fault("OPS-004", "used is a number", Driver.used, alter_result(lambda used: used.bytes)),
    Fault("OPS-004", "objects are told one by one", Driver.list_objects, alter_result(iter)),
    Fault("OPS-004", "create answers a dictionary", Driver.create, alter_result(lambda made: {"id": made.external_id})),
    Fault("OPS-005", "a thread stays", Driver.used, leave_thread(), Kind.LEAK),
    Fault("OPS-005", "close fails", Provider.close, fail(lambda call: Busy(1.0, "still at work")), Kind.LIFE),
    Fault(
        "OPS-006",
        "a restarted plugin makes volumes again",
        Driver.create,
        alter_field("request", uuid=lambda uuid: f"{uuid}-again"),
        Kind.LEAK,
        both(repeated, after_restart),
    ),
    Fault(
        "OPS-006",
        "a restarted plugin knows no volumes to grant",
        Driver.grant_access,
        fail(lambda call: ObjectNotFound("volume", call.arguments["target"].external_id)),
        Kind.LIFE,
        after_restart,
    ),
    Fault(
        "OPS-006",
        "a restarted plugin deletes nothing",
        Driver.delete,
        skip(),
        Kind.LEAK,
        after_restart,
        also=("DEL-001",),
    ),
    Fault(
        "OPS-006",
        "a restarted plugin lists nothing",
        Driver.list_objects,
        skip([]),
        Kind.LIFE,
        after_restart,
    ),
    Fault("OPS-007", "a grant of what is gone is told as success", Driver.grant_access, swallow(ObjectNotFound)),
    Fault(
        "OPS-007",
        "a grant of what is gone is a conflict",
        Driver.grant_access,
        swap_error(ObjectNotFound, lambda error: Conflict("volume", "status", "gone", "there")),
    ),
    Fault(
        "OPS-008",
        "a resize of what is gone is told as success",
        Driver.resize,
        swallow(ObjectNotFound, answer=lambda call: Resized(call.arguments["size_bytes"])),
    ),
    Fault(
        "OPS-008",
        "a resize of what is gone is cancelled",
        Driver.resize,
        swap_error(ObjectNotFound, lambda error: OperationCancelled("resize")),
    ),
    Fault("OPS-009", "one instance at a time", Driver.create, never_again, Kind.LIFE),
    Fault(
        "OPS-010",
        "a volume with a host and QoS of its own is not listed",
        Driver.list_objects,
        without_those_in_use,
        Kind.LEAK,
    ),
    Fault("EXT-001", "the second growth is a granule short", Driver.resize, short_the_second_time, Kind.DATA),
    Fault(
        "ACC-001",
        "a host granted after a growth is shut out again",
        Driver.grant_access,
        do_also(drop_after_growth),
        Kind.LIFE,
        also=("EXT-002",),
    ),
    Fault(
        "DIR-001",
        "a LUN without datastore is for one host only",
        Driver.grant_access,
        do_first(lambda call: shut_out_others(call)),
        Kind.LIFE,
        is_direct,
        also=("ACC-001", "ACC-012"),
    ),
    Fault(
        "DIR-001",
        "a second host of a LUN without datastore is refused",
        Driver.grant_access,
        fail(lambda call: LimitReached("hosts of a LUN", 1)),
        Kind.LIFE,
        both(is_direct, has_other_host),
    ),
    Fault("DIR-002", "a LUN without datastore is not listed", Driver.list_objects, skip([]), Kind.LEAK, is_direct),
    Fault("ISO-002", "creates are for the first store", Driver.create, first_argument("store"), Kind.ISOLATION),
    Fault("SPC-001", "a full store is not full", Driver.create, in_a_large_store, Kind.CONTRACT),
    Fault("SPC-002", "a full store lets volumes grow", Driver.resize, in_a_large_store, Kind.CONTRACT),
)
