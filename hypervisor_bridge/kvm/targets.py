"""LUNs without a datastore: QEMU logs in by itself, so all that a host needs beforehand is the CHAP secret."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import BlockConnection, DiskInUse, HostConnection, IscsiPath

from .connection import Remotes
from .errors import HYPERVISOR
from .hookup import HookUp
from .lun import look_everywhere
from .records import LunUse, Records


class Targets:
    """Connecting LUNs as such."""

    def __init__(self, remotes: Remotes, records: Records, hookup: HookUp) -> None:
        self._remotes, self._records, self._hookup = remotes, records, hookup

    def connect(self, at: Sequence[HostConnection]) -> None:
        """See `HypervisorBridge.connect_target`."""
        seen = look_everywhere(self._remotes, at, "connect_target")
        with self._hookup.saga() as saga:
            self._hookup.use_luns(saga, seen)

    def disconnect(self, at: Sequence[HostConnection]) -> None:
        """See `HypervisorBridge.disconnect_target`; needs no login, for the LUN may be gone."""
        uses = [use for use in self._records.uses() if any(_is_meant(use, each) for each in at)]
        for each in uses:
            if each.vm_uuid:
                names = {host.uuid: host.name for host in self._remotes.hosts()}
                host = names.get(each.host_uuid, each.host_uuid)
                reason = f"VM {each.vm_uuid} has LUN naa.{each.wwid}"
                raise DiskInUse(HYPERVISOR, host, "disconnect_target", reason, "detach the LUN first")
        with self._hookup.saga() as saga:
            self._hookup.leave_luns(saga, uses)


def _is_meant(use: LunUse, at: HostConnection) -> bool:
    connection = at.connection
    if use.host_uuid != at.host.uuid or not isinstance(connection, BlockConnection):
        return False
    if connection.identity.wwid is not None:
        return use.wwid == connection.identity.wwid
    return any(
        isinstance(each, IscsiPath) and (str(each.target_iqn), each.lun_number) == (use.target_iqn, use.lun_number)
        for each in connection.paths
    )
