"""Faults in what operations do to each other: a migration and a clone, two tenants, a repetition after a change, an
array or a bridge that fails midway.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from conformance.contract import (
    ArrayUnreachable,
    BridgeError,
    Busy,
    Conflict,
    InUse,
    OperationCancelled,
    QosPolicy,
    Resized,
    Snapshot,
    Usage,
    Volume,
)
from reference_providers.solidfire import limits, luns
from reference_providers.solidfire.element import Element, qos_params
from reference_providers.solidfire.tenants import NO_TENANT
from tests.faulty_providers.corpus.blind_third import OWN_QOS, PLUGIN_HOOKUP, _ask, _lun, _of_store, _same_when_rounded
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, LifeCycle, Provider
from tests.faulty_providers.operators import alter_bridge, do_first, swallow, swap_error


def _is_lifted(call: Call) -> bool:
    lun = _lun(call)
    return lun is not None and OWN_QOS in lun.attributes


def _lift_the_clone(call: Call) -> Any:
    answer, source, request = call.proceed(), call.arguments["source"], call.arguments["request"]
    lun = _lun(call, source) if isinstance(source, Volume) else None
    if lun is not None and OWN_QOS in lun.attributes:
        clone = Volume(request, answer.external_id, answer.size_bytes)
        call.others["driver"].begin_migration(call.arguments["store"], clone)
    return answer


def _end_like_the_source(call: Call) -> Any:
    lun = _lun(call)
    answer = call.proceed()
    if lun is None:
        return answer
    for each in _of_store(call):
        if OWN_QOS in each.attributes and each.owner_uuid in str(lun.attributes.get("source", "")):
            _ask(call, partial(_set_like, lun.lun_id, each.attributes.get("asked_qos")))
    return answer


def _set_like(lun_id: int, noted: object, element: Element) -> None:
    values = [None if each == "None" else int(each) for each in str(noted).split("/")]
    element.set_lun_qos(lun_id, qos_params(limits.qos_of_new(QosPolicy(*values))))


def _told_at_the_source(call: Call) -> Any:
    answer, source = call.proceed(), call.arguments["source"]
    return replace(answer, disk=source.disk) if isinstance(source, Volume) else answer


def _refuse(call: Call) -> Any:
    raise InUse(str(call.arguments["volume"].external_id), ())


def _remember_other_volumes(call: Call) -> Any:
    driver = call.others["driver"]
    tell, change = driver.connection, driver.rotate_chap
    known: dict[tuple[str, str], Any] = {}

    def connection(store: Any, target: Any, host: Any) -> Any:
        answer = tell(store, target, host)
        chap = known.setdefault((target.uuid, host.uuid), answer.paths[0].chap)
        return replace(answer, paths=tuple(replace(each, chap=chap) for each in answer.paths))

    def rotate_chap(store: Any, target: Any, host: Any) -> None:
        change(store, target, host)
        known.pop((target.uuid, host.uuid), None)

    # Two methods share the memory, so they are replaced before the first call.
    driver.connection, driver.rotate_chap = connection, rotate_chap
    return call.proceed()


def _of_first_tenant(call: Call) -> Usage:
    used: Usage = call.proceed()
    found = _of_store(call)
    others = sum(each.size_bytes for each in found if each.account_id != found[0].account_id)
    return Usage((used.bytes or 0) - others, used.iops)


def _with_tenants_elsewhere(call: Call) -> None:
    request = call.arguments["request"]

    def remove(element: Element) -> None:
        accounts = list(element.accounts())
        mine = {each.attributes.get("tenant") for each in accounts if each.attributes.get("store") == request.uuid}
        same = [each.account_id for each in accounts if each.attributes.get("tenant") in mine - {None, NO_TENANT}]
        for each in list(element.luns_of(same)):
            if not each.group_ids:
                luns.remove(element, each)

    _ask(call, remove, request)


def _is_nameless_of_another_size(call: Call) -> bool:
    snapshot: Snapshot = call.arguments["snapshot"]
    if snapshot.external_id is not None:
        return False
    number = int(snapshot.volume_external_id)
    lun = _ask(call, lambda element: element.find_lun(number))
    kept = _ask(call, lambda element: list(element.copies.snapshots_of(number)))
    return any(lun and each.owner_uuid == snapshot.uuid and each.size_bytes != lun.size_bytes for each in kept)


def _undo_no_clone(call: Call) -> Any:
    driver = call.others["driver"]
    driver._undone_if_failed = lambda action, _undo: action()
    try:
        return call.proceed()
    finally:
        del driver._undone_if_failed


def _done_when_lun_is_large(call: Call) -> Any:
    lun = _lun(call)
    if lun is not None and lun.size_bytes >= call.arguments["size_bytes"] > call.arguments["volume"].size_bytes:
        return Resized(call.arguments["size_bytes"])
    return call.proceed()


def _overwritten(call: Call) -> Any:
    answer = call.proceed()
    bridge = call.others["driver"]._array.context.hypervisor(call.arguments["placement"].cluster)
    bridge.write_disk(answer.disk, 0, bytes(4096))
    return answer


def _of_the_size_asked(call: Call) -> Any:
    try:
        return call.proceed()
    except Conflict:
        return replace(_same_when_rounded(call), size_bytes=call.arguments["request"].size_bytes)


FAULTS: tuple[Fault, ...] = (
    Fault("MIG-008", "a clone of a volume in migration is in it too", Driver.clone, _lift_the_clone, also=("CLN-008",)),
    Fault(
        "MIG-008",
        "a clone whose source is in migration gets the source's QoS at a migration's end",
        Driver.end_migration,
        _end_like_the_source,
    ),
    Fault("MIG-009", "a volume in migration is not deleted", Driver.delete, _refuse, Kind.CALLS, _is_lifted),
    Fault(
        "CHP-012",
        "a rotation is told for the volume that was named only",
        Provider.configure,
        _remember_other_volumes,
        Kind.SECRET,
    ),
    Fault(
        "FLT-011",
        "a revoke that the array refuses is reported as done",
        Driver.revoke_access,
        swallow(ArrayUnreachable),
        Kind.ISOLATION,
        base="minimal",
    ),
    Fault(
        "FLT-012",
        "a resize that the array refuses is reported as done",
        Driver.resize,
        swallow(ArrayUnreachable, answer=lambda call: Resized(call.arguments["size_bytes"])),
    ),
    Fault(
        "FLT-013",
        "a deletion of a snapshot that the array refuses is reported as done",
        Driver.delete_snapshot,
        swallow(ArrayUnreachable),
        Kind.LEAK,
    ),
    Fault(
        "FLT-015",
        "a revert that the array refuses is reported as done",
        Driver.revert,
        swallow(ArrayUnreachable),
        Kind.DATA,
    ),
    Fault(
        "FLT-016",
        "an end of a migration that the array refuses is reported as done",
        Driver.end_migration,
        swallow(ArrayUnreachable),
    ),
    Fault(
        "FLT-017",
        "a rotation that the array refuses is reported as done",
        Driver.rotate_chap,
        swallow(ArrayUnreachable),
        Kind.SECRET,
    ),
    Fault("LEK-005", "what the first tenant has is counted only", Driver.used, _of_first_tenant),
    Fault(
        "LEK-006",
        "with a store the volumes of its tenants in others go",
        LifeCycle.delete_datastore,
        do_first(_with_tenants_elsewhere),
        Kind.DATA,
    ),
    Fault(
        "SNP-017",
        "a lost snapshot of a volume that has grown is not deleted",
        Driver.delete_snapshot,
        lambda _call: None,
        Kind.LEAK,
        _is_nameless_of_another_size,
    ),
    Fault(
        "DED-007",
        "a clone that a bridge refuses stays on the array",
        Driver.clone,
        _undo_no_clone,
        Kind.LEAK,
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "DED-008",
        "a LUN that has grown is not shown to the hosts again",
        Driver.resize,
        _done_when_lun_is_large,
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "DED-008",
        "a revoke is done although the host keeps the datastore",
        Provider.configure,
        alter_bridge("detach_datastore", swallow(BridgeError)),
        Kind.LEAK,
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "DED-009",
        "a clone's disk is said to be its source's",
        Driver.clone,
        _told_at_the_source,
        Kind.IDENTITY,
        base=PLUGIN_HOOKUP,
    ),
    Fault(
        "OPS-012",
        "a create whose caller gives up asks him to come again",
        Driver.create,
        swap_error(OperationCancelled, lambda _: Busy(1.0, "interrupted")),
        Kind.CALLS,
    ),
    Fault(
        "OPS-012",
        "a grant whose caller gives up is said to be done",
        Driver.grant_access,
        swallow(OperationCancelled),
        Kind.LIFE,
    ),
    Fault(
        "OPS-013",
        "a snapshot whose caller gives up is in progress for whoever asks again",
        Driver.take_snapshot,
        swap_error(OperationCancelled, lambda _: Conflict("this snapshot", "state", "in progress", "done")),
        Kind.CALLS,
    ),
    Fault(
        "OPS-014",
        "a resize whose caller gives up asks him to come again",
        Driver.resize,
        swap_error(OperationCancelled, lambda _: Busy(1.0, "interrupted")),
        Kind.CALLS,
    ),
    Fault(
        "OPS-014",
        "QoS is said to be set when its caller has given up",
        Driver.set_qos,
        swallow(OperationCancelled),
    ),
    Fault(
        "OPS-015",
        "a revert is said to be done when its caller has given up",
        Driver.revert,
        swallow(OperationCancelled),
        Kind.DATA,
    ),
    Fault(
        "FLT-020",
        "a revoke is said to be done when the array says that it is busy",
        Driver.revoke_access,
        swallow(Busy),
    ),
    Fault(
        "FLT-020",
        "a delete is said to be done when the array says that it is busy",
        Driver.delete,
        swallow(Busy),
        Kind.LEAK,
    ),
    Fault(
        "FLT-021",
        "a resize is said to be done when the array says that it is busy",
        Driver.resize,
        swallow(Busy, answer=lambda call: Resized(call.arguments["size_bytes"])),
    ),
    Fault(
        "FLT-021",
        "a revert is said to be done when the array says that it is busy",
        Driver.revert,
        swallow(Busy),
        Kind.DATA,
    ),
    Fault(
        "FLT-019",
        "a fence that the array refuses is said to be done",
        Driver.fence,
        swallow(ArrayUnreachable, Busy),
        Kind.DATA,
    ),
    Fault(
        "DED-009",
        "a clone's disk is begun anew",
        Driver.clone,
        _overwritten,
        Kind.DATA,
        base=PLUGIN_HOOKUP,
        also=("CLN-001", "CLN-002"),
    ),
    Fault(
        "PRV-015",
        "a size that was asked for late is told as if it were there",
        Driver.create,
        _of_the_size_asked,
        base="minimal",
    ),
)
