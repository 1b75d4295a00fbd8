"""Faults against QOS: quality of service."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import Capability, CapabilityNotSupported, CapacityExhausted, InvalidRequest, QosPolicy
from tests.faulty_providers.corpus.ext import drop_sessions
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_field,
    do_also,
    fail,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import others_of_store, store_of
from tests.faulty_providers.when import argument


def qos(**values: Any) -> Any:
    """Send other values."""
    return alter_argument("qos", lambda sent: {**sent, **{key: change(sent) for key, change in values.items()}})


def clamped(call: Call) -> Any:
    """Cut a policy to what is allowed."""
    return call.proceed(qos=_inside(call.arguments["qos"]))


def clamped_request(call: Call) -> Any:
    """Cut the policy of a new volume to what is allowed."""
    request = call.arguments["request"]
    return call.proceed(request=dataclasses.replace(request, qos=_inside(request.qos)))


def _inside(policy: QosPolicy) -> QosPolicy:
    return QosPolicy(min(policy.min_iops, 15_000) if policy.min_iops else None, policy.max_iops, policy.burst_iops)


def raised_only(call: Call) -> Any:
    """Never lower a maximum."""
    sent = dict(call.arguments["qos"])
    found = call.others["send"]("ListVolumes", volumeIDs=[call.arguments["volumeID"]])["result"]["volumes"][0]["qos"]
    most = {key: max(sent[key], found[key]) for key in ("maxIOPS", "burstIOPS") if key in sent}
    return call.proceed(qos={**sent, **most})


def neighbours_too(call: Call) -> None:
    """Set it on the other volumes as well."""
    for each in others_of_store(call):
        call.others["driver"].set_qos(store_of(call), each, call.arguments["qos"])


def grow_too(call: Call) -> None:
    """Make the volume larger as well."""
    volume = call.arguments["volume"]
    call.others["driver"].resize(store_of(call), volume, volume.size_bytes + 2**20)


def without_budget(store: Any) -> Any:
    """A store that was promised any number of IOPS."""
    return dataclasses.replace(store, request=dataclasses.replace(store.request, capacity_iops=None))


def never_given_back(call: Call) -> Any:
    """Count what deleted volumes were promised."""
    request, most = call.arguments["request"], store_of(call).request.capacity_iops
    promised = call.memory.shared.setdefault("promised", {})
    others = sum(iops for uuid, iops in promised.items() if uuid != request.uuid)
    if most is not None and others + (request.qos.min_iops or 0) > most:
        raise CapacityExhausted(request.qos.min_iops or 0, max(0, most - others))
    promised[request.uuid] = request.qos.min_iops or 0
    return call.proceed()


has_qos = argument("qos", lambda sent: bool(sent))

FAULTS = (
    Fault("QOS-001", "new volumes have no burst", Wire.CreateVolume, qos(burstIOPS=lambda sent: sent["maxIOPS"])),
    Fault(
        "QOS-001",
        "new volumes are as fast as the array lets them",
        Wire.CreateVolume,
        qos(minIOPS=lambda _: 50, maxIOPS=lambda _: 15_000, burstIOPS=lambda _: 15_000),
    ),
    Fault("QOS-002", "setting QoS does nothing", Driver.set_qos, skip()),
    Fault("QOS-002", "QoS can only be raised", Wire.ModifyVolume, raised_only, Kind.CONTRACT, has_qos),
    Fault("QOS-003", "a policy out of range is cut", Driver.set_qos, clamped),
    Fault("QOS-003", "a new volume's policy out of range is cut", Driver.create, clamped_request),
    Fault(
        "QOS-003",
        "a policy out of range is not supported",
        Driver.set_qos,
        swap_error(InvalidRequest, lambda error: CapabilityNotSupported(Capability.QOS, str(error))),
    ),
    Fault("QOS-003", "a policy out of range is told as success", Driver.set_qos, swallow(InvalidRequest)),
    Fault(
        "QOS-004",
        "what is left out falls to the least",
        Driver.set_qos,
        alter_field("qos", min_iops=lambda least: least or 50),
        also=("QOS-002",),
    ),
    Fault(
        "QOS-004",
        "nothing may be left out",
        Driver.set_qos,
        fail(lambda call: InvalidRequest("qos", call.arguments["qos"], "all three values")),
        Kind.CONTRACT,
        argument("qos", lambda policy: None in (policy.min_iops, policy.max_iops, policy.burst_iops)),
    ),
    Fault("QOS-006", "setting QoS ends all sessions", Wire.ModifyVolume, do_also(drop_sessions), Kind.LIFE, has_qos),
    Fault("QOS-005", "all volumes of the store get the QoS", Driver.set_qos, do_also(neighbours_too), Kind.ISOLATION),
    Fault("QOS-005", "setting QoS makes the volume larger", Driver.set_qos, do_also(grow_too), Kind.DATA),
    Fault("QOS-007", "a store promises any number of IOPS", Driver.create, alter_argument("store", without_budget)),
    Fault(
        "QOS-007",
        "one volume too many is an invalid request",
        Driver.create,
        swap_error(CapacityExhausted, lambda error: InvalidRequest("qos", "min_iops", str(error))),
        Kind.CONTRACT,
        argument("store", lambda store: store.request.capacity_iops is not None),
    ),
    Fault(
        "QOS-007", "what a deleted volume was promised is not free again", Driver.create, never_given_back, Kind.LEAK
    ),
)
