"""What is right for one LUN, host or value and wrong where there is another, or where one was lost."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    AccessNotGranted,
    BridgeError,
    InvalidRequest,
    QosPolicy,
    Volume,
)
from tests.faulty_providers.fault import Call, Driver, Fault, Kind
from tests.faulty_providers.operators import alter_field


def _anything_of_this_host(call: Call) -> Any:
    """How a host reaches any of its LUNs is told for one that it was not granted."""
    host, held = call.arguments["host"], call.memory.shared.setdefault("held", {})
    try:
        held[host.uuid] = call.proceed()
    except AccessNotGranted:
        if host.uuid not in held:
            raise
    return held[host.uuid]


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
        "ACC-027",
        "the number that a volume has on one host is told to all",
        Driver.connection,
        _by_the_number_it_has_elsewhere,
        Kind.IDENTITY,
        base="zadara",
    ),
)
