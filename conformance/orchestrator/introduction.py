"""How a LUN that holds a datastore already, a clone or a copy, becomes a datastore of its own: never by formatting.

Where datastores have signatures (vSphere, XenServer) the clone carries its source's, and gets its own:
resignature_datastore → list_disks (finds the disk under whatever name it has) → when larger: expand_datastore →
resize_disk. A KVM pool has none, and making one formats nothing (`resignature_datastore` is `NotSupported` there):
create_datastore → create_disk, which is writing down a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from conformance.contract import DatastoreRef, DiskLocation, Host, HostConnection, HypervisorType

from .cloud import Cloud
from .errors import BrokenPromise
from .steps import Step
from .volume_steps import VolumeSteps

WITHOUT_SIGNATURE: Final = frozenset({HypervisorType.KVM})


def introduction(cloud: Cloud, volume: VolumeSteps, hosts: Sequence[Host], *, is_larger: bool) -> list[Step]:
    """Make the datastore and the disk that a volume already holds known to hosts that have been granted."""
    if volume.record.cluster.hypervisor in WITHOUT_SIGNATURE:
        return [volume.create_datastore(hosts), volume.create_disk()]
    grown = [
        Step("expand_datastore", partial(_expand, cloud, volume, hosts)),
        Step("resize_disk", partial(_resize, cloud, volume)),
    ]
    return [
        Step("resignature_datastore", partial(_resignature, volume, hosts)),
        Step("list_disks", partial(_find_disk, cloud, volume)),
        *(grown if is_larger else []),
    ]


def _resignature(volume: VolumeSteps, hosts: Sequence[Host]) -> None:
    def make(name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        return volume.bridge.resignature_datastore(at, name)

    volume.make_datastore("resignature_datastore", hosts, make)


def _find_disk(cloud: Cloud, volume: VolumeSteps) -> None:
    ref = volume.datastore()
    disks = cloud.caller.bridge("list_disks", volume.bridge.list_disks, ref)
    if len(disks) != 1:
        raise BrokenPromise("resignature_datastore", "a datastore with its source's one disk", f"{len(disks)} disks")
    disk = DiskLocation(ref, next(iter(disks)))
    volume.learn(replace(volume.record, volume=replace(volume.record.volume, disk=disk)))


def _expand(cloud: Cloud, volume: VolumeSteps, hosts: Sequence[Host]) -> None:
    at = volume.host_connections(hosts)
    cloud.caller.bridge("expand_datastore", volume.bridge.expand_datastore, volume.datastore(), at)


def _resize(cloud: Cloud, volume: VolumeSteps) -> None:
    wanted = volume.record.disk_bytes
    has = cloud.caller.bridge("resize_disk", volume.bridge.resize_disk, volume.disk(), wanted)
    if has < wanted:
        raise BrokenPromise("resize_disk", f"at least {wanted} bytes", f"{has}")
