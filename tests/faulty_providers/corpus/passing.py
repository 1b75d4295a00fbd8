"""An array that fails for a moment is taken for a wrong request, for an empty array, for success."""

from __future__ import annotations

from typing import Any, Final

from conformance.contract import (
    AccessNotGranted,
    ArrayUnreachable,
    Busy,
    Conflict,
    InvalidRequest,
    ObjectNotFound,
    Usage,
)
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, LifeCycle, Listener
from tests.faulty_providers.operators import swallow, swap_error


def _still_adding(call: Call) -> Any:
    """A store whose first attempt was broken off is being added for ever."""
    request, begun = call.arguments["request"], call.memory.shared.setdefault("begun", set())
    if request.uuid in begun:
        raise Conflict(request.uuid, "state", "being added", "new")
    try:
        return call.proceed()
    except ArrayUnreachable:
        begun.add(request.uuid)
        raise


FAULTS: Final = (
    Fault(
        "FLT-023",
        "an array that does not answer a create makes the request an invalid one",
        Driver.create,
        swap_error(ArrayUnreachable, lambda error: InvalidRequest("endpoint", str(error), "an array that answers")),
        base="minimal",
    ),
    Fault(
        "FLT-023",
        "a volume that cannot be looked up for a resize is said to be gone",
        Driver.resize,
        swap_error(ArrayUnreachable, lambda _: ObjectNotFound("volume", None)),
    ),
    Fault(
        "FLT-023",
        "a snapshot that the array cannot take now is an invalid request",
        Driver.take_snapshot,
        swap_error(Busy, lambda busy: InvalidRequest("snapshot", str(busy), "an array that takes snapshots")),
    ),
    Fault(
        "FLT-023",
        "a host whose group cannot be read is said to have no access",
        Driver.connection,
        swap_error(ArrayUnreachable, lambda _: AccessNotGranted("unknown", "unknown")),
        base="minimal",
    ),
    Fault(
        "FLT-023",
        "QoS that the array cannot set now is an invalid request",
        Driver.set_qos,
        swap_error(ArrayUnreachable, lambda error: InvalidRequest("qos", str(error), "an array that answers")),
    ),
    Fault(
        "FLT-023",
        "a store whose array cannot be reached is not there to be deleted",
        LifeCycle.delete_datastore,
        swap_error(ArrayUnreachable, lambda _: ObjectNotFound("store", None)),
        base="minimal",
    ),
    Fault(
        "FLT-024",
        "a store whose array does not answer is said to be empty",
        Driver.list_objects,
        swallow(ArrayUnreachable, Busy, answer=()),
        Kind.LEAK,
    ),
    Fault(
        "FLT-024",
        "nothing is in use while the array does not answer",
        Driver.used,
        swallow(ArrayUnreachable, Busy, answer=Usage(0, 0)),
        base="minimal",
    ),
    Fault(
        "FLT-025",
        "a store is said to be deleted though its array did not answer",
        LifeCycle.delete_datastore,
        swallow(ArrayUnreachable, Busy),
        Kind.LEAK,
    ),
    Fault(
        "FLT-025",
        "a store whose adding was broken off is being added for ever",
        LifeCycle.initialize,
        _still_adding,
        Kind.LIFE,
        base="minimal",
        also=("LIF-003",),
    ),
    Fault(
        "FLT-026",
        "a host is said to have left though the array did not answer",
        Listener.host_about_to_be_removed,
        swallow(ArrayUnreachable, Busy),
        Kind.LEAK,
    ),
    Fault(
        "FLT-027",
        "an array that does not hear of a host that connects is no reason to complain",
        Listener.host_connected,
        swallow(ArrayUnreachable),
        base="zadara",
    ),
)
