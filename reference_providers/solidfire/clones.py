"""Clones: an independent volume with the bytes of a volume, a snapshot or a cached template.

The array lists a clone at once and fills it afterwards. So a clone is made like any other LUN (look, make,
look again), gets the QoS of its own request before anybody can count on it, and is handed out only when it is
filled. A mark says that its QoS is still its source's, and the array says whether it is filled: an
interrupted call is finished by its repetition, whichever instance that comes to. Afterwards nothing on the
array binds it to its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from conformance.contract import (
    Busy,
    CachedTemplate,
    Created,
    DataStore,
    InvalidRequest,
    ObjectNotFound,
    Placement,
    Snapshot,
    Volume,
    VolumeRequest,
)

from . import limits, luns, room, snapshots, tenants
from .arrays import OnArrays
from .copies import Origin
from .element import Element, qos_params
from .errors import Interrupted
from .objects import Lun
from .resume import pause, resumable

Source = Snapshot | Volume | CachedTemplate

FIRST_POLL_SECONDS: Final = 0.05
LONGEST_POLL_SECONDS: Final = 2.0
_CALLER_WAITS: Final = 5.0
_ONCE_MORE: Final = (1.0,)
_HAS_QOS_OF_SOURCE: Final = "qos_of_source"


class CloneMethods(OnArrays):
    """`CloneDriver`."""

    def clone(self, store: DataStore, request: VolumeRequest, placement: Placement, source: Source) -> Created:
        lun = self.clone_lun(store, request, limits.lun_bytes_of_new(request.size_bytes), {}, source)
        return Created(lun.external_id, lun.size_bytes, lun.identity)

    @resumable
    def clone_lun(
        self, store: DataStore, request: VolumeRequest, lun_bytes: int, marks: Mapping[str, str], source: Source
    ) -> Lun:
        """Make a volume's LUN from a source, of a size that may differ from the request's; `marks` are kept with it."""
        limits.check_qos(request.qos)
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_store(store.request):
            lun, handle = _begin(element, store, request, lun_bytes, marks, source)
            if _HAS_QOS_OF_SOURCE in lun.attributes:
                _set_own_qos(element, lun, request)
        if not lun.is_ready and handle is None:
            handle = element.copies.job_of(lun.lun_id)
        return self._filled(element, store, request, lun, handle)

    def _filled(self, element: Element, store: DataStore, request: VolumeRequest, lun: Lun, handle: int | None) -> Lun:
        """The LUN once it holds its bytes."""
        waiting = Busy(_CALLER_WAITS, f"the array is still filling volume {lun.external_id}")
        seconds = FIRST_POLL_SECONDS
        while not lun.is_ready:
            failure = None if handle is None else element.copies.failure_of(handle)
            if failure is not None:
                self._discard(element, store, request, lun)
                raise failure
            pause(self.context, seconds, waiting)
            seconds = min(2 * seconds, LONGEST_POLL_SECONDS)
            lun = _still_there(element, lun)
        return lun

    def _discard(self, element: Element, store: DataStore, request: VolumeRequest, lun: Lun) -> None:
        """Remove a clone that nobody will ever fill."""
        with self._arrays.lock_of_store(store.request):
            luns.remove(element, lun)
            tenants.drop_unused(element, store, request.tenant)


def _begin(
    element: Element,
    store: DataStore,
    request: VolumeRequest,
    lun_bytes: int,
    more_marks: Mapping[str, str],
    source: Source,
) -> tuple[Lun, int | None]:
    # What is there already needs no source any more: that may have been deleted since.
    wanted = luns.Wanted(request, source=f"{type(source).__name__.lower()} {source.uuid}")
    kept = luns.kept(element, store, wanted)
    if kept is not None:
        luns.check_same(kept, wanted)
        return kept, None
    origin = _origin(element, store, source)
    if lun_bytes < origin.size_bytes:
        raise InvalidRequest("size_bytes", request.size_bytes, f"at least the source's {origin.size_bytes}")
    min_iops = limits.qos_of_new(request.qos).min_iops or 0
    room.check(element, store, more_bytes=lun_bytes, more_iops=min_iops)
    marks = {**luns.marks(store, wanted), **more_marks, _HAS_QOS_OF_SOURCE: "yes"}
    with tenants.account_of(element, store, request.tenant) as account_id:
        job = element.copies.clone(origin, wanted.name, account_id, lun_bytes, marks)
    made = luns.kept(element, store, wanted)
    if made is None:
        raise ObjectNotFound("volume", request.uuid)
    # Delivered twice, it was begun twice: the handle may be that of the other one.
    return made, job.handle if job.lun_id == made.lun_id else None


def _origin(element: Element, store: DataStore, source: Source) -> Origin:
    if isinstance(source, Snapshot):
        kept = snapshots.get(element, store, source)
        return Origin(kept.lun_id, kept.snapshot_id, kept.size_bytes)
    lun = luns.get(element, store, source)
    return Origin(lun.lun_id, None, lun.size_bytes)


def _set_own_qos(element: Element, lun: Lun, request: VolumeRequest) -> None:
    # In one call with the mark, so that a later change of QoS is never taken back by a repeated clone.
    attributes = {name: value for name, value in lun.attributes.items() if name != _HAS_QOS_OF_SOURCE}
    element.set_lun_qos(lun.lun_id, qos_params(limits.qos_of_new(request.qos)), attributes)


def _still_there(element: Element, lun: Lun) -> Lun:
    now = element.find_lun(lun.lun_id)
    if now is None or now.is_deleted:
        raise Interrupted(Busy(_CALLER_WAITS, f"clone {lun.external_id} came to nothing"), _ONCE_MORE)
    return now
