"""A cluster on the test driver, an array, a ledger, and bridges that can be broken between any two remote calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.contract import (
    ChapCredentials,
    ClusterWorld,
    Host,
    HypervisorBridge,
    IscsiPath,
    LaunchOptions,
    Transport,
)
from hypervisor_bridge.kvm import open_bridge
from simulators.libvirt import launcher
from simulators.libvirt.faults import unreachable
from tests.hypervisor_bridge.kvm.small_array import SmallArray
from tests.hypervisor_bridge.memory_ledger import MemoryLedger

LOCAL = frozenset({"name", "UUIDString", "usageID", "usageType", "connect"})
"""What libvirt-python answers from the handle, without asking the host."""


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Trip:
    """Counts remote calls and does something at one of them."""

    at: int = 0
    error: Callable[[], BaseException] = Killed
    is_after: bool = False
    calls: list[str] = field(default_factory=list)

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        self.calls.append(name)
        trips = len(self.calls) == self.at
        if trips and not self.is_after:
            raise self.error()
        result = call()
        if trips:
            raise self.error()
        return result


class Breaking:
    """A libvirt object whose remote calls pass through a `Trip`."""

    def __init__(self, real: Any, trip: Trip) -> None:
        self._real, self._trip = real, trip

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._real, name)
        if name in LOCAL or not callable(attribute):
            return attribute
        return lambda *arguments: self._wrapped(self._trip.around(name, lambda: attribute(*arguments)))

    def _wrapped(self, result: Any) -> Any:
        if isinstance(result, list):
            return [self._wrapped(each) for each in result]
        return result if isinstance(result, (str, int, bytes, type(None))) else Breaking(result, self._trip)


class BreakingConnections:
    """A connection factory whose connections break."""

    def __init__(self, real: Any, trip: Trip) -> None:
        self._real, self._trip = real, trip

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def connect(self, host: Host) -> Any:
        return Breaking(self._real.connect(host), self._trip)

    def open_lun(self, host: Host, path: IscsiPath) -> Any:
        return self._real.open_lun(host, path)


class Lab:
    """Everything one test needs."""

    def __init__(self, *, hosts: int = 2, chap: ChapCredentials | None = None, without: int = 0) -> None:
        settings = {"hosts": hosts, "hosts_without_initiator": without}
        self.entry = launcher.test_driver(LaunchOptions("kvm", Transport.MEMORY, settings))
        self.array = SmallArray(chap)
        self.world: ClusterWorld = self.entry.open_world(self.array.dial)
        self.ledger = MemoryLedger()

    def bridge(self, trip: Trip | None = None) -> HypervisorBridge:
        """A bridge as after a restart."""
        connections: Any = self.world.connections
        if trip is not None:
            connections = BreakingConnections(connections, trip)
        return open_bridge(self.world.cluster, connections, self.ledger)

    @property
    def hosts(self) -> Sequence[Host]:
        return self.world.hosts()

    def close(self) -> None:
        self.world.close()
        self.entry.close()


def host_fails() -> BaseException:
    error: BaseException = unreachable("kvm-host")
    return error
