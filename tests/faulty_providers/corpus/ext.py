"""Faults against EXT: resize."""

from __future__ import annotations

from typing import Any

from conformance.contract import (
    Capability,
    CapacityExhausted,
    Conflict,
    InvalidRequest,
    LimitReached,
    Resized,
    Volume,
    VolumeRequest,
)
from tests.faulty_providers.corpus.cpb import without
from tests.faulty_providers.corpus.prv import LARGEST, MIB
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Provider, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    do_also,
    fail,
    lie,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import ask, others_of_store, store_of
from tests.faulty_providers.when import argument

growing = argument("totalSize", lambda total_bytes: total_bytes is not None)


def present(call: Call) -> int:
    """The size the volume has now."""
    listed = call.others["driver"].list_objects(store_of(call))
    return int(next((each.size_bytes for each in listed if each.owner_uuid == call.arguments["volume"].uuid), 0))


def same_size(call: Call) -> bool:
    """When the volume is as large as asked already."""
    return present(call) == int(-(-call.arguments["size_bytes"] // MIB) * MIB)


def smaller(call: Call) -> bool:
    """When less is asked than there is."""
    return bool(-(-call.arguments["size_bytes"] // MIB) * MIB < present(call))


def a_granule_less(call: Call) -> Any:
    """Grow a granule less, if that is still growth, and say what was asked."""
    asked = call.arguments["size_bytes"]
    made = call.proceed(size_bytes=max(present(call), asked - MIB))
    return Resized(max(made.size_bytes, asked))


def neighbours_too(call: Call) -> None:
    """Grow the other volumes of the store by a granule."""
    for each in others_of_store(call):
        call.others["driver"].resize(store_of(call), each, each.size_bytes + MIB)


def drop_sessions(call: Call) -> None:
    """Let nobody in for a moment."""
    for access in ("locked", "readWrite"):
        call.others["send"]("ModifyVolume", volumeID=call.arguments["volumeID"], access=access)


def new_lun_after_growth(call: Call) -> Any:
    """Lead hosts of a volume that has grown to a new LUN of the new size."""
    target, host, store = call.arguments["target"], call.arguments["host"], store_of(call)
    if target.size_bytes < target.request.size_bytes + MIB:
        return call.proceed()
    driver = call.others["driver"]
    request = VolumeRequest(f"{target.uuid}-grown", "grown", target.size_bytes)
    made = driver.create(store, request, target.placement)
    grown = Volume(request, made.external_id, made.size_bytes)
    driver.grant_access(store, grown, host)
    return driver.connection(store, grown, host)


def shut_out(call: Call) -> None:
    """Take the volume out of one of its groups."""
    number = int(call.arguments["volume"].external_id)
    for group in ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]:
        if number in group["volumes"]:
            group_id = group["volumeAccessGroupID"]
            ask(call, "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=group_id, volumes=[number])
            return


FAULTS = (
    Fault("EXT-001", "a granule short", Driver.resize, a_granule_less, Kind.DATA),
    Fault(
        "EXT-001",
        "says the old size",
        Driver.resize,
        lie(size_bytes=lambda made_bytes: made_bytes - MIB),
        Kind.DATA,
        lambda call: not same_size(call),
    ),
    Fault(
        "EXT-001",
        "grows and says nothing of rounding",
        Driver.resize,
        lambda call: (call.proceed(), Resized(call.arguments["size_bytes"]))[1],
        Kind.CONTRACT,
    ),
    Fault(
        "EXT-001",
        "does nothing and says it did",
        Driver.resize,
        skip(lambda call: Resized(call.arguments["size_bytes"])),
        Kind.DATA,
    ),
    Fault(
        "EXT-002",
        "after a growth hosts are led to a new LUN",
        Driver.connection,
        new_lun_after_growth,
        Kind.DATA,
        also=("PRV-010", "ACC-014"),
    ),
    Fault(
        "EXT-002",
        "a volume that has grown cannot be granted",
        Driver.grant_access,
        fail(lambda call: Conflict(call.arguments["target"].uuid, "size_bytes", "grown", "known")),
        Kind.LIFE,
        lambda call: call.arguments["target"].size_bytes > call.arguments["target"].request.size_bytes + MIB,
    ),
    Fault(
        "EXT-003",
        "a repeated resize grows by one granule more",
        Driver.resize,
        alter_argument("size_bytes", lambda asked_bytes: asked_bytes + MIB),
        Kind.DATA,
        same_size,
        also=("EXT-001",),
    ),
    Fault(
        "EXT-003",
        "a repeated resize is an invalid request",
        Driver.resize,
        fail(lambda call: InvalidRequest("size_bytes", call.arguments["size_bytes"], "more")),
        Kind.CONTRACT,
        same_size,
    ),
    Fault(
        "EXT-004",
        "a smaller size is told as success",
        Driver.resize,
        skip(lambda call: Resized(call.arguments["size_bytes"])),
        Kind.DATA,
        smaller,
    ),
    Fault(
        "EXT-004",
        "a smaller size is added",
        Driver.resize,
        lambda call: call.proceed(size_bytes=present(call) + call.arguments["size_bytes"]),
        Kind.DATA,
        smaller,
    ),
    Fault(
        "EXT-005",
        "grows as far as it can when more is asked",
        Driver.resize,
        alter_argument("size_bytes", lambda asked_bytes: min(asked_bytes, LARGEST)),
        Kind.DATA,
    ),
    Fault(
        "EXT-005",
        "too large is no room",
        Driver.resize,
        swap_error(InvalidRequest, lambda error: CapacityExhausted(LARGEST + 1, None)),
        Kind.CONTRACT,
        argument("size_bytes", lambda asked_bytes: asked_bytes > LARGEST),
    ),
    Fault("EXT-006", "growing ends all sessions", Wire.ModifyVolume, do_also(drop_sessions), Kind.LIFE, growing),
    Fault(
        "EXT-007",
        "grows used volumes and says that it cannot",
        Provider.capabilities,
        without(Capability.RESIZE_ONLINE),
    ),
    Fault("EXT-008", "all volumes of the store grow", Driver.resize, do_also(neighbours_too), Kind.DATA),
    Fault(
        "EXT-009",
        "no room to grow is an invalid request",
        Driver.resize,
        swap_error(CapacityExhausted, lambda error: InvalidRequest("size_bytes", str(error), "less")),
    ),
    Fault(
        "EXT-009",
        "no room to grow is a limit",
        Driver.resize,
        swap_error(CapacityExhausted, lambda error: LimitReached("space", None)),
    ),
    Fault(
        "EXT-009",
        "no room to grow is told as success",
        Driver.resize,
        swallow(CapacityExhausted, answer=lambda call: Resized(call.arguments["size_bytes"])),
        Kind.DATA,
    ),
    Fault(
        "EXT-010",
        "growing puts QoS back to the default",
        Wire.ModifyVolume,
        lambda call: call.proceed(qos={"minIOPS": 50, "maxIOPS": 15000, "burstIOPS": 15000}),
        Kind.CONTRACT,
        growing,
    ),
    Fault(
        "EXT-010",
        "growing shuts out a host",
        Driver.resize,
        do_also(lambda call: shut_out(call)),
        Kind.LIFE,
    ),
    Fault(
        "EXT-010",
        "growing forgets whose the volume is",
        Wire.ModifyVolume,
        lambda call: call.proceed(attributes={}),
        Kind.IDENTITY,
        growing,
    ),
)
