"""QoS of a volume, and what it is lifted to while the volume is being copied.

A copy made by hosts is slow under the limits of a small volume, so a migration lifts the volume's maximum and
burst to what the array allows; what it is guaranteed stays, because that is promised out of a budget. The
volume's own QoS is kept beside it in `attributes`, written by the call that lifts it: whichever instance ends
the migration, after whatever has happened, finds it there. Lifting twice keeps the first, and a change of QoS
meanwhile is written there to hold from the end on.
"""

from __future__ import annotations

from typing import Final

from conformance.contract import DataStore, QosPolicy, Volume

from . import limits, luns, room
from .arrays import OnArrays
from .element import Element, qos_params
from .objects import Lun
from .resume import resumable

_OWN: Final = "own_qos"


class QosMethods(OnArrays):
    """`QosDriver` and `MigrationDriver`."""

    @resumable
    def set_qos(self, store: DataStore, volume: Volume, qos: QosPolicy) -> None:
        limits.check_qos(qos)
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_store(store.request):
            lun = luns.get(element, store, volume)
            wanted = limits.qos_of_existing(_own(lun) or lun.qos, qos)
            more_iops = (wanted.min_iops or 0) - lun.min_iops
            if more_iops > 0:
                room.check(element, store, more_bytes=0, more_iops=more_iops)
            _set(element, lun, wanted)

    @resumable
    def begin_migration(self, store: DataStore, volume: Volume) -> None:
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_store(store.request):
            lun = luns.get(element, store, volume)
            highest = element.most()
            lifted = QosPolicy(lun.qos.min_iops, highest.max_iops, highest.burst_iops)
            if lun.qos != lifted or _own(lun) is None:
                element.set_lun_qos(lun.lun_id, qos_params(lifted), _noting(lun, _own(lun) or lun.qos))

    @resumable
    def end_migration(self, store: DataStore, volume: Volume) -> None:
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_store(store.request):
            lun = luns.find(element, store, volume)
            own = None if lun is None else _own(lun)
            if lun is not None and own is not None:
                attributes = {name: value for name, value in lun.attributes.items() if name != _OWN}
                element.set_lun_qos(lun.lun_id, qos_params(own), attributes)


def _set(element: Element, lun: Lun, wanted: QosPolicy) -> None:
    if _own(lun) is None:
        if wanted != lun.qos:
            element.set_lun_qos(lun.lun_id, qos_params(wanted))
        return
    now = QosPolicy(wanted.min_iops, lun.qos.max_iops, lun.qos.burst_iops)
    element.set_lun_qos(lun.lun_id, qos_params(now), _noting(lun, wanted))


def _noting(lun: Lun, own: QosPolicy) -> dict[str, object]:
    return {**lun.attributes, _OWN: f"{own.min_iops}/{own.max_iops}/{own.burst_iops}"}


def _own(lun: Lun) -> QosPolicy | None:
    """The QoS that a lifted LUN goes back to; None when it is not lifted."""
    noted = str(lun.attributes.get(_OWN, ""))
    return QosPolicy(*map(int, noted.split("/"))) if noted else None
