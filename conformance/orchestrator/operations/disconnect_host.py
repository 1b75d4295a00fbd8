"""A host is gone for now: host_disconnected for each store, nothing else.

Nothing is revoked: its VMs may still run and write. It gets nothing new until it is connected again. Failed: it counts
as connected, and the same again ends in agreement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import Host, HostState
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.steps import Step

from .host_operation import HostOperation
from .listener_steps import host_disconnected


class DisconnectHost(HostOperation):
    """Has the plugin know that a host is gone."""

    kind = "disconnect_host"

    @classmethod
    def revive(cls, cloud: Cloud, _host_uuid: str, arguments: str) -> DisconnectHost:
        """The operation again, from its journal."""
        return cls(cloud, decode_as(Host, json.loads(arguments)))

    def arguments(self) -> str:
        return json.dumps(encode(self.host))

    def steps(self) -> Sequence[Step]:
        stores = self.store_uuids() if self.cloud.listener else []
        return [host_disconnected(self.cloud, self.host, each) for each in stores]

    def undo_steps(self) -> Sequence[Step]:
        return []

    def finish(self) -> None:
        self.cloud.hosts.set_state(self.host.uuid, HostState.DISCONNECTED)

    def undone(self) -> None:
        """Nothing is noted before the end."""

    def stuck(self) -> None:
        """Nothing is noted before the end."""
