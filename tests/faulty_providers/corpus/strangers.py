"""Faults that show beside others: namesakes, initiators of strangers, hosts that come back, clones half made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.contract import ObjectKind, Volume, VolumeRequest
from tests.faulty_providers.fault import Call, Driver, Fault, Kind, Listener
from tests.faulty_providers.operators import do_also, skip


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


FAULTS: tuple[Fault, ...] = (
    Fault(
        "FLT-011",
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
)
