"""Volumes as their users know them: a size, bytes, and the hosts that may use them."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.contract.values import QosPolicy


@dataclass(slots=True)
class ExpectedVolume:
    """One volume. Bytes never written are zero."""

    size_bytes: int
    qos: QosPolicy
    hosts: set[int] = field(default_factory=set)
    written: dict[int, bytes] = field(default_factory=dict)

    def write(self, offset: int, data: bytes, block: int) -> None:
        """Write whole blocks."""
        for start in range(0, len(data), block):
            self.written[offset + start] = data[start : start + block]

    def block_at(self, offset: int, block: int) -> bytes:
        """The block that starts there."""
        return self.written.get(offset, bytes(block))


@dataclass(slots=True)
class ExpectedStore:
    """The volumes of one store, by the number a program calls them."""

    volumes: dict[int, ExpectedVolume] = field(default_factory=dict)

    def exists(self, volume: int) -> bool:
        """Whether there is such a volume now."""
        return volume in self.volumes

    def is_granted(self, volume: int, host: int) -> bool:
        """Whether this host may use this volume now."""
        return self.exists(volume) and host in self.volumes[volume].hosts
