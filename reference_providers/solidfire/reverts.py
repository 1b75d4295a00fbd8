"""Putting a volume's bytes back to what a snapshot kept.

`RollbackToSnapshot` replaces what the LUN holds; the snapshot itself, older and newer ones stay
(`revert_scope` only this). The LUN also gets the size that it had then.

A host that has the LUN in use would go on with what it remembers of it and destroy both states. Whoever is
granted may log in at any moment, so a granted LUN is in use whether or not there is a session.
"""

from __future__ import annotations

from conformance.contract import DataStore, InUse, InvalidRequest, Snapshot, Volume

from . import access, luns, snapshots
from .arrays import OnArrays
from .element import Element
from .objects import Lun
from .resume import resumable


class RevertMethods(OnArrays):
    """`RevertDriver`."""

    def revert(self, store: DataStore, volume: Volume, snapshot: Snapshot) -> None:
        self.revert_lun(store, volume, snapshot, despite_grants=False)

    @resumable
    def revert_lun(self, store: DataStore, volume: Volume, snapshot: Snapshot, *, despite_grants: bool) -> None:
        """Put the LUN's bytes back."""
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_volume(volume.uuid):
            lun = luns.get(element, store, volume)
            kept = snapshots.get(element, store, snapshot)
            if kept.lun_id != lun.lun_id:
                raise InvalidRequest("snapshot", snapshot.uuid, f"a snapshot of volume {volume.uuid}")
            if not despite_grants:
                access.check_not_granted(element, lun)
            _check_no_session(element, lun)
            element.copies.roll_back(lun.lun_id, kept.snapshot_id)


def _check_no_session(element: Element, lun: Lun) -> None:
    users = {each.initiator_iqn for each in element.sessions() if each.lun_id == lun.lun_id}
    if users:
        raise InUse(lun.external_id, tuple(sorted(users)))
