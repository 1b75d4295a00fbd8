"""What a plugin is told about hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .values import DataStore, Host


class HostListener(Protocol):
    """Optional: what a plugin does when hosts come and go (CloudStack: HypervisorHostListener).

    Every call is idempotent; a failure is raised, never swallowed. Events may come late, twice or out of
    order.
    """

    def host_added(self, host: Host, stores: Sequence[DataStore]) -> None:
        """Prepare for a host that joined a cluster using these stores; called before it connects."""
        ...

    def host_connected(self, host: Host, store: DataStore) -> None:
        """Take note that the host (re)connected; called for each store of its cluster."""
        ...

    def host_disconnected(self, host: Host, store: DataStore) -> None:
        """Take note that the host is gone for now; do not rely on being told."""
        ...

    def host_about_to_be_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        """Take the leaving host's initiators from the array; the orchestrator has revoked its grants."""
        ...

    def host_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        """Take note that the host has left."""
        ...

    def host_enabled(self, host: Host, stores: Sequence[DataStore]) -> None:
        """Catch up with a host that came back from disabled or maintenance."""
        ...
