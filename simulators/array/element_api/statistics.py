"""Methods that count: traffic of volumes, alone and summed up, and of the cluster.

Counters run from the making of a volume. What the data path does not measure (latencies, queue depths, samples, the
use of QoS, and with LIO what is read and written) is null.
"""

from __future__ import annotations

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
_NOT_MEASURED: Final = (
    "actualIOPS", "asyncDelay", "burstIOPSCredit", "clientQueueDepth", "latencyUSec", "readBytesLastSample",
    "readLatencyUSec", "readLatencyUSecTotal", "readOpsLastSample", "samplePeriodMSec", "throttle", "volumeUtilization",
    "writeBytesLastSample", "writeLatencyUSec", "writeLatencyUSecTotal", "writeOpsLastSample",
)  # fmt: skip
_CLUSTER_NOT_MEASURED: Final = (
    "actualIOPS", "clientQueueDepth", "clusterUtilization", "latencyUSec", "normalizedIOPS", "readBytesLastSample",
    "readLatencyUSec", "readLatencyUSecTotal", "readOpsLastSample", "samplePeriodMSec", "writeBytesLastSample",
    "writeLatencyUSec", "writeLatencyUSecTotal", "writeOpsLastSample",
)  # fmt: skip


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
        **dict.fromkeys(_NOT_MEASURED),
        "volumeID": volume_id,
        "accountID": account_id,
        "volumeSize": size_bytes,
        "volumeAccessGroups": groups,
        "timestamp": rendering.moment(scene.model.now()),
        "nonZeroBlocks": written,
        "zeroBlocks": size_bytes // rendering.BLOCK_BYTES - written,
        **_counted(scene, [each.traffic for each in volumes]),
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
            **dict.fromkeys(_CLUSTER_NOT_MEASURED),
            "servicesCount": 1,
            "servicesTotal": 1,
            "timestamp": rendering.moment(scene.model.now()),
            **_counted(scene, [scene.model.traffic]),
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
