"""Faults against ACC: who sees a LUN, and when."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import (
    AccessNotGranted,
    BlockConnection,
    Conflict,
    Host,
    HypervisorType,
    InvalidRequest,
    Iqn,
    LimitReached,
    ObjectNotFound,
    Portal,
    Volume,
    VolumeRequest,
)
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_result,
    do_also,
    do_first,
    fail,
    only_first_time,
    previous_argument,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import all_of_store, ask, store_of
from tests.faulty_providers.when import argument, both, from_call, repeated_for

_NOBODY = Host("nobody", "nobody", HypervisorType.KVM, "nowhere", (Iqn("iqn.2013-03.org.example:nobody"),))


def path(**changes: Any) -> Any:
    """Change the first path of a connection."""

    def change(connection: BlockConnection) -> BlockConnection:
        first = connection.paths[0]
        changed = dataclasses.replace(first, **{key: each(getattr(first, key)) for key, each in changes.items()})
        return dataclasses.replace(connection, paths=(changed, *connection.paths[1:]))

    return alter_result(change)


def let_in_nobody(call: Call) -> None:
    """Give a host access that does not exist."""
    made = next(each for each in all_of_store(call) if each.uuid == call.arguments["request"].uuid)
    call.others["driver"].grant_access(store_of(call), made, _NOBODY)


def join_all_groups(call: Call) -> None:
    """Let every host that has a volume have the new one as well."""
    made = next(each for each in all_of_store(call) if each.uuid == call.arguments["request"].uuid)
    for group in ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]:
        ask(
            call,
            "AddVolumesToVolumeAccessGroup",
            volumeAccessGroupID=group["volumeAccessGroupID"],
            volumes=[int(str(made.external_id))],
        )


def also_known_hosts(call: Call) -> None:
    """Grant every host that was ever granted anything in this store."""
    known = call.memory.shared.setdefault("hosts", [])
    for host in known:
        if host != call.arguments["host"]:
            call.others["driver"].grant_access(store_of(call), call.arguments["target"], host)
    known.append(call.arguments["host"])


def fence(*whom: str) -> Any:
    """Cut off the hosts of an argument."""

    def act(call: Call) -> None:
        hosts = [each for name in whom for each in _hosts(call.arguments[name])]
        call.others["driver"].fence(store_of(call), call.arguments["target"], hosts)

    return act


def _hosts(value: Any) -> list[Host]:
    return [value] if isinstance(value, Host) else list(value)


def kept_connection(call: Call) -> Any:
    """Answer what was answered while there was a grant."""
    kept = call.memory.shared.setdefault("connections", {})
    key = (call.arguments["target"].uuid, call.arguments["host"].uuid)
    try:
        kept[key] = call.proceed()
    except AccessNotGranted:
        if key not in kept:
            raise
    return kept[key]


def forget_host(call: Call) -> None:
    """Remove the host from the array, whatever else it may reach."""
    call.others["listener"].host_about_to_be_removed(call.arguments["host"], [store_of(call)])


def lock_and_unlock(call: Call) -> None:
    """End all sessions of the volume."""
    number = int(str(call.arguments["target"].external_id))
    ask(call, "ModifyVolume", volumeID=number, access="locked")
    ask(call, "ModifyVolume", volumeID=number, access="readWrite")


def fence_idle(call: Call) -> Any:
    """Cut off only hosts without a session."""
    number = int(str(call.arguments["target"].external_id))
    sessions = ask(call, "ListISCSISessions")["sessions"]
    busy = {each["initiatorName"] for each in sessions if each["volumeID"] == number}
    idle = [each for each in call.arguments["hosts"] if not busy & set(map(str, each.iqns))]
    return call.proceed(hosts=idle)


def own_copy(call: Call) -> Any:
    """Every host but the first is led to a LUN of its own."""
    target, host = call.arguments["target"], call.arguments["host"]
    first = call.memory.shared.setdefault(f"first host of {target.uuid}", host)
    answer = call.proceed()
    if first == host:
        return answer
    request = VolumeRequest(f"{target.uuid}-{host.uuid}", "copy", target.size_bytes)
    driver, store = call.others["driver"], store_of(call)
    made = driver.create(store, request, target.placement)
    copy = Volume(request, made.external_id, made.size_bytes)
    driver.grant_access(store, copy, host)
    return driver.connection(store, copy, host)


def all_paths(call: Call) -> Any:
    """Tell the paths of the host's other volumes after the right one."""
    answer = call.proceed()
    known = call.memory.shared.setdefault(f"paths of {call.arguments['host'].uuid}", [])
    told = dataclasses.replace(answer, paths=(*answer.paths, *(each for each in known if each != answer.paths[0])))
    known += [each for each in answer.paths if each not in known]
    return told


def not_there(call: Call) -> bool:
    """When the volume is not on the array."""
    return call.arguments["target"].uuid not in {each.uuid for each in all_of_store(call)}


def another_way_in(call: Call) -> Any:
    """Lead the host to the volume that it was led to first, and call it by the right one's identity."""
    host, target = call.arguments["host"], call.arguments["target"]
    first = call.memory.shared.setdefault(f"first of {host.uuid}", target)
    right = call.proceed()
    try:
        return dataclasses.replace(right, paths=call.proceed(target=first).paths)
    except (AccessNotGranted, ObjectNotFound):
        return right


_OTHER = {"initiatorSecret": "another-secret-1"}


def grant_another(call: Call) -> None:
    """Grant the host the next volume of the store too."""
    others = [each for each in all_of_store(call) if each.uuid != call.arguments["target"].uuid]
    for each in others[-1:]:
        call.others["driver"].grant_access(store_of(call), each, call.arguments["host"])


def ask_hypervisor(call: Call) -> None:
    """See how the hosts are."""
    placement = call.arguments["target"].placement
    call.others["provider"]._arrays.context.hypervisor(placement.cluster).inventory()


def has_other_host(call: Call) -> bool:
    """When another host has the volume."""
    known = call.memory.shared.setdefault("granted", {}).setdefault(call.arguments["target"].uuid, [])
    others = [each for each in known if each != call.arguments["host"]]
    known.append(call.arguments["host"])
    driver, store = call.others["driver"], store_of(call)
    return any(_is_let_in(driver, store, call.arguments["target"], each) for each in others)


def _is_let_in(driver: Any, store: Any, target: Any, host: Host) -> bool:
    try:
        driver.connection(store, target, host)
    except (AccessNotGranted, ObjectNotFound):
        return False
    return True


def another_was_revoked(call: Call) -> bool:
    """When another host was revoked from the volume before."""
    revoked = call.memory.shared.setdefault("revoked", {}).setdefault(call.arguments["target"].uuid, [])
    others = [each for each in revoked if each != call.arguments["host"]]
    if is_granted(call):
        revoked.append(call.arguments["host"])
    return bool(others) and is_granted(call)


FAULTS = (
    Fault("ACC-001", "a grant does nothing", Driver.grant_access, skip(), Kind.LIFE),
    Fault("ACC-001", "tells LUN number 1", Driver.connection, path(lun_number=lambda n: n + 1), Kind.IDENTITY),
    Fault(
        "ACC-001",
        "tells another port",
        Driver.connection,
        path(portals=lambda portals: tuple(Portal(each.address, each.port + 1) for each in portals)),
    ),
    Fault("ACC-002", "lets somebody in who was never named", Driver.create, do_also(let_in_nobody), Kind.ISOLATION),
    Fault(
        "ACC-002",
        "a new volume is open to every host that has one",
        Driver.create,
        do_also(join_all_groups),
        Kind.ISOLATION,
    ),
    Fault(
        "ACC-003",
        "a grant lets in every host that was ever granted",
        Driver.grant_access,
        do_also(also_known_hosts),
        Kind.ISOLATION,
        base="minimal",
    ),
    Fault(
        "ACC-003",
        "a grant lets in every host that was ever granted, each with its own secret",
        Driver.grant_access,
        do_also(also_known_hosts),
        Kind.ISOLATION,
    ),
    Fault("ACC-004", "a revoke does nothing", Driver.revoke_access, skip(), Kind.ISOLATION, base="minimal"),
    Fault("ACC-004", "a revoke does nothing and deletes are refused", Driver.revoke_access, skip(), Kind.ISOLATION),
    Fault(
        "ACC-004",
        "the array is not told of a revoke",
        Wire.DeleteVolumeAccessGroup,
        skip({}),
        Kind.ISOLATION,
        base="minimal",
    ),
    Fault(
        "ACC-005",
        "a second grant is a conflict",
        Driver.grant_access,
        fail(lambda call: Conflict(call.arguments["target"].uuid, "host", "granted", "granted")),
        Kind.LIFE,
        lambda call: is_granted(call),
    ),
    Fault(
        "ACC-005",
        "a second grant ends the host's sessions",
        Driver.grant_access,
        do_first(lock_and_unlock),
        Kind.LIFE,
        lambda call: is_granted(call),
    ),
    Fault(
        "ACC-006",
        "a revoke of a deleted volume is not found",
        Driver.revoke_access,
        fail(lambda call: ObjectNotFound("volume", call.arguments["target"].external_id)),
        Kind.CONTRACT,
        not_there,
    ),
    Fault(
        "ACC-006",
        "a revoke of what was never granted is an error",
        Driver.revoke_access,
        fail(lambda call: AccessNotGranted(call.arguments["target"].uuid, call.arguments["host"].uuid)),
        Kind.CONTRACT,
        lambda call: not is_granted(call),
    ),
    Fault(
        "ACC-007",
        "a revoke takes away everybody's access",
        Driver.revoke_access,
        do_also(fence("remaining_hosts")),
        Kind.LIFE,
    ),
    Fault(
        "ACC-007",
        "a revoke ends the sessions of all",
        Driver.revoke_access,
        do_also(lambda call: None if not_there(call) else lock_and_unlock(call)),
        Kind.LIFE,
    ),
    Fault("ACC-008", "a connection outlives its grant", Driver.connection, kept_connection, Kind.CONTRACT),
    Fault(
        "ACC-008",
        "without a grant the volume is not found",
        Driver.connection,
        swap_error(AccessNotGranted, lambda error: ObjectNotFound("grant", str(error))),
    ),
    Fault(
        "ACC-009",
        "a host without initiator is granted nothing and told so by nobody",
        Driver.grant_access,
        swallow(InvalidRequest),
    ),
    Fault(
        "ACC-009",
        "a host without initiator is not found",
        Driver.grant_access,
        swap_error(InvalidRequest, lambda error: ObjectNotFound("initiator", str(error))),
    ),
    Fault("ACC-010", "a revoke removes the host from the array", Driver.revoke_access, do_also(forget_host), Kind.LIFE),
    Fault("ACC-011", "fencing does nothing", Driver.fence, skip(), Kind.ISOLATION),
    Fault("ACC-011", "fencing spares hosts that are logged in", Driver.fence, fence_idle, Kind.ISOLATION),
    Fault(
        "ACC-011",
        "fencing spares the host named first",
        Driver.fence,
        alter_argument("hosts", lambda hosts: list(hosts)[1:]),
        Kind.ISOLATION,
    ),
    Fault(
        "ACC-012",
        "every host gets a LUN of its own",
        Driver.connection,
        own_copy,
        Kind.DATA,
        also=("PRV-010", "ACC-014"),
    ),
    Fault(
        "ACC-012",
        "a volume is for one host only",
        Driver.grant_access,
        fail(lambda call: LimitReached("hosts of a volume", 1)),
        Kind.LIFE,
        lambda call: has_other_host(call),
    ),
    Fault(
        "ACC-013",
        "a host is granted only once",
        Driver.grant_access,
        only_first_time(lambda call: (call.arguments["target"].uuid, call.arguments["host"].uuid)),
        Kind.LIFE,
        also=("ACC-001",),
    ),
    Fault(
        "ACC-013",
        "a host that was revoked is barred",
        Driver.grant_access,
        fail(lambda call: Conflict(call.arguments["host"].uuid, "host", "revoked", "granted")),
        Kind.LIFE,
        both(repeated_for("target", "host"), lambda call: not is_granted(call)),
    ),
    Fault("ACC-014", "tells the paths of other volumes as well", Driver.connection, all_paths, Kind.IDENTITY),
    Fault(
        "ACC-016",
        "a grant opens another volume as well",
        Driver.grant_access,
        do_also(lambda call: grant_another(call)),
        Kind.ISOLATION,
    ),
    Fault(
        "ACC-017",
        "the second initiator has another secret",
        Wire.CreateInitiators,
        alter_argument("initiators", lambda wanted: [*wanted[:1], *({**each, **_OTHER} for each in wanted[1:])]),
        Kind.SECRET,
    ),
    Fault(
        "ACC-017",
        "only the first initiator is let in",
        Wire.CreateInitiators,
        alter_argument("initiators", lambda wanted: wanted[:1]),
        Kind.LIFE,
        also=("ACC-001",),
    ),
    Fault(
        "ACC-018",
        "a host with Fibre Channel only is granted nothing and told so by nobody",
        Driver.grant_access,
        swallow(InvalidRequest),
        Kind.CONTRACT,
        argument("host", lambda host: bool(host.initiators)),
    ),
    Fault(
        "ACC-019",
        "fencing asks the hypervisor first",
        Driver.fence,
        do_first(lambda call: ask_hypervisor(call)),
        Kind.ISOLATION,
        base="solidfire-plugin-hookup",
    ),
    Fault(
        "PRV-012",
        "a host is always led to its first volume",
        Driver.connection,
        another_way_in,
        Kind.IDENTITY,
        from_call(1),
        also=("ACC-014", "PRV-010"),
    ),
    Fault(
        "ACC-015",
        "a revoke is of the host before",
        Driver.revoke_access,
        previous_argument("host"),
        Kind.ISOLATION,
        base="minimal",
        also=("ACC-004",),
    ),
    Fault(
        "ACC-015",
        "a volume lets go of one host only",
        Driver.revoke_access,
        fail(lambda call: Conflict(call.arguments["target"].uuid, "hosts", "one revoked", "another")),
        Kind.LIFE,
        lambda call: another_was_revoked(call),
        base="minimal",
    ),
    Fault(
        "ACC-015",
        "a revoke lets the host revoked before in again",
        Driver.revoke_access,
        lambda call: swap_places(call),
        Kind.ISOLATION,
        base="minimal",
        also=("ACC-004",),
    ),
)


def swap_places(call: Call) -> None:
    """Write back a list of hosts that was read before the last revoke."""
    before = call.memory.shared.get("revoked")
    call.memory.shared["revoked"] = (call.arguments["target"], call.arguments["host"])
    call.proceed()
    if before is not None and before[0].uuid == call.arguments["target"].uuid and before[1] != call.arguments["host"]:
        call.others["driver"].grant_access(store_of(call), *before)


def is_granted(call: Call) -> bool:
    """Whether the host has access now."""
    return _is_let_in(call.others["driver"], store_of(call), call.arguments["target"], call.arguments["host"])
