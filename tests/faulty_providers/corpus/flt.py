"""Faults against FLT: requests and replies that are lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.contract import ArrayUnreachable, Conflict
from reference_providers.solidfire.errors import Interrupted
from tests.faulty_providers.fault import Call, Change, Driver, Fault, Kind, Wire


def key(call: Call) -> Any:
    """What a call is about: the volume, and the host if there is one."""
    about = call.arguments.get("request") or call.arguments.get("volume") or call.arguments["target"]
    return about.uuid, getattr(call.arguments.get("host"), "uuid", "")


def once_broken_off(act: Callable[[Call], Any]) -> Change:
    """Do another thing when the same was tried before and broken off."""

    def change(call: Call) -> Any:
        broken = call.memory.shared.setdefault("broken off", set())
        if key(call) in broken:
            return act(call)
        try:
            return call.proceed()
        except ArrayUnreachable:
            broken.add(key(call))
            raise

    return change


def in_progress(call: Call) -> Any:
    """Believe that the first attempt is still going on."""
    raise Conflict(key(call)[0], str(call.site), "in progress", "new")


def nothing(call: Call) -> None:
    """Believe that the first attempt was successful."""


def marked_late(call: Call) -> Any:
    """Make the LUN, and write down whose it is in a second request."""
    made = call.proceed(attributes={})
    marks = call.arguments["attributes"]
    call.others["send"]("ModifyVolume", volumeID=made["volumeID"], attributes=marks)
    return {**made, "volume": {**made["volume"], "attributes": marks}}


def resize_once(call: Call) -> Any:
    """Do not go on by itself, and believe that the first attempt is still going on."""
    broken = call.memory.shared.setdefault("broken off", set())
    if key(call) in broken:
        return in_progress(call)
    driver = call.others["driver"]
    try:
        return type(driver).resize.__wrapped__(driver, *call.arguments.values())
    except Interrupted as interruption:
        broken.add(key(call))
        raise interruption.outcome from None


def lost_to_delete(call: Call) -> Any:
    """Forget a create that was broken off, so that its delete finds nothing to do."""
    driver = call.others["driver"]
    try:
        return call.proceed()
    except ArrayUnreachable:
        lost, delete = call.arguments["request"].uuid, driver.delete

        def delete_known(store: Any, volume: Any) -> None:
            if volume.uuid != lost or volume.external_id is not None:
                delete(store, volume)

        driver.delete = delete_known
        raise


FAULTS = (
    Fault(
        "FLT-001",
        "writes down whose a LUN is after it was made",
        Wire.CreateVolume,
        marked_late,
        Kind.LEAK,
        base="minimal",
    ),
    Fault(
        "FLT-001",
        "a create broken off is in progress for ever",
        Driver.create,
        once_broken_off(in_progress),
        Kind.LIFE,
        base="minimal",
    ),
    Fault(
        "FLT-002", "a create broken off is unknown to delete", Driver.create, lost_to_delete, Kind.LEAK, base="minimal"
    ),
    Fault(
        "FLT-003",
        "a grant broken off is taken for granted",
        Driver.grant_access,
        once_broken_off(nothing),
        Kind.LIFE,
        base="minimal",
    ),
    Fault(
        "FLT-004",
        "a revoke broken off is in progress for ever",
        Driver.revoke_access,
        once_broken_off(in_progress),
        Kind.ISOLATION,
        base="minimal",
    ),
    Fault(
        "FLT-004",
        "a revoke broken off is taken for done",
        Driver.revoke_access,
        once_broken_off(nothing),
        Kind.ISOLATION,
        base="minimal",
        also=("ACC-004",),
    ),
    Fault(
        "FLT-005",
        "a delete broken off is in progress for ever",
        Driver.delete,
        once_broken_off(in_progress),
        Kind.LEAK,
        base="minimal",
    ),
    Fault("FLT-006", "a resize broken off is in progress for ever", Driver.resize, resize_once, Kind.LIFE),
)
