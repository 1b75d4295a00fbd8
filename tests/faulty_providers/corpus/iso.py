"""Faults against ISO: what is others' on the array."""

from __future__ import annotations

from typing import Any

from tests.faulty_providers.fault import Call, Driver, Fault, Kind, LifeCycle
from tests.faulty_providers.operators import do_also, do_first
from tests.faulty_providers.solidfire_inside import ask, lun_of


def alike(call: Call, things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose names begin as that of the volume's LUN."""
    name = lun_of(call, call.arguments["volume"]).get("name")
    return [each for each in things if name and each["name"].startswith(name)]


def groups_alike(call: Call) -> None:
    """Remove groups whose names begin as the volume's."""
    for each in alike(call, ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]):
        ask(call, "DeleteVolumeAccessGroup", volumeAccessGroupID=each["volumeAccessGroupID"])


def snapshots_alike(call: Call) -> None:
    """Remove snapshots whose names begin as the volume's."""
    for each in alike(call, ask(call, "ListSnapshots")["snapshots"]):
        ask(call, "DeleteSnapshot", snapshotID=each["snapshotID"])


def without_host(call: Call) -> None:
    """Remove initiators that belong to no host of the cloud."""
    found = ask(call, "ListInitiators")["initiators"]
    strays = [each["initiatorID"] for each in found if not each["attributes"].get("host")]
    if strays:
        ask(call, "DeleteInitiators", initiators=strays)


def all_need_chap(call: Call) -> None:
    """Require CHAP of every initiator of the array."""
    found = ask(call, "ListInitiators")["initiators"]
    ask(
        call,
        "ModifyInitiators",
        initiators=[{"initiatorID": each["initiatorID"], "requireChap": True} for each in found],
    )


FAULTS = (
    Fault(
        "ISO-003",
        "groups named like the volume go with it",
        Driver.delete,
        do_first(groups_alike),
        Kind.ISOLATION,
        also=("ISO-001",),
    ),
    Fault("ISO-003", "snapshots named like the volume go with it", Driver.delete, do_first(snapshots_alike), Kind.DATA),
    Fault(
        "ISO-003",
        "a store's end takes strays along",
        LifeCycle.delete_datastore,
        do_also(without_host),
        Kind.ISOLATION,
        also=("ISO-001", "LIF-007"),
    ),
    Fault("ISO-003", "a grant asks CHAP of everybody", Driver.grant_access, do_also(all_need_chap), Kind.ISOLATION),
)
