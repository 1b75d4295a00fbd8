"""What an environment file's `launch = "module:attribute"` names: arrays, clusters and probes.

They are simulated or real. The kit imports no simulator and no bridge: it is handed these. An entry lives as
long as the run and keeps its listeners; each example opens a *world* of it, which is private and empty, and
closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from .addresses import Iqn
from .bridge import BridgeLedger, HypervisorBridge
from .probe import HostProbe
from .secret import Secret
from .values import Cluster, Host
from .witness import ArrayWitness


class Transport(StrEnum):
    """Real sockets on the loopback interface, or the same cores called in memory."""

    SOCKETS = "sockets"
    MEMORY = "memory"


class ByteStream(Protocol):
    """A connected byte stream."""

    def send(self, data: bytes) -> None:
        """Send all of it."""
        ...

    def receive(self, limit: int) -> bytes:
        """Receive at most `limit` bytes; empty at the end."""
        ...

    def close(self) -> None:
        """Close; twice is harmless."""
        ...


Dial = Callable[[str, int], ByteStream]
"""Opens a stream to an address and port."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request; `path` is what stands in the request line."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    since = "0.1"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    since = "0.1"


HttpHandler = Callable[[HttpRequest], HttpResponse]
"""Answers a request; a refused or dropped connection is a `ConnectionError`."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an array's management API answers. `handle` sends one request there, by whatever transport.

    `refuse` answers a request without carrying it out, as the API does when something inside the array has failed for a
    moment: with an error of its own, in whatever form. Without it the kit answers HTTP 503 instead.
    """

    url: str
    handle: HttpHandler
    ca_file: str | None = None
    refuse: HttpHandler | None = None
    since = "0.1"


class ArrayWorld(Protocol):
    """One array, empty at first, for one example."""

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Management endpoints; plugins are given proxies of these."""
        ...

    @property
    def parameters(self) -> Mapping[str, str | Secret]:
        """Values for store parameters by name, such as username and password."""
        ...

    @property
    def witness(self) -> ArrayWitness:
        """The look from behind."""
        ...

    @property
    def dial(self) -> Dial:
        """How initiators reach its portals."""
        ...

    @property
    def transcript(self) -> Sequence[str]:
        """Last exchanges on the wire, oldest first, secrets masked."""
        ...

    def close(self) -> None:
        """Drop the array with all that is on it."""
        ...


class ArrayEntry(Protocol):
    """An array of the environment."""

    def open_world(self) -> ArrayWorld:
        """Make a fresh array."""
        ...

    def close(self) -> None:
        """Stop all listeners."""
        ...


class ClusterWorld(Protocol):
    """One cluster of hypervisor hosts, with no storage at first, for one example.

    It may be `WitnessedHosts` too: then others have storage on its hosts, which must stay as it is.
    """

    @property
    def cluster(self) -> Cluster:
        """The cluster."""
        ...

    @property
    def connections(self) -> object:
        """What the bridge of this hypervisor takes as its connection factory; the kit only passes it on."""
        ...

    def hosts(self) -> Sequence[Host]:
        """List the cluster's hosts as of now."""
        ...

    def add_host(self) -> Host:
        """Let a new host join; simulated clusters only."""
        ...

    def remove_host(self, host: Host) -> None:
        """Let a host leave; simulated clusters only."""
        ...

    def secrets_seen(self) -> str:
        """All text an administrator of the hypervisor could read (XML, logs), to search for secrets in."""
        ...

    def close(self) -> None:
        """Drop the cluster with all that is on it."""
        ...


BridgeFactory = Callable[[Cluster, object, BridgeLedger], HypervisorBridge]
"""Makes the bridge of a cluster from its `connections` and a ledger.

Several may be open, each as after a restart.
"""


class ClusterEntry(Protocol):
    """A cluster of the environment."""

    def open_world(self, dial: Dial) -> ClusterWorld:
        """Make a fresh cluster whose initiators dial with `dial`."""
        ...

    def close(self) -> None:
        """Stop everything."""
        ...


class ProbeEntry(Protocol):
    """Makes host probes."""

    def open_probe(self, initiator_iqn: Iqn, dial: Dial) -> HostProbe:
        """Make a probe of that name."""
        ...


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What a launcher is called with; it gives an `ArrayEntry`, `ClusterEntry` or `ProbeEntry`.

    `settings` are the other keys of its table in the environment file. A launcher raises `LaunchFailed` with
    the cause and the next step, and leaves nothing running.
    """

    name: str
    transport: Transport
    settings: Mapping[str, object] = field(default_factory=dict)
    since = "0.1"


class LaunchFailed(Exception):
    """An environment entry could not be started: one sentence with cause and next step."""

    since = "0.1"


class LaunchUnavailable(LaunchFailed):
    """What the entry needs is not installed here.

    What it would have shown is NOT_VERIFIED, with this reason.
    """
