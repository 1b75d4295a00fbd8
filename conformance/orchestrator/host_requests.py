"""What administrators ask of the cloud about hosts that stay, and what it hears of them."""

from __future__ import annotations

from conformance.contract import Host, HostState

from .operations.cancel_maintain_host import CancelMaintainHost
from .operations.connect_host import ConnectHost
from .operations.disconnect_host import DisconnectHost
from .operations.maintain_host import MaintainHost
from .requests import Requests


class HostRequests(Requests):
    """Hosts that are out of use for a while."""

    def maintain_host(self, host: Host) -> None:
        """Take a host out of use; refused while a VM runs on it. In maintenance: success."""
        if self.host_state(host) is not HostState.MAINTENANCE:
            self._runner.run(MaintainHost(self._cloud, host))

    def cancel_maintain_host(self, host: Host) -> None:
        """Take a host into use again, with all that was made meanwhile; in use: success."""
        if self.host_state(host) is HostState.MAINTENANCE:
            self._runner.run(CancelMaintainHost(self._cloud, host))

    def disconnect_host(self, host: Host) -> None:
        """Take note that a host is gone for now; told again each time."""
        self._runner.run(DisconnectHost(self._cloud, host))

    def connect_host(self, host: Host) -> None:
        """Take note that a host is connected, and let it catch up; told again each time."""
        self._runner.run(ConnectHost(self._cloud, host))

    def host_state(self, host: Host) -> HostState:
        """What the cloud does with a host."""
        return self._cloud.hosts.state(host.uuid)
