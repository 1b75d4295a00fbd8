"""Launch a simulated KVM cluster: ``launch = "simulators.libvirt.launcher:test_driver"``.

Settings: `hosts` (2; 1 to 64) and `hosts_without_initiator` (0), how many of them have no iSCSI initiator.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence

from conformance.contract import (
    Cluster,
    ClusterEntry,
    Dial,
    Host,
    HypervisorType,
    HypervisorWitness,
    LaunchFailed,
    LaunchOptions,
    LaunchUnavailable,
    Transport,
)

_MOST_HOSTS = 64
_PARALLEL_HOSTS = 32


def test_driver(options: LaunchOptions) -> ClusterEntry:
    """Start the entry; on sockets, a daemon process with it."""
    hosts = _count(options, "hosts", default=2, least=1, most=_MOST_HOSTS)
    without = _count(options, "hosts_without_initiator", default=0, least=0, most=hosts)
    _check_settings(options)
    _prepare_libvirt()
    return LibvirtEntry(options, hosts, without)


class LibvirtEntry:
    """A `ClusterEntry`; owns the daemon."""

    def __init__(self, options: LaunchOptions, hosts: int, hosts_without_initiator: int) -> None:
        from simulators.libvirt.remote import DaemonProcess
        from simulators.libvirt.rpc import RpcError

        self._name, self._hosts, self._without = options.name, hosts, hosts_without_initiator
        self._prefix = uuid.uuid4().hex[:8]
        self._numbers = itertools.count(1)
        try:
            self._daemon = DaemonProcess() if options.transport is Transport.SOCKETS else None
        except (OSError, RpcError) as error:
            raise LaunchFailed(f"{options.name}: the libvirt daemon did not start: {error}") from error

    @property
    def socket_path(self) -> str | None:
        """Where the daemon listens; None in memory."""
        return None if self._daemon is None else self._daemon.socket_path

    def open_world(self, dial: Dial) -> LibvirtWorld:
        """A fresh cluster. In the daemon pools log in over TCP; LUNs are opened in this process, with `dial`."""
        world = f"{self._prefix}-{next(self._numbers)}"
        return LibvirtWorld(
            f"{self._name}-{world}",
            dial,
            self.socket_path,
            hosts=self._hosts,
            hosts_without_initiator=self._without,
        )

    def close(self) -> None:
        """Stop the daemon; repeating it is allowed."""
        if self._daemon is not None:
            self._daemon.close()
            self._daemon = None


class LibvirtWorld:
    """A `ClusterWorld`: owns the simulated hosts, so that they outlive every bridge and connection."""

    def __init__(
        self, name: str, dial: Dial, socket_path: str | None, *, hosts: int, hosts_without_initiator: int
    ) -> None:
        from simulators.libvirt.adapters import PoolWitness, SimulatedConnections
        from simulators.libvirt.cluster import ClusterSimulator
        from simulators.libvirt.initiator_login import login_over
        from simulators.libvirt.remote import RemoteCluster

        simulated = ClusterSimulator(login_over(dial)) if socket_path is None else RemoteCluster(socket_path, name)
        self._simulated = simulated
        self._cluster = Cluster(str(uuid.uuid4()), name, HypervisorType.KVM)
        self._connections = SimulatedConnections(
            self._cluster, simulated, dial, parallel_hosts=1 if socket_path is None else _PARALLEL_HOSTS
        )
        self._witness = PoolWitness(simulated, self._connections.hosts)
        for number in range(hosts):
            self._connections.add_host(has_initiator=number < hosts - hosts_without_initiator, is_event=False)

    @property
    def cluster(self) -> Cluster:
        """The cluster."""
        return self._cluster

    @property
    def connections(self) -> object:
        """What `hypervisor_bridge.kvm:open_bridge` takes."""
        return self._connections

    @property
    def witness(self) -> HypervisorWitness:
        """Storage pools, seen and planted from behind."""
        return self._witness

    def hosts(self) -> Sequence[Host]:
        """The hosts of now."""
        return self._connections.hosts()

    def add_host(self) -> Host:
        """A host joins."""
        return self._connections.add_host()

    def remove_host(self, host: Host) -> None:
        """A host leaves, and all that was on it is gone."""
        self._connections.remove_host(host)

    def set_reachable(self, host: Host, *, is_reachable: bool) -> None:
        """A host stops answering, or answers again."""
        self._connections.set_reachable(host, is_reachable=is_reachable)

    def secrets_seen(self) -> str:
        """XML of all pools, domains and secrets, and the log of all calls."""
        return self._simulated.text()

    def close(self) -> None:
        """Power off; repeating it is allowed."""
        self._simulated.close()


def _prepare_libvirt() -> None:
    try:
        import libvirt
    except ImportError as error:
        raise LaunchUnavailable(
            f"libvirt-python is not installed: {error}; install libvirt's headers and storage-conformance[kvm]"
        ) from error
    # Without a handler libvirt prints every expected error on standard error.
    libvirt.registerErrorHandler(lambda *_: None, None)


def _count(options: LaunchOptions, key: str, *, default: int, least: int, most: int) -> int:
    number = options.settings.get(key, default)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise LaunchFailed(f"{options.name}: {key} is {number!r}; expected a whole number {least} to {most}")
    return number


def _check_settings(options: LaunchOptions) -> None:
    unknown = sorted(options.settings.keys() - {"hosts", "hosts_without_initiator"})
    if unknown:
        raise LaunchFailed(
            f"{options.name}: unknown setting {', '.join(unknown)}; expected hosts or hosts_without_initiator"
        )
