"""What users ask of the cloud about copies between primary storages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from conformance.contract import Capability, QosPolicy, Volume, VolumeRequest

from .operations.copy_volume import CopyVolume, refuse_copy
from .operations.create_volume import allocated, existing
from .operations.with_migration import WithMigration
from .requests import Requests
from .sources import find_source

T = TypeVar("T")


class CopyRequests(Requests):
    """Copy volumes, and do things that move their bytes."""

    def copy_volume(self, volume_uuid: str, destination_store_uuid: str, request: VolumeRequest) -> Volume:
        """Make a volume in another store that begins with a volume's bytes; `request` is the copy's.

        Refused while a running VM has the volume.
        """
        source, found = self._cloud.volume(volume_uuid), self._cloud.volumes.find(request.uuid)
        if found is not None:
            return existing(found, destination_store_uuid, request, source.cluster, volume_uuid)
        store = self._cloud.store(destination_store_uuid).request
        refuse_copy(self._cloud, source, destination_store_uuid)
        if request.qos != QosPolicy():
            self._cloud.require(Capability.QOS)
        needed_bytes = self._lun_bytes(self._cloud.way(store), source.cluster, request.size_bytes)
        asked = find_source(self._cloud, volume_uuid)
        size_bytes = asked.bytes_to_ask(source.way, request.size_bytes, needed_bytes)
        new = allocated(self._cloud, store, request, source.cluster, replace(request, size_bytes=size_bytes))
        hosts = self._cloud.usable_hosts(source.cluster)
        operation = CopyVolume(self._cloud, request.uuid, hosts, replace(new, source=volume_uuid), volume_uuid)
        self._runner.run(operation)
        return operation.record.volume

    def with_migration(self, volume_uuid: str, work: Callable[[], T]) -> T:
        """Do some work with the volume's QoS lifted, and put it back whatever comes of it.

        The work must not ask the cloud for anything about this volume: it is being worked on.
        """
        self._cloud.require(Capability.MIGRATION_QOS)
        self._cloud.volume(volume_uuid)
        answers: list[T] = []
        self._runner.run(WithMigration(self._cloud, volume_uuid, lambda: answers.append(work())))
        return answers[0]
