"""Faults against DST: datastores on hypervisors."""

from __future__ import annotations

from typing import Any

from conformance.contract import DiskInUse, HypervisorFault
from tests.faulty_providers.corpus.ded import leave_out
from tests.faulty_providers.corpus.prv import MIB
from tests.faulty_providers.fault import Bridge, Call, Cloud, Fault, Kind
from tests.faulty_providers.operators import alter_argument, alter_result, do_also, do_first, fail, skip, swallow


def only_first(call: Call) -> Any:
    """Do it for the first host only."""
    return call.proceed(at=list(call.arguments["at"])[:1])


def wipe(call: Call) -> None:
    """Write zeros over the beginning of the disk."""
    call.others["bridge"].write_disk(call.arguments["disk"], 0, bytes(4096))


def has_grown(call: Call) -> bool:
    """When the datastore was grown before."""
    grown = call.memory.shared.setdefault("grown", set())
    again = call.arguments["ref"] in grown
    grown.add(call.arguments["ref"])
    return again


def second_time(call: Call) -> bool:
    """When the cloud plans it for the second time in one world."""
    call.memory.shared["planned"] = call.memory.shared.get("planned", 0) + 1
    return bool(call.memory.shared["planned"] == 2)


def goes_on(call: Call) -> bool:
    """When a delete goes on after its disk was deleted."""
    return bool(call.arguments["steps"][0].name == "delete_datastore")


FAULTS = (
    Fault("DST-001", "only the first host is connected", Bridge.create_datastore, only_first, Kind.LIFE),
    Fault(
        "DST-001",
        "the disk is a granule short",
        Bridge.list_disks,
        alter_result(lambda disks: {name: size_bytes - MIB for name, size_bytes in disks.items()}),
        Kind.DATA,
    ),
    Fault(
        "DST-001",
        "hosts see a smaller datastore",
        Bridge.datastore_bytes,
        alter_result(lambda seen_bytes: seen_bytes // 2),
        Kind.DATA,
    ),
    Fault(
        "DST-002",
        "writes a block further on",
        Bridge.write_disk,
        alter_argument("offset", lambda offset: max(0, offset - 512) if offset else 512),
        Kind.DATA,
    ),
    Fault("DST-002", "writes are not written", Bridge.write_disk, skip(), Kind.DATA),
    Fault(
        "DST-002",
        "the last sector of a write is lost",
        Bridge.write_disk,
        alter_argument("data", lambda data: data[:-512]),
        Kind.DATA,
    ),
    Fault("DST-003", "a deleted datastore stays on the hosts", Bridge.delete_datastore, skip(), Kind.LEAK),
    Fault("DST-004", "attaching a disk formats it", Bridge.attach_disk, do_first(wipe), Kind.DATA),
    Fault("DST-004", "detaching a disk wipes it", Bridge.detach_disk, do_also(wipe), Kind.DATA),
    Fault("DST-005", "only the first host sees the growth", Bridge.expand_datastore, only_first, Kind.LIFE),
    Fault("DST-005", "nobody is told of the growth", Bridge.expand_datastore, skip(), Kind.LIFE),
    Fault("DST-005", "growing a disk wipes it", Bridge.resize_disk, do_also(wipe), Kind.DATA),
    Fault("DST-007", "a disk in use is told to be attached", Bridge.attach_disk, swallow(DiskInUse), Kind.ISOLATION),
    Fault(
        "DST-009",
        "a datastore that has grown already cannot be grown",
        Bridge.expand_datastore,
        fail(lambda call: HypervisorFault("kvm", "a host", "expand_datastore", "no space left to expand into")),
        Kind.LIFE,
        has_grown,
    ),
    Fault(
        "DST-009",
        "a repeated resize leaves the hosts out",
        Cloud.resize_volume,
        leave_out("expand_datastore"),
        Kind.LIFE,
        second_time,
        also=("DST-005",),
    ),
    Fault(
        "DST-010",
        "a delete that goes on leaves the datastore",
        Cloud.delete_volume,
        leave_out("delete_datastore"),
        Kind.LEAK,
        goes_on,
        also=("DST-003",),
    ),
    Fault(
        "DST-010",
        "a delete that goes on revokes nobody",
        Cloud.delete_volume,
        leave_out("revoke_access"),
        Kind.LEAK,
        goes_on,
    ),
)
