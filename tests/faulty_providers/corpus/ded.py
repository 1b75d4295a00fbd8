"""Faults against DED: one LUN, one datastore, one disk."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import Backing, LunIdentity, Placement, VolumeRequest
from tests.faulty_providers.fault import Bridge, Call, Cloud, Fault, Kind, LifeCycle, Part, Site
from tests.faulty_providers.operators import alter_argument, alter_result, do_also
from tests.faulty_providers.solidfire_inside import store_of

BACKING = Backing("pool", "4711", 10**9, LunIdentity(None))


def pool(call: Call) -> None:
    """Make a LUN for the store as a whole."""
    store = store_of(call)
    request = VolumeRequest(f"pool-{store.request.uuid}", "pool", 2 * 10**9)
    call.others["driver"].create(store, request, Placement(call.arguments["cluster"], ()))


def leave_out(*names: str) -> Any:
    """The cloud forgets steps."""
    return alter_argument("steps", lambda steps: [each for each in steps if each.name not in names])


def first_of(name: str) -> Any:
    """The cloud takes these steps before all others."""
    return alter_argument(
        "steps",
        lambda steps: [
            *(each for each in steps if each.name == name),
            *(each for each in steps if each.name != name),
        ],
    )


def another_datastore(inventory: Any) -> Any:
    """One more of each datastore in what the hypervisor holds."""
    more = {dataclasses.replace(each, name=f"{each.name}-2") for each in inventory.items if each.kind == "datastore"}
    return dataclasses.replace(inventory, items=inventory.items | more)


FAULTS = (
    Fault("DED-001", "attaching a cluster makes a LUN", LifeCycle.attach_cluster, do_also(pool), Kind.LEAK),
    Fault(
        "DED-001", "attaching a cluster answers a backing", LifeCycle.attach_cluster, alter_result(lambda _: [BACKING])
    ),
    Fault(
        "DED-002",
        "there is a second disk in the datastore",
        Bridge.list_disks,
        alter_result(lambda disks: {**disks, "another": 1}),
        Kind.LEAK,
    ),
    Fault("DED-002", "each datastore is there twice", Bridge.inventory, alter_result(another_datastore), Kind.LEAK),
    Fault(
        "DED-003",
        "the LUN of a failed creation stays",
        Site(Part.CLOUD, "undo create_volume"),
        leave_out("delete"),
        Kind.LEAK,
    ),
    Fault(
        "DED-003",
        "the datastore of a failed creation stays",
        Site(Part.CLOUD, "undo create_volume"),
        leave_out("delete_datastore"),
        Kind.LEAK,
    ),
    Fault("DST-006", "revokes hosts before they unmount", Cloud.delete_volume, first_of("revoke_access"), Kind.CALLS),
)
