"""Faults against HST: hosts come, go and come back."""

from __future__ import annotations

from typing import Any

from conformance.contract import AccessNotGranted, Conflict, DataStore, ObjectNotFound
from tests.faulty_providers.corpus.ded import leave_out
from tests.faulty_providers.fault import Bridge, Call, Cloud, Driver, Fault, Kind, Listener, Wire
from tests.faulty_providers.operators import alter_argument, do_also, fail, skip
from tests.faulty_providers.solidfire_inside import all_of_store, ask
from tests.faulty_providers.when import argument, both, repeated


def forget(call: Call) -> None:
    """Remove the host from the array."""
    stores = call.arguments.get("stores") or [call.arguments["store"]]
    call.others["listener"].host_about_to_be_removed(call.arguments["host"], stores)


def show_all(call: Call) -> None:
    """Let the host see every volume there is."""
    for store in call.arguments["stores"]:
        for each in all_of_store_named(call, store):
            call.others["driver"].grant_access(store, each, call.arguments["host"])


def all_of_store_named(call: Call, store: object) -> list[object]:
    """The volumes of a store that is one of several."""
    call.arguments["store"] = store
    try:
        return list(all_of_store(call))
    finally:
        del call.arguments["store"]


def remove_next_group(call: Call) -> None:
    """Delete the group after it as well."""
    number = call.arguments["volumeAccessGroupID"]
    ask(call, "DeleteVolumeAccessGroup", volumeAccessGroupID=number + 1, deleteOrphanInitiators=True)


def attached_once(call: Call) -> Any:
    """Believe for ever that a host has the datastore."""
    known = call.memory.shared.setdefault("attached", set())
    key = call.arguments["ref"].name
    wanted = [each for each in call.arguments["at"] if (key, each.host.uuid) not in known]
    known.update((key, each.host.uuid) for each in wanted)
    return call.proceed(at=wanted) if wanted else None


def as_known_first(call: Call) -> Any:
    """Grant the host as it was when it was seen first."""
    host = call.arguments["host"]
    return call.proceed(host=call.memory.shared.setdefault("known", {}).setdefault(host.uuid, host))


def was_removed(call: Call) -> bool:
    """When the host was granted something before and the array does not know it any more."""
    known = call.memory.shared.setdefault("hosts", set())
    host = call.arguments["host"].uuid
    was_known = host in known
    known.add(host)
    return was_known and not _has_group(call, call.arguments["store"])


def _has_group(call: Call, store: DataStore) -> bool:
    element = call.others["lifecycle"]._arrays.of(store.request)
    return any(each.host_uuid == call.arguments["host"].uuid for each in element.groups())


def has_changed(call: Call) -> bool:
    """When the host has other initiators than it was seen with first."""
    host = call.arguments["host"]
    first = call.memory.shared.setdefault("first initiators", {}).setdefault(host.uuid, host.initiators)
    return bool(first != host.initiators)


FAULTS = (
    Fault("HST-001", "a new host gets no datastore", Cloud.add_host, leave_out("attach_datastore"), Kind.LIFE),
    Fault("HST-001", "the bridge does not attach a new host", Bridge.attach_datastore, skip(), Kind.LIFE),
    Fault("HST-002", "a host that reconnects loses its access", Listener.host_connected, do_also(forget), Kind.LIFE),
    Fault("HST-002", "an enabled host loses its access", Listener.host_enabled, do_also(forget), Kind.LIFE),
    Fault(
        "HST-002", "a host that disconnects loses its access", Listener.host_disconnected, do_also(forget), Kind.LIFE
    ),
    Fault(
        "HST-003",
        "initiators stay when their host is removed",
        Wire.DeleteVolumeAccessGroup,
        alter_argument("deleteOrphanInitiators", lambda _: False),
        Kind.LEAK,
        also=("LEK-001",),
    ),
    Fault(
        "HST-003",
        "removing a host removes another one too",
        Wire.DeleteVolumeAccessGroup,
        do_also(remove_next_group),
        Kind.LIFE,
    ),
    Fault(
        "HST-003",
        "removing a host that was granted something fails",
        Listener.host_about_to_be_removed,
        fail(lambda call: AccessNotGranted("volume", call.arguments["host"].uuid)),
        Kind.CONTRACT,
    ),
    Fault("HST-004", "a new host sees every volume", Listener.host_added, do_also(show_all), Kind.ISOLATION),
    Fault(
        "HST-004",
        "a host that is added twice is a conflict",
        Listener.host_added,
        fail(lambda call: Conflict(call.arguments["host"].uuid, "host", "added", "added")),
        Kind.CONTRACT,
        repeated,
    ),
    Fault(
        "HST-005",
        "a host that is removed twice is not found",
        Listener.host_removed,
        fail(lambda call: ObjectNotFound("host", call.arguments["host"].uuid)),
        Kind.CONTRACT,
        repeated,
    ),
    Fault(
        "HST-005",
        "a host never seen cannot disconnect",
        Listener.host_disconnected,
        fail(lambda call: ObjectNotFound("host", call.arguments["host"].uuid)),
        Kind.CONTRACT,
        argument("host", lambda host: host.name == "unknown"),
    ),
    Fault(
        "HST-006",
        "a host that was removed cannot join again",
        Listener.host_added,
        fail(lambda call: Conflict(call.arguments["host"].uuid, "host", "removed", "added")),
        Kind.LIFE,
        both(repeated, lambda call: not _has_group(call, call.arguments["stores"][0])),
        also=("HST-004",),
    ),
    Fault(
        "HST-006",
        "a host that was removed is granted nothing more",
        Driver.grant_access,
        fail(lambda call: ObjectNotFound("host", call.arguments["host"].uuid)),
        Kind.LIFE,
        was_removed,
    ),
    Fault(
        "HST-007",
        "a host that leaves keeps its datastores",
        Cloud.remove_host,
        leave_out("detach_datastore"),
        Kind.LEAK,
    ),
    Fault(
        "HST-007",
        "a host that leaves keeps its access",
        Cloud.remove_host,
        leave_out("revoke_access"),
        Kind.ISOLATION,
        base="minimal",
    ),
    Fault(
        "HST-008",
        "a datastore is attached to a host only once",
        Bridge.attach_datastore,
        attached_once,
        Kind.LIFE,
    ),
    Fault(
        "HST-009",
        "a host's first initiator is let in for ever",
        Driver.grant_access,
        as_known_first,
        Kind.LIFE,
        also=("ACC-001",),
    ),
    Fault(
        "HST-009",
        "a host with another initiator is a conflict",
        Driver.grant_access,
        fail(lambda call: Conflict(call.arguments["host"].uuid, "initiators", "others", "these")),
        Kind.LIFE,
        has_changed,
    ),
    Fault("HST-007", "the bridge leaves a datastore on the host", Bridge.detach_datastore, skip(), Kind.LEAK),
)
