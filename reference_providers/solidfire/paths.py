"""How hosts reach LUNs: the target, the array's portal, and the CHAP that the array keeps for the host."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import (
    AccessNotGranted,
    BlockConnection,
    CapabilityNotSupported,
    DataStore,
    Host,
    IscsiPath,
    Snapshot,
    StoreObject,
)

from . import access, luns, names
from .arrays import OnArrays
from .element import Element
from .initiators import members
from .objects import AccessGroup, Lun
from .resume import resumable


class PathMethods(OnArrays):
    """`connection` of `DataStoreDriver`, and what hookup PLUGIN needs to know besides."""

    @resumable
    def connection(self, store: DataStore, target: StoreObject, host: Host) -> BlockConnection:
        check_presentable(target)
        element = self._arrays.of(store.request)
        lun = luns.get(element, store, target)
        return _connection(element, lun, access.group_of_holder(element, lun, host), host)

    @resumable
    def connections_of(self, store: DataStore, host: Host) -> Sequence[tuple[Lun, BlockConnection]]:
        """All that this plugin has granted to a host on the store's array, whatever the store."""
        element = self._arrays.of(store.request)
        group = access.group_of(element, host)
        if group is None:
            return ()
        found = [element.find_lun(each) for each in sorted(group.lun_ids)]
        ours = [each for each in found if each is not None and names.is_ours(each.attributes)]
        return [(each, _connection(element, each, group, host)) for each in ours]


def check_presentable(target: StoreObject) -> None:
    """Refuse access to what is no LUN."""
    if isinstance(target, Snapshot):
        reason = "the array shows LUNs, and snapshots are none: grant a clone of it"
        raise CapabilityNotSupported("access to a snapshot", reason)


def _connection(element: Element, lun: Lun, group: AccessGroup, host: Host) -> BlockConnection:
    own = [each for each in members(element, group) if each.iqn in map(str, host.iqns)]
    if not own:  # the host has other initiators now, and they were not granted
        raise AccessNotGranted(lun.external_id, host.uuid)
    path = IscsiPath(lun.target_iqn, (element.facts().portal,), 0, own[0].chap)
    return BlockConnection(lun.identity, lun.size_bytes, (path,))
