"""Whether something still fits: into the array, and into what the administrator gave the store.

Called under the store's lock, so that two creates cannot both see the last free bytes.
"""

from __future__ import annotations

from conformance.contract import CapacityExhausted, DataStore, Usage

from . import tenants
from .element import Element
from .objects import Space


def check(element: Element, store: DataStore, *, more_bytes: int, more_iops: int) -> None:
    """Raise `CapacityExhausted` when this much more does not fit."""
    space = element.space()
    _check_free(more_bytes, space.most_bytes - space.provisioned_bytes)
    if _fits_anyway(space, store, more_bytes, more_iops):
        return
    used = of_store(element, store.request.uuid)
    _check_free(more_bytes, store.request.capacity_bytes - (used.bytes or 0))
    if store.request.capacity_iops is not None and more_iops > 0:
        _check_free(more_iops, store.request.capacity_iops - (used.iops or 0))


def of_store(element: Element, store_uuid: str) -> Usage:
    """What a store's LUNs add up to; deleted ones keep their space until they are purged."""
    kept = list(element.luns_of(tenants.ids_of(element, store_uuid)))
    return Usage(sum(each.size_bytes for each in kept), sum(each.min_iops for each in kept))


def _fits_anyway(space: Space, store: DataStore, more_bytes: int, more_iops: int) -> bool:
    # A store's LUNs are some of the array's: where all together leave room, they need not be listed one by
    # one.
    is_iops_free = store.request.capacity_iops is None or more_iops <= 0
    return is_iops_free and space.provisioned_bytes + more_bytes <= store.request.capacity_bytes


def _check_free(asked: int, free: int) -> None:
    if asked > free:
        raise CapacityExhausted(asked, max(0, free))
