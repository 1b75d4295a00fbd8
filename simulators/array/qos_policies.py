"""The array's default quality of service, and named policies that many volumes share.

A volume under a policy has the policy's values, and follows when they change. It leaves by being given values of its
own or by being told to, and keeps the values it has when the policy is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.array.limits import check_count, check_length
from simulators.array.qos import Qos, QosChange
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register

if TYPE_CHECKING:
    from simulators.array.limits import Limits
    from simulators.array.volume import Volume


@dataclass(slots=True)
class QosPolicy:
    """A policy with its volumes, deleted ones too."""

    policy_id: int
    name: str
    qos: Qos
    volumes: dict[int, Volume] = field(default_factory=dict, repr=False)


class QosPolicies:
    """The policies by number; `default` is what volumes get whose maker does not ask for more."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.default = Qos()
        self.rows: Register[QosPolicy] = Register()

    def get(self, policy_id: int) -> QosPolicy:
        """The policy of that number."""
        policy = self.rows.find(policy_id)
        if policy is None:
            raise Refused(Reason.QOS_POLICY_UNKNOWN, f"QoSPolicyID {policy_id} does not exist.")
        return policy

    def set_default(self, change: QosChange) -> Qos:
        """Change what volumes made from now on get; those there are keep what they have."""
        self.default = self.default.changed(change, self._limits)
        return self.default

    def create(self, name: str, wanted: QosChange) -> QosPolicy:
        """Make a policy; values that are not given are the defaults."""
        self._check_name(name)
        qos = self.default.changed(wanted, self._limits)
        check_count(len(self.rows) + 1, self._limits.qos_policies, "qosPolicies.")
        policy = QosPolicy(self.rows.next_number, name, qos)
        self.rows.add(policy)
        return policy

    def modify(self, policy_id: int, name: str | None, change: QosChange) -> QosPolicy:
        """Change what is given, for all volumes under the policy."""
        policy = self.get(policy_id)
        if name is not None:
            self._check_name(name)
        policy.qos = policy.qos.changed(change, self._limits)
        policy.name = name or policy.name
        for volume in policy.volumes.values():
            volume.qos = policy.qos
        return policy

    def delete(self, policy_id: int) -> None:
        """Forget a policy; its volumes keep its values as their own."""
        policy = self.get(policy_id)
        for volume in policy.volumes.values():
            volume.qos_policy_id = None
        self.rows.remove(policy_id)

    def join(self, volume: Volume, policy: QosPolicy) -> None:
        """Put a volume under a policy, and no other."""
        self.leave(volume)
        volume.qos_policy_id, volume.qos = policy.policy_id, policy.qos
        policy.volumes[volume.volume_id] = volume

    def leave(self, volume: Volume) -> None:
        """Let a volume keep its values as its own."""
        if volume.qos_policy_id is not None:
            del self.get(volume.qos_policy_id).volumes[volume.volume_id]
            volume.qos_policy_id = None

    def _check_name(self, name: str) -> None:
        check_length(name, 1, self._limits.qos_policy_name_length, "name")
