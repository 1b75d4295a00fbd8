"""Written from the contract alone: hosts, access, CHAP, hookup, copies, secrets, and what belongs to others."""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    AccessNotGranted,
    Created,
    DataStore,
    IscsiPath,
    Volume,
)
from reference_providers.solidfire import access, names
from reference_providers.solidfire.errors import Interrupted
from tests.faulty_providers.fault import Bridge, Call, Driver, Fault, Kind, LifeCycle, Listener, Wire
from tests.faulty_providers.operators import alter_argument, do_also, do_first
from tests.faulty_providers.solidfire_inside import (
    all_of_store,
    ask,
    drop_snapshots,
    lun_of,
    snapshots_on,
    source_of,
)
from tests.faulty_providers.when import argument

PLUGIN_HOOKUP: Final = "solidfire-plugin-hookup"


def _has_number(external_id: str | None) -> bool:
    return external_id is not None and external_id.isdecimal()


# -- access


def _replace_list_of_unknown_group(call: Call) -> Any:
    """Adds to the list that this process remembers; of a group it has not met yet, that is an empty one."""
    group = call.arguments["volumeAccessGroupID"]
    met = call.memory.own.setdefault("groups", set())
    if group in met:
        return call.proceed()
    met.add(group)
    given = call.arguments["volumes"]
    reply = call.others["send"]("ModifyVolumeAccessGroup", volumeAccessGroupID=group, volumes=given)
    return reply["result"] if "result" in reply else call.proceed()


def _fence_until_one_has_no_access(call: Call) -> None:
    """`return` where `continue` was meant."""
    store, target = call.arguments["store"], call.arguments["target"]
    if not _has_number(target.external_id):
        call.proceed()
        return
    groups = set(lun_of(call, target).get("volumeAccessGroups", ()))
    for host in call.arguments["hosts"]:
        found = ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]
        mine = {each["volumeAccessGroupID"] for each in found if (each["attributes"] or {}).get("host") == host.uuid}
        if not mine & groups:
            return
        call.others["driver"].fence(store, target, [host])


def _connection_that_exports_again(call: Call) -> Any:
    target, host = call.arguments["target"], call.arguments["host"]
    presented = call.memory.shared.setdefault("presented", set())
    key = (target.uuid, host.uuid)
    try:
        answer = call.proceed()
    except AccessNotGranted:
        if key not in presented:
            raise
        call.others["driver"].grant_access(call.arguments["store"], target, host)
        answer = call.proceed()
    presented.add(key)
    return answer


def _forget_host(call: Call, stores: list[DataStore]) -> None:
    for store in stores:
        element = call.others["lifecycle"]._arrays.of(store.request)
        try:
            access.forget(element, call.arguments["host"])
        except Interrupted as interruption:
            # Outside the plugin's own methods nobody goes on where it broke off.
            raise interruption.outcome from None


# -- CHAP


def _chap_of_first_host(call: Call) -> Any:
    """CHAP is kept for each volume, as if it were the volume's."""
    answer = call.proceed()
    kept = call.memory.own.setdefault("chap", {})
    (path,) = answer.paths
    assert isinstance(path, IscsiPath)
    host_uuid = call.arguments["host"].uuid
    owner, chap = kept.setdefault(call.arguments["target"].uuid, (host_uuid, path.chap))
    if owner == host_uuid:
        kept[call.arguments["target"].uuid] = (host_uuid, path.chap)
        return answer
    return replace(answer, paths=(replace(path, chap=chap),))


def _later_ones_without_chap(call: Call) -> Any:
    """The way that makes a host's group asks for CHAP; the one that adds to it does not."""
    found = call.others["send"]("ListVolumeAccessGroups").get("result", {})
    filled = {each["volumeAccessGroupID"] for each in found.get("volumeAccessGroups", ()) if each["initiators"]}
    wanted = [
        {**each, "requireChap": each.get("volumeAccessGroupID") not in filled} for each in call.arguments["initiators"]
    ]
    return call.proceed(initiators=wanted)


# -- hosts


def _delete_group_and_its_first_initiator(call: Call) -> Any:
    number = call.arguments["volumeAccessGroupID"]
    found = call.others["send"]("ListVolumeAccessGroups", volumeAccessGroups=[number]).get("result", {})
    numbers = [one for each in found.get("volumeAccessGroups", ()) for one in each["initiatorIDs"]]
    answer = call.proceed(deleteOrphanInitiators=False)
    if numbers:
        call.others["send"]("DeleteInitiators", initiators=numbers[:1])
    return answer


# -- datastores


def _known_by_name(call: Call) -> Any:
    return call.others["bridge"].find_datastore(call.arguments["name"]) or call.proceed()


def _undefine_what_does_not_run(call: Call) -> None:
    for each in call.arguments["at"]:
        remote = call.others["bridge"]._remotes.get(each.host, "create_datastore")
        for pool in remote.do("virConnectListAllStoragePools", remote.connection.listAllStoragePools):
            if not remote.do("virStoragePoolIsActive", pool.isActive):
                remote.do("virStoragePoolUndefine", pool.undefine)


def _create_that_stops_at_the_lun(call: Call) -> Any:
    """What an earlier call has made is taken for all that it was to make."""
    store, request, placement = (call.arguments[name] for name in ("store", "request", "placement"))
    array = call.others["driver"]._array
    lun = array.find_lun(store, Volume(request, None, request.size_bytes)) if request.size_bytes > 0 else None
    if lun is None or array.context.hypervisor(placement.cluster).find_datastore(names.of_volume(request.uuid)):
        return call.proceed()
    return Created(lun.external_id, request.size_bytes, lun.identity)


def _fence_by_revoking(call: Call) -> None:
    for host in call.arguments["hosts"]:
        call.others["driver"].revoke_access(call.arguments["store"], call.arguments["target"], host, ())


# -- snapshots, reverts, clones


def _same_name_is_same_snapshot(call: Call) -> Any:
    volume, request = call.arguments["volume"], call.arguments["request"]
    taken = call.memory.shared.setdefault("taken", {})
    earlier = taken.get((volume.uuid, request.name))
    if (
        earlier is not None
        and _has_number(volume.external_id)
        and any(str(each["snapshotID"]) == earlier.external_id for each in snapshots_on(call, volume.external_id))
    ):
        return earlier
    taken[volume.uuid, request.name] = made = call.proceed()
    return made


def _delete_the_newest_instead(call: Call) -> Any:
    """A snapshot whose number nobody knows must be the one that was taken last."""
    snapshot = call.arguments["snapshot"]
    if snapshot.external_id is not None or not _has_number(snapshot.volume_external_id):
        return call.proceed()
    drop_snapshots(call, snapshots_on(call, snapshot.volume_external_id)[-1:])
    return None


def _revert_once_to_each(call: Call) -> None:
    last = call.memory.own.setdefault("last", {})
    volume, snapshot = call.arguments["volume"].uuid, call.arguments["snapshot"].uuid
    if last.get(volume) != snapshot:
        call.proceed()
        last[volume] = snapshot


def _clone_of_the_first(call: Call) -> Any:
    """Looks up the image that a clone stands on, as arrays with linked clones want it."""
    source = call.arguments["source"]
    is_volume = isinstance(source, Volume) and _has_number(source.external_id)
    kind, _, uuid = source_of(call, source).partition(" ") if is_volume else ("", "", "")
    first = [each for each in all_of_store(call) if each.uuid == uuid] if kind == "volume" else []
    if first and first[0].size_bytes <= source.size_bytes:
        return call.proceed(source=first[0])
    return call.proceed()


def _let_in_whom_the_source_lets_in(call: Call) -> Any:
    made = call.proceed()
    source = call.arguments["source"]
    if isinstance(source, Volume) and _has_number(source.external_id):
        has_already = lun_of(call, made).get("volumeAccessGroups", ())
        for group in set(lun_of(call, source).get("volumeAccessGroups", ())).difference(has_already):
            wanted = {"volumeAccessGroupID": group, "volumes": [int(made.external_id)]}
            ask(call, "AddVolumesToVolumeAccessGroup", **wanted)
    return made


def _clone_at_least_as_large(call: Call) -> Any:
    request, source = call.arguments["request"], call.arguments["source"]
    if 0 < request.size_bytes < source.size_bytes:
        return call.proceed(request=replace(request, size_bytes=source.size_bytes))
    return call.proceed()


# -- others, secrets


def _remove_in_all_stores(call: Call) -> None:
    volume = call.arguments["volume"]
    if volume.external_id is not None:
        return
    for each in ask(call, "ListVolumes", volumeName=names.of_volume(volume.uuid))["volumes"]:
        marks = each["attributes"] or {}
        if names.is_ours(marks) and marks.get("owner") == volume.uuid and not each["volumeAccessGroups"]:
            if each["status"] != "deleted":
                ask(call, "DeleteVolume", volumeID=each["volumeID"])
            ask(call, "PurgeDeletedVolume", volumeID=each["volumeID"])


def _with_header(call: Call) -> Any:
    store = call.proceed()
    pair = f"{store.request.parameters['username']}:{store.request.secrets['password'].reveal()}"
    return replace(store, details={**store.details, "authorization": base64.b64encode(pair.encode()).decode()})


def _log_what_was_refused(call: Call) -> Any:
    try:
        return call.proceed()
    except Exception:
        logging.getLogger("acme.element").warning("the array refused CreateInitiators %s", json.dumps(call.arguments))
        raise


FAULTS: Final = [
    # "several instances of a plugin may serve one store, and any may be restarted between two calls, so everything a
    # method needs comes in its arguments" (driver.py, at the top); and of `revoke_access`, which alone takes access:
    # "Take the access of `host` away". Here a grant takes it, from all other LUNs of the host.
    Fault(
        "ACC-016",
        "writes a host's list of LUNs anew from what this process remembers, so its first grant after a restart takes "
        "the host's other LUNs away",
        Wire.AddVolumesToVolumeAccessGroup,
        _replace_list_of_unknown_group,
        kind=Kind.LIFE,
    ),
    # "Cut these hosts off … Idempotent. Returns only when the hosts cannot write any more" (driver.py, `fence`).
    Fault(
        "ACC-011",
        "stops fencing at the first host of the list that has no access, and leaves those behind it in",
        Driver.fence,
        _fence_until_one_has_no_access,
        kind=Kind.DATA,
    ),
    # "A fenced host has no grant any more and stays out until `grant_access` names it" (driver.py, `fence`), and of
    # `connection`: "before it raises `AccessNotGranted`".
    Fault(
        "ACC-008",
        "exports a LUN again when a host that had it before, and was fenced or revoked since, asks for its paths",
        Driver.connection,
        _connection_that_exports_again,
        kind=Kind.DATA,
    ),
    # "Take the access of `host` away; `remaining_hosts` keep theirs." (driver.py, `revoke_access`): of `target`, not
    # of what else the host has.
    Fault(
        "ACC-010",
        "takes the whole host off the array when it was the last one of a LUN, and so takes its other LUNs away too",
        Driver.revoke_access,
        do_also(lambda call: _forget_host(call, [call.arguments["store"]])),
        when=argument("remaining_hosts", lambda remaining: not remaining),
        kind=Kind.CONTRACT,
    ),
    # "Raises `InvalidRequest` when the host has no initiator of a usable kind" (driver.py, `grant_access`).
    Fault(
        "ACC-009",
        "goes through a host's iSCSI names one by one and so says yes to a grant for a host that has none",
        Driver.grant_access,
        lambda call: None,
        when=argument("host", lambda host: not host.iqns),
        base="minimal",
    ),
    # "Replace the secret; afterwards the old one is refused" (driver.py, `rotate_chap`), with chap_scope HOST: the
    # account is the host's, whichever of its initiators logs in.
    Fault(
        "CHP-011",
        "rotates the secret of a host's first initiator only, and the second one goes on with the old one",
        Wire.ModifyInitiators,
        alter_argument("initiators", lambda initiators: initiators[:1]),
        kind=Kind.SECRET,
    ),
    # "Tell how `host` reaches the LUN now: identity, size, paths, CHAP" (driver.py, `connection`), with chap_scope
    # HOST.
    Fault(
        "CHP-002",
        "remembers CHAP by volume, so a second host is told name and secret of the first one",
        Driver.connection,
        _chap_of_first_host,
        kind=Kind.SECRET,
    ),
    # "What keeps other hosts out." (traits.py, `AccessMechanism`): BOTH is declared, and "an initiator has to
    # authenticate as well" (witness.py, `needs_chap`); chap_scope HOST: "What one CHAP account is good for".
    Fault(
        "CHP-001",
        "lets the initiators that a host gets later in without CHAP, unlike those it came with",
        Wire.CreateInitiators,
        _later_ones_without_chap,
        kind=Kind.SECRET,
    ),
    # "Take the leaving host's initiators from the array" (host_listener.py, `host_about_to_be_removed`).
    Fault(
        "LEK-001",
        "removes only the first of a leaving host's initiators and leaves the others on the array without a group",
        Wire.DeleteVolumeAccessGroup,
        _delete_group_and_its_first_initiator,
        kind=Kind.LEAK,
    ),
    # "Every call is idempotent … Events may come late, twice or out of order." (host_listener.py).
    Fault(
        "HST-015",
        "prepares an added host from nothing, so being told of it late or twice takes what it was granted meanwhile",
        Listener.host_added,
        do_first(lambda call: _forget_host(call, list(call.arguments["stores"]))),
    ),
    # "Connect the hosts and make a datastore on an empty LUN. Made already on this LUN: the same answer. A name that
    # stands on something else: `DatastoreConflict`." (bridge.py, `create_datastore`).
    Fault(
        "DST-015",
        "answers with a datastore of that name without looking what it stands on or connecting the hosts it lacks",
        Bridge.create_datastore,
        _known_by_name,
    ),
    # "Let every host and the datastore see that the LUN grew." (bridge.py, `expand_datastore`).
    Fault(
        "DST-005",
        "lets only the first host of a cluster look at a LUN that has grown, and the others go on with its old size",
        Bridge.expand_datastore,
        alter_argument("at", lambda at: at[:1]),
    ),
    # "the same request again answers the same object" and "In hookup PLUGIN the LUN is granted to `placement.hosts`,
    # and datastore and disk are made through the bridge before return." (driver.py, `create`).
    Fault(
        "DED-011",
        "takes the LUN of a create that was interrupted for a finished volume and never makes its datastore",
        Driver.create,
        _create_that_stops_at_the_lun,
        base=PLUGIN_HOOKUP,
    ),
    # "Works at the array alone, in hookup PLUGIN too: the hosts may be dead, so the bridge is not called for them."
    # (driver.py, `fence`).
    Fault(
        "ACC-019",
        "fences by revoking, and so waits for the hypervisors of the hosts that are to be cut off",
        Driver.fence,
        _fence_by_revoking,
        base=PLUGIN_HOOKUP,
        kind=Kind.DATA,
    ),
    # "Keep the volume as it is at this moment. Idempotent by `request.uuid`." (driver.py, `take_snapshot`).
    Fault(
        "SNP-015",
        "knows snapshots by the name that users gave them, so a second one of that name is the first one again",
        Driver.take_snapshot,
        _same_name_is_same_snapshot,
        kind=Kind.DATA,
    ),
    # "Remove the snapshot, and only it; absent is success. … With `external_id=None` it is found by its request's
    # uuid: a request whose reply was lost." (driver.py, `delete_snapshot`).
    Fault(
        "SNP-007",
        "removes the volume's newest snapshot in the place of one that nobody knows whether it was taken",
        Driver.delete_snapshot,
        _delete_the_newest_instead,
        kind=Kind.DATA,
    ),
    # "Put the volume's bytes back, every one; newer snapshots go as `traits.revert_scope` declares." (driver.py,
    # `revert`); "List all that this plugin made for this store" (`list_objects`). What it makes here is listed
    # nowhere, and the volume can never be deleted.
    Fault(
        "REV-002",
        "has the array keep what was reverted in a snapshot that nobody knows of, which then keeps the volume",
        Wire.RollbackToSnapshot,
        lambda call: call.proceed(saveCurrentState=True, name="before-revert"),
        kind=Kind.LEAK,
    ),
    # "Put the volume's bytes back, every one" (driver.py, `revert`).
    Fault(
        "REV-002",
        "takes a second revert to the same snapshot for a repetition, though the volume was written to since",
        Driver.revert,
        _revert_once_to_each,
        kind=Kind.DATA,
    ),
    # "Make an independent volume with the source's bytes" (driver.py, `clone`).
    Fault(
        "CLN-003",
        "makes the clone of a clone from the volume that the first clone was made of",
        Driver.clone,
        _clone_of_the_first,
        kind=Kind.DATA,
    ),
    # "QoS is the request's, and no host has access." (driver.py, `clone`).
    Fault(
        "CLN-009",
        "opens a clone to the hosts that have its source",
        Driver.clone,
        _let_in_whom_the_source_lets_in,
        kind=Kind.ISOLATION,
    ),
    # "Larger is allowed, and reads as zeros beyond the source; smaller is `InvalidRequest`." (driver.py, `clone`).
    Fault(
        "TPL-006",
        "makes a clone that is asked for smaller than its source as large as that instead of refusing it",
        Driver.clone,
        _clone_at_least_as_large,
    ),
    # "Remove the volume, and only it" and "With `external_id=None` the volume is found by its request's uuid"
    # (driver.py, `delete`), in this store: a volume that is being moved is in two.
    Fault(
        "DEL-007",
        "looks for a volume whose create gave no answer in all stores of the array and removes every one it finds",
        Driver.delete,
        do_first(_remove_in_all_stores),
        kind=Kind.ISOLATION,
    ),
    # "Nothing is touched that the bridge did not make or was not handed." (bridge.py, at the top).
    Fault(
        "ISO-005",
        "clears away storage pools that are not running before it makes a datastore, whoever defined them",
        Bridge.create_datastore,
        do_first(_undefine_what_does_not_run),
        kind=Kind.ISOLATION,
    ),
    # "`details` is text to text, copied, and holds no secrets." (values.py, at the top).
    Fault(
        "SEC-001",
        "keeps the header that it signs in with in the details of the store, user and password in base64",
        LifeCycle.initialize,
        _with_header,
        kind=Kind.SECRET,
    ),
    # "Give the text itself; call this as late as possible and never for a log." (secret.py, `Secret.reveal`).
    Fault(
        "SEC-001",
        "logs what it asked for when the array refuses new initiators, with the CHAP secret they were to have",
        Wire.CreateInitiators,
        _log_what_was_refused,
        kind=Kind.SECRET,
    ),
]
