"""Choices that are all right but must be declared, and limits that are numbers.

A trait is None where the capability it belongs to is not supported. Certification profiles put ceilings on
traits, so declaring a slow or loose behaviour does not excuse it without end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .frozen_mapping import FrozenMapping
from .values import QosPolicy


class AccessGranularity(StrEnum):
    """Who sees a LUN after `grant_access` for one host."""

    HOST = "host"
    CLUSTER = "cluster"


class AccessMechanism(StrEnum):
    """What keeps other hosts out.

    By CHAP alone whoever knows the secret gets in. So one that a volume's hosts share (`ChapScope.VOLUME`) is replaced
    by `revoke_access` and `fence`, and the cloud asks `connection` again for the hosts that stay; one that is good for
    more than one volume of more than one host cannot keep a host out, and needs masks besides.
    """

    MASK = "mask"
    CHAP = "chap"
    BOTH = "both"


class ChapScope(StrEnum):
    """What one CHAP account is good for. A volume's may be one for all its hosts or one for each."""

    VOLUME = "volume"
    HOST = "host"
    TENANT = "tenant"
    CONTROLLER = "controller"


class LunNumberScope(StrEnum):
    """Within what a LUN number is unique."""

    TARGET = "target"
    HOST = "host"
    CLUSTER = "cluster"


class DeleteWithDependents(StrEnum):
    """What `delete` does while snapshots or clones depend on the volume."""

    REFUSED = "refused"
    DEFERRED = "deferred"
    CASCADES = "cascades"
    INDEPENDENT = "independent"


class DeleteWhileGranted(StrEnum):
    """What `delete` does while a host still has access."""

    REFUSED = "refused"
    REVOKES = "revokes"


class RevertScope(StrEnum):
    """What a revert takes with it."""

    ONLY_THIS = "only_this"
    DISCARDS_NEWER = "discards_newer"


class BelowMinimum(StrEnum):
    """What `create` does with a size below the smallest LUN."""

    REFUSED = "refused"
    ROUNDED_UP = "rounded_up"


class SpaceAccounting(StrEnum):
    """What `used` counts."""

    PROVISIONED = "provisioned"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Traits:
    """How this plugin behaves where several behaviours are right.

    `trash_seconds` is how long the array keeps deleted LUNs (0: not at all); `completion_seconds` gives a
    ceiling per driver method name, `default_completion_seconds` for the rest; `stats_lag_seconds` is how old
    `used` may be; `name_rule` says in words how names on the array are made.
    """

    access_granularity: AccessGranularity
    access_mechanism: AccessMechanism
    lun_number_scope: LunNumberScope
    delete_while_granted: DeleteWhileGranted
    below_minimum: BelowMinimum
    space_accounting: SpaceAccounting
    overprovisioning: bool
    name_rule: str
    chap_scope: ChapScope | None = None
    delete_with_snapshots: DeleteWithDependents | None = None
    source_delete_with_clones: DeleteWithDependents | None = None
    revert_scope: RevertScope | None = None
    rotation_drops_sessions: bool | None = None
    trash_seconds: int = 0
    stats_lag_seconds: float = 0.0
    default_completion_seconds: float = 10.0
    completion_seconds: Mapping[str, float] = field(default_factory=dict)
    since = "0.1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "completion_seconds", FrozenMapping(self.completion_seconds))
        if self.trash_seconds < 0 or self.stats_lag_seconds < 0 or self.default_completion_seconds <= 0:
            raise ValueError(
                "trash_seconds and stats_lag_seconds must not be negative, default_completion_seconds must be positive"
            )

    def seconds_for(self, method: str) -> float:
        """Tell how long this driver method may take before it counts as late."""
        return self.completion_seconds.get(method, self.default_completion_seconds)


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers the plugin stands by; strategies draw inside them and requirements probe their edges.

    Sizes are bytes; `granularity_bytes` is what LUN sizes are rounded up to. The smallest and the largest LUN can be
    asked for, so the largest is a whole number of granules. `name_length` is how many characters the name of a volume
    or snapshot request may have; a longer one may be refused with `InvalidRequest`. A count that is None
    is not known: the array takes what it takes, and then the plugin raises `LimitReached`. Where limits leave no room
    for what a requirement needs (a second snapshot, a larger LUN), that is not applicable.
    """

    smallest_lun_bytes: int
    largest_lun_bytes: int
    granularity_bytes: int
    luns_per_host: int | None = None
    initiators_per_group: int | None = None
    groups_per_lun: int | None = None
    snapshots_per_volume: int | None = None
    name_length: int = 255
    qos_smallest: QosPolicy | None = None
    qos_largest: QosPolicy | None = None
    since = "0.1"

    def __post_init__(self) -> None:
        if not 0 < self.smallest_lun_bytes <= self.largest_lun_bytes:
            raise ValueError("expected 0 < smallest_lun_bytes <= largest_lun_bytes")
        if self.granularity_bytes <= 0 or self.name_length <= 0:
            raise ValueError("granularity_bytes and name_length must be positive")

    def rounded_up(self, size_bytes: int) -> int:
        """Round a size up to the granularity: what a LUN of `size_bytes` really has."""
        return -(-size_bytes // self.granularity_bytes) * self.granularity_bytes
