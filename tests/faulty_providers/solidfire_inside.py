"""Ways to the array for faults that do more than they should, on the base plugin `solidfire`."""

from __future__ import annotations

from typing import Any

from conformance.contract import Volume, VolumeRequest
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
    ]
