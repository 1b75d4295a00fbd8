"""Faults written from the contract alone: what is made and removed, sizes and QoS, stores, declarations and failures.

Above each fault stands the sentence of the contract that it breaks.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    BelowMinimum,
    BridgeError,
    Busy,
    Conflict,
    Created,
    DataStore,
    DiskLocation,
    InUse,
    InvalidRequest,
    ObjectKind,
    OperationCancelled,
    OwnedObject,
    Parameter,
    QosPolicy,
    Resized,
    Usage,
    Volume,
)
from reference_providers.solidfire import limits, names
from reference_providers.solidfire.element import qos_params
from tests.faulty_providers.fault import Bridge, Call, Driver, Fault, Kind, LifeCycle, Provider, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_bridge,
    alter_result,
    lie,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import ask, listed_of_store, lun_of, shut_out_all

GIB: Final = 1 << 30


def _first(several: Any) -> Any:
    return several[:1]


def _compare_with_present_size(call: Call) -> Created:
    created: Created = call.proceed()
    request = call.arguments["request"]
    if created.size_bytes != limits.lun_bytes_of_new(request.size_bytes):
        raise Conflict(request.uuid, "size_bytes", created.size_bytes, request.size_bytes)
    return created


def _is_unanswered_and_of_a_tenant(call: Call) -> bool:
    volume = call.arguments["volume"]
    return volume.external_id is None and volume.request.tenant.uuid != "system"


def _delete_unless_logged_in(call: Call) -> None:
    try:
        call.proceed()
    except InUse:
        volume = call.arguments["volume"]
        lun = lun_of(call, volume)
        sessions = ask(call, "ListISCSISessions")["sessions"]
        if not lun.get("volumeAccessGroups") or any(each.get("volumeID") == lun["volumeID"] for each in sessions):
            raise
        shut_out_all(call, volume.external_id)
        call.proceed()


def _refuse_less_than_the_lun(call: Call) -> Resized:
    volume, size_bytes = call.arguments["volume"], call.arguments["size_bytes"]
    if size_bytes < volume.size_bytes:
        raise InvalidRequest("size_bytes", size_bytes, f"at least the present {volume.size_bytes}")
    resized: Resized = call.proceed()
    return resized


def _with_qos_of_creation(call: Call) -> Resized:
    resized: Resized = call.proceed()
    lun = lun_of(call, call.arguments["volume"])
    noted = str(lun.get("attributes", {}).get("asked_qos", ""))
    if noted:
        given = [None if each == "None" else int(each) for each in noted.split("/")]
        qos = qos_params(limits.qos_of_new(QosPolicy(*given)))
        ask(call, "ModifyVolume", volumeID=lun["volumeID"], qos=qos)
    return resized


def _set_what_is_allowed(call: Call) -> None:
    try:
        call.proceed()
    except InvalidRequest as refused:
        field = refused.field.removeprefix("qos.")
        if field != refused.field:
            call.proceed(qos=replace(call.arguments["qos"], **{field: None}))
        raise


def _keep_what_the_migration_noted(call: Call) -> None:
    own = lun_of(call, call.arguments["volume"]).get("attributes", {}).get("own_qos")
    call.proceed()
    if own:
        lun = lun_of(call, call.arguments["volume"])
        ask(call, "ModifyVolume", volumeID=lun["volumeID"], attributes={**lun["attributes"], "own_qos": own})


def _client_of_the_first_store(call: Call) -> DataStore:
    request = call.arguments["request"]
    clients = call.memory.own.setdefault("clients", {})
    known = clients.get(request.parameters.get("url"))
    if known is None:
        accepted: DataStore = call.proceed()
        clients[request.parameters.get("url")] = request
        return accepted
    parameters = {**request.parameters, "username": known.parameters["username"]}
    accepted = call.proceed(request=replace(request, parameters=parameters, secrets=known.secrets))
    return replace(accepted, request=request)


def _forget_to_look_at_iops(call: Call) -> DataStore:
    request = call.arguments["request"]
    updated: DataStore = call.proceed(request=replace(request, capacity_iops=None))
    return replace(updated, request=request)


def _refuse_while_granted(call: Call) -> None:
    request = call.arguments["request"]
    accounts = ask(call, "ListAccounts")["accounts"]
    ours = [each["accountID"] for each in accounts if each["attributes"].get("store") == request.uuid]
    volumes = ask(call, "ListVolumes", accounts=ours)["volumes"] if ours else []
    granted = [str(each["attributes"].get("owner")) for each in volumes if each["volumeAccessGroups"]]
    if granted:
        raise InUse(request.uuid, tuple(granted))
    call.proceed()


def _sizes_of_creation(call: Call) -> Usage:
    usage: Usage = call.proceed()
    total = 0
    for each in listed_of_store(call):
        asked = each["attributes"].get("asked_size_bytes")
        total += limits.lun_bytes_of_new(int(asked)) if asked else each["totalSize"]
    return replace(usage, bytes=total)


def _without_the_stores_capacity(store: DataStore) -> DataStore:
    return replace(store, request=replace(store.request, capacity_bytes=1 << 62))


def _snapshots_under_their_volumes(call: Call) -> list[OwnedObject]:
    listed = list(call.proceed())
    if not any(each.kind is ObjectKind.SNAPSHOT for each in listed):
        return listed
    owners = {each.external_id: each.owner_uuid for each in listed if each.kind is not ObjectKind.SNAPSHOT}
    luns = {str(each["snapshotID"]): str(each["volumeID"]) for each in ask(call, "ListSnapshots")["snapshots"]}
    return [
        replace(each, owner_uuid=owners[luns[each.external_id]]) if each.kind is ObjectKind.SNAPSHOT else each
        for each in listed
    ]


def _keep_accounts_of_tenants(call: Call) -> Any:
    number = call.arguments["accountID"]
    found = call.others["send"]("ListAccounts", startAccountID=number, limit=1).get("result", {}).get("accounts", [])
    if any(each["accountID"] == number and each["attributes"].get("tenant") for each in found):
        return {}
    return call.proceed()


def _clone_of_a_passing_snapshot(call: Call) -> Created:
    source = call.arguments["source"]
    lun = lun_of(call, source) if isinstance(source, Volume) else {}
    if not lun or lun["status"] != "active":
        created: Created = call.proceed()
        return created
    name = names.of_snapshot(f"tmp-{call.arguments['request'].uuid}")[: names.LONGEST]
    taken = ask(call, "CreateSnapshot", volumeID=lun["volumeID"], name=name)
    created = call.proceed()
    ask(call, "DeleteSnapshot", snapshotID=taken["snapshotID"])
    return created


def _detach_instead(call: Call) -> None:
    bridge = call.others["bridge"]
    bridge.detach_datastore(call.arguments["ref"], bridge.hosts())


def _name_of_its_own(call: Call) -> str:
    return f"{call.proceed()}-{call.memory.own.setdefault('instance', uuid.uuid4().hex[:8])}"


def _username_optional(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    return tuple(replace(each, required=each.required and each.name != "username") for each in parameters)


def _send_again(call: Call) -> Any:
    try:
        return call.proceed()
    except OSError:
        return call.proceed()


def _ask_for_each(call: Call) -> Usage:
    usage: Usage = call.proceed()
    for each in listed_of_store(call):
        ask(call, "GetVolumeStats", volumeID=each["volumeID"])
    return usage


def _seed_from_scratch(call: Call) -> Created:
    store, wanted = call.arguments["store"].request.uuid, call.arguments["uuid"]
    for each in ask(call, "ListVolumes", volumeName=names.of_template(wanted))["volumes"]:
        if names.is_of_store(each["attributes"], store) and each["attributes"].get("owner") == wanted:
            ask(call, "DeleteVolume", volumeID=each["volumeID"])
            ask(call, "PurgeDeletedVolume", volumeID=each["volumeID"])
    created: Created = call.proceed()
    return created


def _is_clone_of_a_template(call: Call) -> bool:
    return str(call.arguments["attributes"].get("source", "")).startswith("cachedtemplate ")


def _leave_the_size_out(call: Call) -> Any:
    return call.function(**{name: value for name, value in call.arguments.items() if name != "newSize"})


def _take_a_disk_as_filled(call: Call) -> DiskLocation:
    ref, name = call.arguments["ref"], call.arguments["name"]
    if name in call.others["bridge"].list_disks(ref):
        return DiskLocation(ref, name)
    filled: DiskLocation = call.proceed()
    return filled


_ALL: Final = [
    # DataStoreDriver.create: "Idempotent by `request.uuid`: the same request again answers the same object".
    Fault(
        "PRV-014",
        "takes the same create for another one when the volume has grown since",
        at=Driver.create,
        change=_compare_with_present_size,
    ),
    # DataStoreDriver.create: "At least `size_bytes` are there on return, less than one granule more".
    Fault(
        "PRV-001",
        "makes LUNs in whole GiB, although it declares finer steps",
        at=Wire.CreateVolume,
        change=alter_argument("totalSize", lambda size: -(-size // GIB) * GIB),
        base="minimal",
    ),
    # DataStoreDriver.create: "In hookup PLUGIN the LUN is granted to `placement.hosts`".
    Fault(
        "DST-001",
        "hooks a new volume up on the first host of its placement only",
        at=Driver.create,
        change=lambda call: call.proceed(
            placement=replace(call.arguments["placement"], hosts=_first(call.arguments["placement"].hosts))
        ),
        base="solidfire-plugin-hookup",
    ),
    # DataStoreDriver.delete: "With `external_id=None` the volume is found by its request's uuid: a create whose reply
    # was lost."
    Fault(
        "DEL-003",
        "looks for a volume whose create was not answered in the store's own account, and not in its tenant's",
        at=Driver.delete,
        change=skip(),
        when=_is_unanswered_and_of_a_tenant,
        kind=Kind.LEAK,
    ),
    # DataStoreDriver.delete: "A volume still granted is refused with `InUse` or revoked first, as
    # `traits.delete_while_granted` declares." It declares REFUSED.
    Fault(
        "DEL-005",
        "deletes a granted volume when no host happens to be logged in, although it declares to refuse",
        at=Driver.delete,
        change=_delete_unless_logged_in,
        kind=Kind.DATA,
    ),
    # ResizeDriver.resize: "the same size is success." A size that is no whole granule is less than its LUN has.
    Fault(
        "EXT-003",
        "compares a wanted size with the rounded size of the LUN, and refuses the size that was asked for before",
        at=Driver.resize,
        change=_refuse_less_than_the_lun,
    ),
    # HypervisorBridge.expand_datastore: "Let every host and the datastore see that the LUN grew."
    Fault(
        "DST-005",
        "bridge lets only the first host look again after a LUN has grown",
        at=Bridge.expand_datastore,
        change=alter_argument("at", _first),
    ),
    # QosDriver.set_qos: "Set exactly these values", and ResizeDriver.resize: "Grow the volume to at least
    # `size_bytes`" and no more than that.
    Fault(
        "EXT-010",
        "resize sets the QoS back to what the volume was created with",
        at=Driver.resize,
        change=_with_qos_of_creation,
    ),
    # QosDriver.set_qos: "Outside `limits`: `InvalidRequest`, nothing changed."
    Fault(
        "QOS-003",
        "sets the values that are within limits before it refuses the one that is not",
        at=Driver.set_qos,
        change=_set_what_is_allowed,
    ),
    # MigrationDriver.end_migration: "Put the volume's own QoS back", and QosDriver.set_qos: "Set exactly these values".
    Fault(
        "MIG-005",
        "forgets at the end of a migration what QoS the user has set during it",
        at=Driver.set_qos,
        change=_keep_what_the_migration_noted,
    ),
    # DataStoreLifeCycle.initialize: "bad credentials `AuthenticationFailed`, […]: here, not at the first volume."
    Fault(
        "LIF-002",
        "keeps one client per address, so that a second store's credentials are not tried when it is added",
        at=LifeCycle.initialize,
        change=_client_of_the_first_store,
    ),
    # StoreUpdate.update: "Take a new capacity; below what is used raises `InvalidRequest` and changes nothing."
    Fault(
        "LIF-012",
        "takes fewer IOPS for a store than its volumes are guaranteed",
        at=LifeCycle.update,
        change=_forget_to_look_at_iops,
    ),
    # DataStoreLifeCycle.delete_datastore: "it tolerates a half-made store, and revokes what is granted."
    Fault(
        "LIF-006",
        "refuses to delete a store while a host has access to one of its volumes",
        at=LifeCycle.delete_datastore,
        change=_refuse_while_granted,
        kind=Kind.LEAK,
    ),
    # DataStoreDriver.used: "Tell bytes and IOPS in use by `traits.space_accounting`." It declares PROVISIONED.
    Fault(
        "LEK-004",
        "adds up the sizes that volumes were created with, also when they have grown",
        at=Driver.used,
        change=_sizes_of_creation,
    ),
    # ResizeDriver.resize: "no room: `CapacityExhausted`; the size is then unchanged everywhere."
    Fault(
        "SPC-002",
        "grows a volume beyond what the administrator gave the store, as long as the array has room",
        at=Driver.resize,
        change=alter_argument("store", _without_the_stores_capacity),
    ),
    # DataStoreDriver.list_objects: "List all that this plugin made for this store, with the owners' uuids", and
    # Snapshot.uuid: "The owner's uuid: the request's."
    Fault(
        "SNP-009",
        "lists snapshots with the uuids of their volumes",
        at=Driver.list_objects,
        change=_snapshots_under_their_volumes,
        kind=Kind.IDENTITY,
    ),
    # OperationCancelled: "Raised by `context.operation().check()`: the caller gave up or the deadline has passed; let
    # it out."
    Fault(
        "OPS-013",
        "clone asks a caller who gave up to come again",
        at=Driver.clone,
        change=swap_error(OperationCancelled, lambda error: Busy(5.0, "the clone was interrupted")),
    ),
    # DataStoreLifeCycle.delete_datastore: "Remove all that stands on the array for this store".
    Fault(
        "LEK-001",
        "removes the store's own account and never those of its tenants",
        at=Wire.RemoveAccount,
        change=_keep_accounts_of_tenants,
        kind=Kind.LEAK,
    ),
    # CloneDriver.clone: "Raises `ObjectNotFound` when the source is gone, and what `create` raises", and
    # DataStoreDriver.create: "nothing is left behind."
    Fault(
        "CLN-015",
        "clones a volume by way of a snapshot, and leaves that behind when the clone is refused",
        at=Driver.clone,
        change=_clone_of_a_passing_snapshot,
        kind=Kind.LEAK,
    ),
    # HypervisorBridge.delete_datastore: "Unmount everywhere, remove the datastore, disconnect".
    Fault(
        "DST-003",
        "bridge takes a datastore off its hosts and does not remove it",
        at=Bridge.delete_datastore,
        change=_detach_instead,
        kind=Kind.LEAK,
    ),
    # Limits: "Numbers the plugin stands by; strategies draw inside them and requirements probe their edges."
    Fault(
        "QOS-001",
        "declares more IOPS as possible than it accepts",
        at=Provider.limits,
        change=lie(qos_largest=lambda largest: QosPolicy(largest.min_iops, 300_000, 400_000)),
    ),
    # Traits: "How this plugin behaves where several behaviours are right", and BelowMinimum: "What `create` does with a
    # size below the smallest LUN."
    Fault(
        "PRV-006",
        "declares that sizes below the smallest LUN are refused, and rounds them up",
        at=Provider.traits,
        change=lie(below_minimum=lambda _declared: BelowMinimum.REFUSED),
    ),
    # DataStoreProvider.name: "Unique and stable: stored with every primary storage."
    Fault(
        "REG-003",
        "has another name after each restart",
        at=Provider.name,
        change=_name_of_its_own,
        kind=Kind.LIFE,
    ),
    # DataStoreProvider.parameters: "What a store needs to be told." It refuses a store that is not told a username.
    Fault(
        "LIF-013",
        "declares the username as optional, and accepts no store without one",
        at=Provider.parameters,
        change=alter_result(_username_optional),
    ),
    # DataStoreDriver.create: "Idempotent by `request.uuid`: the same request again answers the same object", and
    # DataStoreDriver.delete: "Remove the volume".
    Fault(
        "FLT-001",
        "sends the request for a new LUN again when its answer is lost, without looking whether it was made",
        at=Wire.CreateVolume,
        change=_send_again,
        base="minimal",
        kind=Kind.LEAK,
    ),
    # ResizeDriver.resize: "Grow the volume to at least `size_bytes`", which are those of the disk in hookup PLUGIN, and
    # Resized: "The size a resize ended with."
    Fault(
        "DED-008",
        "reports a resize as done when the hypervisor has failed to grow the disk",
        at=Provider.configure,
        change=alter_bridge("resize_disk", swallow(BridgeError, answer=lambda call: call.arguments["size_bytes"])),
        base="solidfire-plugin-hookup",
    ),
    # Traits: "`completion_seconds` gives a ceiling per driver method name, `default_completion_seconds` for the rest".
    # Ten seconds are not enough for a request for each of a store's thousands of volumes.
    Fault(
        "BUD-004",
        "asks the array about every single volume when it is asked what the store uses",
        at=Driver.used,
        change=_ask_for_each,
        kind=Kind.CALLS,
    ),
    # TemplateDriver.seed_template: "Idempotent by `uuid`."
    Fault(
        "TPL-004",
        "empties a template that is there already when it is seeded again",
        at=Driver.seed_template,
        change=_seed_from_scratch,
        kind=Kind.DATA,
    ),
    # CloneDriver.clone: "Larger is allowed, and reads as zeros beyond the source".
    Fault(
        "TPL-002",
        "gives a root disk the size of its template when a larger one was asked for",
        at=Wire.CloneVolume,
        change=_leave_the_size_out,
        when=_is_clone_of_a_template,
    ),
    # HypervisorBridge.import_template: "A disk of that name that is there, made by a plugin or by an earlier attempt,
    # is filled anew and keeps its size".
    Fault(
        "DST-016",
        "bridge takes a disk of the template's name that is there for one that was filled",
        at=Bridge.import_template,
        change=_take_a_disk_as_filled,
        kind=Kind.DATA,
    ),
]

DISPUTED: Final = frozenset({"takes the same create for another one when the volume has grown since"})
"""Not counted, as in the first series: the contract says as well that another size than the object's is a conflict."""

UNSEEN: Final = frozenset(
    {
        "bridge takes a datastore off its hosts and does not remove it",
        "reports a resize as done when the hypervisor has failed to grow the disk",
    }
)
"""Not counted yet. On KVM nothing is left of a datastore that no host has, and a disk is its LUN."""

FAULTS: Final = tuple(each for each in _ALL if each.title not in DISPUTED | UNSEEN)
