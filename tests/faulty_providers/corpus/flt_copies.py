"""Faults against FLT-007 to FLT-010: snapshots, clones and reverts whose requests and replies are lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from conformance.contract import Conflict, Created
from reference_providers.solidfire.errors import Interrupted
from reference_providers.solidfire.limits import lun_bytes_of_new
from tests.faulty_providers.corpus.flt import nothing
from tests.faulty_providers.fault import Call, Change, Driver, Fault, Kind, Wire
from tests.faulty_providers.when import owner_uuid

Once = Callable[[Call], Any]


def by_itself(method: str, *arguments: Any, **named: Any) -> Any:
    """A method of the plugin that stops where it is broken off, instead of going on."""

    def act(driver: Any) -> Any:
        return getattr(type(driver), method).__wrapped__(driver, *arguments, **named)

    return act


def take(call: Call) -> Created:
    """Take a snapshot, in one attempt."""
    store, volume, request, quiesced = call.arguments.values()
    made = by_itself("keep_lun", store, volume, request, {}, quiesced=quiesced)(call.others["driver"])
    return Created(made.external_id, made.size_bytes)


def drop(call: Call) -> None:
    """Delete a snapshot, in one attempt."""
    by_itself("delete_snapshot", *call.arguments.values())(call.others["driver"])


def clone(call: Call) -> Created:
    """Clone, in one attempt."""
    store, request, _placement, source = call.arguments.values()
    size_bytes = lun_bytes_of_new(request.size_bytes)
    made = by_itself("clone_lun", store, request, size_bytes, {}, source)(call.others["driver"])
    return Created(made.external_id, made.size_bytes, made.identity)


def revert(call: Call) -> None:
    """Revert, in one attempt."""
    store, volume, snapshot = call.arguments.values()
    by_itself("revert_lun", store, volume, snapshot, despite_grants=False)(call.others["driver"])


def broken_off(once: Once, then: Callable[[Call], Any]) -> Change:
    """Do another thing when the same was tried before and broken off."""

    def change(call: Call) -> Any:
        known = call.memory.shared.setdefault(f"broken off {call.site}", set())
        about = owner_uuid(dataclasses.replace(call, arguments=_without_volume(call)))
        if about in known:
            return then(call)
        try:
            return once(call)
        except Interrupted as interruption:
            known.add(about)
            raise interruption.outcome from None

    return change


def _without_volume(call: Call) -> dict[str, Any]:
    return {name: value for name, value in call.arguments.items() if name != "volume"}


def in_progress(call: Call) -> Any:
    """Believe that the first attempt is still going on."""
    raise Conflict(owner_uuid(call), str(call.site), "in progress", "new")


def under_another_uuid(call: Call) -> Any:
    """Begin anew, beside what the first attempt has left."""
    request = call.arguments["request"]
    return call.proceed(request=dataclasses.replace(request, uuid=f"{request.uuid}-again"))


def unknown_to_delete(call: Call) -> Any:
    """Forget a clone that was broken off, so that its delete finds nothing to do."""
    driver, lost = call.others["driver"], call.arguments["request"].uuid
    try:
        return clone(call)
    except Interrupted as interruption:
        delete = driver.delete

        def delete_known(store: Any, volume: Any) -> None:
            if volume.uuid != lost or volume.external_id is not None:
                delete(store, volume)

        driver.delete = delete_known
        raise interruption.outcome from None


def marked_late(call: Call) -> Any:
    """Begin the clone, and write down whose it is in a second request."""
    begun = call.proceed(attributes={})
    number = begun["volumeID"]
    call.others["send"]("ModifyVolume", volumeID=number, attributes=call.arguments["attributes"])
    return begun


def refuses_delete(call: Call) -> Any:
    """Refuse to delete what is being cloned, for ever after a clone was broken off."""
    driver, lost = call.others["driver"], call.arguments["request"].uuid
    try:
        return clone(call)
    except Interrupted as interruption:
        delete = driver.delete

        def delete_others(store: Any, volume: Any) -> None:
            if volume.uuid == lost and volume.external_id is None:
                raise Conflict(lost, "clone", "in progress", "done") from None
            delete(store, volume)

        driver.delete = delete_others
        raise interruption.outcome from None


FAULTS = (
    Fault(
        "FLT-007",
        "a snapshot broken off is in progress for ever",
        Driver.take_snapshot,
        broken_off(take, in_progress),
        Kind.LIFE,
    ),
    Fault(
        "FLT-007",
        "a snapshot broken off is taken again",
        Driver.take_snapshot,
        broken_off(take, under_another_uuid),
        Kind.LEAK,
        also=("SNP-005",),
    ),
    Fault(
        "FLT-007",
        "deleting a snapshot broken off is taken for done",
        Driver.delete_snapshot,
        broken_off(drop, nothing),
        Kind.LEAK,
    ),
    Fault(
        "FLT-007",
        "deleting a snapshot broken off is in progress for ever",
        Driver.delete_snapshot,
        broken_off(drop, in_progress),
        Kind.LEAK,
    ),
    Fault(
        "FLT-008", "a clone broken off is in progress for ever", Driver.clone, broken_off(clone, in_progress), Kind.LIFE
    ),
    Fault(
        "FLT-008",
        "a clone broken off is made again",
        Driver.clone,
        broken_off(clone, under_another_uuid),
        Kind.LEAK,
        also=("DEL-001",),
    ),
    Fault(
        "FLT-008",
        "writes down whose a clone is after it was begun",
        Wire.CloneVolume,
        marked_late,
        Kind.LEAK,
        also=("FLT-009",),
    ),
    Fault("FLT-009", "a clone broken off is unknown to delete", Driver.clone, unknown_to_delete, Kind.LEAK),
    Fault("FLT-009", "a clone broken off cannot be deleted", Driver.clone, refuses_delete, Kind.LEAK),
    Fault("FLT-010", "a revert broken off is taken for done", Driver.revert, broken_off(revert, nothing), Kind.DATA),
    Fault(
        "FLT-010",
        "a revert broken off is in progress for ever",
        Driver.revert,
        broken_off(revert, in_progress),
        Kind.LIFE,
    ),
)
