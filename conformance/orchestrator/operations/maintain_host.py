"""Take a host out of use for maintenance (CloudStack: prepareHostForMaintenance): no call to plugin or bridge.

The contract has no event for it: the host keeps its access, may be switched off, and gets nothing new until
`cancel_maintain_host`. Refused while a VM runs on it, or is moving to it: stop or move its VMs first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import Host, HostState
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import HostInUse
from conformance.orchestrator.steps import Step

from .host_operation import HostOperation


class MaintainHost(HostOperation):
    """Has no VM started on a host, and no new volume given to it."""

    kind = "maintain_host"

    @classmethod
    def revive(cls, cloud: Cloud, _host_uuid: str, arguments: str) -> MaintainHost:
        """The operation again, from its journal."""
        return cls(cloud, decode_as(Host, json.loads(arguments)))

    def arguments(self) -> str:
        return json.dumps(encode(self.host))

    def begin(self) -> Sequence[str]:
        volumes = self.cloud.volumes.uuids_on_host(self.host.uuid)
        vms = tuple(each.uuid for each in self.cloud.vms.on_host(self.host.uuid))
        if volumes or vms:
            raise HostInUse(self.host.uuid, volumes, vms)
        return super().begin()

    def steps(self) -> Sequence[Step]:
        return []

    def undo_steps(self) -> Sequence[Step]:
        return []

    def finish(self) -> None:
        self.cloud.hosts.set_state(self.host.uuid, HostState.MAINTENANCE)

    def undone(self) -> None:
        """Nothing is noted before the end."""

    def stuck(self) -> None:
        """Nothing is noted before the end."""
