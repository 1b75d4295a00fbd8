"""What all parts of the cloud's front share: see `orchestrator`."""

from __future__ import annotations

from conformance.contract import Cluster

from .cloud import Cloud
from .records import Way
from .runner import Runner


class Requests:
    """One part of what users can ask of the cloud."""

    _cloud: Cloud
    _runner: Runner

    def _lun_bytes(self, way: Way, cluster: Cluster, size_bytes: int) -> int:
        # A size that is no size goes to the plugin as it is: to refuse it is the plugin's duty.
        if way is not Way.FRAMEWORK or size_bytes <= 0:
            return size_bytes
        bridge = self._cloud.bridge(cluster)
        return self._cloud.caller.bridge("lun_bytes_for", bridge.lun_bytes_for, size_bytes)
