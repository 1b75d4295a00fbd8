"""A host joins (CloudStack: addHost): host_added → host_connected for each store → datastores.

FRAMEWORK: for each volume: grant_access → connection → attach_datastore
PLUGIN:    for each volume: grant_access (hooks the host up)
DIRECT:    nothing: a volume is granted when a VM on the host needs it

A host that is added again catches up: every call is repeated. Failed: what this operation gave is taken away
again, the latest first; a host that was not known before is taken from the plugin too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import Host
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.steps import Step

from .host_operation import HostOperation
from .listener_steps import host_connected, told_of


class AddHost(HostOperation):
    """Gives a host what the hosts of its cluster have."""

    kind = "add_host"

    def __init__(self, cloud: Cloud, host: Host, *, was_known: bool = False) -> None:
        super().__init__(cloud, host)
        self._was_known = was_known

    @classmethod
    def revive(cls, cloud: Cloud, _host_uuid: str, arguments: str) -> AddHost:
        """The operation again, from its journal."""
        host, was_known = json.loads(arguments)
        return cls(cloud, decode_as(Host, host), was_known=was_known)

    def arguments(self) -> str:
        return json.dumps([encode(self.host), self._was_known])

    def begin(self) -> Sequence[str]:
        self._was_known = self.cloud.hosts.is_known(self.host.uuid)
        return super().begin()

    def steps(self) -> Sequence[Step]:
        cloud, host, stores = self.cloud, self.host, self.store_uuids()
        return [
            *told_of(cloud, "host_added", host, stores),
            *(host_connected(cloud, host, each) for each in stores if cloud.listener),
            *self.hooked_up(),
        ]

    def undo_steps(self) -> Sequence[Step]:
        steps = self.unhooked_again()
        if self._was_known:
            return steps
        stores = self.store_uuids()
        return [
            *steps,
            *told_of(self.cloud, "host_about_to_be_removed", self.host, stores),
            *told_of(self.cloud, "host_removed", self.host, stores),
        ]

    def finish(self) -> None:
        self.cloud.hosts.insert(self.host.uuid)

    def undone(self) -> None:
        """Nothing is noted of a host that did not join."""

    def stuck(self) -> None:
        """Its grants are noted; adding it again, removing it, or `recover()` goes on from there."""
