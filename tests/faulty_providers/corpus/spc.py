"""Faults against SPC: a store's capacity, and what of it a volume has."""

from __future__ import annotations

import dataclasses
from typing import Any

from conformance.contract import VolumeStats
from tests.faulty_providers.fault import Call, Driver, Fault, Kind
from tests.faulty_providers.operators import first_argument, lie
from tests.faulty_providers.solidfire_inside import store_of


def of_the_store(call: Call) -> VolumeStats:
    """Tell what the store has."""
    used = call.others["driver"].used(store_of(call))
    return VolumeStats(used.bytes, store_of(call).request.capacity_bytes)


def none_is_zero(call: Call) -> Any:
    """Tell zero bytes, as if nothing was known of any."""
    return dataclasses.replace(call.proceed(), provisioned_bytes=0, written_bytes=0)


FAULTS = (
    Fault(
        "SPC-004",
        "tells the stats of the volume asked for first",
        Driver.volume_stats,
        first_argument("volume"),
        Kind.IDENTITY,
    ),
    Fault(
        "SPC-004",
        "tells what is written in blocks",
        Driver.volume_stats,
        lie(written_bytes=lambda told: told and told // 4096),
    ),
    Fault("SPC-004", "tells what the store has", Driver.volume_stats, of_the_store, Kind.ISOLATION),
    Fault("SPC-004", "tells zero where it knows nothing", Driver.volume_stats, none_is_zero),
    Fault(
        "SPC-004",
        "a volume that was written is written all over",
        Driver.volume_stats,
        lambda call: dataclasses.replace(call.proceed(), written_bytes=call.proceed().provisioned_bytes),
    ),
)
