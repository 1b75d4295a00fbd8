"""LUNs of a store: finding, making, growing and removing them.

A LUN is made in several steps: the array has no call that makes one of the size and with the comment that it needs.
Until the last step, which gives it its name, it is called unfinished, and whoever finds such a LUN under the store's
lock may throw it away. What has its name is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from conformance.contract import (
    CachedTemplate,
    CapacityExhausted,
    Conflict,
    DataStore,
    InUse,
    ObjectNotFound,
    ProviderError,
    Snapshot,
    StoreObject,
    StoreRequest,
)

from . import names
from .arrays import pool_of
from .errors import Interrupted
from .vpsa import GB, Lun, Vpsa


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new LUN is for; `source` is what it holds from the start, or is to hold."""

    kind: str
    uuid: str
    asked_bytes: int
    gigabytes: int
    source: str = "nothing"

    @property
    def comment(self) -> str:
        """What was asked, not what came of it: sizes are rounded, and change later."""
        return f"asked {self.asked_bytes} bytes of {self.source}"


def find(vpsa: Vpsa, store: DataStore, target: StoreObject) -> Lun | None:
    """The target's finished LUN, if the array has it."""
    if isinstance(target, Snapshot):
        return None
    kind = names.TEMPLATE if isinstance(target, CachedTemplate) else names.VOLUME
    name = names.of(kind, store.request.uuid, target.uuid)
    found = vpsa.lun_named(name)
    return found if found is not None and target.external_id in (None, found.external_id) else None


def get(vpsa: Vpsa, store: DataStore, target: StoreObject) -> Lun:
    """As `find`; an absent one is `ObjectNotFound`."""
    lun = find(vpsa, store, target)
    if lun is None:
        raise ObjectNotFound("volume", target.external_id or target.uuid)
    return lun


def of_store(vpsa: Vpsa, store_uuid: str) -> Sequence[tuple[Lun, names.Owner]]:
    """All LUNs that this plugin made for a store, unfinished ones too."""
    owned = ((each, names.owner_in(each.name, store_uuid)) for each in vpsa.luns())
    return [(each, owner) for each, owner in owned if owner is not None]


def made(vpsa: Vpsa, store: DataStore, wanted: Wanted, make: Callable[[str], None], check: Callable[[], None]) -> Lun:
    """The LUN that is wanted; one that is there already must be the same. Call this under the store's lock.

    `check` refuses what cannot be; `make` gives the array a LUN of a name, of the wanted size or smaller.
    """
    name = names.of(wanted.kind, store.request.uuid, wanted.uuid)
    found = vpsa.lun_named(name)
    if found is not None:
        _check_same(found, wanted)
        return found
    discard_unfinished(vpsa, name)
    check()
    try:
        make(names.UNFINISHED + name)
        return _finished(vpsa, wanted, name)
    except Exception:
        with suppress(ProviderError, Interrupted):
            discard_unfinished(vpsa.in_any_case(), name)
        raise


def discard_unfinished(vpsa: Vpsa, name: str) -> None:
    """Remove what an interrupted call left behind of the LUN of this name."""
    left = vpsa.lun_named(names.UNFINISHED + name)
    if left is not None:
        vpsa.delete_lun(left, with_snapshots=True)


def grown(vpsa: Vpsa, lun: Lun, gigabytes: int) -> Lun:
    """The LUN with at least this much."""
    if gigabytes > lun.gigabytes:
        vpsa.grow_lun(lun, gigabytes - lun.gigabytes)
        now = vpsa.lun(lun.external_id)
        if now is None:
            raise ObjectNotFound("volume", lun.external_id)
        return now
    return lun


def check_removable(lun: Lun) -> None:
    """Refuse to delete what is attached, or what has snapshots, whoever made them."""
    if lun.servers:
        raise InUse(lun.external_id, lun.servers)
    if lun.has_snapshots:
        raise InUse(lun.external_id, (f"snapshots of {lun.group}",))


def check_room(vpsa: Vpsa, request: StoreRequest, gigabytes: int) -> None:
    """Refuse what does not fit into the pool or the store. The pool itself would promise more than it has."""
    pool = next((each for each in vpsa.pools() if each.name == pool_of(request)), None)
    if pool is None:
        raise ObjectNotFound("pool", pool_of(request))
    free = min(pool.capacity_bytes - pool.provisioned_bytes, request.capacity_bytes - used_bytes(vpsa, request.uuid))
    if gigabytes * GB > free:
        raise CapacityExhausted(gigabytes * GB, max(0, free))


def used_bytes(vpsa: Vpsa, store_uuid: str) -> int:
    """What a store's LUNs add up to."""
    return sum(each.size_bytes for each, _ in of_store(vpsa, store_uuid))


def _finished(vpsa: Vpsa, wanted: Wanted, name: str) -> Lun:
    lun = vpsa.lun_named(names.UNFINISHED + name)
    if lun is None:
        raise ObjectNotFound("volume", names.UNFINISHED + name)
    lun = grown(vpsa, lun, wanted.gigabytes)
    vpsa.comment_lun(lun, wanted.comment)
    vpsa.rename_lun(lun, name)
    return lun


def _check_same(lun: Lun, wanted: Wanted) -> None:
    if lun.comment != wanted.comment:
        raise Conflict(wanted.uuid, "request", lun.comment, wanted.comment)
