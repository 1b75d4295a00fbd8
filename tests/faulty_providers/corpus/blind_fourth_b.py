"""Blind faults, fourth series, second half: hosts, datastores, copies, and what is none of a plugin's business."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import logging
from contextlib import suppress
from typing import Any, Final

from conformance.contract import (
    BridgeError,
    DataStore,
    DatastoreNotFound,
    HostState,
    InvalidRequest,
    Iqn,
    ObjectKind,
    ObjectNotFound,
    OwnedObject,
    Snapshot,
    Volume,
)
from tests.faulty_providers.fault import Bridge, Call, Driver, Fault, Kind, LifeCycle, Listener, Provider, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_bridge,
    alter_field,
    alter_result,
    do_also,
    do_first,
    swallow,
)
from tests.faulty_providers.solidfire_inside import (
    ask,
    drop_snapshots,
    end_sessions,
    listed_of_store,
    shut_out_all,
    snapshots_on,
)
from tests.faulty_providers.when import argument

_OURS: Final = "storage-conformance-solidfire"


def _is_ours(thing: dict[str, Any]) -> bool:
    return bool((thing.get("attributes") or {}).get("made_by") == _OURS)


def _groups(call: Call) -> list[dict[str, Any]]:
    return list(ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"])


def _groups_of(call: Call, host_uuid: str) -> list[dict[str, Any]]:
    return [each for each in _groups(call) if _is_ours(each) and each["attributes"].get("host") == host_uuid]


def _put_in(call: Call, group: dict[str, Any], lun_ids: list[int]) -> None:
    missing = [each for each in lun_ids if each not in group["volumes"]]
    if missing:
        ask(call, "AddVolumesToVolumeAccessGroup", volumeAccessGroupID=group["volumeAccessGroupID"], volumes=missing)


# access


def _up_to_one_without_access(call: Call) -> None:
    # "Nothing to do for this host": a `return` where a `continue` was meant.
    for host in call.arguments["hosts"]:
        held = {one for group in _groups_of(call, host.uuid) for one in group["volumes"]}
        if call.arguments["target"].external_id not in map(str, held):
            return
        call.proceed(hosts=[host])


def _begins_with_other_kind(host: Any) -> bool:
    return bool(host.iqns) and not isinstance(host.initiators[0], Iqn)


def _first_kind_refused(call: Call) -> None:
    found = str(call.arguments["host"].initiators[0])
    raise InvalidRequest("host.initiators", found, "an IQN")


def _only_the_new_one(call: Call) -> Any:
    number = call.arguments["volumeAccessGroupID"]
    listed = ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]
    before = {one for each in listed if each["volumeAccessGroupID"] == number for one in each["volumes"]}
    added = sorted({*call.arguments["volumes"]} - before)
    return call.proceed(volumes=added) if added else call.proceed()


def _is_grant(call: Call) -> bool:
    return "initiators" in call.arguments


# CHAP


def _derived_secrets(call: Call) -> Any:
    changed = [
        {**each, "initiatorSecret": hashlib.sha256(f"rotated {each['chapUsername']}".encode()).hexdigest()[:16]}
        for each in call.arguments["initiators"]
    ]
    return call.proceed(initiators=changed)


def _one_secret(wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    secret = hashlib.sha256(_OURS.encode()).hexdigest()[:16]
    return [{**each, "initiatorSecret": secret} for each in wanted]


# hosts


def _catch_up_with_all(call: Call) -> None:
    shown = [each["volumeID"] for each in listed_of_store(call) if each["volumeAccessGroups"]]
    for group in _groups_of(call, call.arguments["host"].uuid):
        _put_in(call, group, shown)


# datastores, on the hypervisor


def _whatever_has_the_name(call: Call) -> Any:
    return call.others["bridge"].find_datastore(call.arguments["name"]) or call.proceed()


def _forget_when_last(call: Call) -> None:
    call.proceed()
    bridge, ref = call.others["bridge"], call.arguments["ref"]
    for host in bridge.hosts():
        try:
            bridge.datastore_bytes(ref, host)
        except DatastoreNotFound:
            continue
        except BridgeError:  # it is there, and cannot be looked at now
            return
        return
    bridge.delete_datastore(ref)


# datastores of one LUN


def _lacks_iscsi(placement: Any) -> bool:
    return any(not each.iqns for each in placement.hosts)


def _delete_at_the_array(call: Call) -> None:
    array, store, volume = call.others["driver"]._array, call.arguments["store"], call.arguments["volume"]
    lun = array.find_lun(store, volume)
    if lun is not None:
        shut_out_all(call, lun.external_id)
    array.delete(store, volume)


# snapshots and reverts


def _take_anew(call: Call) -> Any:
    uuid, volume = call.arguments["request"].uuid, call.arguments["volume"]
    if volume.external_id is not None:
        kept = snapshots_on(call, volume.external_id)
        drop_snapshots(call, [each for each in kept if _is_ours(each) and each["attributes"].get("owner") == uuid])
    return call.proceed()


def _end_sessions_first(call: Call) -> None:
    if call.arguments["volume"].external_id is not None:
        with suppress(ObjectNotFound):
            end_sessions(call, call.arguments["volume"].external_id)


def _shut_out_first(call: Call) -> None:
    lun_id = call.arguments["volume"].external_id
    if lun_id is not None:
        shut_out_all(call, lun_id)
        _end_sessions_first(call)


def _size_as_told(call: Call) -> Any:
    return dataclasses.replace(call.proceed(), size_bytes=call.arguments["target"].size_bytes)


# clones


def _shown_like_its_source(call: Call) -> Any:
    made, source = call.proceed(), call.arguments["source"]
    lun_id = source.volume_external_id if isinstance(source, Snapshot) else source.external_id
    for group in _groups(call):
        if lun_id is not None and int(lun_id) in group["volumes"]:
            _put_in(call, group, [int(made.external_id)])
    return made


def _by_way_of_a_snapshot(call: Call) -> Any:
    lun_id, taken = int(call.arguments["source"].external_id), {}
    with suppress(ObjectNotFound):  # the clone may be there already, and its source gone
        taken = ask(call, "CreateSnapshot", volumeID=lun_id, name="clone-source")
    made = call.proceed()
    if taken:
        ask(call, "DeleteSnapshot", snapshotID=taken["snapshotID"])
    return made


def _is_live_volume(source: Any) -> bool:
    return isinstance(source, Volume) and source.external_id is not None


# what is not the plugin's


def _with_namesakes(call: Call) -> list[OwnedObject]:
    theirs = [
        each
        for each in ask(call, "ListVolumes")["volumes"]
        if each["name"].startswith("vol-") and each["status"] == "active" and not _is_ours(each)
    ]
    return [
        *call.proceed(),
        *(
            OwnedObject(ObjectKind.VOLUME, str(each["volumeID"]), each["name"].removeprefix("vol-"), each["totalSize"])
            for each in theirs
        ),
    ]


def _drop_snapshots_of_others(call: Call) -> None:
    lun_id = call.arguments["volume"].external_id
    if lun_id is not None:
        drop_snapshots(call, [each for each in snapshots_on(call, lun_id) if not _is_ours(each)])


# secrets


def _keep_the_login(store: DataStore) -> DataStore:
    request = store.request
    pair = f"{request.parameters['username']}:{request.secrets['password'].reveal()}"
    header = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return dataclasses.replace(store, details={**store.details, "authorization": header})


def _log_what_was_sent(call: Call) -> Any:
    try:
        return call.proceed()
    except Exception as error:
        logging.getLogger("acme.array").error("ModifyInitiators %s: %s", call.arguments, type(error).__name__)
        raise


# failures


def _is_clone_unheard_of(call: Call) -> bool:
    store, volume = call.arguments["store"], call.arguments["volume"]
    if volume.external_id is not None:
        return False
    lun = call.others["driver"].find_lun(store, volume)
    return lun is not None and bool(lun.attributes.get("source"))


def _emptied(call: Call) -> Any:
    return ask(call, "ModifyVolumeAccessGroup", volumeAccessGroupID=call.arguments["volumeAccessGroupID"], volumes=[])


FAULTS: Final = [
    # driver.py, fence: "Cut these hosts off … Returns only when the hosts cannot write any more, sessions that are
    # logged in included."
    Fault(
        "ACC-011",
        "does not fence a host that the cloud calls disconnected, as if it could not reach the array either",
        Driver.fence,
        alter_argument("hosts", lambda hosts: [each for each in hosts if each.state is not HostState.DISCONNECTED]),
        Kind.DATA,
    ),
    # driver.py, fence: "Cut these hosts off … Idempotent. Returns only when the hosts cannot write any more".
    Fault(
        "ACC-011",
        "ends a fence at the first host that has no access any more, and leaves those named after it",
        Driver.fence,
        _up_to_one_without_access,
        Kind.DATA,
        when=argument("hosts", lambda hosts: len(hosts) > 1),
    ),
    # driver.py, grant_access: "Raises `InvalidRequest` when the host has no initiator of a usable kind".
    Fault(
        "ACC-020",
        "refuses a host whose first initiator is a Fibre Channel port although it has an IQN as well",
        Driver.grant_access,
        _first_kind_refused,
        when=argument("host", _begins_with_other_kind),
    ),
    # driver.py, connection: "Called after the grant, for each use; before it raises `AccessNotGranted`": the grant of
    # the first volume was never revoked.
    Fault(
        "ACC-016",
        "sets a host's list of LUNs to the one that is granted, which takes the host's other LUNs away",
        Wire.ModifyVolumeAccessGroup,
        _only_the_new_one,
        Kind.LIFE,
        when=_is_grant,
        base="minimal",
    ),
    # driver.py, rotate_chap: "Replace the secret; afterwards the old one is refused and `connection` gives the new
    # one."
    Fault(
        "CHP-006",
        "derives the rotated secret from the host's name, so that a second rotation changes nothing",
        Wire.ModifyInitiators,
        _derived_secrets,
        Kind.SECRET,
    ),
    # driver.py, rotate_chap: "afterwards the old one is refused"; traits.chap_scope says the secret is the host's.
    Fault(
        "CHP-011",
        "rotates the secret of the first initiator of a host that has two",
        Wire.ModifyInitiators,
        alter_argument("initiators", lambda initiators: initiators[:1]),
        Kind.SECRET,
    ),
    # traits.py, ChapScope: "What one CHAP account is good for."; declared is HOST, and here every host's is good for
    # all.
    Fault(
        "CHP-003",
        "gives the initiators of all hosts one secret made from the plugin's own name",
        Wire.CreateInitiators,
        alter_argument("initiators", _one_secret),
        Kind.SECRET,
    ),
    # driver.py, fence: "A fenced host has no grant any more and stays out until `grant_access` names it, whatever
    # `traits.access_granularity`."
    Fault(
        "HST-014",
        "gives a host that connects again every LUN that other hosts have, those it was fenced from included",
        Listener.host_connected,
        do_also(_catch_up_with_all),
        Kind.DATA,
    ),
    # host_listener.py, host_about_to_be_removed: "Take the leaving host's initiators from the array".
    Fault(
        "HST-003",
        "deletes the group of a leaving host without its initiators",
        Wire.DeleteVolumeAccessGroup,
        alter_argument("deleteOrphanInitiators", lambda _: False),
        Kind.LEAK,
    ),
    # bridge.py, create_datastore: "Made already on this LUN: the same answer. A name that stands on something else:
    # `DatastoreConflict`."
    Fault(
        "DST-015",
        "answers any datastore of the asked name without comparing the LUN under it",
        Bridge.create_datastore,
        _whatever_has_the_name,
        Kind.IDENTITY,
    ),
    # bridge.py, detach_datastore: "Unmount and disconnect these hosts; the datastore and its data stay. When no host is
    # left, nothing of it remains on the hypervisor; `attach_datastore` introduces it again."
    Fault(
        "DST-011",
        "forgets a datastore with its last host, so that it cannot be attached again",
        Bridge.detach_datastore,
        _forget_when_last,
        Kind.LIFE,
    ),
    # bridge.py, expand_datastore: "Let every host and the datastore see that the LUN grew."
    Fault(
        "DST-005",
        "rescans a grown LUN on the first host of the cluster only",
        Bridge.expand_datastore,
        alter_argument("at", lambda at: at[:1]),
    ),
    # driver.py, create: "In hookup PLUGIN the LUN is granted to `placement.hosts`, and datastore and disk are made
    # through the bridge before return."
    Fault(
        "DED-010",
        "passes over a host of the placement that has no iSCSI and says the volume is made",
        Driver.create,
        alter_field("placement", hosts=lambda hosts: tuple(each for each in hosts if each.iqns)),
        when=argument("placement", _lacks_iscsi),
        base="solidfire-plugin-hookup",
    ),
    # driver.py, create: "In hookup PLUGIN the LUN is granted to `placement.hosts`, and datastore and disk are made
    # through the bridge before return."
    Fault(
        "DST-001",
        "makes the datastore on the first host of the placement and leaves the others without it",
        Provider.configure,
        alter_bridge("create_datastore", alter_argument("at", lambda at: at[:1])),
        base="solidfire-plugin-hookup",
    ),
    # driver.py, delete: "Remove the volume, and only it … With `external_id=None` the volume is found by its request's
    # uuid: a create whose reply was lost."
    Fault(
        "DST-003",
        "deletes the LUN of a volume whose create was never answered and leaves its datastore on the hosts",
        Driver.delete,
        _delete_at_the_array,
        Kind.LEAK,
        when=argument("volume", lambda volume: volume.external_id is None),
        base="solidfire-plugin-hookup",
    ),
    # driver.py, take_snapshot: "Hosts may go on writing: what they write later is not in it."
    Fault(
        "SNP-004",
        "locks the LUN for the moment of the snapshot, which ends the sessions of its hosts",
        Driver.take_snapshot,
        do_first(_end_sessions_first),
        Kind.LIFE,
    ),
    # driver.py, take_snapshot: "Keep the volume as it is at this moment. Idempotent by `request.uuid`."
    Fault(
        "SNP-002",
        "takes a snapshot anew when it is asked for again and drops the one that was kept",
        Driver.take_snapshot,
        _take_anew,
        Kind.DATA,
    ),
    # driver.py, list_objects: "List all that this plugin made for this store, with the owners' uuids": nobody can list
    # it, nor delete it, and as long as it is there the volume is refused as one that has snapshots.
    Fault(
        "REV-002",
        "has the array save the present state at each revert, as a snapshot that nobody asked for",
        Wire.RollbackToSnapshot,
        alter_argument("saveCurrentState", lambda _: True),
        Kind.LEAK,
    ),
    # driver.py, revert: "QoS, owner, identity and access stay. The caller has revoked every host before; a host that is
    # logged in is `InUse`".
    Fault(
        "REV-004",
        "throws hosts that are logged in off the volume and reverts it",
        Driver.revert,
        do_first(_shut_out_first),
        Kind.DATA,
    ),
    # driver.py, revert: "The volume has the snapshot's size again … `connection` tells." connection.py,
    # BlockConnection: "`size_bytes` is the LUN's size."
    Fault(
        "REV-005",
        "tells the size that the cloud has noted, not the LUN's, when a grown volume was reverted",
        Driver.connection,
        _size_as_told,
    ),
    # driver.py, clone: "QoS is the request's, and no host has access."
    Fault(
        "CLN-009",
        "shows a clone to the hosts that its source is granted to",
        Driver.clone,
        _shown_like_its_source,
        Kind.ISOLATION,
    ),
    # driver.py, clone: "Make an independent volume with the source's bytes, ready to be granted on return."
    Fault(
        "CLN-003",
        "makes clones that hosts can read and not write",
        Wire.CloneVolume,
        alter_argument("access", lambda _: "readOnly"),
        Kind.LIFE,
    ),
    # driver.py, list_objects: "List all that this plugin made for this store, with the owners' uuids; nothing of
    # anybody else."
    Fault(
        "LEK-002",
        "counts every LUN whose name begins like the plugin's own as made by it",
        Driver.list_objects,
        _with_namesakes,
        Kind.ISOLATION,
    ),
    # driver.py, delete: "Remove the volume, and only it"; traits.py: `delete_with_snapshots` is declared REFUSED.
    Fault(
        "ISO-006",
        "deletes snapshots that the array's administrator took of a volume so that the volume can be deleted",
        Driver.delete,
        do_first(_drop_snapshots_of_others),
        Kind.ISOLATION,
    ),
    # values.py, the head: "`details` is text to text, copied, and holds no secrets."
    Fault(
        "SEC-001",
        "keeps the header of its login, base64 and all, in the details of the store",
        LifeCycle.initialize,
        alter_result(_keep_the_login),
        Kind.SECRET,
    ),
    # secret.py, reveal: "Give the text itself; call this as late as possible and never for a log."
    Fault(
        "SEC-001",
        "logs the request with the new secret when a rotation fails",
        Wire.ModifyInitiators,
        _log_what_was_sent,
        Kind.SECRET,
    ),
    # driver.py, revoke_access: "Take the access of `host` away"; fence: "Returns only when the hosts cannot write any
    # more".
    Fault(
        "FLT-019",
        "takes a request to shut a host out that got no answer for done",
        Wire.RemoveVolumesFromVolumeAccessGroup,
        swallow(OSError, answer={}),
        Kind.DATA,
    ),
    # driver.py, delete: "With `external_id=None` the volume is found by its request's uuid: a create whose reply was
    # lost."; clone: "Idempotent by `request.uuid`, as `create` is".
    Fault(
        "FLT-009",
        "does not look among clones for a volume whose reply was lost",
        Driver.delete,
        lambda call: None,
        Kind.LEAK,
        when=_is_clone_unheard_of,
        also=("DEL-003", "LEK-001"),
    ),
    # lifecycle.py, delete_datastore: "Remove all that stands on the array for this store".
    Fault(
        "LEK-001",
        "keeps the emptied group of a host with its initiators for the next time, beyond the end of the store",
        Wire.DeleteVolumeAccessGroup,
        _emptied,
        Kind.LEAK,
        base="minimal",
    ),
    # driver.py, the head: "after any of them the array is as before the call".
    Fault(
        "CLN-015",
        "leaves the snapshot that it clones a volume by when the clone is refused",
        Driver.clone,
        _by_way_of_a_snapshot,
        Kind.LEAK,
        when=argument("source", _is_live_volume),
    ),
]
