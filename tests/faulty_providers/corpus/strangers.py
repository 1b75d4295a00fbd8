"""Faults that show beside others: namesakes, initiators of strangers, hosts that come back, clones half made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.contract import ObjectKind, Volume, VolumeRequest
from reference_providers.solidfire import access, luns, names
from reference_providers.solidfire.element import Element
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Listener
from tests.faulty_providers.operators import do_also, do_first, skip


def volumes_of(call: Call, store: Any) -> list[Volume]:
    """The store's volumes, as the plugin lists them."""
    return [
        Volume(VolumeRequest(each.owner_uuid, each.owner_uuid, each.size_bytes), each.external_id, each.size_bytes)
        for each in call.others["driver"].list_objects(store)
        if each.kind is ObjectKind.VOLUME
    ]


def is_being_filled(call: Call) -> bool:
    """Whether the array has not filled the volume yet."""
    lun = call.others["driver"].find_lun(call.arguments["store"], call.arguments["volume"])
    return lun is not None and not lun.is_ready


def all_remaining_again(call: Call) -> None:
    for host in call.arguments["remaining_hosts"]:
        call.others["driver"].grant_access(call.arguments["store"], call.arguments["target"], host)


def forgotten_when_connected(call: Call) -> None:
    """The listener gives the hosts of this fence back what they lost, when they connect."""
    driver, listener, fence = call.others["driver"], call.others["listener"], dict(call.arguments)
    connected: Callable[..., None] = listener.host_connected

    def host_connected(host: Any, store: Any) -> None:
        connected(host, store)
        if host.uuid in {each.uuid for each in fence["hosts"]}:
            driver.grant_access(fence["store"], fence["target"], host)

    listener.host_connected = host_connected


def everything_of_the_store(call: Call) -> None:
    store, host = call.arguments["store"], call.arguments["host"]
    if host.iqns:
        for each in volumes_of(call, store):
            call.others["driver"].grant_access(store, each, host)


def element_of(call: Call, request: Any) -> Element:
    """The plugin's own way to the array."""
    driver = call.others["driver"]
    found: Element = getattr(driver, "_array", driver)._arrays.of(request)
    return found


def drop_initiators(element: Element, host: Any) -> None:
    iqns = {str(each) for each in host.iqns}
    taken = [each.initiator_id for each in element.initiators() if each.iqn in iqns]
    if taken:
        element.delete_initiators(taken)


def free_initiators(call: Call) -> None:
    """Whoever has the host's initiators loses them, but for the host's own group."""
    element, host = element_of(call, call.arguments["store"].request), call.arguments["host"]
    if access.group_of(element, host) is None:
        drop_initiators(element, host)


def initiators_forgotten(call: Call) -> None:
    for store in call.arguments["stores"]:
        drop_initiators(element_of(call, store.request), call.arguments["host"])


def all_of_that_name_removed(call: Call) -> None:
    element, name = element_of(call, call.arguments["store"].request), names.of_volume(call.arguments["volume"].uuid)
    for each in element.luns_named(name):
        if not names.is_ours(each.attributes):
            luns.remove(element, each)


def groups_of_that_name_removed(call: Call) -> None:
    name = names.of_host(call.arguments["host"].uuid)
    for store in call.arguments["stores"]:
        element = element_of(call, store.request)
        found = element._client.call("ListVolumeAccessGroups", {}, lambda result: result["volumeAccessGroups"])
        for each in found:
            if each["name"] == name:
                element.delete_group(each["volumeAccessGroupID"])


FAULTS: tuple[Fault, ...] = (
    Fault(
        "FLT-018",
        "a clone that is not filled yet is taken for gone",
        Driver.delete,
        skip(),
        Kind.LEAK,
        is_being_filled,
        also=("CLN",),
    ),
    Fault(
        "ACC-023",
        "a revoke grants all that remain anew",
        Driver.revoke_access,
        do_also(all_remaining_again),
        Kind.ISOLATION,
        base="minimal",
    ),
    Fault(
        "HST-013",
        "what a fence took is given back when the host connects",
        Driver.fence,
        do_also(forgotten_when_connected),
        Kind.DATA,
    ),
    Fault(
        "HST-014",
        "a host that connects gets all volumes of the store",
        Listener.host_connected,
        do_also(everything_of_the_store),
        Kind.ISOLATION,
    ),
    Fault(
        "ISO-004",
        "a host that others let in is moved to the plugin's own group",
        Driver.grant_access,
        do_first(free_initiators),
        Kind.ISOLATION,
    ),
    Fault(
        "ISO-004",
        "a host that leaves takes its initiators from everybody",
        Listener.host_removed,
        do_also(initiators_forgotten),
        Kind.ISOLATION,
    ),
    Fault(
        "DEL-004",
        "a deleted volume takes all of its name with it",
        Driver.delete,
        do_first(all_of_that_name_removed),
        Kind.ISOLATION,
        also=("DEL-003", "ISO-001"),
    ),
    Fault(
        "ISO-001",
        "a host that leaves takes every group of its group's name",
        Listener.host_about_to_be_removed,
        do_first(groups_of_that_name_removed),
        Kind.ISOLATION,
        also=("ISO-003",),
    ),
)
