"""Resize a volume (CloudStack: resizeVolume): array first, then the datastore, then the disk.

FRAMEWORK: resize → connection on each host → expand_datastore → resize_disk
PLUGIN:    resize (does all of that)
DIRECT:    resize; attached to a VM then: connection → connect_target → attach_lun, so that it sees the new size

A plugin without RESIZE_ONLINE refuses while a host has access. In FRAMEWORK all hosts are then unhooked
before and hooked up again after; a volume that a VM has is refused by the cloud.

Failed after the array grew: the cloud keeps the old size, and the same resize again ends in agreement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from conformance.contract import Capability, CapabilityNotSupported, Host, ResizeDriver
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.records import VolumeRecord, Way
from conformance.orchestrator.states import VolumeState
from conformance.orchestrator.steps import Step

from .volume_operation import VolumeOperation


class ResizeVolume(VolumeOperation):
    """Brings a volume to another size.

    `size_bytes` is the user's, `lun_bytes` what the plugin is asked for.
    """

    kind = "resize_volume"

    def __init__(
        self, cloud: Cloud, volume_uuid: str, size_bytes: int, lun_bytes: int, unhooked: tuple[Host, ...] = ()
    ) -> None:
        super().__init__(cloud, volume_uuid)
        self._lun_bytes, self._unhooked = lun_bytes, unhooked
        self._new_lun_bytes, self.new_disk_bytes = lun_bytes, size_bytes
        self._size_bytes = size_bytes

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, arguments: str) -> ResizeVolume:
        """The operation again, from its journal."""
        size_bytes, lun_bytes, hosts = json.loads(arguments)
        return cls(cloud, volume_uuid, size_bytes, lun_bytes, tuple(decode_as(Host, each) for each in hosts))

    def arguments(self) -> str:
        return json.dumps([self._size_bytes, self._lun_bytes, [encode(each) for each in self._unhooked]])

    def begin(self) -> Sequence[str]:
        claims = super().begin()
        refuse_resize(self.cloud, self.record, self._size_bytes)
        self._unhooked = unhooked_hosts(self.cloud, self.record)
        return claims

    def steps(self) -> Sequence[Step]:
        volume, hosts = self.volume, self._unhooked or self.record.hosts
        resize = Step("resize", self._resize)
        if self.record.way is Way.DIRECT:
            return [resize, *self._shown_to_vm()]
        if self.record.way is not Way.FRAMEWORK:
            return [resize]
        return [
            *volume.taken_from(self._unhooked),
            resize,
            *volume.given_back(self._unhooked),
            *([] if self._unhooked else map(volume.ask_connection, hosts)),
            Step("expand_datastore", self._expand_datastore),
            Step("resize_disk", self._resize_disk),
        ]

    def _shown_to_vm(self) -> list[Step]:
        attached, volume = self.record.attachment, self.volume
        if attached is None or attached.host is None:
            return []
        host = attached.host
        return [volume.ask_connection(host), volume.connect_target(host), volume.attach_lun(attached.vm, host)]

    def undo_steps(self) -> Sequence[Step]:
        return self.volume.given_back(self._unhooked)

    def finish(self) -> None:
        volume = replace(self.record.volume, size_bytes=self._new_lun_bytes)
        self.volume.learn(replace(self.record, volume=volume, disk_bytes=self.new_disk_bytes))
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)

    def _resize(self) -> None:
        driver = cast(ResizeDriver, self.cloud.driver)
        resized = self.cloud.caller.plugin(
            "resize", driver.resize, self.volume.store, self.record.volume, self._lun_bytes
        )
        self._new_lun_bytes = resized.size_bytes
        if self.record.way is not Way.FRAMEWORK:
            self.new_disk_bytes = resized.size_bytes

    def _expand_datastore(self) -> None:
        volume = self.volume
        at = volume.host_connections(self._unhooked or self.record.hosts)
        self.cloud.caller.bridge("expand_datastore", volume.bridge.expand_datastore, volume.datastore(), at)

    def _resize_disk(self) -> None:
        volume = self.volume
        self.new_disk_bytes = self.cloud.caller.bridge(
            "resize_disk", volume.bridge.resize_disk, volume.disk(), self._size_bytes
        )


def refuse_resize(cloud: Cloud, record: VolumeRecord, size_bytes: int) -> None:
    """Refuse what the plugin does not declare, or what no bridge can do."""
    cloud.require(Capability.RESIZE)
    if record.is_attached:
        cloud.require(Capability.RESIZE_ONLINE)
    if size_bytes < record.disk_bytes:
        cloud.require(Capability.SHRINK)
        if record.way is Way.FRAMEWORK:
            raise CapabilityNotSupported(Capability.SHRINK, "a datastore cannot be made smaller")


def unhooked_hosts(cloud: Cloud, record: VolumeRecord) -> tuple[Host, ...]:
    """Hosts that must lose the LUN while it is resized."""
    needed = record.way is Way.FRAMEWORK and not cloud.supports(Capability.RESIZE_ONLINE)
    return record.hosts if needed else ()
