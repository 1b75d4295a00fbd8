"""A volume as a value: what it is called, what it may do, what it holds; and what a caller may want of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from simulators.array.qos import Qos, QosChange
    from simulators.array.store import Blocks


ALIGNMENT_BYTES: Final = 4096


class Access(StrEnum):
    """What initiators may do; a locked volume lets nobody in, nor does one that waits for a copy of another array's."""

    READ_WRITE = "readWrite"
    READ_ONLY = "readOnly"
    LOCKED = "locked"
    REPLICATION_TARGET = "replicationTarget"

    @property
    def is_closed(self) -> bool:
        """Whether nobody gets in."""
        return self in {Access.LOCKED, Access.REPLICATION_TARGET}


@dataclass(slots=True)
class Traffic:
    """What went over the data path; what is not aligned to 4 KiB is counted apart as well."""

    read_bytes: int = 0
    read_operations: int = 0
    unaligned_reads: int = 0
    write_bytes: int = 0
    write_operations: int = 0
    unaligned_writes: int = 0
    last_at: datetime | None = None

    def record_read(self, offset: int, length: int, at: datetime) -> None:
        """Count a read."""
        self.read_operations += 1
        self.read_bytes += length
        self.unaligned_reads += (offset | length) % ALIGNMENT_BYTES != 0
        self.last_at = at

    def record_write(self, offset: int, length: int, at: datetime) -> None:
        """Count a write."""
        self.write_operations += 1
        self.write_bytes += length
        self.unaligned_writes += (offset | length) % ALIGNMENT_BYTES != 0
        self.last_at = at


@dataclass(slots=True)
class Volume:
    """A volume; deleted when `purge_at` is set, a clone in the making while `is_copying`.

    `groups` and `snapshots` are the numbers of the access groups it is in and of the snapshots it has. Sessions that
    began before revision `sessions_ended_at` are over.
    """

    volume_id: int
    name: str
    account_id: int
    size_bytes: int
    uuid: str
    iqn: str
    naa: str
    eui: str | None
    created_at: datetime
    changed_at: datetime
    has_512e: bool
    qos: Qos
    attributes: Mapping[str, object]
    blocks: Blocks = field(repr=False)
    access: Access = Access.READ_WRITE
    deleted_at: datetime | None = None
    purge_at: datetime | None = None
    groups: dict[int, None] = field(default_factory=dict)
    snapshots: dict[int, None] = field(default_factory=dict)
    qos_policy_id: int | None = None
    is_copying: bool = False
    size_changes: int = 0
    sessions_ended_at: int = 0
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def is_deleted(self) -> bool:
        """Whether it waits to be purged: no target then, but name, space and data stay."""
        return self.purge_at is not None

    @property
    def has_target(self) -> bool:
        """Whether initiators find it."""
        return not self.is_deleted and not self.is_copying


class Content(Protocol):
    """What can be cloned or rolled back to: a volume, a snapshot, or what one of them held."""

    @property
    def size_bytes(self) -> int:
        """How large it is: there is nothing in `blocks` beyond that."""
        ...

    @property
    def blocks(self) -> Blocks:
        """Its bytes."""
        ...


@dataclass(frozen=True, slots=True)
class VolumeWish:
    """What a caller wants of a new volume; under a QoS policy, that decides and not `qos`.

    A clone begins with what `content` holds.
    """

    name: str
    account_id: int
    size_bytes: int
    has_512e: bool
    qos: QosChange
    attributes: Mapping[str, object]
    access: Access = Access.READ_WRITE
    qos_policy_id: int | None = None
    content: Content | None = None
    is_copying: bool = False


@dataclass(frozen=True, slots=True)
class VolumeChange:
    """What a caller wants changed; None leaves a value as it is.

    New QoS values take a volume out of its policy, as `leaves_qos_policy` does without changing them.
    """

    account_id: int | None = None
    size_bytes: int | None = None
    qos: QosChange | None = None
    access: Access | None = None
    attributes: Mapping[str, object] | None = None
    qos_policy_id: int | None = None
    leaves_qos_policy: bool = False
