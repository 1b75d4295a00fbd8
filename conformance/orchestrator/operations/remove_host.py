"""A host leaves (CloudStack: deleteHost): its datastores → host_about_to_be_removed → host_removed.

FRAMEWORK: for each volume: detach_datastore → revoke_access
PLUGIN:    for each volume: revoke_access (unhooks the host)

Refused while a VM runs on the host. Failed: removing it again, or `recover()`, goes on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import Host
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import HostInUse
from conformance.orchestrator.steps import Step

from .host_operation import HostOperation
from .listener_steps import told_of


class RemoveHost(HostOperation):
    """Takes from a host all that it was given."""

    kind = "remove_host"

    @classmethod
    def revive(cls, cloud: Cloud, _host_uuid: str, arguments: str) -> RemoveHost:
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
        stores = self.store_uuids()
        return [
            *self._unhook(),
            *told_of(self.cloud, "host_about_to_be_removed", self.host, stores),
            *told_of(self.cloud, "host_removed", self.host, stores),
        ]

    def undo_steps(self) -> None:
        return None

    def finish(self) -> None:
        self.cloud.hosts.delete(self.host.uuid)

    def undone(self) -> None:
        raise AssertionError("a removal is never undone")

    def stuck(self) -> None:
        """Its grants are noted; removing it again, or `recover()`, goes on from there."""

    def _unhook(self) -> list[Step]:
        return [
            step
            for volume in self.volumes
            for grant in volume.record.grants
            if grant.host == self.host
            for step in volume.unhook(grant)
        ]
