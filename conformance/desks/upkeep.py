"""Primary storages and hosts in use, at the cloud's desk: maintenance, disabling, capacity."""

from __future__ import annotations

from conformance.contract import Host, HostState
from conformance.orchestrator import StoreState

from .base import DeskBase


class UpkeepDesk(DeskBase):
    """Take storage and hosts out of use, and back. At the end the storage is in use again."""

    def maintain_storage(self) -> None:
        """Take the primary storage out of use; its VMs are stopped."""
        self.ready()
        self._world.defer("cancel_maintain_storage", self._back_in_use)
        self._do("maintain_storage", lambda: self._orchestrator.maintain_storage(self._request.uuid))

    def cancel_maintain_storage(self) -> None:
        """Take the primary storage into use again."""
        self._do("cancel_maintain_storage", lambda: self._orchestrator.cancel_maintain_storage(self._request.uuid))

    def disable_storage(self) -> None:
        """Make no new volumes in the primary storage."""
        self.ready()
        self._do("disable_storage", lambda: self._orchestrator.disable_storage(self._request.uuid))

    def enable_storage(self) -> None:
        """Make new volumes in the primary storage again."""
        self._do("enable_storage", lambda: self._orchestrator.enable_storage(self._request.uuid))

    def update_storage(self, capacity_bytes: int, capacity_iops: int | None = None) -> None:
        """Give the primary storage another capacity."""
        self.ready()
        self._do(
            "update_storage",
            lambda: self._orchestrator.update_storage(self._request.uuid, capacity_bytes, capacity_iops),
        )

    def capacity_bytes(self) -> int:
        """The primary storage's capacity as the cloud believes it to be."""
        return self._orchestrator.stores()[0].request.capacity_bytes

    def maintain_host(self, host: Host) -> None:
        """Take a host out of use; no VM runs on it."""
        self._do("maintain_host", lambda: self._orchestrator.maintain_host(host))

    def cancel_maintain_host(self, host: Host) -> None:
        """Take a host into use again; it catches up."""
        self._do("cancel_maintain_host", lambda: self._orchestrator.cancel_maintain_host(host))

    def disconnect_host(self, host: Host) -> None:
        """The cloud hears that a host is gone for now."""
        self._do("disconnect_host", lambda: self._orchestrator.disconnect_host(host))

    def connect_host(self, host: Host) -> None:
        """The cloud hears that a host is connected; it catches up."""
        self._do("connect_host", lambda: self._orchestrator.connect_host(host))

    def host_state(self, host: Host) -> HostState:
        """What the cloud does with a host."""
        return self._orchestrator.host_state(host)

    def _back_in_use(self) -> None:
        for each in self._orchestrator.stores():
            if each.state in {StoreState.MAINTENANCE, StoreState.ERROR_IN_MAINTENANCE}:
                self._orchestrator.cancel_maintain_storage(each.uuid)
