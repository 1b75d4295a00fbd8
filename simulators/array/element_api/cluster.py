"""Methods for the cluster as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.method import Method
from simulators.array.extents import EXTENT_BYTES

if TYPE_CHECKING:
    from simulators.array.element_api.method import Scene
    from simulators.array.element_api.parameters import Arguments, Json
    from simulators.array.limits import Limits

_STARTED: Final = "2020-01-01T00:00:00Z"
_IOPS: Final = 200_000
_SCHEMES: Final = ("doubleHelix",)


def _get_api(scene: Scene, _given: Arguments) -> Json:
    return {"currentVersion": scene.release.api_version, "supportedVersions": list(scene.release.api_versions)}


def _info(scene: Scene, _given: Arguments) -> Json:
    # A storage address without a port would mean 3260: clients add it.
    return {
        "clusterInfo": {
            "mvip": scene.addresses.management.rpartition(":")[0],
            "svip": scene.addresses.storage,
            "uniqueID": scene.model.unique_id,
            "uuid": scene.model.uuid,
            "name": rendering.cluster_name(scene.model),
            "attributes": {},
            "ensemble": [scene.addresses.management.rpartition(":")[0]],
            "mvipNodeID": 1,
            "svipNodeID": 1,
            "mvipInterface": "Bond1G",
            "svipInterface": "Bond10G",
            "mvipVlanTag": "0",
            "svipVlanTag": "0",
            "repCount": 2,
            "encryptionAtRestState": "disabled",
            "softwareEncryptionAtRestState": "disabled",
            "defaultProtectionScheme": "doubleHelix",
            "enabledProtectionSchemes": list(_SCHEMES),
            "supportedProtectionSchemes": list(_SCHEMES),
        }
    }


def _version(scene: Scene, _given: Arguments) -> Json:
    software = scene.release.software
    return {
        "clusterAPIVersion": scene.release.api_version,
        "clusterVersion": software,
        "clusterVersionInfo": [{"nodeID": 1, "nodeVersion": software, "nodeInternalRevision": "1"}],
        "softwareVersionInfo": {
            "currentVersion": software,
            "pendingVersion": software,
            "nodeID": 0,
            "packageName": "",
            "startTime": _STARTED,
        },
    }


def _capacity(scene: Scene, _given: Arguments) -> Json:
    capacity, sessions = scene.model.capacity, len(scene.sessions)
    # In volumes each extent counts wherever it is mapped, on the drives it is there once.
    unique, in_snapshots = capacity.extents.value, scene.model.snapshots.mapped_bytes // EXTENT_BYTES
    in_volumes = capacity.extents.mapped - in_snapshots
    return {
        "clusterCapacity": {
            "activeBlockSpace": unique * EXTENT_BYTES,
            "activeSessions": sessions,
            "compressionPercent": 100,
            "deDuplicationPercent": _percent(capacity.extents.mapped, unique),
            "thinProvisioningPercent": _percent(capacity.used_bytes // EXTENT_BYTES, in_volumes),
            "averageIOPS": 0,
            "clusterRecentIOSize": 0,
            "currentIOPS": 0,
            "maxIOPS": _IOPS,
            "maxOverProvisionableSpace": capacity.total_bytes,
            "maxProvisionedSpace": capacity.total_bytes,
            "maxUsedMetadataSpace": capacity.total_bytes,
            "maxUsedSpace": capacity.total_bytes,
            "nonZeroBlocks": in_volumes,
            "peakActiveSessions": sessions,
            "peakIOPS": 0,
            "provisionedSpace": capacity.used_bytes,
            "snapshotNonZeroBlocks": in_snapshots,
            "timestamp": rendering.moment(scene.model.now()),
            "totalOps": 0,
            "uniqueBlocks": unique,
            "uniqueBlocksUsedSpace": unique * EXTENT_BYTES,
            "usedMetadataSpace": 0,
            "usedMetadataSpaceInSnapshots": 0,
            "usedSpace": unique * EXTENT_BYTES,
            "zeroBlocks": capacity.used_bytes // EXTENT_BYTES - in_volumes,
        }
    }


def _percent(told: int, there: int) -> int:
    """What saves nothing is at 100. Clients of the first releases read this; others work it out of the blocks."""
    return 100 * told // there if there else 100


def _limits(scene: Scene, _given: Arguments) -> Json:
    return {**_NOT_ENFORCED, **_enforced(scene.model.limits)}


# What these limit is not simulated.
_NOT_ENFORCED: Final = {
    "bulkVolumeJobsPerNodeMax": 8,
    "bulkVolumeJobsPerVolumeMax": 2,
    "clusterAdminAccountMax": 5000,
    "clusterPairsCountMax": 4,
    "fibreChannelVolumeAccessMax": 16384,
    "iscsiSessionsFromFibreChannelNodesMax": 4096,
    "scheduleNameLengthMax": 244,
    "virtualVolumeCountMax": 8000,
    "virtualVolumesPerAccountCountMax": 10000,
}


def _enforced(limits: Limits) -> Json:
    return {
        "accountCountMax": limits.accounts,
        "accountNameLengthMax": limits.account_name_length,
        "accountNameLengthMin": 1,
        "cloneJobsPerNodeMax": limits.clone_jobs_per_node,
        "cloneJobsPerVolumeMax": limits.clone_jobs_per_volume,
        "initiatorAliasLengthMax": limits.initiator_alias_length,
        "initiatorCountMax": limits.initiators,
        "initiatorNameLengthMax": limits.initiator_name_length,
        "initiatorsPerVolumeAccessGroupCountMax": limits.initiators_per_group,
        "qosPolicyCountMax": limits.qos_policies,
        "secretLengthMax": limits.secret_length_max,
        "secretLengthMin": limits.secret_length_min,
        "snapshotNameLengthMax": limits.snapshot_name_length,
        "snapshotsPerVolumeMax": limits.snapshots_per_volume,
        "volumeAccessGroupCountMax": limits.groups,
        "volumeAccessGroupLunMax": limits.lun_number,
        "volumeAccessGroupNameLengthMax": limits.group_name_length,
        "volumeAccessGroupNameLengthMin": 1,
        "volumeAccessGroupsPerInitiatorCountMax": 1,
        "volumeAccessGroupsPerVolumeCountMax": limits.groups_per_volume,
        "volumeBurstIOPSMax": limits.burst_iops_most,
        "volumeBurstIOPSMin": limits.burst_iops_least,
        "volumeCountMax": limits.volumes,
        "volumeMaxIOPSMax": limits.max_iops_most,
        "volumeMaxIOPSMin": limits.max_iops_least,
        "volumeMinIOPSMax": limits.min_iops_most,
        "volumeMinIOPSMin": limits.min_iops_least,
        "volumeNameLengthMax": limits.volume_name_length,
        "volumeNameLengthMin": 1,
        "volumeSizeMax": limits.volume_size_max,
        "volumeSizeMin": limits.volume_size_min,
        "volumesPerAccountCountMax": limits.volumes_per_account,
        "volumesPerGroupSnapshotMax": limits.volumes_per_group_snapshot,
        "volumesPerVolumeAccessGroupCountMax": limits.volumes_per_group,
    }


METHODS: Final = (
    Method("GetAPI", _get_api),
    Method("GetClusterInfo", _info),
    Method("GetClusterVersionInfo", _version),
    Method("GetClusterCapacity", _capacity, needs_sessions=True),
    Method("GetLimits", _limits),
)
