"""An array that fails for a moment, or tells a part, is taken for a wrong request, an empty array, for success."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    AccessNotGranted,
    ArrayUnreachable,
    BridgeError,
    Busy,
    Conflict,
    InvalidRequest,
    ObjectNotFound,
    QosPolicy,
    Usage,
    Volume,
)
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, LifeCycle, Listener
from tests.faulty_providers.operators import alter_field, swallow, swap_error


def _anything_of_this_host(call: Call) -> Any:
    """How a host reaches any of its LUNs is told for one that it was not granted."""
    host, held = call.arguments["host"], call.memory.shared.setdefault("held", {})
    try:
        held[host.uuid] = call.proceed()
    except AccessNotGranted:
        if host.uuid not in held:
            raise
    return held[host.uuid]


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


def _refused_afterwards(call: Call) -> Any:
    """What was made without a maximum for its burst stays."""
    qos, made = call.arguments["request"].qos, call.proceed()
    if qos.burst_iops and not qos.max_iops:
        raise InvalidRequest("qos.max_iops", None, "a maximum for this burst")
    return made


def _by_the_number_it_has_elsewhere(call: Call) -> Any:
    """The number that a LUN has on the first host that has it is told to all."""
    told, hosts = call.proceed(), call.memory.shared.setdefault("hosts", {})
    hosts[call.arguments["host"].uuid] = call.arguments["host"]
    for host in hosts.values():
        with suppress(AccessNotGranted):
            number = call.proceed(host=host).paths[0].lun_number
            return replace(told, paths=tuple(replace(each, lun_number=number) for each in told.paths))
    return told


def _where_it_has_no_access_yet(call: Call) -> Any:
    """What the array lets in already is taken for hooked up."""
    try:
        return call.others["driver"].connection(*call.arguments.values())
    except AccessNotGranted:
        return call.proceed()


def _undone_whoever_made_it(call: Call) -> Any:
    """A create that fails takes down the volume of its uuid, also one that was there before."""
    try:
        return call.proceed()
    except BridgeError:
        request, placement = call.arguments["request"], call.arguments["placement"]
        lost = Volume(request, None, request.size_bytes, placement=placement)
        call.others["driver"].delete(call.arguments["store"], lost)
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
        "QOS-009",
        "a maximum that is asked for alone is left out",
        Driver.create,
        alter_field("request", qos=lambda qos: qos if qos.min_iops or qos.burst_iops else QosPolicy()),
        also=("QOS-001",),
    ),
    Fault(
        "QOS-009",
        "a burst without a maximum is refused when the LUN is there",
        Driver.create,
        _refused_afterwards,
        Kind.LEAK,
    ),
    Fault(
        "ACC-008",
        "a host that has any LUN is told a way to each other",
        Driver.connection,
        _anything_of_this_host,
        Kind.IDENTITY,
    ),
    Fault(
        "DED-012",
        "a host that the array lets in already is not hooked up",
        Driver.grant_access,
        _where_it_has_no_access_yet,
        Kind.LIFE,
        base="solidfire-plugin-hookup",
    ),
    Fault(
        "DED-013",
        "a repeated create that a hypervisor refuses takes the volume down",
        Driver.create,
        _undone_whoever_made_it,
        Kind.DATA,
        base="solidfire-plugin-hookup",
    ),
    Fault(
        "FLT-027",
        "an array that does not hear of a host that connects is no reason to complain",
        Listener.host_connected,
        swallow(ArrayUnreachable),
        base="zadara",
    ),
    Fault(
        "ACC-027",
        "the number that a volume has on one host is told to all",
        Driver.connection,
        _by_the_number_it_has_elsewhere,
        Kind.IDENTITY,
        base="zadara",
    ),
)
