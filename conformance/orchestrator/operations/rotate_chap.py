"""Replace the CHAP secret that hosts reach a volume with: rotate_chap → the hosts are told the new one.

FRAMEWORK: rotate_chap → for each host: connection → attach_datastore
PLUGIN:    rotate_chap → grant_access on each host (hooks it up with the new secret)
DIRECT:    rotate_chap → connection → connect_target on the VM's host

rotate_chap is called once for each host where the plugin has an account for each host, else once. Whatever uses the
same account is told too, by `traits.chap_scope`: the volume, all volumes of these hosts, of its tenant, or all.

Where `traits.rotation_drops_sessions`, FRAMEWORK detaches the datastores before, and a volume that a running VM has is
refused: its VM would lose its disk. Elsewhere sessions stay, and the next login uses the new secret.

Refused for a volume that no host has: there is nobody to tell. Failed: the hosts are told what holds now, old or new;
rotating again gives yet another secret.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import cast

from conformance.contract import Capability, ChapDriver, ChapScope, Host
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import VolumeInUse, WrongState
from conformance.orchestrator.records import VolumeRecord, Way
from conformance.orchestrator.states import SERVING, VolumeState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import VolumeSteps

from .volume_operation import VolumeOperation


class RotateChap(VolumeOperation):
    """Gives hosts a new secret for a volume; `others` are volumes that are reached with the same one."""

    kind = "rotate_chap"

    def __init__(
        self, cloud: Cloud, volume_uuid: str, hosts: tuple[Host, ...] = (), others: tuple[str, ...] = ()
    ) -> None:
        super().__init__(cloud, volume_uuid)
        self._hosts, self._others = hosts, others
        self._told: list[VolumeSteps] | None = None

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, arguments: str) -> RotateChap:
        """The operation again, from its journal."""
        hosts, others = json.loads(arguments)
        return cls(cloud, volume_uuid, tuple(decode_as(Host, each) for each in hosts), tuple(others))

    def arguments(self) -> str:
        return json.dumps([[encode(each) for each in self._hosts], self._others])

    def begin(self) -> Sequence[str]:
        super().begin()
        if not self.record.hosts:
            raise WrongState(self.object_uuid, "granted to no host", self.kind)
        per_host = self.cloud.provider.traits.chap_scope is ChapScope.HOST
        self._hosts = self.record.hosts if per_host else self.record.hosts[:1]
        self._others = tuple(each.uuid for each in self.cloud.volumes.all() if self._shares_account(each))
        for each in self._volumes_told():
            attachment = each.record.attachment
            if self._drops_sessions and attachment is not None and attachment.host is not None:
                raise VolumeInUse(each.record.uuid, attachment.vm.uuid)
        return self.claims()

    def claims(self) -> Sequence[str]:
        """The volume, and those that are reached with the same secret."""
        return [self.object_uuid, *self._others]

    def steps(self) -> Sequence[Step]:
        rotated = [Step("rotate_chap", partial(self._rotate, each), each.uuid) for each in self._hosts]
        return [*self._detached(), *rotated, *self._reconnected()]

    def undo_steps(self) -> Sequence[Step]:
        return self._reconnected()

    def finish(self) -> None:
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)

    @property
    def _drops_sessions(self) -> bool:
        return bool(self.cloud.provider.traits.rotation_drops_sessions)

    def _shares_account(self, other: VolumeRecord) -> bool:
        scope = self.cloud.provider.traits.chap_scope
        if other.uuid == self.object_uuid or other.state is not VolumeState.READY:
            return False
        if self.cloud.store(other.store_uuid).state not in SERVING:
            return False
        if scope is ChapScope.HOST:
            return bool(set(other.hosts) & set(self.record.hosts))
        same_tenant = other.asked.tenant == self.record.asked.tenant
        return scope is ChapScope.CONTROLLER or (scope is ChapScope.TENANT and same_tenant)

    def _volumes_told(self) -> list[VolumeSteps]:
        if self._told is None:
            others = [VolumeSteps(self.cloud, self.cloud.volume(each), self.id) for each in self._others]
            self._told = [self.volume, *others]
        return self._told

    def _told_hosts(self, volume: VolumeSteps) -> list[Host]:
        per_host = self.cloud.provider.traits.chap_scope is ChapScope.HOST
        return [each for each in volume.record.hosts if not per_host or each in self._hosts]

    def _detached(self) -> list[Step]:
        if not self._drops_sessions:
            return []
        mounted = [each for each in self._volumes_told() if each.record.way is Way.FRAMEWORK]
        return [each.detach_datastore(host) for each in mounted for host in self._told_hosts(each)]

    def _reconnected(self) -> list[Step]:
        return [
            step
            for each in self._volumes_told()
            for host in self._told_hosts(each)
            for step in _reconnected(each, host)
        ]

    def _rotate(self, host: Host) -> None:
        driver, volume = cast(ChapDriver, self.cloud.driver), self.record.volume
        self.cloud.caller.plugin("rotate_chap", driver.rotate_chap, self.volume.store, volume, host)


def _reconnected(volume: VolumeSteps, host: Host) -> list[Step]:
    if volume.record.way is Way.PLUGIN:
        return [volume.grant(host)]
    use = volume.connect_target if volume.record.way is Way.DIRECT else volume.attach_datastore
    return [volume.ask_connection(host), use(host)]


def refuse_rotation(cloud: Cloud) -> None:
    """Refuse what the plugin does not declare."""
    cloud.require(Capability.CHAP)
    cloud.require(Capability.CHAP_ROTATION)
