"""Faults against BUD: what an operation costs."""

from __future__ import annotations

from tests.faulty_providers.fault import Call, Driver, Fault, Kind
from tests.faulty_providers.operators import do_first
from tests.faulty_providers.solidfire_inside import all_of_store, ask


def each_volume(call: Call) -> None:
    """Look at every volume of the store, one by one."""
    for each in all_of_store(call):
        ask(call, "ListVolumes", volumeIDs=[int(str(each.external_id))])


def each_group(call: Call) -> None:
    """Look at every host's group, one by one."""
    for each in ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]:
        ask(call, "ListVolumeAccessGroups", volumeAccessGroups=[each["volumeAccessGroupID"]])


def each_snapshot(call: Call) -> None:
    """Look at every snapshot, one by one (CloudStack #3282)."""
    for each in ask(call, "ListSnapshots")["snapshots"]:
        ask(call, "ListSnapshots", snapshotID=each["snapshotID"])


FAULTS = (
    Fault("BUD-001", "a create looks at every volume", Driver.create, do_first(each_volume), Kind.CALLS),
    Fault("BUD-001", "a delete looks at every volume", Driver.delete, do_first(each_volume), Kind.CALLS),
    Fault("BUD-001", "a connection looks at every volume", Driver.connection, do_first(each_volume), Kind.CALLS),
    Fault("BUD-002", "a grant looks at every host", Driver.grant_access, do_first(each_group), Kind.CALLS),
    Fault("BUD-002", "a revoke looks at every host", Driver.revoke_access, do_first(each_group), Kind.CALLS),
    Fault("BUD-003", "a snapshot looks at every other", Driver.take_snapshot, do_first(each_snapshot), Kind.CALLS),
    Fault(
        "BUD-003",
        "deleting a snapshot looks at every other",
        Driver.delete_snapshot,
        do_first(each_snapshot),
        Kind.CALLS,
    ),
)
