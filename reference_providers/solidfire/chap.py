"""Rotating CHAP: a new secret for a host, under the name it has.

The secret is the host's (`chap_scope` host): rotating it for one LUN rotates it for all that the host sees on
the array. All of the host's initiators change in one call, so that there is never one that has been left
behind. The array asks for the secret at logins only, and sessions go on.
"""

from __future__ import annotations

from conformance.contract import DataStore, Host, StoreObject

from . import access, luns
from .arrays import OnArrays, array_uuid_of
from .initiators import new_chap
from .resume import resumable


class ChapMethods(OnArrays):
    """`ChapDriver`."""

    @resumable
    def rotate_chap(self, store: DataStore, target: StoreObject, host: Host) -> None:
        element = self._arrays.of(store.request)
        lun = luns.get(element, store, target)
        with self._arrays.lock_of_host(array_uuid_of(element, store), host.uuid):
            group = access.group_of_holder(element, lun, host)
            element.set_chap(group.initiator_ids, new_chap(host))
