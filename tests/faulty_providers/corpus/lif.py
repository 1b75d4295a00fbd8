"""Faults against LIF: the life of a store."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import (
    ArrayUnreachable,
    AuthenticationFailed,
    Conflict,
    DataStore,
    InvalidRequest,
    ObjectNotFound,
)
from tests.faulty_providers.fault import Call, Fault, Kind, LifeCycle, Wire
from tests.faulty_providers.operators import (
    alter_field,
    do_also,
    do_first,
    fail,
    lie,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import all_of_store, ask
from tests.faulty_providers.when import after_restart, argument, repeated, repeated_for


def accepted(call: Call) -> DataStore:
    """A store, whatever the array may say."""
    return DataStore(call.arguments["request"])


def volumes_of(call: Call) -> list[Any]:
    """Volumes that the array has for the store."""
    call.arguments["store"] = DataStore(call.arguments["request"])
    try:
        return all_of_store(call)
    finally:
        del call.arguments["store"]


def has_volumes(call: Call) -> bool:
    """When the store is not empty."""
    return is_known(call) and bool(volumes_of(call))


def is_known(call: Call) -> bool:
    """When the store has an account on the array."""
    found = ask(call, "ListAccounts")["accounts"]
    return any(each["attributes"].get("store") == call.arguments["request"].uuid for each in found)


def never_was(call: Call) -> bool:
    """When the store was never there."""
    uuid = call.arguments["request"].uuid
    deleted = call.memory.shared.setdefault("deleted stores", set())
    is_new = not is_known(call) and uuid not in deleted
    deleted.add(uuid)
    return is_new


def every_volume_of_ours(call: Call) -> None:
    """Delete what this plugin made for other stores."""
    _delete(call, [each for each in ask(call, "ListVolumes")["volumes"] if _is_ours(each)])


def every_volume_of_strangers(call: Call) -> None:
    """Delete what this plugin did not make."""
    _delete(call, [each for each in ask(call, "ListVolumes")["volumes"] if not _is_ours(each)])


def _is_ours(volume: Any) -> bool:
    return str(volume["attributes"].get("made_by", "")).endswith("-solidfire")


def _delete(call: Call, volumes: list[Any]) -> None:
    for each in volumes:
        ask(call, "DeleteVolume", volumeID=each["volumeID"])
        ask(call, "PurgeDeletedVolume", volumeID=each["volumeID"])


def clear(call: Call) -> None:
    """Delete the store's volumes."""
    for each in all_of_store(call):
        call.others["driver"].fence(call.arguments["store"], each, [])
        call.others["driver"].delete(call.arguments["store"], each)


def made_before_refused(call: Call) -> Any:
    """Make the account first, look at the capacity then."""
    request = call.arguments["request"]
    call.others["lifecycle"].initialize(dataclasses.replace(request, capacity_bytes=10**10))
    return call.proceed()


def takes_all(call: Call) -> Any:
    """Leave the volumes, and say that they were removed."""
    return None if has_volumes(call) else call.proceed()


capacity = argument("request", lambda request: request.capacity_bytes <= 0)


def only_empty(call: Call) -> Any:
    """Take every volume out of the group, and let it stay."""
    call.others["send"](
        "ModifyVolumeAccessGroup", volumeAccessGroupID=call.arguments["volumeAccessGroupID"], volumes=[]
    )
    return {}


FAULTS = (
    Fault(
        "LIF-001",
        "a store that is there is a conflict",
        LifeCycle.initialize,
        fail(lambda call: Conflict(call.arguments["request"].uuid, "store", "there", "new")),
        Kind.CONTRACT,
        repeated,
    ),
    Fault(
        "LIF-001",
        "tells other details each time",
        LifeCycle.initialize,
        lie(details=lambda details: {**details, "told": "again"}),
        Kind.IDENTITY,
        repeated,
    ),
    Fault(
        "LIF-001",
        "answers a store of another name",
        LifeCycle.initialize,
        lie(request=lambda request: dataclasses.replace(request, uuid=f"{request.uuid}-1")),
        Kind.IDENTITY,
    ),
    Fault(
        "LIF-002",
        "wrong credentials are an unreachable array",
        LifeCycle.initialize,
        swap_error(AuthenticationFailed, lambda error: ArrayUnreachable("array", "refused")),
    ),
    Fault(
        "LIF-002",
        "wrong credentials are accepted",
        LifeCycle.initialize,
        swallow(AuthenticationFailed, answer=accepted),
        Kind.SECRET,
    ),
    Fault(
        "LIF-003",
        "a dead array is accepted",
        LifeCycle.initialize,
        swallow(ArrayUnreachable, answer=accepted),
        Kind.LIFE,
    ),
    Fault(
        "LIF-003",
        "a dead array is an invalid request",
        LifeCycle.initialize,
        swap_error(ArrayUnreachable, lambda error: InvalidRequest("url", "dead", "alive")),
    ),
    Fault(
        "LIF-004",
        "no capacity is all there is",
        LifeCycle.initialize,
        alter_field("request", capacity_bytes=lambda n: 10**12),
        Kind.CONTRACT,
        capacity,
    ),
    Fault(
        "LIF-004",
        "the account is made before the capacity is looked at",
        LifeCycle.initialize,
        made_before_refused,
        Kind.LEAK,
        capacity,
    ),
    Fault(
        "LIF-005",
        "a cluster that is detached twice is not found",
        LifeCycle.detach_cluster,
        fail(lambda call: ObjectNotFound("cluster", call.arguments["cluster"].uuid)),
        Kind.CONTRACT,
        repeated_for("cluster"),
    ),
    Fault(
        "LIF-005",
        "a cluster that is attached twice is a conflict",
        LifeCycle.attach_cluster,
        fail(lambda call: Conflict(call.arguments["cluster"].uuid, "cluster", "there", "new")),
        Kind.CONTRACT,
        repeated_for("cluster", "store"),
    ),
    Fault("LIF-005", "detaching a cluster deletes the volumes", LifeCycle.detach_cluster, do_first(clear), Kind.DATA),
    Fault("LIF-006", "volumes stay when their store is deleted", LifeCycle.delete_datastore, takes_all, Kind.LEAK),
    Fault(
        "LIF-006",
        "a store that is deleted twice is not found",
        LifeCycle.delete_datastore,
        fail(lambda call: ObjectNotFound("store", call.arguments["request"].uuid)),
        Kind.CONTRACT,
        repeated,
    ),
    Fault(
        "LIF-007",
        "a store that never was is not found",
        LifeCycle.delete_datastore,
        fail(lambda call: ObjectNotFound("store", call.arguments["request"].uuid)),
        Kind.CONTRACT,
        never_was,
    ),
    Fault(
        "LIF-007",
        "an empty store takes the volumes of others",
        LifeCycle.delete_datastore,
        do_first(every_volume_of_ours),
        Kind.DATA,
        lambda call: not has_volumes(call),
    ),
    Fault(
        "LIF-008",
        "a deleted store takes the volumes of all stores",
        LifeCycle.delete_datastore,
        do_first(every_volume_of_ours),
        Kind.DATA,
        has_volumes,
    ),
    Fault(
        "ISO-001",
        "a deleted store takes what strangers made",
        LifeCycle.delete_datastore,
        do_also(every_volume_of_strangers),
        Kind.ISOLATION,
    ),
    Fault(
        "ISO-001",
        "the volumes of strangers get other QoS",
        Wire.CreateVolume,
        do_also(lambda call: slow_down(call)),
        Kind.ISOLATION,
    ),
    Fault(
        "LIF-009",
        "a capacity below what is used is accepted",
        LifeCycle.update,
        swallow(InvalidRequest, answer=lambda call: call.arguments["store"]),
        Kind.CONTRACT,
    ),
    Fault(
        "LIF-009",
        "a larger capacity is refused",
        LifeCycle.update,
        fail(lambda call: InvalidRequest("capacity_bytes", 0, "the same")),
        Kind.CONTRACT,
        lambda call: call.arguments["request"].capacity_bytes > call.arguments["store"].request.capacity_bytes,
    ),
    Fault(
        "LIF-010",
        "more than the array has is accepted",
        LifeCycle.initialize,
        alter_field("request", capacity_bytes=lambda asked: min(asked, 10**13)),
        Kind.CONTRACT,
        argument("request", lambda request: request.capacity_bytes > 10**14),
    ),
    Fault(
        "OPS-011",
        "a restarted plugin deletes no store and says so to nobody",
        LifeCycle.delete_datastore,
        skip(),
        Kind.LEAK,
        after_restart,
        also=("LEK-001",),
    ),
    Fault(
        "OPS-011",
        "a restarted plugin finds no store to delete",
        LifeCycle.delete_datastore,
        fail(lambda call: ObjectNotFound("store", call.arguments["request"].uuid)),
        Kind.LIFE,
        after_restart,
    ),
    Fault("LEK-001", "accounts stay", Wire.RemoveAccount, skip({}), Kind.LEAK),
    Fault("LEK-001", "groups stay", Wire.DeleteVolumeAccessGroup, only_empty, Kind.LEAK, base="minimal"),
)


def slow_down(call: Call) -> None:
    """Change the QoS of volumes that others made."""
    for each in call.others["send"]("ListVolumes")["result"]["volumes"]:
        if not _is_ours(each):
            call.others["send"]("ModifyVolume", volumeID=each["volumeID"], qos={"minIOPS": 60})
