"""Volumes as their users know them: a size, bytes, the hosts that may use them, and what was kept of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.contract.values import QosPolicy


@dataclass(frozen=True, slots=True)
class ExpectedSnapshot:
    """A volume at one moment: whose, how large, and its bytes."""

    volume: int
    size_bytes: int
    written: Mapping[int, bytes]


@dataclass(slots=True)
class ExpectedVolume:
    """One volume. Bytes never written are zero."""

    size_bytes: int
    qos: QosPolicy
    store: int = 0
    hosts: set[int] = field(default_factory=set)
    written: dict[int, bytes] = field(default_factory=dict)

    def write(self, offset: int, data: bytes, block: int) -> None:
        """Write whole blocks."""
        for start in range(0, len(data), block):
            self.written[offset + start] = data[start : start + block]

    def block_at(self, offset: int, block: int) -> bytes:
        """The block that starts there."""
        return self.written.get(offset, bytes(block))

    def revert(self, snapshot: ExpectedSnapshot, block: int) -> None:
        """Take the snapshot's bytes; what was written elsewhere since reads as zeros."""
        self.written = {offset: bytes(block) for offset in self.written} | dict(snapshot.written)


@dataclass(slots=True)
class ExpectedStores:
    """Volumes and snapshots, by the numbers a program calls them."""

    volumes: dict[int, ExpectedVolume] = field(default_factory=dict)
    snapshots: dict[int, ExpectedSnapshot] = field(default_factory=dict)

    def exists(self, volume: int) -> bool:
        """Whether there is such a volume now."""
        return volume in self.volumes

    def is_granted(self, volume: int, host: int) -> bool:
        """Whether this host may use this volume now."""
        return self.exists(volume) and host in self.volumes[volume].hosts

    def take(self, snapshot: int, volume: int) -> None:
        """Keep the volume as it is now."""
        found = self.volumes[volume]
        self.snapshots[snapshot] = ExpectedSnapshot(volume, found.size_bytes, dict(found.written))

    def snapshots_of(self, volume: int) -> list[int]:
        """Numbers of the snapshots of a volume."""
        return [number for number, each in self.snapshots.items() if each.volume == volume]
