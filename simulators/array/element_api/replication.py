"""Methods for replication, of which there is none: what is listed is empty, and what is not paired can be unpaired.

Pairing itself (StartClusterPairing, StartVolumePairing and their kin) is not simulated and not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.element_api.errors import ApiError
from simulators.array.element_api.method import Method
from simulators.array.element_api.parameters import Arguments, Json, integer, required

if TYPE_CHECKING:
    from simulators.array.element_api.method import Scene

_VOLUME = required("volumeID", integer)


def _list_clusters(_scene: Scene, _given: Arguments) -> Json:
    return {"clusterPairs": []}


def _list_volumes(_scene: Scene, _given: Arguments) -> Json:
    return {"volumes": []}


def _remove(scene: Scene, given: Arguments) -> Json:
    # Some clients do this first, to be sure.
    scene.model.volumes.get_active(given[_VOLUME])
    return {}


def _modify(scene: Scene, given: Arguments) -> Json:
    volume = scene.model.volumes.get_active(given[_VOLUME])
    raise ApiError("xVolumeNotPaired", f"VolumeID {volume.volume_id} is not paired with a volume of another array.")


METHODS: Final = (
    Method("ListClusterPairs", _list_clusters),
    Method("ListActivePairedVolumes", _list_volumes),
    Method("RemoveVolumePair", _remove, (_VOLUME,)),
    Method("ModifyVolumePair", _modify, (_VOLUME,)),
)
