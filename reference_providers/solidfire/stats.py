"""What a volume has in use."""

from __future__ import annotations

from conformance.contract import DataStore, Volume, VolumeStats

from . import luns
from .arrays import OnArrays
from .resume import resumable


class StatsMethods(OnArrays):
    """`StatsDriver`."""

    @resumable
    def volume_stats(self, store: DataStore, volume: Volume) -> VolumeStats:
        element = self._arrays.of(store.request)
        lun = luns.get(element, store, volume)
        # The array says what it holds of the volume itself; what only snapshots still hold is not in it.
        return VolumeStats(element.written_bytes(lun.lun_id), lun.size_bytes)
