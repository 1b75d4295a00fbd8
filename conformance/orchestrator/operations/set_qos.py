"""Change a volume's QoS: set_qos on the plugin, nothing else. Failed: the cloud keeps the old values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from conformance.contract import Capability, InvalidRequest, QosDriver, QosPolicy
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.states import VolumeState
from conformance.orchestrator.steps import Step

from .volume_operation import VolumeOperation


class SetQos(VolumeOperation):
    """Sets values; None leaves a value as it is."""

    kind = "set_qos"

    def __init__(self, cloud: Cloud, volume_uuid: str, qos: QosPolicy) -> None:
        super().__init__(cloud, volume_uuid)
        self._qos = qos

    @classmethod
    def revive(cls, cloud: Cloud, volume_uuid: str, arguments: str) -> SetQos:
        """The operation again, from its journal."""
        return cls(cloud, volume_uuid, QosPolicy(*json.loads(arguments)))

    def arguments(self) -> str:
        return json.dumps([self._qos.min_iops, self._qos.max_iops, self._qos.burst_iops])

    def begin(self) -> Sequence[str]:
        claims = super().begin()
        self.cloud.require(Capability.QOS)
        if self.record.is_attached:
            self.cloud.require(Capability.QOS_ONLINE)
        merged(self.record.volume.request.qos, self._qos)
        return claims

    def steps(self) -> Sequence[Step]:
        return [Step("set_qos", self._set_qos)]

    def finish(self) -> None:
        request = self.record.volume.request
        request = replace(request, qos=merged(request.qos, self._qos))
        self.volume.learn(replace(self.record, volume=replace(self.record.volume, request=request)))
        self.cloud.volumes.set_state(self.object_uuid, VolumeState.READY)

    def _set_qos(self) -> None:
        driver = cast(QosDriver, self.cloud.driver)
        self.cloud.caller.plugin("set_qos", driver.set_qos, self.volume.store, self.record.volume, self._qos)


def merged(old: QosPolicy, new: QosPolicy) -> QosPolicy:
    """The policy after `new` is set over `old`; values that do not fit together: `InvalidRequest`."""
    values = [
        before if after is None else after
        for before, after in (
            (old.min_iops, new.min_iops),
            (old.max_iops, new.max_iops),
            (old.burst_iops, new.burst_iops),
        )
    ]
    try:
        return QosPolicy(*values)
    except ValueError:
        raise InvalidRequest("qos", tuple(values), "min_iops <= max_iops <= burst_iops") from None
