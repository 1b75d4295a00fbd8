"""Mistakes of vendors' code about volumes, stores, templates and migrations."""

from __future__ import annotations

import dataclasses
import threading
from contextlib import AbstractContextManager
from typing import Any, Final

from conformance.contract import (
    ArrayUnreachable,
    Busy,
    CapacityExhausted,
    Conflict,
    Created,
    DataStore,
    DiskLocation,
    InvalidRequest,
    LunIdentity,
    ObjectKind,
    ObjectNotFound,
    QosPolicy,
    Snapshot,
    Volume,
)
from reference_providers.solidfire import limits, names, tenants
from tests.faulty_providers.fault import Bridge, Call, Driver, Fault, Kind, LifeCycle, Provider, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_result,
    do_first,
    fail,
    remember_answer,
    swap_error,
)
from tests.faulty_providers.solidfire_inside import all_of_store, ask, listed_of_store, lun_of, store_of
from tests.faulty_providers.when import argument

_PAGE: Final = 20
_LONGEST_NAME: Final = 64
_MOST_IOPS_OF_OLD_RELEASES: Final = 100_000
_GIB_SHIFT: Final = 30


def _of_recent_create(call: Call) -> tuple[str, str, int]:
    request = call.arguments["request"]
    return store_of(call).request.uuid, request.name, request.size_bytes


def _compare_with_present_size(call: Call) -> Any:
    """What is there was made for the same request only if it has the size of a new one."""
    request = call.arguments["request"]
    found = call.others["driver"].find_lun(store_of(call), Volume(request, None, request.size_bytes))
    if found is not None and found.size_bytes != limits.lun_bytes_of_new(request.size_bytes):
        raise Conflict(request.uuid, "size_bytes", found.size_bytes, request.size_bytes)
    return call.proceed()


def _spare_what_has_another_size(call: Call) -> Any:
    """A guard against numbers that the array gave away again: what is larger than it was made is no volume of ours."""
    lun = lun_of(call, call.arguments["volume"])
    asked = int(lun.get("attributes", {}).get("asked_size_bytes", 0))
    if asked and lun["totalSize"] > limits.lun_bytes_of_new(asked):
        return None
    return call.proceed()


def _take_the_newest_of_that_size(call: Call) -> Any:
    """A volume that is not known by its owner is looked for by its size."""
    store, volume, driver = store_of(call), call.arguments["volume"], call.others["driver"]
    if volume.external_id is None and driver.find_lun(store, volume) is None:
        wanted = limits.lun_bytes_of_new(volume.request.size_bytes)
        alike = [each for each in all_of_store(call) if each.size_bytes == wanted]
        for each in alike[-1:]:
            driver.delete(store, each)
    return call.proceed()


def _grow_by_the_difference(call: Call) -> Any:
    """The array is told how much more, reckoned from what the caller believes."""
    volume = call.arguments["volume"]
    lun = lun_of(call, volume)
    if not lun:
        return call.proceed()
    return call.proceed(size_bytes=lun["totalSize"] + call.arguments["size_bytes"] - volume.size_bytes)


def _ask_room_for_all_of_it(call: Call) -> Any:
    """As for a new volume of the new size, although the old one is counted already."""
    store, volume, size_bytes = store_of(call), call.arguments["volume"], call.arguments["size_bytes"]
    if volume.size_bytes < size_bytes <= limits.LIMITS.largest_lun_bytes:
        free = store.request.capacity_bytes - (call.others["driver"].used(store).bytes or 0)
        if size_bytes > free:
            raise CapacityExhausted(size_bytes, max(0, free))
    return call.proceed()


def _let_the_rest_give_way(call: Call) -> Any:
    """Values that were not given move until the given ones fit."""
    try:
        return call.proceed()
    except InvalidRequest as refused:
        lun = call.others["driver"].find_lun(store_of(call), call.arguments["volume"])
        if refused.field != "qos" or lun is None:
            raise
    has, asked = lun.qos, call.arguments["qos"]
    above = [each for each in (asked.max_iops, asked.burst_iops) if each is not None]
    least = asked.min_iops or min([has.min_iops, *above])
    most = asked.max_iops or max(least, min(has.max_iops, asked.burst_iops or has.max_iops))
    return call.proceed(qos=QosPolicy(least, most, asked.burst_iops or max(most, has.burst_iops)))


class _LockingByItself:
    """The cloud's context, but for its locks: these keep out only threads of the same instance."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._locks: dict[str, threading.RLock] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def lock(self, name: str) -> AbstractContextManager[Any]:
        return self._locks.setdefault(name, threading.RLock())


def _use_the_session_of_that_user(call: Call) -> Any:
    """Whoever has logged in once under a name goes on with that login."""
    request = call.arguments["request"]
    sessions = call.memory.own.setdefault("sessions", {})
    place = request.parameters.get("url"), request.parameters.get("username")
    if place in sessions:
        made = call.proceed(request=dataclasses.replace(request, secrets=sessions[place]))
        return DataStore(request, made.details)
    made = call.proceed()
    sessions[place] = request.secrets
    return made


def _compare_whole_gibibytes(call: Call) -> Any:
    store, request = store_of(call), call.arguments["request"]
    used = call.others["driver"].used(store).bytes or 0
    is_below = 0 < request.capacity_bytes < used
    if is_below and request.capacity_bytes >> _GIB_SHIFT == used >> _GIB_SHIFT:
        return call.others["lifecycle"].initialize(request)
    return call.proceed()


def _say_goodbye(call: Call) -> Any:
    call.proceed()
    call.others["provider"]._arrays._context.logger.debug("closed")


def _leave_the_account_of_a_refused_volume(call: Call) -> Any:
    """The tenant's account is opened before anybody looks whether there is room."""
    store, tenant = store_of(call), call.arguments["request"].tenant
    try:
        return call.proceed()
    except CapacityExhausted:
        if tenant.uuid != tenants.NO_TENANT:
            _open_account(call, names.of_tenant(store.request.uuid, tenant.uuid), tenant.uuid)
        raise


def _open_account(call: Call, username: str, tenant_uuid: str) -> None:
    try:
        ask(call, "GetAccountByName", username=username)
    except ObjectNotFound:
        marks = names.tenant_mark(store_of(call).request.uuid, tenant_uuid)
        ask(call, "AddAccount", username=username, enableChap=False, attributes=marks)


def _look_at_each_volume(call: Call) -> None:
    for each in listed_of_store(call):
        ask(call, "ListVolumes", volumeIDs=[each["volumeID"]])


def _without_deleted(result: Any) -> Any:
    return {**result, "volumes": [each for each in result["volumes"] if each["status"] != "deleted"]}


def _answer_what_has_that_image(call: Call) -> Any:
    """One image, one LUN: whoever asks for the same image again gets the one that is there."""
    store, uuid, template = store_of(call), call.arguments["uuid"], call.arguments["template"]
    kept = [each for each in call.others["driver"].list_objects(store) if each.kind is ObjectKind.TEMPLATE]
    if uuid not in {each.owner_uuid for each in kept}:
        for each in kept:
            lun = lun_of(call, each)
            is_alike = lun.get("attributes", {}).get("source") == f"template {template.checksum}"
            if is_alike and lun["status"] == "active" and lun["totalSize"] >= call.arguments["size_bytes"]:
                return Created(each.external_id, lun["totalSize"], LunIdentity(lun["scsiNAADeviceID"].lower()))
    return call.proceed()


def _take_the_disk_that_is_there(call: Call) -> Any:
    ref, name = call.arguments["ref"], call.arguments["name"]
    return DiskLocation(ref, name) if name in call.others["bridge"].list_disks(ref) else call.proceed()


def _forget_what_was_set_meanwhile(call: Call) -> Any:
    """The note of what the volume goes back to stays as the migration's begin wrote it."""
    store, volume, driver = store_of(call), call.arguments["volume"], call.others["driver"]
    before = driver.find_lun(store, volume)
    call.proceed()
    noted = None if before is None else before.attributes.get("own_qos")
    if noted:
        now = driver.find_lun(store, volume)
        ask(call, "ModifyVolume", volumeID=now.lun_id, attributes={**now.attributes, "own_qos": noted})


def _remove_from_the_array_alone(call: Call) -> Any:
    """Nothing was handed out yet, so nothing can stand on it."""
    store, volume, array = store_of(call), call.arguments["volume"], call.others["driver"]._array
    lun = array.find_lun(store, volume) if volume.external_id is None else None
    if lun is None:
        return call.proceed()
    array.remove_lun(store, lun, volume.request.tenant)
    return None


def _who_has_access_is_hooked_up(call: Call) -> Any:
    store, target, array = store_of(call), call.arguments["target"], call.others["driver"]._array
    lun = None if isinstance(target, Snapshot) else array.find_lun(store, target)
    if lun is not None and call.arguments["host"].uuid in array.holders(store, lun):
        return None
    return call.proceed()


_ALL: Final = [
    # DataStoreDriver.create: "Idempotent by `request.uuid`: the same request again answers the same object".
    Fault(
        "PRV-001",
        "answers a second volume of the same name and size with the first one, out of its list of recent creates",
        Driver.create,
        remember_answer(_of_recent_create),
        Kind.IDENTITY,
    ),
    # DataStoreDriver.create: "the same request again answers the same object; another size raises `Conflict`".
    Fault(
        "PRV-014",
        "calls the repeated request for a volume a conflict once the volume has grown",
        Driver.create,
        _compare_with_present_size,
    ),
    # DataStoreDriver.delete: "Remove the volume, and only it".
    Fault(
        "DEL-001",
        "takes a volume that has grown for a stranger under a reused number, leaves it and reports it deleted",
        Driver.delete,
        _spare_what_has_another_size,
        Kind.LEAK,
    ),
    # DataStoreDriver.delete: "Remove the volume, and only it"; "With `external_id=None` the volume is found by its
    # request's uuid".
    Fault(
        "DEL-006",
        "removes the newest volume of the same size where the create that it cleans up after never arrived",
        Driver.delete,
        _take_the_newest_of_that_size,
        Kind.DATA,
    ),
    # ResizeDriver.resize: "Grow the volume to at least `size_bytes`, less than one granule more; the same size is
    # success."
    Fault(
        "EXT-001",
        "adds the difference to the size that the caller remembers, and once more when the caller repeats",
        Driver.resize,
        _grow_by_the_difference,
    ),
    # ResizeDriver.resize: "Grow the volume to at least `size_bytes`"; "no room: `CapacityExhausted`".
    Fault(
        "SPC-005",
        "wants room for the whole new size besides the old one before it grows a volume",
        Driver.resize,
        _ask_room_for_all_of_it,
    ),
    # HypervisorBridge.expand_datastore: "Let every host and the datastore see that the LUN grew."
    Fault(
        "DST-005",
        "lets only the first host of a cluster look again at a LUN that has grown",
        Bridge.expand_datastore,
        alter_argument("at", lambda at: at[:1]),
    ),
    # QosDriver.set_qos: "Set exactly these values; None leaves a value as it is."
    Fault(
        "QOS-008",
        "raises a volume's maximum by itself when a new minimum would not fit below it",
        Driver.set_qos,
        _let_the_rest_give_way,
    ),
    # CapacityExhausted: "No room; nothing was made."; ProviderContext.lock: "Give a lock that is exclusive across all
    # instances of the plugin."; driver: "several instances of a plugin may serve one store".
    Fault(
        "SPC-001",
        "hands the last free bytes of a store to two instances that create at the same moment",
        Provider.configure,
        alter_argument("context", _LockingByItself),
    ),
    # DataStoreLifeCycle.initialize: "bad credentials `AuthenticationFailed` ...: here, not at the first volume."
    Fault(
        "LIF-002",
        "accepts a second store with a wrong password because the user is logged in already",
        LifeCycle.initialize,
        _use_the_session_of_that_user,
    ),
    # StoreUpdate.update: "Take a new capacity; below what is used raises `InvalidRequest` and changes nothing."
    Fault(
        "LIF-009",
        "lets a store become smaller than what is used of it by less than a gibibyte",
        LifeCycle.update,
        _compare_whole_gibibytes,
    ),
    # DataStoreProvider.close: "Let go of connections and threads. Called once, last; never fails."
    Fault(
        "OPS-005",
        "fails to close when it was only looked at and never configured",
        Provider.close,
        _say_goodbye,
        Kind.LIFE,
    ),
    # Limits: "`name_length` is how many characters the name of a volume or snapshot request may have; a longer one may
    # be refused with `InvalidRequest`." It is declared as 255.
    Fault(
        "PRV-004",
        "refuses volumes whose names are longer than the array's own sixty-four characters",
        Driver.create,
        fail(lambda call: InvalidRequest("name", call.arguments["request"].name, "at most 64 characters")),
        when=argument("request", lambda request: len(request.name) > _LONGEST_NAME),
    ),
    # errors: "What may leave a plugin or a bridge; anything else that does is a finding."
    Fault(
        "OPS-003",
        "falls over a user's name for a volume that has letters beyond ASCII",
        Driver.create,
        do_first(lambda call: call.arguments["request"].name.encode("ascii")),
        base="minimal",
    ),
    # DataStoreDriver.list_objects: "List all that this plugin made for this store, with the owners' uuids".
    Fault(
        "LEK-008",
        "asks the array for twenty volumes at a time and takes the first answer for all there are",
        Wire.ListVolumes,
        alter_argument("limit", lambda _: _PAGE),
        when=argument("accounts", bool),
    ),
    # DataStoreDriver.create: "Raises ... `CapacityExhausted` ...; nothing is left behind."
    Fault(
        "PRV-007",
        "keeps the account it opened for a tenant whose first volume found no room",
        Driver.create,
        _leave_the_account_of_a_refused_volume,
        Kind.LEAK,
    ),
    # Traits: "`completion_seconds` gives a ceiling per driver method name, `default_completion_seconds` for the rest":
    # declared as 10 seconds, however many volumes a store has.
    Fault(
        "BUD-001",
        "looks at every volume of the store by itself before it makes another one",
        Driver.create,
        do_first(_look_at_each_volume),
        Kind.CALLS,
    ),
    # DataStoreDriver.delete: "Remove the volume, and only it"; Traits: "`trash_seconds` is how long the array keeps
    # deleted LUNs (0: not at all)", and 0 is declared.
    Fault(
        "DEL-001",
        "lists without what is in the trash, and so never purges after a delete that broke off halfway",
        Wire.ListVolumes,
        alter_result(_without_deleted),
        Kind.LEAK,
    ),
    # Busy: "Not now; nothing was changed. The caller repeats the same call"; ArrayUnreachable: "`retryable` False: only
    # a change of settings helps."
    Fault(
        "FLT-023",
        "gives an array up for good while its database is moving to another node",
        Driver.create,
        swap_error(Busy, lambda busy: ArrayUnreachable("the array", str(busy), retryable=False)),
        base="minimal",
    ),
    # TemplateDriver.seed_template: "Make an empty LUN for a template. Idempotent by `uuid`."
    Fault(
        "TPL-003",
        "answers a second template of the same image with the LUN of the first",
        Driver.seed_template,
        _answer_what_has_that_image,
        Kind.IDENTITY,
    ),
    # HypervisorBridge.import_template: "A disk of that name that is there, made by a plugin or by an earlier attempt,
    # is filled anew and keeps its size".
    Fault(
        "DST-016",
        "takes a disk that an earlier attempt left for a template that is imported already",
        Bridge.import_template,
        _take_the_disk_that_is_there,
        Kind.DATA,
    ),
    # MigrationDriver.begin_migration: "Lift the volume's QoS for a copy: above what it is where the limits allow more,
    # never below."
    Fault(
        "MIG-003",
        "slows a fast volume down for its migration to the most that older arrays allowed",
        Wire.GetLimits,
        alter_result(
            lambda result: {
                **result,
                "volumeMaxIOPSMax": _MOST_IOPS_OF_OLD_RELEASES,
                "volumeBurstIOPSMax": _MOST_IOPS_OF_OLD_RELEASES,
            }
        ),
    ),
    # MigrationDriver.end_migration: "Put the volume's own QoS back, after success and after failure."
    Fault(
        "MIG-005",
        "puts back what a volume had when its migration began, though the user has set other values since",
        Driver.set_qos,
        _forget_what_was_set_meanwhile,
    ),
    # DataStoreDriver.create: "In hookup PLUGIN ... datastore and disk are made through the bridge before return";
    # delete: "Remove the volume ... With `external_id=None` the volume is found by its request's uuid: a create whose
    # reply was lost."
    Fault(
        "DST-003",
        "takes a volume whose create was never answered from the array and leaves its datastore on the hosts",
        Driver.delete,
        _remove_from_the_array_alone,
        Kind.LEAK,
        base="solidfire-plugin-hookup",
    ),
    # DataStoreDriver.grant_access: "Idempotent. In hookup PLUGIN a host given a Volume or Backing is hooked up through
    # the bridge too".
    Fault(
        "ACC-001",
        "does not hook up a host that the array lets in already, though its hypervisor knows nothing of the volume",
        Driver.grant_access,
        _who_has_access_is_hooked_up,
        base="solidfire-plugin-hookup",
    ),
]

DISPUTED: Final = frozenset({"calls the repeated request for a volume a conflict once the volume has grown"})
"""Not counted, as in the first series: the contract says as well that another size than the object's is a conflict."""

UNSEEN: Final = frozenset(
    {
        "hands the last free bytes of a store to two instances that create at the same moment",
        "gives an array up for good while its database is moving to another node",
    }
)
"""Not counted yet. The kit makes one call at a time, and lets no array refuse with an error of its own API."""

FAULTS: Final = tuple(each for each in _ALL if each.title not in DISPUTED | UNSEEN)
