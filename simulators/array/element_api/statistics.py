"""Methods that count: traffic of volumes, alone and summed up, and of the cluster.

Counters run from the making of a volume. What the data path does not measure is null: with LIO all that has to do with
what is read and written; else latencies, queue depths, samples and the use of QoS, but for what is known of volumes
that nobody uses: they are 0 there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.method import Method
from simulators.array.element_api.parameters import Arguments, Json, integer, list_of, optional, required

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulators.array.element_api.method import Scene
    from simulators.array.volume import Traffic, Volume

_VOLUME = required("volumeID", integer)
_VOLUMES = optional("volumeIDs", list_of(integer))
_ACCOUNTS = optional("accounts", list_of(integer))
_GROUPS = optional("volumeAccessGroups", list_of(integer))
_SAMPLE: Final = timedelta(milliseconds=500)
_SAMPLE_MILLISECONDS: Final = _SAMPLE // timedelta(milliseconds=1)
# What a real array tells of its last sample, and of all time.
_OF_LAST_SAMPLE: Final = (
    "actualIOPS", "clientQueueDepth", "latencyUSec", "normalizedIOPS", "readBytesLastSample", "readLatencyUSec",
    "readOpsLastSample", "writeBytesLastSample", "writeLatencyUSec", "writeOpsLastSample",
)  # fmt: skip
_OF_ALL_TIME: Final = ("readLatencyUSecTotal", "writeLatencyUSecTotal")
# One node keeps all volumes, and none of them moves or has a pair.
_PLACE: Final = {
    "asyncDelay": None,
    "desiredMetadataHosts": None,
    "metadataHosts": {"primary": 1, "liveSecondaries": [], "deadSecondaries": []},
}


def _of_one(scene: Scene, given: Arguments) -> Json:
    return {"volumeStats": _of(scene, scene.model.volumes.get_active(given[_VOLUME]))}


def _of_many(scene: Scene, given: Arguments) -> Json:
    asked = given[_VOLUMES]
    if asked is None:
        return _of_all(scene, given)
    return {"volumeStats": [_of(scene, scene.model.volumes.get_active(each)) for each in asked]}


def _of_all(scene: Scene, _given: Arguments) -> Json:
    return {"volumeStats": [_of(scene, each) for each in scene.model.volumes.rows if not each.is_deleted]}


def _by_account(scene: Scene, given: Arguments) -> Json:
    asked, accounts = given[_ACCOUNTS], scene.model.accounts
    found = accounts.rows if asked is None else [accounts.get(each) for each in asked]
    return {"volumeStats": [_summed(scene, each.volumes, account_id=each.account_id) for each in found]}


def _by_group(scene: Scene, given: Arguments) -> Json:
    asked, groups = given[_GROUPS], scene.model.groups
    found = groups.rows if asked is None else [groups.get(each) for each in asked]
    return {"volumeStats": [_summed(scene, each.volumes, groups=[each.group_id]) for each in found]}


def _of(scene: Scene, volume: Volume) -> Json:
    return _rendered(
        scene, [volume], volume_id=volume.volume_id, account_id=volume.account_id, groups=list(volume.groups)
    )


def _summed(scene: Scene, volume_ids: Iterable[int], *, account_id: int = 0, groups: Sequence[int] = ()) -> Json:
    volumes = [each for each in map(scene.model.volumes.get, volume_ids) if not each.is_deleted]
    return _rendered(scene, volumes, volume_id=0, account_id=account_id, groups=list(groups))


def _rendered(
    scene: Scene, volumes: Sequence[Volume], *, volume_id: int, account_id: int, groups: Sequence[int]
) -> Json:
    size_bytes = sum(each.size_bytes for each in volumes)
    written = sum(each.blocks.written_bytes for each in volumes) // rendering.BLOCK_BYTES
    return {
        **_PLACE,
        "volumeID": volume_id,
        "accountID": account_id,
        "volumeSize": size_bytes,
        "volumeAccessGroups": groups,
        "timestamp": rendering.moment(scene.model.now()),
        "nonZeroBlocks": written,
        "zeroBlocks": size_bytes // rendering.BLOCK_BYTES - written,
        "burstIOPSCredit": None,
        "samplePeriodMSec": _SAMPLE_MILLISECONDS,
        "throttle": 0,
        **_counted(scene, [each.traffic for each in volumes]),
        **_not_measured(scene, [each.traffic for each in volumes], "volumeUtilization"),
    }


def _not_measured(scene: Scene, traffic: Sequence[Traffic], utilization: str) -> Json:
    times = [each.last_at for each in traffic if each.last_at is not None]
    is_idle = scene.model.counts_traffic and (not times or max(times) + _SAMPLE < scene.model.now())
    is_unused = scene.model.counts_traffic and not times
    return {
        **dict.fromkeys((*_OF_LAST_SAMPLE, utilization), 0 if is_idle else None),
        **dict.fromkeys(_OF_ALL_TIME, 0 if is_unused else None),
    }


def _counted(scene: Scene, traffic: Sequence[Traffic]) -> Json:
    read, written = sum(each.read_bytes for each in traffic), sum(each.write_bytes for each in traffic)
    reads, writes = sum(each.read_operations for each in traffic), sum(each.write_operations for each in traffic)
    counted = {
        "readBytes": read,
        "readOps": reads,
        "unalignedReads": sum(each.unaligned_reads for each in traffic),
        "writeBytes": written,
        "writeOps": writes,
        "unalignedWrites": sum(each.unaligned_writes for each in traffic),
        "averageIOPSize": (read + written) // max(reads + writes, 1),
    }
    return counted if scene.model.counts_traffic else dict.fromkeys(counted)


def _of_cluster(scene: Scene, _given: Arguments) -> Json:
    return {
        "clusterStats": {
            "servicesCount": 1,
            "servicesTotal": 1,
            "samplePeriodMsec": _SAMPLE_MILLISECONDS,
            "timestamp": rendering.moment(scene.model.now()),
            **_counted(scene, [scene.model.traffic]),
            **_not_measured(scene, [scene.model.traffic], "clusterUtilization"),
        }
    }


def _efficiency(scene: Scene, given: Arguments) -> Json:
    """Blocks are neither compressed nor compared with others: only thin provisioning saves space."""
    volume = scene.model.volumes.get_active(given[_VOLUME])
    return {
        "thinProvisioning": volume.size_bytes / max(volume.blocks.written_bytes, rendering.BLOCK_BYTES),
        "deduplication": 1.0,
        "compression": 1.0,
        "missingVolumes": [],
        "timestamp": rendering.moment(scene.model.now()),
    }


METHODS: Final = (
    Method("GetVolumeStats", _of_one, (_VOLUME,)),
    Method("ListVolumeStats", _of_many, (_VOLUMES,)),
    Method("ListVolumeStatsByVolume", _of_all),
    Method("ListVolumeStatsByAccount", _by_account, (_ACCOUNTS,)),
    Method("ListVolumeStatsByVolumeAccessGroup", _by_group, (_GROUPS,)),
    Method("GetVolumeEfficiency", _efficiency, (_VOLUME,)),
    Method("GetClusterStats", _of_cluster),
)
