"""Methods for quality of service: the array's defaults, and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.element_api import rendering
from simulators.array.element_api.method import Method
from simulators.array.element_api.parameters import (
    Arguments,
    Json,
    integer,
    optional,
    or_nothing,
    positive,
    required,
    text,
)
from simulators.array.element_api.values import qos
from simulators.array.qos import QosChange

if TYPE_CHECKING:
    from simulators.array.element_api.method import Scene
    from simulators.array.qos_policies import QosPolicy

_POLICY = required("qosPolicyID", integer)
_NAME = required("name", text)
_NEW_NAME = optional("name", text)
_QOS = required("qos", qos)
_NEW_QOS = optional("qos", qos)
_MIN_IOPS = optional("minIOPS", or_nothing(positive))
_MAX_IOPS = optional("maxIOPS", or_nothing(positive))
_BURST_IOPS = optional("burstIOPS", or_nothing(positive))


def _get_default(scene: Scene, _given: Arguments) -> Json:
    return rendering.qos(scene.model.policies.default)


def _set_default(scene: Scene, given: Arguments) -> Json:
    change = QosChange(given[_MIN_IOPS], given[_MAX_IOPS], given[_BURST_IOPS])
    return rendering.qos(scene.model.policies.set_default(change))


def _create(scene: Scene, given: Arguments) -> Json:
    return _shown(scene.model.policies.create(given[_NAME], given[_QOS]))


def _get(scene: Scene, given: Arguments) -> Json:
    return _shown(scene.model.policies.get(given[_POLICY]))


def _list(scene: Scene, _given: Arguments) -> Json:
    return {"qosPolicies": [rendering.qos_policy(each) for each in scene.model.policies.rows]}


def _modify(scene: Scene, given: Arguments) -> Json:
    return _shown(scene.model.policies.modify(given[_POLICY], given[_NEW_NAME], given[_NEW_QOS] or QosChange()))


def _delete(scene: Scene, given: Arguments) -> Json:
    scene.model.policies.delete(given[_POLICY])
    return {}


def _shown(policy: QosPolicy) -> Json:
    return {"qosPolicy": rendering.qos_policy(policy)}


METHODS: Final = (
    Method("GetDefaultQoS", _get_default),
    Method("SetDefaultQoS", _set_default, (_MIN_IOPS, _MAX_IOPS, _BURST_IOPS)),
    Method("CreateQoSPolicy", _create, (_NAME, _QOS)),
    Method("GetQoSPolicy", _get, (_POLICY,)),
    Method("ListQoSPolicies", _list),
    Method("ModifyQoSPolicy", _modify, (_POLICY, _NEW_NAME, _NEW_QOS)),
    Method("DeleteQoSPolicy", _delete, (_POLICY,)),
)
