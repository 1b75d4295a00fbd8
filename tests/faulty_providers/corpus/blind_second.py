"""Faults made from the contract and the reference plugins alone."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import itertools
import json
import logging
from collections.abc import Callable
from typing import Any

from conformance.contract import (
    AccessGranularity,
    AuthenticationFailed,
    Capability,
    CapacityExhausted,
    Cluster,
    Conflict,
    Host,
    InUse,
    InvalidRequest,
    Iqn,
    ProviderError,
    QosPolicy,
    Supported,
    Volume,
    VolumeRequest,
)
from reference_providers.solidfire import limits, names
from tests.faulty_providers.fault import Call, Change, Driver, Fault, Kind, LifeCycle, Listener, Provider, Wire
from tests.faulty_providers.operators import (
    alter_argument,
    alter_bridge,
    alter_result,
    do_also,
    do_first,
    fail,
    lie,
    skip,
)
from tests.faulty_providers.when import after_restart, argument, both, from_call, nth_object, repeated_for

GIB = 1 << 30
TWO_TIB = 2 << 40
INSTANCES = itertools.count(1)
PLUGIN = "solidfire-plugin-hookup"
DEFAULT_QOS = {"minIOPS": 50, "maxIOPS": 15_000, "burstIOPS": 15_000}


def _rounded_down(size: int, granule: int) -> int:
    return size // granule * granule if size > granule else size


def _with_room(call: Call, more_bytes: int) -> Any:
    """The store of a call, with more bytes than the administrator gave it."""
    store = call.arguments["store"]
    request = dataclasses.replace(store.request, capacity_bytes=store.request.capacity_bytes + more_bytes)
    return dataclasses.replace(store, request=request)


def _named(owner_uuid: str, external_id: str, size_bytes: int) -> Volume:
    return Volume(VolumeRequest(owner_uuid, owner_uuid, size_bytes), external_id, size_bytes)


def _holders(call: Call, target: Any) -> frozenset[str]:
    driver, store = call.others["driver"], call.arguments["store"]
    lun = driver.find_lun(store, target)
    return frozenset() if lun is None else driver.holders(store, lun)


# create and delete


def _same_name_same_volume(call: Call) -> Any:
    request, store = call.arguments["request"], call.arguments["store"]
    first = call.memory.shared.setdefault("names", {}).setdefault((store.request.uuid, request.name), request)
    if first.uuid == request.uuid or first.size_bytes != request.size_bytes:
        return call.proceed()
    return call.proceed(request=first)


def _made_before_checked(call: Call) -> Any:
    try:
        return call.proceed()
    except InvalidRequest as error:
        if error.field.startswith("qos"):
            with contextlib.suppress(ProviderError):
                call.proceed(request=dataclasses.replace(call.arguments["request"], qos=QosPolicy()))
        raise


def _qos_put_back(call: Call) -> None:
    request, store = call.arguments["request"], call.arguments["store"]
    volume = Volume(request, None, request.size_bytes)
    call.others["driver"].set_qos(store, volume, limits.qos_of_new(request.qos))


def _rounding_not_counted(call: Call) -> Any:
    try:
        return call.proceed()
    except CapacityExhausted:
        store, size = call.arguments["store"], call.arguments["request"].size_bytes
        used = call.others["driver"].used(store).bytes
        if used + size > store.request.capacity_bytes:
            raise
        return call.proceed(store=_with_room(call, limits.MIB))


def _fills_the_store(call: Call) -> bool:
    store, request = call.arguments["store"], call.arguments["request"]
    if not 0 < request.size_bytes <= limits.LIMITS.largest_lun_bytes:
        return False
    driver = call.others["driver"]
    if driver.find_lun(store, Volume(request, None, request.size_bytes)) is not None:
        return False
    free = store.request.capacity_bytes - driver.used(store).bytes
    return bool(limits.lun_bytes_of_new(request.size_bytes) == free)


def _smaller_is_the_same(call: Call) -> Any:
    request = call.arguments["request"]
    try:
        return call.proceed()
    except Conflict as error:
        existing = int(str(error.existing))
        if request.size_bytes > existing:
            raise
        return call.proceed(request=dataclasses.replace(request, size_bytes=existing))


def _is_larger_than_two_gb(call: Call) -> bool:
    reply = call.others["send"]("ListVolumes", volumeIDs=[call.arguments["volumeID"]])
    found = reply.get("result", {}).get("volumes", [])
    return any(each["totalSize"] > 2 * 10**9 for each in found)


def _takes_its_time(call: Call) -> None:
    call.others["driver"].context.clock.sleep(12.0)


# resize and QoS


def _in_use_by_two(call: Call) -> Any:
    if len(_holders(call, call.arguments["volume"])) > 1:
        raise InUse(str(call.arguments["volume"].external_id))
    return call.proceed()


def _one_value_after_the_other(call: Call) -> None:
    qos = call.arguments["qos"]
    for name in ("min_iops", "max_iops", "burst_iops"):
        value = getattr(qos, name)
        if value is not None:
            call.proceed(qos=QosPolicy(**{name: value}))


# access


def _two_at_most(call: Call) -> Any:
    target, host = call.arguments["target"], call.arguments["host"]
    hosts = call.memory.shared.setdefault("granted", {}).setdefault(target.uuid, {})
    answer = call.proceed()
    hosts[host.uuid] = host
    holders = _holders(call, target)
    if len(holders) > 2:
        oldest = next((each for uuid, each in hosts.items() if uuid in holders and uuid != host.uuid), None)
        if oldest is not None:
            call.others["driver"].revoke_access(call.arguments["store"], target, oldest, (host,))
    return answer


def _desired_state(call: Call) -> Any:
    target, host = call.arguments["target"], call.arguments["host"]
    wanted = call.memory.own.setdefault("wanted", {}).setdefault(target.uuid, {})
    wanted[host.uuid] = host
    for each in [other for other in wanted.values() if other.uuid != host.uuid]:
        with contextlib.suppress(ProviderError):
            call.proceed(host=each)
    return call.proceed()


def _group_goes_with_the_store(call: Call) -> Any:
    """When a host's last volume of one store goes, its group goes, whatever other stores have in it."""
    send, group_id = call.others["send"], call.arguments["volumeAccessGroupID"]

    def stores(volume_ids: list[int]) -> set[str]:
        found = send("ListVolumes", volumeIDs=volume_ids)["result"]["volumes"] if volume_ids else []
        return {str((each.get("attributes") or {}).get("store")) for each in found}

    left_by = stores(call.arguments["volumes"])
    answer = call.proceed()
    groups = send("ListVolumeAccessGroups", volumeAccessGroups=[group_id])["result"]["volumeAccessGroups"]
    left = stores(groups[0]["volumes"]) if groups else set()
    if left and not left & left_by:
        send("DeleteVolumeAccessGroup", volumeAccessGroupID=group_id, deleteOrphanInitiators=True)
    return answer


def _chap_of_the_first_host(call: Call) -> Any:
    answer = call.proceed()
    chaps = call.memory.own.setdefault("chaps", {})
    chap = chaps.setdefault(call.arguments["target"].uuid, answer.paths[0].chap)
    return dataclasses.replace(answer, paths=tuple(dataclasses.replace(each, chap=chap) for each in answer.paths))


def _only_iscsi_hosts(call: Call) -> Any:
    host = call.arguments["host"]
    other = [str(each) for each in host.initiators if not isinstance(each, Iqn)]
    if other:
        raise InvalidRequest("host.initiators", other, "IQNs only")
    return call.proceed()


def _unhook_the_fenced(call: Call) -> None:
    context, target = call.others["lifecycle"].context, call.arguments["target"]
    for host in call.arguments["hosts"]:
        bridge = context.hypervisor(Cluster(host.cluster_uuid, host.cluster_uuid, host.hypervisor))
        ref = bridge.find_datastore(names.of_volume(target.uuid))
        if ref is not None:
            bridge.detach_datastore(ref, [host])


# what there is, and how much


def _all_stores_so_far(call: Call) -> Any:
    store = call.arguments["store"]
    known = call.memory.own.setdefault("stores", {})
    answer = list(call.proceed())
    for other in list(known.values()):
        if other.request.uuid != store.request.uuid:
            with contextlib.suppress(ProviderError):
                answer.extend(call.proceed(store=other))
    known[store.request.uuid] = store
    return answer


def _two_volumes_are_all(call: Call) -> Any:
    answer = call.proceed()
    return {**answer, "volumes": answer["volumes"][:2]}


def _half_a_designator(call: Call) -> Any:
    answer = call.proceed()
    volumes = [{**each, "scsiNAADeviceID": each["scsiNAADeviceID"][:16]} for each in answer["volumes"]]
    return {**answer, "volumes": volumes}


# life cycle and hosts


def _taken_by_its_volumes(call: Call) -> Any:
    store = call.proceed()
    if call.others["driver"].list_objects(store):
        raise Conflict(store.request.uuid, "account", "has volumes", "an empty one")
    return store


def _login_in_details(call: Call) -> Any:
    answer = call.proceed()
    request = call.arguments["request"]
    pair = f"{request.parameters.get('username')}:{request.secrets['password'].reveal()}"
    return dataclasses.replace(
        answer, details={**answer.details, "authorization": base64.b64encode(pair.encode()).decode()}
    )


def _endpoint_with_password(call: Call) -> Any:
    try:
        return call.proceed()
    except AuthenticationFailed as error:
        request = call.arguments["request"]
        login = f"{request.parameters.get('username')}:{request.secrets['password'].reveal()}"
        endpoint = error.endpoint.replace("://", f"://{login}@")
        raise AuthenticationFailed(error.parameter, endpoint) from None


def _volumes_one_by_one(call: Call) -> Any:
    request = call.arguments["request"]
    store = call.others["lifecycle"].initialize(request)
    driver = call.others["driver"]
    for each in driver.list_objects(store):
        driver.delete(store, _named(each.owner_uuid, each.external_id, each.size_bytes))
    return call.proceed()


def _all_groups_go(call: Call) -> None:
    send = call.others["send"]
    for each in send("ListVolumeAccessGroups")["result"]["volumeAccessGroups"]:
        if names.is_ours(each.get("attributes") or {}):
            send(
                "DeleteVolumeAccessGroup", volumeAccessGroupID=each["volumeAccessGroupID"], deleteOrphanInitiators=True
            )


def _unheld_volumes_go(call: Call) -> None:
    driver, store = call.others["driver"], call.arguments["store"]
    for each in driver.list_objects(store):
        with contextlib.suppress(InUse):
            driver.delete(store, _named(each.owner_uuid, each.external_id, each.size_bytes))


def _its_cluster_goes_too(call: Call) -> None:
    host: Host = call.arguments["host"]
    listener = call.others["listener"]
    for each in listener.context.hosts(Cluster(host.cluster_uuid, host.cluster_uuid, host.hypervisor)):
        listener.host_removed(each, call.arguments["stores"])


def _write_answer_to_log(call: Call) -> Any:
    answer = call.proceed()
    logging.getLogger("acme.api").warning("slow answer: %s", json.dumps(answer))
    return answer


# the bridge, and what is declared


def _in_lun_bytes(call: Call) -> Any:
    answer = call.proceed()
    bridge = call.others["lifecycle"].context.hypervisor(call.arguments["placement"].cluster)
    return dataclasses.replace(answer, size_bytes=max(answer.size_bytes, bridge.lun_bytes_for(answer.size_bytes)))


def _on_all_hosts(call: Call) -> Any:
    placement = call.arguments["placement"]
    hosts = call.others["lifecycle"].context.hosts(placement.cluster)
    usable = tuple(each for each in hosts if each.iqns)
    return call.proceed(placement=dataclasses.replace(placement, hosts=usable or placement.hosts))


def _also_supported(capability: Capability) -> Change:
    return alter_result(lambda answers: {**answers, capability: Supported()})


def _numbered_name(call: Call) -> Any:
    if "number" not in call.memory.own:
        call.memory.own["number"] = next(INSTANCES)
    return f"{call.proceed()}-{call.memory.own['number']}"


def _first_of(name: str) -> Change:
    return alter_argument(name, lambda given: list(given)[:1])


def _sized(change: Callable[[int], int]) -> Change:
    return alter_argument("size_bytes", change)


FAULTS: tuple[Fault, ...] = (
    # create
    Fault("PRV-001", "Two volumes of one name and size in one store are one volume", Driver.create,
          _same_name_same_volume, Kind.IDENTITY),
    Fault("QOS-003", "A create whose QoS is refused leaves the volume behind", Driver.create,
          _made_before_checked, Kind.LEAK),
    Fault("PRV-014", "A repeated create answers the size first asked although the volume has grown", Driver.create,
          lambda call: dataclasses.replace(
              call.proceed(), size_bytes=limits.lun_bytes_of_new(call.arguments["request"].size_bytes)
          )),
    Fault("PRV-014", "A repeated create puts the QoS back to what was first asked", Driver.create,
          do_also(_qos_put_back), when=repeated_for("store", "request")),
    Fault("SPC-001", "A create is held against the store's capacity before its size is rounded up", Driver.create,
          _rounding_not_counted),
    Fault("SPC-003", "A volume that fits the store exactly is refused", Driver.create,
          fail(lambda call: CapacityExhausted(call.arguments["request"].size_bytes, 0)), when=_fills_the_store),
    Fault("CPB-003", "A volume of more than 2 TiB gets 2 TiB", Wire.CreateVolume,
          alter_argument("totalSize", lambda size: min(size, TWO_TIB)), Kind.DATA,
          when=argument("totalSize", lambda size: size > TWO_TIB)),
    Fault("PRV-003", "A repeated create with a smaller size is taken for the same", Driver.create,
          _smaller_is_the_same, base="minimal"),
    Fault("OPS-001", "The third volume takes longer than was declared", Driver.create,
          do_first(_takes_its_time), Kind.LIFE, when=nth_object(3)),
    # delete
    Fault("DEL-001", "Deleted volumes of more than 2 GB stay in the trash", Wire.PurgeDeletedVolume,
          skip({}), Kind.LEAK, when=_is_larger_than_two_gb),
    Fault("DEL-003", "A volume without an id is deleted by the instance that added the store and by no other",
          Driver.delete, skip(), Kind.LEAK,
          when=both(after_restart, argument("volume", lambda volume: volume.external_id is None))),
    # resize and QoS
    Fault("SPC-002", "A resize may pass the store's capacity", Driver.resize,
          lambda call: call.proceed(store=_with_room(call, 1 << 40))),
    Fault("EXT-010", "A resize gives the volume the default QoS", Wire.ModifyVolume,
          lambda call: call.proceed(qos=DEFAULT_QOS), when=argument("totalSize", lambda size: size is not None)),
    Fault("EXT-006", "A volume that two hosts have cannot be resized", Driver.resize, _in_use_by_two),
    Fault("QOS-003", "QoS values are set one after the other, the least first", Driver.set_qos,
          _one_value_after_the_other),
    # access
    Fault("ACC-012", "The third host that is granted a volume pushes out the first", Driver.grant_access,
          _two_at_most, Kind.CONTRACT),
    Fault("ACC-003", "A grant renews what this instance granted to other hosts before", Driver.grant_access,
          _desired_state, Kind.ISOLATION),
    Fault("ACC-020", "A host with Fibre Channel ports besides its IQN is refused",
          Driver.grant_access, _only_iscsi_hosts),
    Fault("ACC-001", "Only the first of a host's initiators is let in", Wire.CreateInitiators, _first_of("initiators"),
          when=argument("initiators", lambda wanted: len(wanted) > 1)),
    Fault("HST-011", "An initiator that a host has no longer keeps its access", Wire.DeleteInitiators, skip({}),
          Kind.ISOLATION),
    Fault("ACC-010", "With its last volume of one store a host loses those of the other",
          Wire.RemoveVolumesFromVolumeAccessGroup, _group_goes_with_the_store, Kind.ISOLATION),
    Fault("ACC-011", "A fence of several hosts fences the first", Driver.fence, _first_of("hosts"), Kind.DATA,
          when=argument("hosts", lambda hosts: len(hosts) > 1)),
    Fault("CHP-002", "All hosts of a volume are told the CHAP of the one that asked first", Driver.connection,
          _chap_of_the_first_host, Kind.SECRET),
    # what there is
    Fault("ISO-002", "The list has the volumes of all stores that were listed before", Driver.list_objects,
          _all_stores_so_far, Kind.ISOLATION),
    Fault("LEK-002", "Of a store's volumes the first two are found", Wire.ListVolumes, _two_volumes_are_all, Kind.LEAK,
          when=argument("accounts", bool)),
    Fault("PRV-010", "Of a designator the first half is told", Wire.ListVolumes, _half_a_designator, Kind.IDENTITY),
    # life cycle
    Fault("LIF-001", "A store that has volumes cannot be initialised again",
          LifeCycle.initialize, _taken_by_its_volumes),
    Fault("SEC-001", "A refused login is named in the address of the error", LifeCycle.initialize,
          _endpoint_with_password, Kind.SECRET),
    Fault("SEC-001", "An update keeps the login in the store's details",
          LifeCycle.update, _login_in_details, Kind.SECRET),
    Fault("LIF-006", "A store cannot be deleted while a host has a volume of it", LifeCycle.delete_datastore,
          _volumes_one_by_one),
    Fault("LIF-008", "Deleting a store takes the access groups of all stores", Wire.RemoveAccount,
          do_first(_all_groups_go), Kind.ISOLATION),
    Fault("LIF-005", "Detaching a cluster deletes the volumes that no host has", LifeCycle.detach_cluster,
          do_also(_unheld_volumes_go), Kind.DATA),
    # hosts
    Fault("HST-002", "A host that disconnects loses its grants", Listener.host_disconnected,
          do_also(lambda call: call.others["listener"].host_removed(call.arguments["host"], [call.arguments["store"]])),
          Kind.ISOLATION),
    Fault("HST-008", "The hosts of its cluster go with the host that is removed", Listener.host_about_to_be_removed,
          do_also(_its_cluster_goes_too), Kind.ISOLATION),
    Fault("SEC-001", "From the third look on the initiators are logged with their secrets", Wire.ListInitiators,
          _write_answer_to_log, Kind.SECRET, when=from_call(3)),
    # the plugin calls the bridge
    Fault("DED-004", "The disk is smaller than asked by what is no whole mebibyte", Provider.configure,
          alter_bridge("create_disk", _sized(lambda size: _rounded_down(size, limits.MIB))), Kind.DATA, base=PLUGIN),
    Fault("DST-005", "A resize is told to the first host only", Provider.configure,
          alter_bridge("expand_datastore", _first_of("at")), Kind.DATA, base=PLUGIN),
    Fault("DED-005", "A resize grows LUN and datastore, and not the disk", Provider.configure,
          alter_bridge("resize_disk", lambda call: call.arguments["size_bytes"]), base=PLUGIN),
    Fault("ACC-019", "A fence asks the fenced hosts to unmount first", Driver.fence, do_first(_unhook_the_fenced),
          Kind.CALLS, base=PLUGIN),
    Fault("ACC-002", "A create hooks up all hosts of the cluster", Driver.create, _on_all_hosts, Kind.ISOLATION,
          base=PLUGIN),
    # what is declared
    Fault("CPB-004", "Larger guaranteed IOPS are declared than are taken", Provider.limits,
          lie(qos_largest=lambda qos: dataclasses.replace(qos, min_iops=50_000)), also=("QOS-001",)),
    Fault("CPB-006", "Access is said to be by cluster and is by host", Provider.traits,
          lie(access_granularity=lambda _: AccessGranularity.CLUSTER)),
    Fault("REG-001", "CHAP is said to be supported and no secret is told", Provider.capabilities,
          _also_supported(Capability.CHAP), base="minimal"),
    Fault("REG-003", "Each instance has a name of its own", Provider.name, _numbered_name, Kind.IDENTITY),
)  # fmt: skip

UNSEEN: tuple[Fault, ...] = (
    Fault("DED", "A create answers the size of the LUN and not that of the disk", Driver.create, _in_lun_bytes,
          base=PLUGIN),
)  # fmt: skip
"""Not counted yet. It shows only where a datastore takes space of its own, which those of KVM do not."""
