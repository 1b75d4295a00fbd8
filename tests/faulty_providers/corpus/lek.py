"""Faults against LEK: nothing without an owner, and nothing that is not told."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import ObjectKind, Usage
from tests.faulty_providers.corpus.prv import MIB
from tests.faulty_providers.fault import Call, Driver, Fault, Kind
from tests.faulty_providers.operators import alter_result, lie, remember_answer
from tests.faulty_providers.solidfire_inside import listed_of_store


def one_more(listed: Any) -> Any:
    """Tell the first object twice."""
    return [*listed, *listed[:1]]


def each(**changes: Any) -> Any:
    """Change every line of the list."""
    return alter_result(
        lambda listed: [
            dataclasses.replace(one, **{key: change(getattr(one, key)) for key, change in changes.items()})
            for one in listed
        ]
    )


def most_ever(call: Call) -> Any:
    """Never tell less than was told before."""
    told: Usage = call.proceed()
    most = max(told.bytes or 0, call.memory.shared.get("most", 0))
    call.memory.shared["most"] = most
    return Usage(most, told.iops)


def as_asked_first(call: Call) -> Any:
    """Tell the sizes that volumes were made with."""
    first = {str(one["volumeID"]): int(one["attributes"]["asked_size_bytes"]) for one in listed_of_store(call)}
    return [dataclasses.replace(one, size_bytes=-(-first[one.external_id] // MIB) * MIB) for one in call.proceed()]


FAULTS = (
    Fault("LEK-004", "lists the sizes that volumes were made with", Driver.list_objects, as_asked_first),
    Fault(
        "LEK-002", "lists the first page only", Driver.list_objects, alter_result(lambda listed: listed[:1]), Kind.LEAK
    ),
    Fault("LEK-002", "lists an object twice", Driver.list_objects, alter_result(one_more), Kind.IDENTITY),
    Fault("LEK-002", "lists nothing", Driver.list_objects, alter_result(lambda _: []), Kind.LEAK),
    Fault("LEK-002", "lists volumes as snapshots", Driver.list_objects, each(kind=lambda _: ObjectKind.SNAPSHOT)),
    Fault(
        "LEK-002",
        "lists ids that are no ids",
        Driver.list_objects,
        each(external_id=lambda external_id: f"volume-{external_id}"),
        Kind.IDENTITY,
    ),
    Fault("LEK-002", "lists what it listed first", Driver.list_objects, remember_answer(), Kind.LIFE),
    Fault("LEK-003", "unknown is nothing", Driver.used, lie(bytes=lambda _: 0)),
    Fault("LEK-003", "counts in thousands of bytes", Driver.used, lie(bytes=lambda used: used // 1000)),
    Fault("LEK-003", "what is used never falls", Driver.used, most_ever),
    Fault("LEK-003", "counts a granule for each volume", Driver.used, lie(bytes=lambda used: used + 2**20)),
    Fault(
        "LEK-003", "counts maximum IOPS for minimum IOPS", Driver.used, lie(iops=lambda iops: iops * 300), Kind.CONTRACT
    ),
)
