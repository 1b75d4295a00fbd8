"""What a plugin may support, and the two answers it can give to each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Capability(StrEnum):
    """Everything optional. A plugin answers for every member known to the contract version it declares."""

    RESIZE = "resize"
    RESIZE_ONLINE = "resize_online"
    SHRINK = "shrink"
    SNAPSHOT = "snapshot"
    QUIESCED_SNAPSHOT = "quiesced_snapshot"
    REVERT = "revert"
    VOLUME_FROM_SNAPSHOT = "volume_from_snapshot"
    VOLUME_FROM_VOLUME = "volume_from_volume"
    COPY = "copy"
    QOS = "qos"
    QOS_ONLINE = "qos_online"
    CHAP = "chap"
    MUTUAL_CHAP = "mutual_chap"
    CHAP_ROTATION = "chap_rotation"
    THIN = "thin"
    UNMAP = "unmap"
    MULTIPATH = "multipath"
    VOLUME_STATS = "volume_stats"
    SHARED_GROWTH = "shared_growth"
    TEMPLATE_CACHE = "template_cache"
    MIGRATION_QOS = "migration_qos"

    @property
    def since(self) -> str:
        """The contract version that introduced this capability."""
        return "0.1"


@dataclass(frozen=True, slots=True)
class Supported:
    """The capability works."""

    since = "0.1"

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The capability is not there, and why: the reason is printed in every report."""

    reason: str
    since = "0.1"

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("Unsupported has no reason; expected a few words for the report")

    def __bool__(self) -> bool:
        return False


Answer = Supported | Unsupported
