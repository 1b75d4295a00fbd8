"""Faults against DEL: deletion."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import Conflict, DeleteWhileGranted, InUse, ObjectNotFound
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Provider, Wire
from tests.faulty_providers.operators import alter_result, do_also, fail, skip, swap_error
from tests.faulty_providers.solidfire_inside import (
    all_of_store,
    ask,
    drop_snapshots,
    others_of_store,
    store_of,
)
from tests.faulty_providers.when import argument, both, repeated

lost = argument("volume", lambda volume: volume.external_id is None)


def take_oldest(call: Call) -> None:
    """Delete the oldest of the other volumes."""
    for each in others_of_store(call)[:1]:
        call.others["driver"].delete(store_of(call), each)


def take_next(call: Call) -> None:
    """Delete the volume that was made after this one."""
    number = int(call.arguments["volume"].external_id)
    for each in all_of_store(call):
        if int(str(each.external_id)) == number + 1:
            _force(call, number + 1)


def _force(call: Call, number: int) -> None:
    ask(call, "DeleteVolume", volumeID=number)
    ask(call, "PurgeDeletedVolume", volumeID=number)


def close_neighbours(call: Call) -> None:
    """Take the other volumes out of all groups."""
    for volume in others_of_store(call):
        for group in ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]:
            if int(str(volume.external_id)) in group["volumes"]:
                ask(
                    call,
                    "RemoveVolumesFromVolumeAccessGroup",
                    volumeAccessGroupID=group["volumeAccessGroupID"],
                    volumes=[int(str(volume.external_id))],
                )


def all_snapshots(call: Call) -> None:
    """Delete the snapshots of all volumes of the store."""
    found = ask(call, "ListSnapshots")["snapshots"]
    drop_snapshots(call, [each for each in found if each["attributes"].get("store") == store_of(call).request.uuid])


def unknown(call: Call) -> bool:
    """When the array has no volume of that owner."""
    return call.arguments["volume"].uuid not in {each.uuid for each in all_of_store(call)}


def declares(when: DeleteWhileGranted) -> Any:
    """Declare what happens while hosts have access."""
    return alter_result(lambda traits: dataclasses.replace(traits, delete_while_granted=when))


FAULTS = (
    Fault("DEL-001", "a delete does nothing", Driver.delete, skip(), Kind.LEAK),
    Fault("DEL-001", "deleted volumes stay in the trash", Wire.PurgeDeletedVolume, skip({}), Kind.LEAK, base="minimal"),
    Fault(
        "DEL-001",
        "a delete only hides the volume from the plugin",
        Wire.DeleteVolume,
        lambda call: call.others["send"]("ModifyVolume", volumeID=call.arguments["volumeID"], attributes={})["result"],
        Kind.LEAK,
    ),
    Fault(
        "DEL-002",
        "a repeated delete is not found",
        Driver.delete,
        fail(lambda call: ObjectNotFound("volume", call.arguments["volume"].external_id)),
        Kind.CONTRACT,
        both(repeated, unknown),
    ),
    Fault(
        "DEL-002", "a repeated delete takes another volume", Driver.delete, do_also(take_oldest), Kind.DATA, repeated
    ),
    Fault("DEL-003", "a volume without an id is not looked for", Driver.delete, skip(), Kind.LEAK, lost),
    Fault(
        "DEL-003",
        "a volume without an id takes its neighbour along",
        Driver.delete,
        do_also(take_oldest),
        Kind.DATA,
        both(lost, lambda call: not unknown(call)),
    ),
    Fault(
        "DEL-004",
        "the next volume is deleted as well",
        Driver.delete,
        do_also(take_next),
        Kind.DATA,
        argument("volume", lambda volume: volume.external_id is not None),
    ),
    Fault(
        "DEL-004",
        "the hosts of other volumes are shut out",
        Driver.delete,
        do_also(close_neighbours),
        Kind.LIFE,
        argument("volume", lambda volume: volume.external_id is not None),
    ),
    Fault(
        "DEL-005",
        "refuses what it says it revokes first",
        Provider.traits,
        declares(DeleteWhileGranted.REVOKES),
    ),
    Fault(
        "DEL-005",
        "deletes what it says it refuses",
        Provider.traits,
        declares(DeleteWhileGranted.REFUSED),
        Kind.DATA,
        base="minimal",
    ),
    Fault(
        "DEL-005",
        "a volume in use is a conflict",
        Driver.delete,
        swap_error(InUse, lambda error: Conflict("volume", "hosts", str(error), "none")),
    ),
    Fault(
        "DEL-006",
        "a delete of an unknown uuid takes the oldest volume",
        Driver.delete,
        do_also(take_oldest),
        Kind.DATA,
        both(lost, unknown),
        also=("DEL-004",),
    ),
    Fault(
        "DEL-006",
        "a delete of an unknown uuid is not found",
        Driver.delete,
        fail(lambda call: ObjectNotFound("volume", call.arguments["volume"].uuid)),
        Kind.CONTRACT,
        both(lost, unknown),
    ),
    Fault("DEL-004", "the snapshots of other volumes are deleted", Driver.delete, do_also(all_snapshots), Kind.DATA),
)
