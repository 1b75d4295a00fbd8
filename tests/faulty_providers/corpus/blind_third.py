"""Faults made from the contract and the reference plugins alone; each says which sentence of the contract it breaks.

Most need two things to come together: a volume that has grown and a snapshot, a migration and a restart, a second
instance, a second tenant, a reply that was lost.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar

from conformance.contract import (
    AccessNotGranted,
    ArrayUnreachable,
    Busy,
    CachedTemplate,
    CapacityExhausted,
    Cluster,
    Conflict,
    InUse,
    LimitReached,
    ObjectKind,
    ProviderError,
    QosPolicy,
    Usage,
    Volume,
    VolumeRequest,
)
from reference_providers import minimal
from reference_providers.solidfire import access, initiators, limits, luns, names
from reference_providers.solidfire.element import Element, qos_params
from reference_providers.solidfire.errors import Interrupted
from reference_providers.solidfire.objects import Lun
from reference_providers.solidfire.tenants import NO_TENANT
from tests.faulty_providers.fault import Call, Change, Driver, Fault, Kind, LifeCycle, Listener, Provider, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_bridge,
    alter_field,
    alter_result,
    do_also,
    do_first,
    only_first_time,
    remember_answer,
    skip,
    swap_error,
)
from tests.faulty_providers.when import after_restart, argument, repeated

PLUGIN_HOOKUP: Final = "solidfire-plugin-hookup"
MIB: Final = 1 << 20
LONG_NAME: Final = 32
LIFTED_IOPS: Final = 50_000
OWN_QOS: Final = "own_qos"

_Answer = TypeVar("_Answer")


def _array(call: Call) -> Any:
    """The driver's side of the array; hookup PLUGIN has it one layer down."""
    driver = call.others["driver"]
    return getattr(driver, "_array", driver)


def _ask(call: Call, action: Callable[[Element], _Answer], request: Any = None) -> _Answer:
    """Ask the array; what is lost on the way leaves in the contract's words, so that only the fault shows."""
    about = request or (call.arguments["store"].request if "store" in call.arguments else call.arguments["request"])
    try:
        return action(_array(call)._arrays.of(about))
    except Interrupted as interruption:
        raise interruption.outcome from None


def _lun(call: Call, target: Any = None) -> Lun | None:
    """The LUN that the call is about."""
    wanted = target or call.arguments.get("target") or call.arguments["volume"]
    try:
        found: Lun | None = _array(call).find_lun(call.arguments["store"], wanted)
    except Interrupted as interruption:
        raise interruption.outcome from None
    return found


def _of_store(call: Call) -> list[Lun]:
    """The store's LUNs that are not deleted."""
    uuid = call.arguments["store"].request.uuid
    return [each for each in _ask(call, lambda element: list(luns.of_store(element, uuid))) if not each.is_deleted]


def _named(lun: Lun) -> Volume:
    return Volume(VolumeRequest(lun.owner_uuid, lun.owner_uuid, lun.size_bytes), lun.external_id, lun.size_bytes)


def _asked_of_wire(call: Call, method: str, key: str, **params: Any) -> list[dict[str, Any]]:
    """What the array lists, for faults that sit in a request."""
    found: list[dict[str, Any]] = call.others["send"](method, **params).get("result", {}).get(key, [])
    return found


def _marks(entry: dict[str, Any]) -> dict[str, Any]:
    return dict(entry.get("attributes") or {})


# Snapshots


def _retake_when_grown(call: Call) -> Any:
    lun, request = _lun(call), call.arguments["request"]

    def drop_outdated(element: Element) -> None:
        for each in element.copies.snapshots_of(lun.lun_id) if lun else ():
            if each.owner_uuid == request.uuid and lun and each.size_bytes != lun.size_bytes:
                element.copies.delete_snapshot(each.snapshot_id)

    _ask(call, drop_outdated)
    return call.proceed()


def _one_for_each_name(length: int) -> Change:
    """Snapshots are found again by volume and beginning of the name."""

    def take(call: Call) -> Any:
        request, volume = call.arguments["request"], call.arguments["volume"]
        known = call.memory.shared.setdefault("snapshots by name", {})
        key = (volume.uuid, request.name[:length])
        first = known.setdefault(key, request)
        if first.uuid == request.uuid:
            return call.proceed()
        lun = _lun(call)
        kept = _ask(call, lambda element: element.copies.snapshots_of(lun.lun_id) if lun else ())
        if any(each.owner_uuid == first.uuid for each in kept):
            return call.proceed(request=first)
        known[key] = request
        return call.proceed()

    return take


def _throw_away_oldest(call: Call) -> Any:
    try:
        return call.proceed()
    except LimitReached:
        lun = _lun(call)

        def drop_oldest(element: Element) -> None:
            for each in list(element.copies.snapshots_of(lun.lun_id) if lun else ())[:1]:
                element.copies.delete_snapshot(each.snapshot_id)

        _ask(call, drop_oldest)
        return call.proceed()


def _with_login(call: Call) -> Any:
    made, request = call.proceed(), call.arguments["store"].request
    login = f"{request.parameters['username']}:{request.secrets['password'].reveal()}"
    return replace(made, details={**made.details, "source": request.parameters["url"].replace("://", f"://{login}@")})


def _is_second_of_its_owner(call: Call) -> bool:
    owners = {
        each["snapshotID"]: _marks(each).get("owner") for each in _asked_of_wire(call, "ListSnapshots", "snapshots")
    }
    number = call.arguments["snapshotID"]
    owner = owners.get(number)
    return owner is not None and any(each < number and owners[each] == owner for each in owners)


def _drop_all_of_volume(call: Call) -> None:
    store, snapshot = call.arguments["store"], call.arguments["snapshot"]

    def drop(element: Element) -> None:
        for each in element.copies.snapshots_of(int(snapshot.volume_external_id)):
            if names.is_of_store(each.attributes, store.request.uuid):
                element.copies.delete_snapshot(each.snapshot_id)

    _ask(call, drop)


def _drop_older(call: Call) -> None:
    store, snapshot = call.arguments["store"], call.arguments["snapshot"]

    def drop(element: Element) -> None:
        kept = list(element.copies.snapshots_of(int(snapshot.volume_external_id)))
        meant = [each.snapshot_id for each in kept if each.owner_uuid == snapshot.uuid]
        for each in kept:
            if meant and each.snapshot_id < meant[0] and names.is_of_store(each.attributes, store.request.uuid):
                element.copies.delete_snapshot(each.snapshot_id)

    _ask(call, drop)


def _drop_by_name(call: Call) -> None:
    name = names.of_snapshot(call.arguments["snapshot"].uuid)

    def drop(element: Element) -> None:
        for each in element._client.call("ListSnapshots", {}, lambda result: result["snapshots"]):
            if each["name"] == name:
                element.copies.delete_snapshot(each["snapshotID"])

    _ask(call, drop)


SNAPSHOTS = (
    # "Keep the volume as it is at this moment. Idempotent by `request.uuid`."
    Fault(
        "SNP-016",
        "A snapshot that is asked for again after the volume has grown is taken anew",
        Driver.take_snapshot,
        _retake_when_grown,
        Kind.DATA,
    ),
    # "Idempotent by `request.uuid`", not by name.
    Fault(
        "SNP-015",
        "Two snapshots of one volume with one name are one snapshot",
        Driver.take_snapshot,
        _one_for_each_name(255),
        Kind.DATA,
    ),
    # "Idempotent by `request.uuid`", not by name.
    Fault(
        "SNP-012",
        "Snapshots of one volume whose long names begin alike are one snapshot",
        Driver.take_snapshot,
        _one_for_each_name(LONG_NAME),
        Kind.DATA,
        argument("request", lambda request: len(request.name) > LONG_NAME),
    ),
    # "LimitReached: A limit of the array would be passed; nothing was made."
    Fault(
        "SNP-012",
        "A volume with as many snapshots as it may have loses the oldest to the next",
        Driver.take_snapshot,
        _throw_away_oldest,
        Kind.DATA,
    ),
    # take_snapshot "Raises `ObjectNotFound`, `LimitReached`, `CapacityExhausted`"; Busy is "Not now".
    Fault(
        "SNP-012",
        "A volume with as many snapshots as it may have is called busy",
        Driver.take_snapshot,
        swap_error(LimitReached, lambda error: Busy(5.0, str(error))),
    ),
    # "`details` is text to text, copied, and holds no secrets."
    Fault(
        "SEC-001",
        "A snapshot's details tell how to log in at its array",
        Driver.take_snapshot,
        _with_login,
        Kind.SECRET,
    ),
    # "Idempotent by `request.uuid`": one request, one snapshot, however often it is delivered.
    Fault(
        "SNP-001",
        "A request for a snapshot that was delivered twice leaves two snapshots",
        Wire.DeleteSnapshot,
        skip({}),
        Kind.LEAK,
        _is_second_of_its_owner,
    ),
    # "Remove the snapshot, and only it." "With `external_id=None` it is found by its request's uuid."
    Fault(
        "SNP-005",
        "A snapshot whose reply was lost is deleted with all others of its volume",
        Driver.delete_snapshot,
        do_first(_drop_all_of_volume),
        Kind.DATA,
        argument("snapshot", lambda snapshot: snapshot.external_id is None),
    ),
    # "Remove the snapshot, and only it."
    Fault(
        "SNP-005",
        "With a snapshot the older ones of its volume go",
        Driver.delete_snapshot,
        do_first(_drop_older),
        Kind.DATA,
    ),
    # "Remove the snapshot, and only it": one of the same name may be somebody else's.
    Fault(
        "ISO-003",
        "Snapshots are deleted by name, whoever took them",
        Driver.delete_snapshot,
        do_first(_drop_by_name),
        Kind.ISOLATION,
    ),
)


# Reverting


def _drop_newer_of_other_size(call: Call) -> Any:
    lun, snapshot = _lun(call), call.arguments["snapshot"]
    answer = call.proceed()

    def drop(element: Element) -> None:
        kept = list(element.copies.snapshots_of(lun.lun_id) if lun else ())
        meant = next((each for each in kept if each.owner_uuid == snapshot.uuid), None)
        for each in kept:
            if meant and each.snapshot_id > meant.snapshot_id and each.size_bytes != meant.size_bytes:
                element.copies.delete_snapshot(each.snapshot_id)

    _ask(call, drop)
    return answer


def _revert_despite_grants(call: Call) -> None:
    given = call.arguments
    call.others["driver"].revert_lun(given["store"], given["volume"], given["snapshot"], despite_grants=True)


REVERTING = (
    # "newer snapshots go as `traits.revert_scope` declares": it is declared that they stay.
    Fault(
        "REV-002",
        "A revert takes newer snapshots of another size with it",
        Driver.revert,
        _drop_newer_of_other_size,
        Kind.DATA,
    ),
    # "Put the volume's bytes back", each time it is asked.
    Fault(
        "REV-002",
        "A volume that was put back to a snapshot before is not put back to it again",
        Driver.revert,
        only_first_time(lambda call: (call.arguments["volume"].uuid, call.arguments["snapshot"].uuid)),
        Kind.DATA,
    ),
    # "A host still has access: `InUse`."
    Fault(
        "REV-001",
        "A volume is put back under hosts that have access and are not logged in just now",
        Driver.revert,
        _revert_despite_grants,
        Kind.DATA,
    ),
)


# Cloning


def _of_the_live_volume(call: Call) -> Any:
    return call.function(**{name: value for name, value in call.arguments.items() if name != "snapshotID"})


def _is_larger_than_snapshot(call: Call) -> bool:
    number = call.arguments.get("snapshotID")
    if number is None:
        return False
    kept = _asked_of_wire(call, "ListSnapshots", "snapshots", snapshotID=number)
    live = _asked_of_wire(call, "ListVolumes", "volumes", volumeIDs=[call.arguments["volumeID"]])
    size_bytes = call.arguments["newSize"]
    return all(size_bytes > each["totalSize"] for each in kept) and all(
        size_bytes >= each["totalSize"] for each in live
    )


def _all_ready(answer: dict[str, Any]) -> dict[str, Any]:
    volumes = [
        {**each, "status": each["status"] if each["status"] == "deleted" else "active"} for each in answer["volumes"]
    ]
    return {**answer, "volumes": volumes}


def _own_qos_again(call: Call) -> None:
    request = call.arguments["request"]
    volume = Volume(request, None, request.size_bytes)
    call.others["driver"].set_qos(call.arguments["store"], volume, limits.qos_of_new(request.qos))


def _refuse_source_of_clones(call: Call) -> Any:
    source = f"volume {call.arguments['volume'].uuid}"
    clones = tuple(each.owner_uuid for each in _of_store(call) if each.attributes.get("source") == source)
    if clones:
        raise InUse(str(call.arguments["volume"].external_id), clones)
    return call.proceed()


def _at_least_the_source(call: Call) -> Any:
    request, source = call.arguments["request"], call.arguments["source"]
    if 0 < request.size_bytes < source.size_bytes:
        return call.proceed(request=replace(request, size_bytes=source.size_bytes))
    return call.proceed()


def _shown_to_holders_of_source(call: Call) -> None:
    request, source = call.arguments["request"], call.arguments["source"]
    shown, clone = _lun(call, source), _lun(call, Volume(request, None, request.size_bytes))

    def show(element: Element) -> None:
        for group_id in shown.group_ids if shown else ():
            if clone:
                element.put_lun_in_group(group_id, clone.lun_id)

    _ask(call, show)


def _clear_namesakes(call: Call) -> None:
    name = names.of_volume(call.arguments["request"].uuid)

    def clear(element: Element) -> None:
        for each in element.luns_named(name):
            if not names.is_ours(each.attributes):
                luns.remove(element, each)

    _ask(call, clear)


def _from_base_snapshot(call: Call) -> Any:
    bases, number = call.memory.shared.setdefault("bases", {}), call.arguments["volumeID"]
    if number not in bases:
        made = call.others["send"]("CreateSnapshot", volumeID=number, name="clone-base")
        bases[number] = made.get("result", {}).get("snapshotID")
    return call.proceed(snapshotID=bases[number]) if bases[number] else call.proceed()


CLONING = (
    # "Make an independent volume with the source's bytes."
    Fault(
        "CLN-017",
        "A clone that is larger than its snapshot is made of the volume as it is now",
        Wire.CloneVolume,
        _of_the_live_volume,
        Kind.DATA,
        _is_larger_than_snapshot,
    ),
    # "Make an independent volume with the source's bytes, ready to be granted on return."
    Fault(
        "CLN-001",
        "A clone is handed out as soon as the array lists it",
        Wire.ListVolumes,
        alter_result(_all_ready),
        Kind.DATA,
    ),
    # "Idempotent by `request.uuid`, as `create` is": what is there is answered, not changed.
    Fault(
        "CLN-018",
        "A repeated clone takes back the QoS that was set since",
        Driver.clone,
        do_also(_own_qos_again),
        when=repeated,
    ),
    # "Make an independent volume"; `source_delete_with_clones` is declared as independent.
    Fault(
        "CLN-007",
        "A volume is not deleted while there are clones of it",
        Driver.delete,
        _refuse_source_of_clones,
        Kind.CALLS,
    ),
    # "Larger is allowed …; smaller is `InvalidRequest`."
    Fault(
        "TPL-006",
        "A clone that is asked to be smaller than its source gets the source's size",
        Driver.clone,
        _at_least_the_source,
    ),
    # clone: "no host has access."
    Fault(
        "CLN-009",
        "The hosts that have the source see the clone as well",
        Driver.clone,
        do_also(_shown_to_holders_of_source),
        Kind.ISOLATION,
    ),
    # clone "Raises `ObjectNotFound` when the source is gone, and what `create` raises": CapacityExhausted.
    Fault(
        "CLN-019",
        "Clones are not held against the store's IOPS",
        Driver.clone,
        alter_field("store", request=lambda request: replace(request, capacity_iops=None)),
    ),
    # clone: "Make an independent volume"; what has its name and is somebody else's stays.
    Fault(
        "ISO-001",
        "Before a clone is made, whatever has its name is removed",
        Driver.clone,
        do_first(_clear_namesakes),
        Kind.ISOLATION,
    ),
    # "Make an independent volume with the source's bytes": the bytes of now, and nothing is left on the source.
    Fault(
        "TPL-003",
        "All clones of a volume are made of the snapshot that the first one took",
        Wire.CloneVolume,
        _from_base_snapshot,
        Kind.DATA,
        lambda call: "snapshotID" not in call.arguments,
    ),
)


# Templates


def _one_for_each_image(call: Call) -> Any:
    store, uuid = call.arguments["store"], call.arguments["uuid"]
    key = (store.request.uuid, call.arguments["template"].checksum, call.arguments["size_bytes"])
    known = call.memory.shared.setdefault("templates", {})
    first = known.setdefault(key, uuid)
    if first == uuid or any(each.owner_uuid == first for each in _of_store(call)):
        return call.proceed(uuid=first)
    known[key] = uuid
    return call.proceed()


def _start_anew(call: Call) -> Any:
    cached = CachedTemplate(
        call.arguments["uuid"], call.arguments["template"], None, max(1, call.arguments["size_bytes"])
    )
    with suppress(InUse):
        call.others["driver"].delete_template(call.arguments["store"], cached)
    return call.proceed()


def _with_unused_clones(call: Call) -> None:
    source = f"cachedtemplate {call.arguments['cached'].uuid}"
    unused = [each for each in _of_store(call) if each.attributes.get("source") == source and not each.group_ids]

    def remove(element: Element) -> None:
        for each in unused:
            luns.remove(element, each)

    _ask(call, remove)


def _with_empty_cache(call: Call) -> None:
    uuid = call.arguments["request"].uuid

    def remove(element: Element) -> None:
        for each in luns.of_store(element, uuid):
            if each.kind is ObjectKind.TEMPLATE and not each.group_ids:
                luns.remove(element, each)

    _ask(call, remove)


TEMPLATES = (
    # "Make an empty LUN for a template. Idempotent by `uuid`", not by image.
    Fault(
        "TPL-003",
        "Two cached templates of one image are one LUN",
        Driver.seed_template,
        _one_for_each_image,
        Kind.IDENTITY,
    ),
    # "Idempotent by `uuid`"; "any may be restarted between two calls".
    Fault(
        "TPL-004",
        "A template that is seeded again after a restart is emptied",
        Driver.seed_template,
        _start_anew,
        Kind.DATA,
        after_restart,
    ),
    # delete_template: "With `external_id=None` it is found by its uuid."
    Fault(
        "TPL-005",
        "A template whose reply was lost is not deleted",
        Driver.delete_template,
        skip(),
        Kind.LEAK,
        argument("cached", lambda cached: cached.external_id is None),
    ),
    # "Remove a cached template; clones keep working."
    Fault(
        "TPL-003",
        "With a template the clones go that no host has just now",
        Driver.delete_template,
        do_first(_with_unused_clones),
        Kind.DATA,
    ),
    # initialize: "Idempotent by uuid."
    Fault(
        "LIF-011",
        "A store that is initialised again loses its cached templates",
        LifeCycle.initialize,
        do_also(_with_empty_cache),
        Kind.DATA,
    ),
)


# CHAP


def _remember_secrets(call: Call) -> Any:
    driver = call.others["driver"]
    tell, change = driver.connection, driver.rotate_chap
    known: dict[str, Any] = {}

    def connection(store: Any, target: Any, host: Any) -> Any:
        answer = tell(store, target, host)
        chap = known.setdefault(host.uuid, answer.paths[0].chap)
        return replace(answer, paths=tuple(replace(each, chap=chap) for each in answer.paths))

    def rotate_chap(store: Any, target: Any, host: Any) -> None:
        change(store, target, host)
        known.pop(host.uuid, None)

    # Two methods share the memory, so they are replaced before the first call.
    driver.connection, driver.rotate_chap = connection, rotate_chap
    return call.proceed()


def _back_and_forth(call: Call) -> Any:
    wanted = call.arguments["initiators"]
    number = wanted[0]["initiatorID"]
    used = call.memory.shared.setdefault("secrets", {}).setdefault(number, [])
    if not used:
        listed = _asked_of_wire(call, "ListInitiators", "initiators", initiators=[number])
        used += [*(each["initiatorSecret"] for each in listed), wanted[0]["initiatorSecret"]]
        return call.proceed()
    used.append(used.pop(0))
    return call.proceed(initiators=[{**each, "initiatorSecret": used[-1]} for each in wanted])


def _rotate_whoever_asks(call: Call) -> None:
    try:
        call.proceed()
    except AccessNotGranted:
        host = call.arguments["host"]
        group = _ask(call, lambda element: access.group_of(element, host))
        if group is None or not group.initiator_ids:
            raise
        ids = group.initiator_ids
        _ask(call, lambda element: element.set_chap(ids, initiators.new_chap(host)))


def _log_failed_request(call: Call) -> Any:
    try:
        return call.proceed()
    except Exception:
        logging.getLogger("acme.api").error("%s failed: %s", call.site.method, json.dumps(call.arguments))
        raise


CHAP = (
    # "Replace the secret; afterwards the old one is refused."
    Fault(
        "CHP-011",
        "A host's second initiator keeps the old secret",
        Wire.ModifyInitiators,
        alter_argument("initiators", lambda wanted: wanted[:1]),
        Kind.SECRET,
        argument("initiators", lambda wanted: len(wanted) > 1),
    ),
    # "`connection` gives the new one"; "several instances of a plugin may serve one store".
    Fault(
        "CHP-002",
        "An instance tells the secret that it knows although another has rotated it",
        Provider.configure,
        _remember_secrets,
    ),
    # "Replace the secret; afterwards the old one is refused": the first is good again after the second rotation.
    Fault(
        "CHP-006",
        "Rotating goes back and forth between two secrets",
        Wire.ModifyInitiators,
        _back_and_forth,
        Kind.SECRET,
    ),
    # rotate_chap: "Without a grant: `AccessNotGranted`."
    Fault(
        "CHP-010",
        "A host's secret is rotated for a volume that it does not have, if it has another",
        Driver.rotate_chap,
        _rotate_whoever_asks,
    ),
    # "A logger that masks secrets it knows; do not hand it any all the same."
    Fault(
        "SEC-001",
        "A rotation that fails is logged with the secret that was to be",
        Wire.ModifyInitiators,
        _log_failed_request,
        Kind.SECRET,
    ),
)


# Quality of service, migrations and numbers


def _is_lifted(call: Call) -> bool:
    lun = _lun(call)
    return lun is not None and OWN_QOS in lun.attributes


def _own(lun: Lun) -> QosPolicy:
    return QosPolicy(*map(int, str(lun.attributes[OWN_QOS]).split("/")))


def _set_and_not_noted(call: Call) -> None:
    lun, qos = _lun(call), call.arguments["qos"]
    limits.check_qos(qos)
    if lun is not None:
        params = qos_params(limits.qos_of_existing(_own(lun), qos))
        _ask(call, lambda element: element.set_lun_qos(lun.lun_id, params))


def _iops_first_asked(call: Call) -> Usage:
    used = call.proceed()
    asked = [str(each.attributes.get("asked_qos", "None/")).partition("/")[0] for each in _of_store(call)]
    default = limits.DEFAULT_QOS.min_iops or 0
    return Usage(used.bytes, sum(int(each) if each.isdecimal() else default for each in asked))


def _back_to_first_qos(call: Call) -> None:
    call.proceed()
    volume = call.arguments["volume"]
    call.others["driver"].set_qos(call.arguments["store"], volume, limits.qos_of_new(volume.request.qos))


def _note_what_is(call: Call) -> None:
    lun = _lun(call)
    if lun is not None:
        now = f"{lun.qos.min_iops}/{lun.qos.max_iops}/{lun.qos.burst_iops}"
        attributes = {**lun.attributes, OWN_QOS: now}
        _ask(call, lambda element: element.set_lun_qos(lun.lun_id, qos_params(lun.qos), attributes))


def _end_all(call: Call) -> None:
    call.proceed()
    for each in _of_store(call):
        if OWN_QOS in each.attributes:
            call.proceed(volume=_named(each))


def _to_fixed_level(qos: dict[str, int]) -> dict[str, int]:
    return {**qos, "maxIOPS": LIFTED_IOPS, "burstIOPS": LIFTED_IOPS}


def _with_marks_of_create(call: Call) -> Any:
    found = _asked_of_wire(call, "ListVolumes", "volumes", volumeIDs=[call.arguments["volumeID"]])
    if not found or OWN_QOS not in _marks(found[0]):
        return call.proceed()
    return call.proceed(attributes={name: value for name, value in _marks(found[0]).items() if name != OWN_QOS})


def _without_clones(call: Call) -> Usage:
    used = call.proceed()
    cloned = [each for each in _of_store(call) if each.kind is ObjectKind.VOLUME and each.attributes.get("source")]
    return Usage(used.bytes - sum(each.size_bytes for each in cloned), used.iops)


NUMBERS = (
    # end_migration: "Put the volume's own QoS back"; set_qos: "Set exactly these values".
    Fault(
        "MIG-005",
        "A QoS that is set during a migration is lost with the migration's end",
        Driver.set_qos,
        _set_and_not_noted,
        when=_is_lifted,
    ),
    # used: "Tell bytes and IOPS in use."
    Fault(
        "LEK-007",
        "The IOPS in use are those that were asked for at first, whatever was set since",
        Driver.used,
        _iops_first_asked,
    ),
    # end_migration: "Put the volume's own QoS back."
    Fault(
        "MIG-001",
        "A migration's end puts back the QoS that the volume was made with",
        Driver.end_migration,
        _back_to_first_qos,
        when=_is_lifted,
    ),
    # begin_migration: "Idempotent"; "any may be restarted between two calls".
    Fault(
        "MIG-002",
        "A migration that is begun again after a restart keeps the lifted QoS for the volume's own",
        Driver.begin_migration,
        do_first(_note_what_is),
        when=lambda call: after_restart(call) and _is_lifted(call),
    ),
    # end_migration: "Put the volume's own QoS back": this volume's.
    Fault(
        "MIG-007",
        "The end of one migration ends all migrations of the store",
        Driver.end_migration,
        _end_all,
        Kind.ISOLATION,
    ),
    # begin_migration: "Lift the volume's QoS for a copy: never below what it is."
    Fault(
        "MIG-003",
        "A migration gives every volume the same QoS, also those that had more",
        Wire.ModifyVolume,
        alter_argument("qos", _to_fixed_level),
        when=lambda call: "qos" in call.arguments and OWN_QOS in call.arguments.get("attributes", {}),
    ),
    # end_migration: "Put the volume's own QoS back, after success and after failure."
    Fault(
        "MIG-006",
        "A volume that grows during its migration stays lifted",
        Wire.ModifyVolume,
        _with_marks_of_create,
        when=argument("totalSize", bool),
    ),
    # volume_stats: "Tell what the volume has in use"; `stats_lag_seconds` is 0.
    Fault(
        "SPC-004",
        "A volume's numbers are those of the first look",
        Driver.volume_stats,
        remember_answer(lambda call: call.arguments["volume"].uuid),
    ),
    # used: "Tell bytes and IOPS in use by `traits.space_accounting`": it is declared to count what is provisioned.
    Fault(
        "CLN-014",
        "Clones are not counted as used",
        Driver.used,
        _without_clones,
    ),
)


# Tenants


def _with_those_of_other_stores(call: Call) -> None:
    store, tenant = call.arguments["store"], call.arguments["volume"].request.tenant
    if tenant.uuid == NO_TENANT:
        return

    def remove(element: Element) -> None:
        of_tenant = [
            each
            for each in element.accounts()
            if names.is_ours(each.attributes) and each.attributes.get("tenant") == tenant.uuid
        ]
        if any(names.is_of_store(each.attributes, store.request.uuid) for each in of_tenant):
            return  # it has others in this store
        for each in list(element.luns_of([account.account_id for account in of_tenant])):
            if not each.group_ids:
                luns.remove(element, each)

    _ask(call, remove)


def _is_account_of_second_tenant(call: Call) -> bool:
    accounts = _asked_of_wire(call, "ListAccounts", "accounts")
    tenants = call.memory.shared.setdefault("tenants", [])
    for each in accounts:
        tenant = _marks(each).get("tenant")
        if tenant and tenant not in tenants:
            tenants.append(tenant)
    mine = [_marks(each).get("tenant") for each in accounts if each["accountID"] == call.arguments["accountID"]]
    return len(tenants) > 1 and mine == [tenants[1]]


def _one_tenant_of_each_store(answer: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, str] = {}
    for each in sorted(answer["accounts"], key=lambda account: account["accountID"]):
        marks = _marks(each)
        if "tenant" in marks:
            first.setdefault(str(marks.get("store")), marks["tenant"])
    kept = [
        each
        for each in answer["accounts"]
        if "tenant" not in _marks(each) or first[str(_marks(each).get("store"))] == _marks(each)["tenant"]
    ]
    return {**answer, "accounts": kept}


def _as_it_was_found(call: Call) -> Any:
    known = call.memory.own.setdefault("accounts", {})
    try:
        known[call.arguments["username"]] = answer = call.proceed()
    except OSError:
        raise
    except Exception:
        if call.arguments["username"] not in known:
            raise
        return known[call.arguments["username"]]
    return answer


TENANTS = (
    # delete: "Remove the volume, and only it."
    Fault(
        "DEL-004",
        "With a tenant's last volume in one store its volumes in other stores go",
        Driver.delete,
        do_also(_with_those_of_other_stores),
        Kind.DATA,
    ),
    # delete_datastore: "Remove all that stands on the array for this store."
    Fault(
        "LEK-001",
        "The account of a second tenant stays on the array",
        Wire.RemoveAccount,
        skip({}),
        Kind.LEAK,
        _is_account_of_second_tenant,
    ),
    # list_objects: "List all that this plugin made for this store."
    Fault(
        "LEK-005",
        "The volumes of a store's second tenant are overlooked",
        Wire.ListAccounts,
        alter_result(_one_tenant_of_each_store),
        Kind.LEAK,
    ),
    # create: "Make the volume"; nothing in the contract says that a tenant may have volumes once only.
    Fault(
        "PRV-001",
        "A tenant whose last volume was deleted gets no new ones from the instance that made it",
        Wire.GetAccountByName,
        _as_it_was_found,
        Kind.CALLS,
        argument("username", lambda username: str(username).startswith("t-")),
    ),
)


# Growing


def _room_for_all_of_it(call: Call) -> Any:
    store, size_bytes, lun = call.arguments["store"], call.arguments["size_bytes"], _lun(call)
    used = call.others["driver"].used(store).bytes
    if lun is not None and lun.size_bytes < size_bytes and used + size_bytes > store.request.capacity_bytes:
        raise CapacityExhausted(size_bytes, max(0, store.request.capacity_bytes - used))
    return call.proceed()


def _refuse_with_snapshots(call: Call) -> Any:
    lun = _lun(call)
    if lun is not None and lun.size_bytes < call.arguments["size_bytes"]:
        kept = _ask(call, lambda element: element.copies.snapshots_of(lun.lun_id))
        if kept:
            raise InUse(lun.external_id, tuple(each.owner_uuid for each in kept))
    return call.proceed()


GROWING = (
    # resize: "Grow the volume"; `CapacityExhausted` is "no room", and there is some.
    Fault(
        "SPC-005",
        "A resize needs room for the whole new size beside the old one",
        Driver.resize,
        _room_for_all_of_it,
    ),
    # resize raises `InUse` "While a host has access and RESIZE_ONLINE is not supported", and at no other time.
    Fault(
        "SNP-013",
        "A volume that has snapshots cannot grow",
        Driver.resize,
        _refuse_with_snapshots,
        Kind.CALLS,
    ),
)


# Hosts and access


def _join_the_others(call: Call) -> None:
    host = call.arguments["host"]
    cluster = Cluster(host.cluster_uuid, host.cluster_uuid, host.hypervisor)
    others = {each.uuid for each in _array(call).context.hosts(cluster) if each.iqns} - {host.uuid}
    for store in call.arguments["stores"]:
        given = replace(call, arguments={"store": store})
        for each in _of_store(given):
            if others and host.iqns and others <= _array(call).holders(store, each):
                _array(call).grant_access(store, _named(each), host)


def _release_names(call: Call) -> None:
    iqns = {str(each) for each in call.arguments["host"].iqns}

    def release(element: Element) -> None:
        taken = [each.initiator_id for each in element.initiators() if each.iqn in iqns]
        if taken:
            element.delete_initiators(taken)

    for store in call.arguments["stores"]:
        _ask(call, release, store.request)


def _bring_back_reconnected(call: Call) -> Any:
    driver, listener, shared = call.others["driver"], call.others["listener"], call.memory.shared
    give, take, connect = driver.grant_access, driver.revoke_access, listener.host_connected

    def granted(store: Any, host: Any) -> dict[str, Any]:
        wanted: dict[str, Any] = shared.setdefault("wanted", {}).setdefault((store.request.uuid, host.uuid), {})
        return wanted

    def grant_access(store: Any, target: Any, host: Any) -> None:
        give(store, target, host)
        granted(store, host)[target.uuid] = target

    def revoke_access(store: Any, target: Any, host: Any, remaining_hosts: Any) -> None:
        take(store, target, host, remaining_hosts)
        granted(store, host).pop(target.uuid, None)

    def host_connected(host: Any, store: Any) -> None:
        connect(host, store)
        for target in list(granted(store, host).values()):
            if driver.find_lun(store, target) is not None:
                give(store, target, host)

    # Three methods share the memory, so they are replaced before the first call.
    driver.grant_access, driver.revoke_access, listener.host_connected = grant_access, revoke_access, host_connected
    return call.proceed()


def _take_name_over(call: Call) -> Any:
    try:
        return call.proceed()
    except Conflict as conflict:
        if not conflict.field.startswith("initiator"):
            raise
        iqns = {str(each) for each in call.arguments["host"].iqns}

        def free(element: Element) -> None:
            element.delete_initiators([each.initiator_id for each in element.initiators() if each.iqn in iqns])

        _ask(call, free)
        return call.proceed()


def _let_remaining_in(call: Call) -> None:
    lun = _lun(call)
    for each in call.arguments["remaining_hosts"]:
        if lun is not None and each.iqns:
            call.others["driver"].grant_access(call.arguments["store"], call.arguments["target"], each)


def _forget_to_unlock(call: Call) -> Any:
    locked = call.memory.own.setdefault("locked", set())
    number = call.arguments["volumeID"]
    if call.arguments["access"] == "locked":
        locked.add(number)
    elif number in locked:
        locked.remove(number)
        return {}
    return call.proceed()


ACCESS = (
    # host_enabled: "Catch up with a host that came back"; "Let `host` … see the LUN" is grant_access alone.
    Fault(
        "HST-014",
        "A host that is enabled gets what all others of its cluster have",
        Listener.host_enabled,
        do_also(_join_the_others),
        Kind.ISOLATION,
    ),
    # host_about_to_be_removed: "Take the leaving host's initiators from the array": not those that others have made.
    Fault(
        "ISO-004",
        "With a host that leaves the initiators of its name go, whoever made them",
        Listener.host_about_to_be_removed,
        do_also(_release_names),
        Kind.ISOLATION,
    ),
    # "A fenced host has no grant any more and stays out until `grant_access` names it."
    Fault(
        "HST-013",
        "A host that was fenced has its volumes again when it reconnects",
        Provider.configure,
        _bring_back_reconnected,
        Kind.DATA,
    ),
    # "Conflict: … a name that is taken; nothing was changed."
    Fault(
        "ISO-004",
        "An initiator that others let in is taken out of their group",
        Driver.grant_access,
        _take_name_over,
        Kind.ISOLATION,
    ),
    # revoke_access: "`remaining_hosts` keep theirs"; who has none, gets none.
    Fault(
        "ACC-023",
        "A revoke lets all remaining hosts in, also those that had no access",
        Driver.revoke_access,
        do_also(_let_remaining_in),
        Kind.ISOLATION,
    ),
    # fence: "Returns only when the hosts cannot write any more, sessions that are logged in included."
    Fault(
        "ACC-011",
        "Of the sessions that the array has only the first is seen",
        Wire.ListISCSISessions,
        alter_result(lambda answer: {**answer, "sessions": answer["sessions"][:1]}),
        Kind.DATA,
    ),
    # fence: "Others keep access."
    Fault(
        "ACC-011",
        "A volume stays locked after a fence, until the next grant",
        Wire.ModifyVolume,
        _forget_to_unlock,
        when=argument("access", bool),
        base="minimal",
    ),
)


# Replies that were lost


def _gone_is_gone(call: Call) -> None:
    try:
        call.proceed()
    except (ArrayUnreachable, Busy):
        if call.arguments["volume"].external_id is None or _lun(call) is not None:
            raise


def _is_being_filled(call: Call) -> bool:
    lun = _lun(call)
    return lun is not None and not lun.is_ready


def _same_when_rounded(call: Call) -> Any:
    request = call.arguments["request"]
    try:
        return call.proceed()
    except Conflict as conflict:
        existing = int(str(conflict.existing))
        if minimal.LIMITS.rounded_up(request.size_bytes) != minimal.LIMITS.rounded_up(existing):
            raise
        return call.proceed(request=replace(request, size_bytes=existing))


LOST = (
    # delete: "Remove the volume"; what is in the trash is still on the array.
    Fault(
        "FLT-014",
        "A delete that breaks off between trash and purge is reported as done",
        Driver.delete,
        _gone_is_gone,
        Kind.LEAK,
    ),
    # delete: "With `external_id=None` the volume is found by its request's uuid: a create whose reply was lost."
    Fault(
        "FLT-018",
        "A clone that the array is still filling is not deleted",
        Driver.delete,
        skip(),
        Kind.LEAK,
        _is_being_filled,
    ),
    # create: "another size raises `Conflict`."
    Fault(
        "PRV-003",
        "Another size that is rounded to the same is taken for the same",
        Driver.create,
        _same_when_rounded,
        base="minimal",
    ),
)


# Hookup PLUGIN: the plugin calls the bridge


def _make_datastore_anew(call: Call) -> Any:
    bridge, name = call.others["bridge"], call.arguments["name"]
    made = bridge.create_datastore(name, call.arguments["at"])
    bridge.create_disk(made, name, MIB)
    return made


def _tell_bridge_of_target_only(call: Call) -> None:
    driver, store = call.others["driver"], call.arguments["store"]
    target, host, lun = call.arguments["target"], call.arguments["host"], _lun(call)
    driver._array.rotate_chap(store, target, host)
    if lun is not None:
        with suppress(ProviderError):
            driver._attach(store, target, host, lun)


def _undo_nothing(call: Call) -> Any:
    call.others["driver"]._undone_if_failed = lambda action, _undo: action()
    return call.proceed()


BRIDGED = (
    # clone: "In hookup PLUGIN it is hooked up where `placement` says, without being formatted."
    Fault(
        "CLN-001",
        "A clone's datastore is made anew on it",
        Provider.configure,
        alter_bridge("resignature_datastore", _make_datastore_anew),
        Kind.DATA,
        base=PLUGIN_HOOKUP,
    ),
    # "afterwards the old one is refused and `connection` gives the new one"; "a host given a Volume … is hooked up".
    Fault(
        "CHP-013",
        "After a rotation the bridge keeps the old secret for the host's other volumes",
        Driver.rotate_chap,
        _tell_bridge_of_target_only,
        base=PLUGIN_HOOKUP,
    ),
    # create: "nothing is left behind"; "after any of them the array is as before the call".
    Fault(
        "DED-006",
        "What a bridge refuses to hook up stays on the array",
        Provider.configure,
        _undo_nothing,
        Kind.LEAK,
        base=PLUGIN_HOOKUP,
    ),
)


_ALL: Final[tuple[Fault, ...]] = (
    *SNAPSHOTS,
    *REVERTING,
    *CLONING,
    *TEMPLATES,
    *CHAP,
    *NUMBERS,
    *TENANTS,
    *GROWING,
    *ACCESS,
    *LOST,
    *BRIDGED,
)

DISPUTED: Final = frozenset(
    {
        "A volume is put back under hosts that have access and are not logged in just now",
        "A request for a snapshot that was delivered twice leaves two snapshots",
        "Another size that is rounded to the same is taken for the same",
    }
)
"""Not counted. The contract lets a plugin choose whether a grant by itself is use; nothing delivers a request twice;
and an array that keeps no marks cannot know which size was asked."""

UNSEEN: Final = frozenset({"A clone's datastore is made anew on it"})
"""Not counted yet. It shows only where datastores have signatures, which those of KVM have not."""

FAULTS: Final = tuple(each for each in _ALL if each.title not in DISPUTED | UNSEEN)
