"""What the array allows at most and at least: the values of Element 11.3 to 12 (GetLimits)."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.array.refusal import Reason, Refused

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Each can be set per array; older releases had 64 initiators per group and 4 groups per volume."""

    accounts: int = 5000
    account_name_length: int = 64
    secret_length_min: int = 12
    secret_length_max: int = 16
    volumes: int = 2000
    volumes_per_account: int = 2000
    volumes_per_group: int = 2000
    volume_name_length: int = 64
    volume_size_min: int = 10**9
    volume_size_max: int = 7_629_395 * MIB
    size_granularity: int = MIB
    snapshots_per_volume: int = 32
    snapshot_name_length: int = 255
    volumes_per_group_snapshot: int = 32
    clone_jobs_per_volume: int = 2
    clone_jobs_per_node: int = 8
    volumes_per_call: int = 500
    qos_policies: int = 500
    qos_policy_name_length: int = 64
    groups: int = 1000
    group_name_length: int = 64
    groups_per_volume: int = 64
    lun_number: int = 16_383
    initiators: int = 10_000
    initiators_per_group: int = 128
    initiator_name_length: int = 224
    initiator_alias_length: int = 224
    min_iops_least: int = 50
    min_iops_most: int = 15_000
    max_iops_least: int = 100
    max_iops_most: int = 200_000
    burst_iops_least: int = 100
    burst_iops_most: int = 200_000

    def rounded_up(self, size_bytes: int) -> int:
        """The size a volume of this size really gets."""
        return -(-size_bytes // self.size_granularity) * self.size_granularity


def check_count(count: int, limit: int, what: str) -> None:
    """Refuse a count above its limit; the text is shaped like a real array's."""
    if count > limit:
        raise Refused(Reason.LIMIT_EXCEEDED, f"Exceeded max number of {what} limit={limit}")


def check_length(text: str, least: int, most: int, what: str) -> None:
    """Refuse text of a length outside least..most; the text itself is not repeated: it may be a secret."""
    if not least <= len(text) <= most:
        raise Refused(
            Reason.VALUE_NOT_ALLOWED,
            f"{what} has {len(text)} characters; expected {least} to {most}",
        )
