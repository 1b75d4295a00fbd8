"""Faults written from the contract alone, without a look at the requirements.

They measure how many of the mistakes that nobody told the kit about it finds. Each breaks a sentence of the contract,
and shows in an ordinary cloud: three volumes, three hosts, two stores, two instances of the plugin. Most are right the
first time; they show on the third volume, for the second host, after a restart, or when something was deleted before.
As the requirements were not known, `requirement` is an area only.
"""

from __future__ import annotations

import base64
import itertools
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar

from conformance.contract import (
    AccessModel,
    AuthenticationFailed,
    Busy,
    Capability,
    CapacityExhausted,
    Cluster,
    Conflict,
    Host,
    InUse,
    InvalidRequest,
    LunIdentity,
    ObjectKind,
    ObjectNotFound,
    OwnedObject,
    ProviderError,
    QosPolicy,
    Resized,
    SpaceAccounting,
    Supported,
    Usage,
    Volume,
    VolumeRequest,
)
from reference_providers.solidfire import access, luns, names
from reference_providers.solidfire.arrays import account_named
from reference_providers.solidfire.client import nothing
from reference_providers.solidfire.element import Element
from reference_providers.solidfire.errors import Interrupted
from reference_providers.solidfire.limits import DEFAULT_QOS, LIMITS, lun_bytes_of_new
from reference_providers.solidfire.objects import Lun, read_lun
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, LifeCycle, Listener, Provider, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_bridge,
    alter_field,
    alter_result,
    do_also,
    do_first,
    fail,
    first_argument,
    leave_thread,
    note_on_error,
    only_first_time,
    previous_argument,
    remember_answer,
    skip,
    swallow,
    swap_error,
)
from tests.faulty_providers.when import (
    after_restart,
    argument,
    both,
    key_repeated,
    nth_call,
    nth_key,
    nth_object,
    repeated,
)

PLUGIN_HOOKUP: Final = "solidfire-plugin-hookup"
MIB: Final = 1 << 20
# Where a count of KiB no longer fits into 32 bits.
WRAPS_AT: Final = 1 << 42
LONG_NAME: Final = 32
ROOMY: Final = 10**15

_SERIALS: Final = itertools.count(1)
_Answer = TypeVar("_Answer")


# What the changes below look at: the plugin's own true parts.


def _array(call: Call) -> Any:
    """The driver's side of the array; hookup PLUGIN has it one layer down."""
    driver = call.others["driver"]
    return getattr(driver, "_array", driver)


def _ask(call: Call, action: Callable[[Element], _Answer]) -> _Answer:
    """Ask the array; what is lost on the way leaves in the contract's words, so that only the fault shows."""
    request = call.arguments["store"].request if "store" in call.arguments else call.arguments["request"]
    try:
        return action(_array(call)._arrays.of(request))
    except Interrupted as interruption:
        raise interruption.outcome from None


def _lun(call: Call, target: Any = None) -> Any:
    """The LUN that the call is about, or None."""
    wanted = target or call.arguments.get("target") or call.arguments["volume"]
    return _array(call).find_lun(call.arguments["store"], wanted)


def _holders(call: Call) -> frozenset[str]:
    lun = _lun(call)
    return frozenset() if lun is None else _array(call).holders(call.arguments["store"], lun)


def _listed(call: Call) -> list[OwnedObject]:
    return list(call.others["driver"].list_objects(call.arguments["store"]))


def _all_ours(element: Element) -> list[Lun]:
    """What this plugin made on the array, whatever the store."""
    found = element._client.call("ListVolumes", {}, lambda result: [read_lun(each) for each in result["volumes"]])
    return [each for each in found if names.is_ours(each.attributes)]


def _as_objects(found: Iterable[Lun]) -> list[OwnedObject]:
    return [OwnedObject(ObjectKind.VOLUME, each.external_id, each.owner_uuid, each.size_bytes) for each in found]


def _host_of_target(call: Call) -> tuple[str, str]:
    return call.arguments["target"].uuid, call.arguments["host"].uuid


def _present(call: Call, host: Host) -> list[Host]:
    """The hosts of a host's cluster."""
    cluster = Cluster(host.cluster_uuid, host.cluster_uuid, host.hypervisor)
    return list(_array(call).context.hosts(cluster))


def _basic(request: Any) -> str:
    """Credentials as they stand in a request's header."""
    pair = f"{request.parameters['username']}:{request.secrets['password'].reveal()}"
    return base64.b64encode(pair.encode()).decode()


# Creating


def _find_by_head_of_name(call: Call) -> Any:
    store, request = call.arguments["store"], call.arguments["request"]
    known = call.memory.shared.setdefault("by name", {})
    first = known.get((store.request.uuid, request.name[:LONG_NAME]), request)
    if first.uuid != request.uuid and first.uuid in {each.owner_uuid for each in _listed(call)}:
        return call.proceed(request=first)
    known[store.request.uuid, request.name[:LONG_NAME]] = request
    return call.proceed()


def _has_grown(call: Call) -> bool:
    request = call.arguments["request"]
    lun = _lun(call, Volume(request, None, request.size_bytes))
    first_bytes = LIMITS.rounded_up(max(request.size_bytes, LIMITS.smallest_lun_bytes))
    return lun is not None and lun.size_bytes > first_bytes


def _number_by_count(call: Call) -> Any:
    made = call.proceed()
    return replace(made, identity=LunIdentity(f"{made.identity.wwid[:-8]}{len(_listed(call)):08x}"))


def _make_and_then_look_for_room(call: Call) -> Any:
    try:
        return call.proceed()
    except CapacityExhausted:
        store = call.arguments["store"]
        roomy = replace(store, request=replace(store.request, capacity_bytes=ROOMY, capacity_iops=None))
        with suppress(ProviderError):
            made = call.proceed(store=roomy)
            _ask(call, lambda element: element.delete_lun(int(made.external_id)))
        raise


def _take_smaller_for_same(call: Call) -> Any:
    request = call.arguments["request"]
    try:
        return call.proceed()
    except Conflict as conflict:
        if conflict.field != "size_bytes" or request.size_bytes > int(str(conflict.existing)):
            raise
        return call.proceed(request=replace(request, size_bytes=int(str(conflict.existing))))


def _delete_into_trash_and_create_out_of_it(call: Call) -> Any:
    driver = call.others["driver"]
    refuse_or_remove, make = driver.delete, driver.create

    def delete(store: Any, volume: Any) -> None:
        given = _with_arguments(call, store=store, volume=volume)
        lun = _lun(given)
        if lun is None or _holders(given):
            refuse_or_remove(store, volume)
        else:
            _ask(given, lambda element: element.delete_lun(lun.lun_id))

    def create(store: Any, request: Any, placement: Any) -> Any:
        _ask(_with_arguments(call, store=store), lambda element: _restore(element, store, request))
        return make(store, request, placement)

    # Two methods are wrong together, so they are replaced before the first call.
    driver.delete, driver.create = delete, create
    return call.proceed()


def _with_arguments(call: Call, **arguments: Any) -> Call:
    """The same call with other arguments, to look at the array with."""
    return replace(call, arguments=arguments)


def _restore(element: Element, store: Any, request: Any) -> None:
    found = luns.namesakes(element, store, request.uuid)
    asked = {"asked_size_bytes": str(request.size_bytes), "owner": request.uuid}
    if any(not each.is_deleted for each in found):
        return
    for each in found[-1:]:
        if asked.items() <= each.attributes.items() and each.size_bytes == lun_bytes_of_new(request.size_bytes):
            element._client.call("RestoreDeletedVolume", {"volumeID": each.lun_id}, nothing)


CREATING = (
    Fault(
        "CPB-003",
        "Sizes from 4 TiB on lose their high bits",
        Wire.CreateVolume,
        alter_argument("totalSize", lambda size_bytes: size_bytes % WRAPS_AT),
        when=argument("totalSize", lambda size_bytes: size_bytes > WRAPS_AT),
    ),
    Fault(
        "SPC-001",
        "The third volume is not counted against the store's capacity",
        Driver.create,
        alter_field("store", request=lambda request: replace(request, capacity_bytes=ROOMY)),
        when=nth_object(3),
    ),
    Fault(
        "PRV-001",
        "Volumes whose long names begin alike are one volume",
        Driver.create,
        _find_by_head_of_name,
        Kind.IDENTITY,
        argument("request", lambda request: len(request.name) > LONG_NAME),
    ),
    Fault(
        "PRV-011",
        "A volume that was deleted and is made again gets the answer of the first time",
        Driver.create,
        remember_answer(lambda call: (call.arguments["request"].uuid, call.arguments["request"].size_bytes)),
        Kind.IDENTITY,
    ),
    Fault(
        "PRV-010",
        "The WWID told at create is the number of volumes, not this volume's",
        Driver.create,
        _number_by_count,
        Kind.IDENTITY,
    ),
    Fault(
        "SPC-001",
        "A create that does not fit leaves a LUN in the trash",
        Driver.create,
        _make_and_then_look_for_room,
        Kind.LEAK,
    ),
    Fault(
        "PRV-003",
        "Asking again for less than before is taken for the same request",
        Driver.create,
        _take_smaller_for_same,
    ),
    Fault(
        "DEL-001",
        "A volume that is made again is taken out of the trash, with its former data",
        Provider.configure,
        _delete_into_trash_and_create_out_of_it,
        Kind.DATA,
    ),
    Fault(
        "ISO-002",
        "Volumes of the second store are made in the first",
        Driver.create,
        first_argument("store"),
        Kind.ISOLATION,
    ),
)


# Deleting


def _take_the_next(call: Call) -> Any:
    gone = int(call.arguments["volume"].external_id)

    def erase_next(element: Element) -> None:
        for lun_id in sorted(int(each.external_id) for each in _listed(call) if int(each.external_id) > gone)[:1]:
            element.delete_lun(lun_id)
            element.purge_lun(lun_id)

    _ask(call, erase_next)
    return call.proceed()


def _is_gone(call: Call) -> bool:
    volume = call.arguments["volume"]
    return volume.external_id is not None and _lun(call) is None


def _remove_at_once(call: Call) -> None:
    _array(call).remove_lun(call.arguments["store"], _lun(call), call.arguments["volume"].request.tenant)


DELETING = (
    Fault("DEL-002", "Deleting what is gone takes the next volume", Driver.delete, _take_the_next, Kind.DATA, _is_gone),
    Fault(
        "DEL-001",
        "The third volume that is deleted stays in the trash",
        Wire.PurgeDeletedVolume,
        skip({}),
        Kind.LEAK,
        nth_key(3, lambda call: call.arguments["volumeID"]),
    ),
    Fault(
        "DEL-005",
        "A volume that only one host has is deleted under it",
        Driver.delete,
        _remove_at_once,
        Kind.DATA,
        lambda call: len(_holders(call)) == 1,
    ),
)


# Growing and quality of service


def _round_down(call: Call) -> Resized:
    size_bytes = call.arguments["size_bytes"]
    call.proceed(size_bytes=size_bytes // MIB * MIB)
    return Resized(size_bytes)


def _is_above_first_size(call: Call) -> bool:
    lun, size_bytes = _lun(call), call.arguments["size_bytes"]
    return lun is not None and int(str(lun.attributes["asked_size_bytes"])) <= size_bytes <= lun.size_bytes - MIB


def _grow_and_then_look_for_room(call: Call) -> Any:
    try:
        return call.proceed()
    except CapacityExhausted:
        lun_id, size_bytes = _lun(call).lun_id, LIMITS.rounded_up(call.arguments["size_bytes"])
        with suppress(ProviderError):
            _ask(call, lambda element: element.grow_lun(lun_id, size_bytes))
        raise


def _set_what_is_allowed(call: Call) -> None:
    try:
        call.proceed()
    except InvalidRequest:
        least = call.arguments["qos"].min_iops
        if least:
            with suppress(ProviderError):
                call.proceed(qos=QosPolicy(min_iops=least))
        raise


def _with_default_burst(qos: QosPolicy) -> QosPolicy:
    return replace(qos, burst_iops=max(DEFAULT_QOS.burst_iops or 0, qos.max_iops or 0))


def _is_burst_dispensable(call: Call) -> bool:
    # With more sustained than the default burst the array would refuse, and the mistake would be found at once.
    qos = call.arguments.get("qos", {})
    return "burstIOPS" in qos and qos.get("maxIOPS", 0) <= (DEFAULT_QOS.burst_iops or 0)


GROWING = (
    Fault(
        "EXT-001",
        "A resize to an uneven size rounds down, and tells the size that was asked for",
        Driver.resize,
        _round_down,
        when=argument("size_bytes", lambda size_bytes: size_bytes % MIB != 0),
    ),
    Fault(
        "EXT-004",
        "A volume that has grown may be asked to shrink as far as its first size",
        Driver.resize,
        skip(lambda call: Resized(_lun(call).size_bytes)),
        when=_is_above_first_size,
    ),
    Fault(
        "SPC-002",
        "A resize that does not fit the store is refused after it was done",
        Driver.resize,
        _grow_and_then_look_for_room,
    ),
    Fault(
        "EXT-009",
        "A store that is full is called busy by resize",
        Driver.resize,
        swap_error(CapacityExhausted, lambda error: Busy(30.0, str(error))),
    ),
    Fault(
        "EXT-006",
        "A volume that two hosts hold is not resized, though RESIZE_ONLINE is declared",
        Driver.resize,
        fail(lambda call: InUse(call.arguments["volume"].external_id, tuple(_holders(call)))),
        when=lambda call: len(_holders(call)) > 1,
    ),
    Fault(
        "EXT-010",
        "Growing a volume puts its QoS back to the defaults",
        Wire.ModifyVolume,
        lambda call: call.proceed(qos={"minIOPS": 50, "maxIOPS": 15_000, "burstIOPS": 15_000}),
        when=argument("totalSize", bool),
    ),
    Fault(
        "QOS-002",
        "Setting the sustained IOPS alone puts the burst back to the default",
        Driver.set_qos,
        alter_argument("qos", _with_default_burst),
        when=argument("qos", lambda qos: qos.burst_iops is None and qos.max_iops is not None),
    ),
    Fault(
        "QOS-002",
        "Going back to a QoS that the volume had before is not done",
        Driver.set_qos,
        only_first_time(lambda call: (call.arguments["volume"].uuid, call.arguments["qos"])),
    ),
    Fault("QOS-003", "A QoS that is refused leaves its guaranteed IOPS behind", Driver.set_qos, _set_what_is_allowed),
    Fault(
        "QOS-001",
        "The burst that was asked for at create is not passed on",
        Wire.CreateVolume,
        alter_argument("qos", lambda qos: {name: value for name, value in qos.items() if name != "burstIOPS"}),
        when=_is_burst_dispensable,
    ),
    Fault(
        "QOS-002",
        "The QoS goes to the volume that was set before",
        Driver.set_qos,
        previous_argument("volume"),
        Kind.ISOLATION,
    ),
)


# Access


def _cut_off_the_third(call: Call) -> None:
    others = list(call.arguments["remaining_hosts"])[1:]
    call.others["driver"].fence(call.arguments["store"], call.arguments["target"], others)


def _leave_group(call: Call) -> None:
    uuid = call.arguments["host"].uuid
    _ask(call, lambda element: element.create_group(names.of_host(uuid), names.host_mark(uuid)))


def _has_other_kinds_only(host: Host) -> bool:
    return bool(host.initiators) and not host.iqns


def _follow_the_majority(call: Call) -> None:
    if len(_holders(call)) < 2:
        return
    for each in _present(call, call.arguments["host"]):
        if each.iqns:
            call.proceed(host=each)


def _take_from_former_holder(call: Call) -> None:
    host = call.arguments["host"]
    holders = _holders(call)
    former = [each for each in _present(call, host) if each.uuid in holders and each.uuid != host.uuid]
    call.others["driver"].fence(call.arguments["store"], call.arguments["target"], former)


def _grant_all_again(call: Call) -> Any:
    wanted = call.memory.own.setdefault("wanted", {}).setdefault(call.arguments["target"].uuid, {})
    for each in wanted.values():
        call.proceed(host=each)
    wanted[call.arguments["host"].uuid] = call.arguments["host"]
    return call.proceed()


def _take_out_those_of_other_stores(call: Call) -> None:
    own = {int(each.external_id) for each in _listed(call)}

    def take_out(element: Element) -> None:
        group = access.group_of(element, call.arguments["host"])
        for lun_id in (group.lun_ids if group else frozenset()) - own:
            element.take_lun_from_group(group.group_id if group else 0, lun_id)

    _ask(call, take_out)


def _lead_third_to_first(call: Call) -> Any:
    answer = call.proceed()
    path = answer.paths[0]
    targets = call.memory.shared.setdefault("targets", {})
    targets.setdefault(call.arguments["target"].uuid, path.target_iqn)
    if list(targets).index(call.arguments["target"].uuid) < 2:
        return answer
    return replace(answer, paths=(replace(path, target_iqn=next(iter(targets.values()))),))


ACCESS = (
    Fault(
        "ACC-007",
        "With three holders, revoking one takes the access of another",
        Driver.revoke_access,
        do_also(_cut_off_the_third),
        Kind.ISOLATION,
        argument("remaining_hosts", lambda hosts: len(hosts) > 1),
    ),
    Fault(
        "ACC-001",
        "A host whose access was revoked is not let in again by the instance that let it in first",
        Driver.grant_access,
        only_first_time(_host_of_target),
    ),
    Fault(
        "ACC-011",
        "Fencing two hosts at once cuts off the first only",
        Driver.fence,
        alter_argument("hosts", lambda hosts: list(hosts)[:1]),
        Kind.DATA,
        argument("hosts", lambda hosts: len(hosts) > 1),
    ),
    Fault(
        "ACC-008",
        "Connections are remembered, and told when the access is gone",
        Driver.connection,
        remember_answer(_host_of_target),
    ),
    Fault(
        "ACC-018",
        "A host with initiators of other kinds only is granted silently",
        Driver.grant_access,
        swallow(InvalidRequest),
        when=argument("host", _has_other_kinds_only),
    ),
    Fault(
        "ACC-009",
        "A grant that is refused leaves an empty access group",
        Driver.grant_access,
        do_first(_leave_group),
        Kind.LEAK,
        argument("host", lambda host: not host.iqns),
    ),
    Fault(
        "ACC-006",
        "Revoking access to a deleted volume is an error",
        Driver.revoke_access,
        fail(lambda call: ObjectNotFound("volume", call.arguments["target"].external_id)),
        Kind.CALLS,
        lambda call: _lun(call) is None,
    ),
    Fault(
        "ACC-004",
        "An instance revokes nothing in a store that another has initialised",
        Driver.revoke_access,
        skip(),
        Kind.ISOLATION,
        after_restart,
    ),
    Fault(
        "ACC-014",
        "The third volume's path leads to the first volume",
        Driver.connection,
        _lead_third_to_first,
        Kind.DATA,
    ),
    Fault(
        "ACC-003",
        "Once two hosts hold a volume, all hosts of the cluster see it",
        Driver.grant_access,
        do_also(_follow_the_majority),
        Kind.ISOLATION,
    ),
    Fault(
        "ACC-012",
        "In model DIRECT the next host's grant takes the LUN from the host that has it",
        Driver.grant_access,
        do_first(_take_from_former_holder),
        when=argument("store", lambda store: store.request.access_model is AccessModel.DIRECT),
    ),
    Fault(
        "ACC-003",
        "A grant brings back the hosts that were cut off since",
        Driver.grant_access,
        _grant_all_again,
        Kind.ISOLATION,
    ),
    Fault(
        "ACC-016",
        "A grant in one store takes the host's volumes of the other store",
        Driver.grant_access,
        do_also(_take_out_those_of_other_stores),
        Kind.ISOLATION,
    ),
)


# CHAP


def _without_chap(initiators: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "requireChap": False} for each in initiators]


def _with_one_secret(initiators: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "initiatorSecret": "same-for-all-001"} for each in initiators]


def _tell_first_chap(call: Call) -> Any:
    answer = call.proceed()
    chap = call.memory.shared.setdefault("chap", answer.paths[0].chap)
    return replace(answer, paths=(replace(answer.paths[0], chap=chap),))


def _drop_initiators(call: Call) -> None:
    def drop(element: Element) -> None:
        group = access.group_of(element, call.arguments["host"])
        element.delete_initiators(group.initiator_ids if group else ())

    _ask(call, drop)


CHAP = (
    Fault(
        "CHP-001",
        "Hosts that are first granted after a restart need no CHAP",
        Wire.CreateInitiators,
        alter_argument("initiators", _without_chap),
        Kind.SECRET,
        after_restart,
    ),
    Fault(
        "CHP-003",
        "All hosts have the same CHAP secret, though its scope is declared as host",
        Wire.CreateInitiators,
        alter_argument("initiators", _with_one_secret),
        Kind.SECRET,
    ),
    Fault(
        "CHP-002",
        "The second host is told the first one's CHAP name and secret",
        Driver.connection,
        _tell_first_chap,
        Kind.SECRET,
    ),
    Fault(
        "ACC-005",
        "Repeating a grant replaces the CHAP secret that the host is using",
        Driver.grant_access,
        do_first(_drop_initiators),
        Kind.CALLS,
        lambda call: call.arguments["host"].uuid in _holders(call),
    ),
)


# Hosts


def _forget_host(call: Call) -> None:
    call.others["listener"].host_about_to_be_removed(call.arguments["host"], [call.arguments["store"]])


HOSTS = (
    Fault(
        "HST-003",
        "The initiators of a host that leaves stay behind without a group",
        Wire.DeleteVolumeAccessGroup,
        alter_argument("deleteOrphanInitiators", lambda _deletes: False),
        Kind.LEAK,
    ),
    Fault(
        "HST-002",
        "A host that reconnects for the second time loses its volumes",
        Listener.host_connected,
        do_first(_forget_host),
        when=repeated,
    ),
)


# Life cycle


def _holds_volumes(call: Call) -> bool:
    uuid = call.arguments["request"].uuid

    def look(element: Element) -> bool:
        account = element.find_account(names.of_store(uuid))
        return account is not None and bool(luns.of_store(element, uuid))

    return _ask(call, look)


def _remove_all_unused(call: Call) -> None:
    def remove(element: Element) -> None:
        for each in _all_ours(element):
            if not each.group_ids:
                luns.remove(element, each)

    _ask(call, remove)


def _leave_cluster_group(call: Call) -> None:
    _ask(call, lambda element: element.create_group(names.of_host(call.arguments["cluster"].uuid), {}))


def _leave_account(call: Call) -> Any:
    request = call.arguments["request"]
    try:
        return call.proceed()
    except InvalidRequest as refused:
        if refused.field == "capacity_bytes" and request.capacity_bytes > 0:
            _ask(call, lambda element: account_named(element, request))
        raise


def _with_first_sizes(call: Call) -> list[OwnedObject]:
    first = {each.external_id: int(str(each.attributes["asked_size_bytes"])) for each in _ask(call, _all_ours)}
    return [replace(each, size_bytes=lun_bytes_of_new(first[each.external_id])) for each in call.proceed()]


LIFE = (
    Fault(
        "LIF-001",
        "A store that holds volumes cannot be initialised again",
        LifeCycle.initialize,
        fail(lambda call: Conflict(call.arguments["request"].uuid, "account", "in use", "a new one")),
        Kind.LIFE,
        _holds_volumes,
    ),
    Fault(
        "LIF-007",
        "Deleting a store takes the volumes of other stores that no host holds",
        LifeCycle.delete_datastore,
        do_first(_remove_all_unused),
        Kind.DATA,
    ),
    Fault(
        "OPS-011",
        "A store that another instance has initialised is not deleted",
        LifeCycle.delete_datastore,
        skip(),
        Kind.LEAK,
        after_restart,
    ),
    Fault(
        "LEK-001",
        "Attaching a cluster makes an access group that nobody removes",
        LifeCycle.attach_cluster,
        do_also(_leave_cluster_group),
        Kind.LEAK,
    ),
    Fault(
        "LIF-010",
        "A store that is refused for its capacity leaves its account",
        LifeCycle.initialize,
        _leave_account,
        Kind.LEAK,
    ),
    Fault(
        "LIF-002",
        "Wrong credentials are blamed on a parameter that does not exist",
        LifeCycle.initialize,
        swap_error(AuthenticationFailed, lambda _refused: AuthenticationFailed("credentials")),
    ),
    Fault(
        "LIF-009",
        "An updated store is answered with its former capacity",
        LifeCycle.update,
        lambda call: replace(call.proceed(), request=call.arguments["store"].request),
        Kind.LIFE,
    ),
    Fault(
        "OPS-005",
        "After a restart a thread is left behind for each connection that was asked for",
        Driver.connection,
        leave_thread(),
        Kind.LEAK,
        after_restart,
    ),
    Fault(
        "LEK-003",
        "The first look at usage after a restart says that nothing is used",
        Driver.used,
        skip(Usage(0, 0)),
        when=both(after_restart, nth_call(1)),
    ),
    Fault(
        "LIF-008",
        "An empty store lists the objects of all other stores",
        Driver.list_objects,
        lambda call: _as_objects(_ask(call, _all_ours)),
        Kind.ISOLATION,
        lambda call: not _listed(call),
    ),
    Fault(
        "LEK-004", "Volumes that have grown are listed with their first size", Driver.list_objects, _with_first_sizes
    ),
)


# What is declared and untrue


DECLARED = (
    Fault(
        "PRV-001",
        "Sizes are declared to be rounded up to 4 KiB, and are rounded up to 1 MiB",
        Provider.limits,
        alter_result(lambda limits: replace(limits, granularity_bytes=4096)),
    ),
    Fault(
        "LEK-003",
        "Usage is declared to count what was written, and counts what was provisioned",
        Provider.traits,
        alter_result(lambda traits: replace(traits, space_accounting=SpaceAccounting.WRITTEN)),
    ),
    Fault(
        "CPB-005",
        "MULTIPATH is declared with one portal",
        Provider.capabilities,
        alter_result(lambda answers: {**answers, Capability.MULTIPATH: Supported()}),
    ),
    Fault(
        "REG-003",
        "Each instance of the plugin has a name of its own",
        Provider.name,
        lambda call: f"{call.proceed()}-{call.memory.own.setdefault('serial', next(_SERIALS))}",
    ),
)


# Secrets


def _with_credentials(call: Call) -> Any:
    store = call.proceed()
    return replace(store, details={**store.details, "authorization": f"Basic {_basic(store.request)}"})


def _log_login(call: Call) -> Any:
    answer = call.proceed()
    chap = answer.paths[0].chap
    if chap is not None:
        logging.getLogger("acme.sessions").debug("login as %s with %s", chap.username, chap.secret.reveal())
    return answer


SECRETS = (
    Fault(
        "SEC-001",
        "The store's details keep the administrator's password, encoded",
        LifeCycle.initialize,
        _with_credentials,
        Kind.SECRET,
    ),
    Fault(
        "SEC-001",
        "The error of a create that fails quotes the request's header",
        Driver.create,
        note_on_error(lambda call: f"sent: Authorization: Basic {_basic(call.arguments['store'].request)}"),
        Kind.SECRET,
    ),
    Fault("SEC-001", "CHAP secrets are in the debug log", Driver.connection, _log_login, Kind.SECRET),
)


# Hookup PLUGIN: the plugin calls the bridge


def _unhook_first(call: Call) -> None:
    lun = _lun(call)
    for each in call.arguments["hosts"]:
        if lun is not None and each.uuid in _holders(call):
            call.others["driver"]._detach(lun, each)


def _remove_at_array(call: Call) -> None:
    lun = _lun(call)
    if lun is not None:
        _array(call).remove_lun(call.arguments["store"], lun, call.arguments["volume"].request.tenant)


BRIDGED = (
    Fault(
        "DST-005",
        "After a resize only the first host is told that the datastore has grown",
        Provider.configure,
        alter_bridge("expand_datastore", alter_argument("at", lambda at: list(at)[:1])),
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "HST-008",
        "A host that comes back to a volume is granted and not hooked up",
        Driver.grant_access,
        lambda call: _array(call).grant_access(**call.arguments),
        when=key_repeated(_host_of_target),
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "HST-010",
        "The last host of a volume is cut off at the array and not unhooked",
        Driver.revoke_access,
        lambda call: _array(call).revoke_access(**call.arguments),
        Kind.LEAK,
        argument("remaining_hosts", lambda hosts: not hosts),
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "DST-003",
        "A volume whose create was not answered is deleted and its datastore stays",
        Driver.delete,
        _remove_at_array,
        Kind.LEAK,
        argument("volume", lambda volume: volume.external_id is None),
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "DST-001",
        "The third host of a new volume's placement does not get it",
        Driver.create,
        alter_field("placement", hosts=lambda hosts: hosts[:2]),
        when=argument("placement", lambda placement: len(placement.hosts) > 2),
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "ACC-019",
        "Fencing asks the fenced host to unmount first",
        Driver.fence,
        do_first(_unhook_first),
        Kind.DATA,
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "DST-003",
        "The second datastore that is to go stays on the hosts",
        Provider.configure,
        alter_bridge("delete_datastore", skip(), nth_key(2, lambda call: call.arguments["ref"].name)),
        Kind.LEAK,
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "DST-008",
        "Taking a host off a datastore takes all hosts off it",
        Provider.configure,
        alter_bridge("detach_datastore", lambda call: call.proceed(hosts=call.others["bridge"].hosts())),
        Kind.ISOLATION,
        base=PLUGIN_HOOKUP,
    ),
)


# The shortest plugin


def _fence_from_all(call: Call) -> None:
    driver = call.others["driver"]
    for each in driver.list_objects(call.arguments["store"]):
        request = VolumeRequest(each.owner_uuid, "any", each.size_bytes)
        call.proceed(target=Volume(request, each.external_id, each.size_bytes))


def _under_the_old_initiators(call: Call) -> Any:
    """Give the group its volumes, and leave its initiators as they are."""
    group = {name: call.arguments[name] for name in ("volumeAccessGroupID", "volumes")}
    return call.others["send"]("ModifyVolumeAccessGroup", **group)["result"]


SHORTEST = (
    Fault(
        "LEK-002",
        "Lists of volumes end after the second",
        Wire.ListVolumes,
        lambda call: call.proceed(limit=2),
        Kind.LEAK,
        argument("accounts", bool),
        base="minimal",
    ),
    Fault(
        "ACC-001",
        "A host that comes back with another initiator is let in under the old one",
        Wire.ModifyVolumeAccessGroup,
        _under_the_old_initiators,
        Kind.IDENTITY,
        argument("initiators", bool),
        base="minimal",
    ),
    Fault(
        "ACC-004",
        "The second host's access is never taken away",
        Wire.DeleteVolumeAccessGroup,
        skip({}),
        Kind.ISOLATION,
        nth_key(2, lambda call: call.arguments["volumeAccessGroupID"]),
        base="minimal",
    ),
    Fault(
        "ACC-011",
        "Fencing a host from one volume cuts it off from all volumes of the store",
        Driver.fence,
        do_also(_fence_from_all),
        Kind.ISOLATION,
        argument("hosts", lambda hosts: len(hosts) == 1),
        base="minimal",
    ),
)


FAULTS: tuple[Fault, ...] = (
    *CREATING,
    *DELETING,
    *GROWING,
    *ACCESS,
    *CHAP,
    *HOSTS,
    *LIFE,
    *DECLARED,
    *SECRETS,
    *BRIDGED,
    *SHORTEST,
)

DISPUTED: tuple[Fault, ...] = (
    Fault(
        "OPS",
        "Repeating the create of a volume that has grown is a conflict",
        Driver.create,
        fail(lambda call: Conflict(call.arguments["request"].uuid, "size_bytes", "another size", "its first size")),
        Kind.CALLS,
        _has_grown,
    ),
)
"""Not counted. The contract says that the same request again answers the same object, and that another size than the
object's is a conflict; once a volume has grown, a plugin that keeps no database cannot do both."""
