"""What is remembered, or recorded, and is not so any more: hosts that changed, calls that were broken off, sizes."""

from __future__ import annotations

import dataclasses
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from tests.faulty_providers.fault import Call, Driver, Fault, Kind, LifeCycle, Provider
from tests.faulty_providers.operators import skip


def _of_the_record(call: Call) -> Any:
    return dataclasses.replace(call.proceed(), size_bytes=call.arguments["target"].size_bytes)


def _by_the_way_of_the_first(call: Call) -> Any:
    """The paths of one volume are told for whatever a host is granted once it has more initiators than it had."""
    host, told = call.arguments["host"], call.proceed()
    iqns, paths = call.memory.shared.setdefault(host.uuid, (set(host.iqns), told.paths))
    return dataclasses.replace(told, paths=paths) if iqns < set(host.iqns) else told


def _begun_anew_under_another_name(call: Call) -> Any:
    """What a seed that failed has left is not looked for, so that it cannot be in the way."""
    name = call.arguments["uuid"]
    failed = call.memory.shared.setdefault("failed seeds", set())
    if name in failed:
        return call.proceed(uuid=str(uuid5(NAMESPACE_OID, name)))
    try:
        return call.proceed()
    except Exception:
        failed.add(name)
        raise


def _as_it_went_at_first(call: Call) -> Any:
    """A store that could not be opened is not tried again, whatever the request says now."""
    uuid = call.arguments["request"].uuid
    if uuid in call.memory.own:
        raise call.memory.own[uuid]
    try:
        return call.proceed()
    except Exception as error:
        call.memory.own[uuid] = error
        raise


FAULTS: Final = (
    Fault("EXT-011", "a connection tells the size that its caller has on record", Driver.connection, _of_the_record),
    Fault(
        "ACC-024",
        "the path of a host's first volume is told for all once it has another initiator",
        Driver.connection,
        _by_the_way_of_the_first,
        Kind.DATA,
    ),
    Fault(
        "FLT-022",
        "a seed that failed is begun anew under another name",
        Driver.seed_template,
        _begun_anew_under_another_name,
        Kind.LEAK,
    ),
    Fault(
        "LIF-002",
        "a store that could not be opened once is not tried again",
        LifeCycle.initialize,
        _as_it_went_at_first,
        also=("LIF-003",),
    ),
    Fault("OPS-005", "close lets go of nothing", Provider.close, skip()),
)
