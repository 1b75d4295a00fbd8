"""Ways to the array for faults that do more than they should, on the base plugin `solidfire`."""

from __future__ import annotations

from typing import Any

from conformance.contract import ObjectKind, Volume, VolumeRequest
from reference_providers.solidfire.errors import Interrupted
from tests.faulty_providers.fault import Call


def store_of(call: Call) -> Any:
    """The store a call is about."""
    return call.arguments["store"]


def ask(call: Call, method: str, **params: Any) -> Any:
    """A request of the fault's own; answers the result."""
    if "send" in call.others:
        return call.others["send"](method, **params).get("result", {})
    request = call.arguments.get("request")
    about = store_of(call).request if "store" in call.arguments else request
    element = call.others["lifecycle"]._arrays.of(about)
    try:
        return element._client.call(method, params, lambda result: result)
    except Interrupted as interruption:
        # Outside the plugin's own methods nobody goes on where it broke off.
        raise interruption.outcome from None


def listed_of_store(call: Call) -> list[Any]:
    """The array's own list of the store's volumes: a store has an account for each tenant."""
    uuid = store_of(call).request.uuid
    found = ask(call, "ListAccounts")["accounts"]
    accounts = [each["accountID"] for each in found if each["attributes"].get("store") == uuid]
    return list(ask(call, "ListVolumes", accounts=accounts)["volumes"])


def others_of_store(call: Call) -> list[Volume]:
    """Volumes of the store besides the one that the call is about."""
    meant = call.arguments["volume"].uuid
    return [each for each in all_of_store(call) if each.uuid != meant]


def all_of_store(call: Call) -> list[Volume]:
    """All volumes of the store, oldest first."""
    listed = call.others["driver"].list_objects(store_of(call))
    return [
        Volume(VolumeRequest(each.owner_uuid, each.owner_uuid, each.size_bytes), each.external_id, each.size_bytes)
        for each in listed
        if each.kind is ObjectKind.VOLUME
    ]


def lun_of(call: Call, target: Any) -> dict[str, Any]:
    """What the array tells of the LUN of a volume or template; empty when there is none."""
    if target.external_id is None:
        return {}
    named = {"startVolumeID": int(target.external_id), "limit": 1}  # by number, it would be refused when it is gone
    found = ask(call, "ListVolumes", **named)["volumes"]
    return dict(found[0]) if found and found[0]["volumeID"] == int(target.external_id) else {}


def source_of(call: Call, target: Any) -> str:
    """What a volume was cloned from, as kind and uuid; empty when it is no clone."""
    return str(lun_of(call, target).get("attributes", {}).get("source", ""))


def snapshots_on(call: Call, lun_id: object) -> list[dict[str, Any]]:
    """The array's snapshots of one LUN, oldest first."""
    found = ask(call, "ListSnapshots")["snapshots"]
    return sorted((each for each in found if each["volumeID"] == int(str(lun_id))), key=lambda each: each["snapshotID"])


def drop_snapshots(call: Call, snapshots: list[dict[str, Any]]) -> None:
    """Remove snapshots from the array, whoever's they are."""
    for each in snapshots:
        ask(call, "DeleteSnapshot", snapshotID=each["snapshotID"])


def roll_back(call: Call, snapshot: dict[str, Any], lun_id: object = None) -> None:
    """Put a LUN back to what a snapshot holds."""
    lun = snapshot["volumeID"] if lun_id is None else int(str(lun_id))
    ask(call, "RollbackToSnapshot", volumeID=lun, snapshotID=snapshot["snapshotID"], saveCurrentState=False)


def end_sessions(call: Call, lun_id: object) -> None:
    """Let nobody in to a LUN for a moment."""
    for access in ("locked", "readWrite"):
        ask(call, "ModifyVolume", volumeID=int(str(lun_id)), access=access)


def shut_out_all(call: Call, lun_id: object) -> None:
    """Take a LUN out of every group."""
    for group in ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]:
        if int(str(lun_id)) in group["volumes"]:
            number = group["volumeAccessGroupID"]
            ask(call, "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=number, volumes=[int(str(lun_id))])
