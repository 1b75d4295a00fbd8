"""Wiring: a cloud, a network that can lose replies, and the simulated array in memory."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from conformance.contract import (
    AccessModel,
    ArrayView,
    ArrayWorld,
    BlockConnection,
    CachedTemplate,
    Cluster,
    DataStore,
    Host,
    HttpRequest,
    HypervisorBridge,
    HypervisorType,
    Iqn,
    IscsiPath,
    LaunchOptions,
    OperationCancelled,
    Placement,
    QosPolicy,
    Secret,
    Snapshot,
    SnapshotRequest,
    StoreObject,
    StoreRequest,
    Transport,
    Volume,
    VolumeRequest,
)
from reference_providers.solidfire import PLUGIN_HOOKUP, SolidFireProvider
from reference_providers.zadara import ZadaraProvider
from simulators.array.launcher import array
from simulators.iscsi.chap import ChapCredentials as ChapAnswer
from simulators.iscsi.initiator import Initiator, Session
from tests.reference_providers.minimal_over import minimal_over

GB = 10**9
CLUSTER = Cluster("cluster-1", "one", HypervisorType.KVM)
HOSTS = tuple(
    Host(
        f"host-uuid-{number}",
        f"kvm{number}",
        HypervisorType.KVM,
        CLUSTER.uuid,
        (Iqn(f"iqn.2004-10.com.example:kvm{number}"),),
    )
    for number in range(1, 4)
)
PLACEMENT = Placement(CLUSTER, HOSTS)


class Killed(BaseException):
    """The plugin's process is gone."""


@dataclass
class Call:
    """The cloud's call in progress, and its clock."""

    id: str = "operation-1"
    remaining_seconds: float = 100.0
    is_cancelled: bool = False
    slept: list[float] = field(default_factory=list)

    def check(self) -> None:
        if self.is_cancelled:
            raise OperationCancelled(self.id)

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@dataclass
class Cloud:
    """The context of all instances: its locks exclude one another across them."""

    bridge: HypervisorBridge | None = None
    call: Call = field(default_factory=Call)
    present: tuple[Host, ...] = HOSTS
    locks: dict[str, threading.Lock] = field(default_factory=dict)
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("tests.plugin"))

    @property
    def clock(self) -> Call:
        return self.call

    def hypervisor(self, cluster: Cluster) -> HypervisorBridge:
        assert self.bridge is not None, "this plugin has no business with hypervisors"
        assert cluster.uuid == CLUSTER.uuid
        return self.bridge

    def hosts(self, cluster: Cluster) -> Sequence[Host]:
        return self.present

    def operation(self) -> Call:
        return self.call

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        with self.locks.setdefault(name, threading.Lock()):
            yield


Fault = Callable[[str, Callable[[], tuple[int, bytes]]], tuple[int, bytes]]
"""What happens to one request: given its method, and a way to let it through."""


class Wire:
    """The way from plugins to the array: counts requests, and does something to one of them."""

    def __init__(self, world: ArrayWorld) -> None:
        self._endpoint = world.endpoints[0]
        self.methods: list[str] = []
        self.open = 0
        self._faults: dict[int, Fault] = {}
        self._faults_by_method: dict[str, Fault] = {}

    def connect(self, url: str, ca_file: str | None, verify: bool, timeout: float) -> WireConnection:
        assert verify
        assert timeout > 0
        self.open += 1
        return WireConnection(self)

    def break_call(self, number: int, fault: Fault) -> None:
        """Let it happen to the call that comes `number` calls from now, counted from 1."""
        self._faults = {len(self.methods) + number: fault}

    def break_next(self, method: str, fault: Fault) -> None:
        """Let it happen to the next call of that method."""
        self._faults_by_method[method] = fault

    @property
    def is_fault_pending(self) -> bool:
        return bool(self._faults)

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        name = _called(method, path, body)
        self.methods.append(name)

        def through() -> tuple[int, bytes]:
            answer = self._endpoint.handle(HttpRequest(method, path, headers, body))
            return answer.status, answer.body

        fault = self._faults.pop(len(self.methods), None) or self._faults_by_method.pop(name, None)
        return fault(name, through) if fault else through()


def _called(verb: str, path: str, body: bytes) -> str:
    """What was asked: a method, or a verb and a path in which ids are left out."""
    if body.startswith(b"{"):
        return str(json.loads(body)["method"])
    return f"{verb} {re.sub(r'[a-z]+-[0-9a-f]{8}', '*', path.partition('.')[0].removeprefix('/api/'))}"


class WireConnection:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._is_closed = False

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        assert not self._is_closed, "a closed connection is used"
        return self._wire.exchange(method, path, headers, body)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._wire.open -= 1


def lost_before(_name: str, _through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    raise ConnectionResetError("before it arrived")


def lost_after(_name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    through()
    raise ConnectionResetError("after it was done")


def timed_out(_name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    through()
    raise TimeoutError("the answer came too late")


def killed(_name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    through()
    raise Killed


def sent_twice(_name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    through()
    return through()


def answered(name: str, text: str = "") -> Fault:
    def fault(_name: str, _through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        return 200, f'{{"id": 1, "error": {{"name": "{name}", "code": 500, "message": "{text}"}}}}'.encode()

    return fault


Plugin = Any
"""Each of the plugins: the tests call what all have, and what one of them has besides."""

ON_ELEMENT: Mapping[str, Callable[..., Plugin]] = {"solidfire": SolidFireProvider, "minimal": minimal_over}
PLUGINS: Mapping[str, Callable[..., Plugin]] = {**ON_ELEMENT, "zadara": ZadaraProvider}
SETTINGS: Mapping[Callable[..., Plugin], Mapping[str, object]] = {ZadaraProvider: {"api": "vpsa"}}
"""Of the array that a plugin is for, where it is not the usual one."""
ALL: Mapping[str, Callable[..., Plugin]] = {**PLUGINS, "plugin-hookup": PLUGIN_HOOKUP}


def told_by(world: ArrayWorld) -> tuple[dict[str, str], dict[str, Secret]]:
    """What a store has to be told about an array, and what of it is secret."""
    told = world.parameters.items()
    return (
        {name: value for name, value in told if isinstance(value, str)},
        {name: value for name, value in told if isinstance(value, Secret)},
    )


class Scene:
    """One array, one cloud, and as many instances of a plugin as wanted."""

    def __init__(self, make: Callable[..., Plugin], **settings: object) -> None:
        self.make = make
        self.entry = array(LaunchOptions("array", Transport.MEMORY, {**SETTINGS.get(make, {}), **settings}))
        self.world = self.entry.open_world()
        self.cloud = Cloud()
        self.wire = Wire(self.world)
        self.instances: list[Plugin] = []
        self.plugin = self.another()

    def another(self) -> Plugin:
        """A further instance, or the same one after a restart."""
        plugin = self.make(connect=self.wire.connect)
        plugin.configure(self.cloud)
        self.instances.append(plugin)
        self.plugin = plugin
        return plugin

    def close(self) -> None:
        for each in self.instances:
            each.close()
        self.world.close()
        self.entry.close()
        assert self.wire.open == 0, "connections were left open"

    @property
    def driver(self) -> Plugin:
        return self.plugin.driver

    def view(self) -> ArrayView:
        return self.world.witness.observe()

    def request(
        self,
        uuid: str = "store-1",
        *,
        capacity_bytes: int = 100 * GB,
        capacity_iops: int | None = None,
        **parameters: str,
    ) -> StoreRequest:
        plain, secrets = told_by(self.world)
        return StoreRequest(
            uuid,
            "primary",
            CLUSTER,
            AccessModel.DEDICATED,
            capacity_bytes,
            capacity_iops,
            parameters={"url": "memory://array", **plain, **parameters},
            secrets=secrets,
        )

    def store(self, uuid: str = "store-1", **changes: Any) -> DataStore:
        store: DataStore = self.plugin.lifecycle.initialize(self.request(uuid, **changes))
        return store

    def volume(
        self, store: DataStore, uuid: str = "volume-1", size_bytes: int = 2 * GB, qos: QosPolicy | None = None
    ) -> Volume:
        request = VolumeRequest(uuid, "data", size_bytes, qos or QosPolicy())
        made = self.driver.create(store, request, PLACEMENT)
        return Volume(request, made.external_id, made.size_bytes, made.identity, made.disk)

    def snapshot(self, store: DataStore, volume: Volume, uuid: str = "snapshot-1") -> Snapshot:
        request = SnapshotRequest(uuid, "before")
        made = self.driver.take_snapshot(store, volume, request, quiesced=False)
        return Snapshot(request, volume.uuid, volume.external_id or "", made.external_id, made.size_bytes)

    def clone(
        self,
        store: DataStore,
        source: Snapshot | Volume | CachedTemplate,
        uuid: str = "clone-1",
        size_bytes: int = 2 * GB,
        qos: QosPolicy | None = None,
    ) -> Volume:
        request = VolumeRequest(uuid, "copy", size_bytes, qos or QosPolicy())
        made = self.driver.clone(store, request, PLACEMENT, source)
        return Volume(request, made.external_id, made.size_bytes, made.identity, made.disk)

    def write(self, store: DataStore, target: StoreObject, text: bytes, host: Host = HOSTS[0]) -> None:
        """As a host does: granted, logged in, written at the beginning, and revoked."""
        self.driver.grant_access(store, target, host)
        with self.login(self.driver.connection(store, target, host), host) as session:
            session.write(0, 0, text.ljust(512, b"."))
        self.driver.revoke_access(store, target, host, ())

    def read(self, store: DataStore, target: StoreObject, host: Host = HOSTS[0]) -> bytes:
        """What a host reads at the beginning."""
        self.driver.grant_access(store, target, host)
        with self.login(self.driver.connection(store, target, host), host) as session:
            text = bytes(session.read(0, 0, 512))
        self.driver.revoke_access(store, target, host, ())
        return text.rstrip(b".\0")

    def login(self, connection: BlockConnection, host: Host, *, secret: str | None = None) -> Session:
        """Log in as the host does; `secret` replaces the right one, empty offers no CHAP."""
        path = connection.paths[0]
        assert isinstance(path, IscsiPath)
        chap = None
        if path.chap is not None and secret != "":
            chap = ChapAnswer(path.chap.username, (secret or path.chap.secret.reveal()).encode())
        initiator = Initiator(str(host.iqns[0]), self.world.dial)
        portal = path.portals[0]
        return initiator.login(portal.address, portal.port, str(path.target_iqn), chap)
