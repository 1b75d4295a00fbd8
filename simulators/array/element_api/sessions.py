"""The method that lists iSCSI sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.method import Method

if TYPE_CHECKING:
    from simulators.array.element_api.method import Scene
    from simulators.array.element_api.parameters import Arguments, Json
    from simulators.array.volume import Volume
    from simulators.iscsi.backend import SessionInfo

_ALGORITHMS: Final = {5: "MD5", 7: "SHA-256"}


def _list(scene: Scene, _given: Arguments) -> Json:
    found = ((each, scene.model.volumes.find_target(each.target_iqn)) for each in scene.sessions)
    return {"sessions": [_rendered(scene, each, volume) for each, volume in found if volume is not None]}


def _rendered(scene: Scene, session: SessionInfo, volume: Volume) -> Json:
    initiator = scene.model.initiators.find_named(session.initiator_iqn)
    return {
        "accountID": volume.account_id,
        "accountName": scene.model.accounts.get(volume.account_id).username,
        "authentication": _authentication(session),
        "createTime": rendering.moment(scene.model.now() - timedelta(seconds=session.age_seconds)),
        "driveID": 1,
        "driveIDs": [1],
        "initiator": None if initiator is None else rendering.initiator(initiator),
        "initiatorIP": session.initiator_address,
        "initiatorName": session.initiator_iqn,
        "initiatorPortName": f"{session.initiator_iqn},i,0x{session.isid.hex()}",
        "initiatorSessionID": int.from_bytes(session.isid, "big"),
        "msSinceLastIscsiPDU": int(session.idle_seconds * 1000),
        "msSinceLastScsiCommand": int(session.command_idle_seconds * 1000),
        "nodeID": 1,
        "serviceID": 1,
        "sessionID": session.tsih,
        "targetIP": scene.addresses.storage,
        "targetName": session.target_iqn,
        "targetPortName": f"{session.target_iqn},t,0x1",
        "virtualNetworkID": 0,
        "volumeID": volume.volume_id,
        "volumeInstance": volume.volume_id,
    }


def _authentication(session: SessionInfo) -> Json:
    if session.chap_username is None:
        return {"authMethod": "None", "chapAlgorithm": "null", "chapUsername": "null", "direction": "null"}
    return {
        "authMethod": "CHAP",
        "chapAlgorithm": _ALGORITHMS.get(session.chap_algorithm or 0, "null"),
        "chapUsername": session.chap_username,
        "direction": "two-way" if session.is_mutual else "one-way",
    }


METHODS: Final = (Method("ListISCSISessions", _list, needs_sessions=True),)
