"""Faults against what is declared of dependents and limits, and against what a host may cost."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import DeleteWithDependents
from tests.faulty_providers.fault import Call, Change, Driver, Fault, Kind, Provider
from tests.faulty_providers.operators import alter_result, do_also
from tests.faulty_providers.solidfire_inside import ask


def declares(**changes: Any) -> Change:
    """Traits or limits other than those that are true."""
    return alter_result(lambda declared: dataclasses.replace(declared, **changes))


def look_at_each_group(call: Call) -> None:
    """One request for each host that has anything on the array."""
    for each in ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]:
        ask(call, "ListVolumeAccessGroups", volumeAccessGroups=[each["volumeAccessGroupID"]])


FAULTS = (
    Fault(
        "CLN-007",
        "volumes and snapshots that have clones go, though it says that it refuses",
        Provider.traits,
        declares(source_delete_with_clones=DeleteWithDependents.REFUSED),
        also=("CLN-010",),
    ),
    Fault(
        "SNP-008",
        "a volume with snapshots is refused, though it says that they go with it",
        Provider.traits,
        declares(delete_with_snapshots=DeleteWithDependents.CASCADES),
    ),
    Fault(
        "BUD-002", "a grant looks at every host's group", Driver.grant_access, do_also(look_at_each_group), Kind.CALLS
    ),
    Fault(
        "ACC-021",
        "more groups of a volume are declared than the array has",
        Provider.limits,
        declares(groups_per_lun=70),
        base="minimal",
    ),
)
