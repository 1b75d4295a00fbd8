"""Methods for what the cluster is made of and who looks after it: one node with two drives, and one administrator.

Nothing in it breaks, so there are no faults.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.method import Method
from simulators.array.element_api.parameters import (
    Arguments,
    Json,
    boolean,
    integer,
    optional,
    or_nothing,
    positive,
    text,
)
from simulators.array.element_api.values import instant

if TYPE_CHECKING:
    from simulators.array.element_api.method import Scene
    from simulators.array.events import Event

_NODE: Final = 1
_API_EVENT: Final = "apiEvent"
_DRIVES: Final = {1: "volume", 2: "block"}
_SEGMENT_BYTES: Final = 10 << 20
_STAGES: Final = {1: "Happy", 2: "Aware", 3: "Low", 4: "Critical", 5: "CompletelyConsumed"}
_FORCE = optional("force", boolean)
_MAX_EVENTS = optional("maxEvents", or_nothing(positive))
_FIRST_EVENT = optional("startEventID", integer)
_LAST_EVENT = optional("endEventID", integer)
_EVENT_TYPE = optional("eventType", text)
_FIRST_TIME = optional("startReportTime", instant)
_LAST_TIME = optional("endReportTime", instant)
# Administrators are warned when this much of the array's blocks, in hundredths, is in use.
_AWARE_PERCENT: Final = 92
_LOW_PERCENT: Final = 95
_CRITICAL_PERCENT: Final = 98


def _state(scene: Scene, _given: Arguments) -> Json:
    state = {"cluster": rendering.cluster_name(scene.model), "state": "Active"}
    return {**state, "nodes": [{"nodeID": _NODE, "result": state}]}


def _no_faults(_scene: Scene, _given: Arguments) -> Json:
    return {"faults": []}


def _active_nodes(scene: Scene, _given: Arguments) -> Json:
    return {"nodes": [_node(scene)]}


def _all_nodes(scene: Scene, given: Arguments) -> Json:
    return {**_active_nodes(scene, given), **_pending_nodes(scene, given), **_pending_active_nodes(scene, given)}


def _pending_nodes(_scene: Scene, _given: Arguments) -> Json:
    return {"pendingNodes": []}


def _pending_active_nodes(_scene: Scene, _given: Arguments) -> Json:
    return {"pendingActiveNodes": []}


def _node(scene: Scene) -> Json:
    management, storage = (each.rpartition(":")[0] for each in (scene.addresses.management, scene.addresses.storage))
    return {
        "nodeID": _NODE,
        "name": f"{rendering.cluster_name(scene.model)}-node-{_NODE}",
        "uuid": scene.model.uuid,
        "associatedFServiceID": 0,
        "associatedMasterServiceID": 1,
        "attributes": {},
        "mip": management,
        "mipi": "Bond1G",
        "cip": storage,
        "cipi": "Bond10G",
        "sip": storage,
        "sipi": "Bond10G",
        "platformInfo": {
            "chassisType": "simulated",
            "cpuModel": "simulated",
            "nodeMemoryGB": 0,
            "nodeType": "simulated",
            "platformConfigVersion": scene.release.software,
        },
        "role": "Storage",
        "softwareVersion": scene.release.software,
        "virtualNetworks": [],
        "maintenanceMode": "Disabled",
    }


def _drives(scene: Scene, _given: Arguments) -> Json:
    return {"drives": [_drive(scene, drive_id, kind) for drive_id, kind in _DRIVES.items()]}


def _drive(scene: Scene, drive_id: int, kind: str) -> Json:
    return {
        "driveID": drive_id,
        "nodeID": _NODE,
        "capacity": scene.model.capacity.total_bytes,
        "usableCapacity": scene.model.capacity.total_bytes,
        "serial": f"{scene.model.unique_id}-{drive_id}",
        "slot": drive_id - 1,
        "chassisSlot": str(drive_id - 1),
        "status": "active",
        "type": kind,
        "attributes": {},
        "driveFailureDetail": "None",
        "driveSecurityFaultReason": "None",
        "keyID": rendering.NO_UUID,
        "keyProviderID": 0,
        "segmentFileSize": _SEGMENT_BYTES,
    }


def _events(scene: Scene, given: Arguments) -> Json:
    kinds = given[_EVENT_TYPE]
    found = (each for each in scene.model.events if kinds in (None, _API_EVENT) and _is_asked_for(each, given))
    return {
        "eventQueueType": "any",
        "events": [_event(each) for each in islice(found, given[_MAX_EVENTS])],
    }


def _is_asked_for(event: Event, given: Arguments) -> bool:
    first, last = given[_FIRST_EVENT], given[_LAST_EVENT]
    since, until = given[_FIRST_TIME], given[_LAST_TIME]
    return (
        (first is None or event.event_id >= first)
        and (last is None or event.event_id <= last)
        and (since is None or event.at >= since)
        and (until is None or event.at <= until)
    )


def _event(event: Event) -> Json:
    at = rendering.moment(event.at)
    return {
        "eventID": event.event_id,
        "eventInfoType": _API_EVENT,
        "message": f"API Call ({event.operation})",
        "details": {"method": event.operation},
        "severity": 0,
        "nodeID": _NODE,
        "serviceID": 1,
        "driveID": 0,
        "driveIDs": [],
        "timeOfReport": at,
        "timeOfPublish": at,
    }


def _administrator(scene: Scene) -> Json:
    return {
        "clusterAdminID": 1,
        "username": scene.administrator,
        "access": ["administrator"],
        "authMethod": "Cluster",
        "attributes": {},
    }


def _current_administrator(scene: Scene, _given: Arguments) -> Json:
    return {"clusterAdmin": _administrator(scene)}


def _administrators(scene: Scene, _given: Arguments) -> Json:
    return {"clusterAdmins": [_administrator(scene)]}


def _threshold(scene: Scene, _given: Arguments) -> Json:
    capacity = scene.model.capacity
    total, used = capacity.total_bytes, capacity.extents.value * rendering.BLOCK_BYTES
    percents = {2: _AWARE_PERCENT, 3: _LOW_PERCENT, 4: _CRITICAL_PERCENT, 5: 100}
    levels = {stage: total * percent // 100 for stage, percent in percents.items()}
    fullness = [f"stage{stage}{word}" for stage, word in _STAGES.items() if used >= levels.get(stage, 0)][-1]
    return {
        "blockFullness": fullness,
        "fullness": fullness,
        "metadataFullness": "stage1Happy",
        "maxMetadataOverProvisionFactor": 5,
        "sliceReserveUsedThresholdPct": 5,
        "stage2AwareThreshold": _LOW_PERCENT - _AWARE_PERCENT,
        "stage3LowThreshold": 2,
        "stage3BlockThresholdPercent": _LOW_PERCENT,
        "stage3MetadataThresholdPercent": _LOW_PERCENT,
        "stage4CriticalThreshold": 1,
        **{f"stage{stage}BlockThresholdBytes": level for stage, level in levels.items()},
        **{f"stage{stage}MetadataThresholdBytes": level for stage, level in levels.items()},
        "sumTotalClusterBytes": total,
        "sumTotalMetadataClusterBytes": total,
        "sumUsedClusterBytes": used,
        "sumUsedMetadataClusterBytes": 0,
    }


def _master_node(_scene: Scene, _given: Arguments) -> Json:
    return {"nodeID": _NODE}


def _no_networks(_scene: Scene, _given: Arguments) -> Json:
    return {"virtualNetworks": []}


METHODS: Final = (
    Method("GetClusterState", _state, (_FORCE,)),
    Method("ListClusterFaults", _no_faults),
    Method("ListActiveNodes", _active_nodes),
    Method("ListAllNodes", _all_nodes),
    Method("ListPendingNodes", _pending_nodes),
    Method("ListPendingActiveNodes", _pending_active_nodes),
    Method("ListDrives", _drives),
    Method("ListEvents", _events, (_MAX_EVENTS, _FIRST_EVENT, _LAST_EVENT, _EVENT_TYPE, _FIRST_TIME, _LAST_TIME)),
    Method("GetCurrentClusterAdmin", _current_administrator),
    Method("ListClusterAdmins", _administrators),
    Method("GetClusterFullThreshold", _threshold),
    Method("GetClusterMasterNodeID", _master_node),
    Method("ListVirtualNetworks", _no_networks),
)
