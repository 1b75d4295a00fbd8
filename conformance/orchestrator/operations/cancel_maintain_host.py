"""A host comes back from maintenance (CloudStack: cancelHostMaintenance): host_enabled → host_connected → datastores.

FRAMEWORK: for each volume: grant_access → connection → attach_datastore
PLUGIN:    for each volume: grant_access (hooks the host up)
DIRECT:    nothing: a volume is granted when a VM on the host needs it

It catches up with all that was made meanwhile (apache/cloudstack 876, 8393, 9295). Failed: what it did not have before
is taken from it, and it stays in maintenance.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.steps import Step

from .host_return import HostReturn, revived
from .listener_steps import host_connected, told_of


class CancelMaintainHost(HostReturn):
    """Has a host that was in maintenance used again."""

    kind = "cancel_maintain_host"

    @classmethod
    def revive(cls, cloud: Cloud, _host_uuid: str, arguments: str) -> CancelMaintainHost:
        """The operation again, from its journal."""
        return cls(cloud, revived(arguments))

    def steps(self) -> Sequence[Step]:
        stores = self.store_uuids()
        told = told_of(self.cloud, "host_enabled", self.host, stores)
        connected = [host_connected(self.cloud, self.host, each) for each in stores if self.cloud.listener]
        return [*told, *connected, *self.hooked_up()]
