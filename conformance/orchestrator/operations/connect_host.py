"""A host is connected again: host_connected for each store → datastores, as for a host that joins.

FRAMEWORK: for each volume: grant_access → connection → attach_datastore
PLUGIN:    for each volume: grant_access (hooks the host up)
DIRECT:    nothing: a volume is granted when a VM on the host needs it

Failed: what it did not have before is taken from it, and it stays disconnected.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.steps import Step

from .host_return import HostReturn, revived
from .listener_steps import host_connected


class ConnectHost(HostReturn):
    """Has a host that was away used again."""

    kind = "connect_host"

    @classmethod
    def revive(cls, cloud: Cloud, _host_uuid: str, arguments: str) -> ConnectHost:
        """The operation again, from its journal."""
        return cls(cloud, revived(arguments))

    def steps(self) -> Sequence[Step]:
        stores = self.store_uuids()
        connected = [host_connected(self.cloud, self.host, each) for each in stores if self.cloud.listener]
        return [*connected, *self.hooked_up()]
