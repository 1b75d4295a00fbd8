"""Turn simulated hosts into the contract's words: hosts with initiators, their events, access to LUNs, and their pools
as seen from behind.
"""

from __future__ import annotations

import itertools
import threading
import uuid as uuids
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar, cast
from xml.sax.saxutils import escape

import libvirt

from conformance.contract import (
    ChapCredentials,
    Cluster,
    Dial,
    Host,
    HostEvent,
    HostEventKind,
    HostState,
    Iqn,
    IscsiPath,
    ProbeIoError,
    ProbeRefused,
    Refusal,
    WitnessedStorage,
)
from simulators.iscsi.chap import ChapCredentials as ChapLogin
from simulators.iscsi.errors import (
    CheckCondition,
    InitiatorError,
    LoginRefused,
    MutualAuthenticationFailed,
)
from simulators.iscsi.initiator import Initiator, Session
from simulators.libvirt.client import Connection
from simulators.libvirt.cluster import Hosts
from simulators.libvirt.values import Value

T = TypeVar("T")

_NAMESPACE: Final = uuids.UUID("5f0c3c1e-7a52-5d0e-8c39-6f0f5d6f2b94")
# Nobody listens there, and whoever tries is told so at once.
_NOBODY: Final = ("127.0.0.1", 1)

_REFUSALS = {
    (2, 1): Refusal.AUTHENTICATION,
    (2, 2): Refusal.FORBIDDEN,
    (2, 3): Refusal.NOT_FOUND,
    (2, 4): Refusal.NOT_FOUND,
}


class SimulatedConnections:
    """The connection factory of a simulated cluster.

    On a real cluster the same object opens `qemu+tls://…` connections with libvirt-python, knows each host's initiator
    name from its configuration, and opens LUNs with an initiator library as that host. The bridge cannot tell.
    """

    # Libvirt answers these out of the object at hand, without asking the host.
    local_calls = frozenset({"UUIDString", "key", "name", "usageID", "usageType"})

    def __init__(self, cluster: Cluster, hosts: Hosts, dial: Dial, *, parallel_hosts: int) -> None:
        self._cluster, self._simulated, self._dial = cluster, hosts, dial
        self._parallel_hosts = parallel_hosts
        self._lock = threading.Lock()
        self._hosts: dict[str, Host] = {}
        self._events: list[HostEvent] = []
        self._numbers = itertools.count(1)

    @property
    def parallel_hosts(self) -> int:
        """How many hosts may be called at once: 1 where everything runs in the caller's thread."""
        return self._parallel_hosts

    def hosts(self) -> Sequence[Host]:
        """The hosts of now."""
        with self._lock:
            return tuple(self._hosts.values())

    def events(self, after: int) -> Sequence[HostEvent]:
        """Events but the first `after`, oldest first."""
        with self._lock:
            return tuple(self._events[after:])

    def connect(self, host: Host) -> Connection:
        """A connection to libvirt on that host; raises libvirtError."""
        return Connection(partial(self._simulated.call, host.uuid))

    def open_lun(self, host: Host, path: IscsiPath) -> LunSession:
        """Log in as that host, on the first portal that answers; raises ProbeRefused."""
        return LunSession(self._login(host, path), path.lun_number)

    def add_host(self, *, has_initiator: bool = True, is_event: bool = True) -> Host:
        """A host joins; its names are unique in all worlds."""
        host = self._new_host(has_initiator=has_initiator)
        self._simulated.add_host(host.uuid, host.name)
        with self._lock:
            self._hosts[host.uuid] = host
        if is_event:
            self._tell(HostEventKind.ADDED, host)
            self._tell(HostEventKind.CONNECTED, host)
        return host

    def remove_host(self, host: Host) -> None:
        """A host leaves."""
        with self._lock:
            known = self._hosts.pop(host.uuid)
        self._simulated.remove_host(host.uuid)
        self._tell(HostEventKind.REMOVED, known)

    def set_reachable(self, host: Host, *, is_reachable: bool) -> None:
        """A host stops answering, or answers again."""
        self._simulated.set_reachable(host.uuid, is_reachable=is_reachable)
        state = HostState.ENABLED if is_reachable else HostState.DISCONNECTED
        with self._lock:
            known = self._hosts[host.uuid]
            changed = Host(known.uuid, known.name, known.hypervisor, known.cluster_uuid, known.initiators, state)
            self._hosts[host.uuid] = changed
        self._tell(HostEventKind.CONNECTED if is_reachable else HostEventKind.DISCONNECTED, changed)

    def _new_host(self, *, has_initiator: bool) -> Host:
        name = f"{self._cluster.name}-{next(self._numbers)}"
        iqn = Iqn(f"iqn.1994-05.com.redhat:{name}")
        return Host(
            uuid=f"{self._cluster.uuid}-{name}",
            name=name,
            hypervisor=self._cluster.hypervisor,
            cluster_uuid=self._cluster.uuid,
            initiators=(iqn,) if has_initiator else (),
        )

    def _tell(self, kind: HostEventKind, host: Host) -> None:
        with self._lock:
            self._events.append(HostEvent(kind, host))

    def _login(self, host: Host, path: IscsiPath) -> Session:
        initiator = Initiator(str(host.iqns[0]), self._dial)
        failures: list[str] = []
        for portal in path.portals:
            address = (portal.address, portal.port, str(path.target_iqn))
            try:
                return initiator.login(*address, _chap(path.chap))
            except LoginRefused as error:
                status = (error.status_class, error.status_detail)
                raise ProbeRefused(_REFUSALS.get(status, Refusal.OTHER), str(error)) from None
            except MutualAuthenticationFailed as error:
                raise ProbeRefused(Refusal.TARGET_UNPROVEN, str(error)) from None
            except (InitiatorError, OSError) as error:
                failures.append(f"{portal}: {error}")
        raise ProbeRefused(Refusal.UNREACHABLE, "; ".join(failures))


class PoolWitness:
    """A `HypervisorWitness` of libvirt's storage pools: past every connection, and unseen in the log."""

    def __init__(self, simulated: Hosts, hosts: Callable[[], Sequence[Host]]) -> None:
        self._simulated, self._hosts = simulated, hosts

    def observe(self) -> Sequence[WitnessedStorage]:
        """Every pool of every host."""
        return [
            _seen(each.uuid, cast("Sequence[Value]", state))
            for each in self._hosts()
            for state in self._simulated.pool_states(each.uuid)
        ]

    def plant(self, name: str, *, is_active: bool) -> None:
        """A pool of this name on every host; libvirt takes no slash and no line end in names."""
        called = name.replace("/", "-").replace("\n", "-")
        # With the same uuid libvirt would take it for a new definition of the pool that is there.
        if called in {each.name for each in self.observe()}:
            raise ValueError(f"a host has a pool {called!r} already; plant another name")
        for each in self._hosts():
            try:
                self._simulated.plant_pool(each.uuid, _strangers_pool(each, called), is_active=is_active)
            except libvirt.libvirtError as error:
                raise ValueError(f"{each.name} takes no pool {called!r}: {error}; plant another name") from None


class LunSession:
    """A `ProbeSession`: one LUN, logged in."""

    def __init__(self, session: Session, lun_number: int) -> None:
        self._session, self._lun_number = session, lun_number
        try:
            self.size_bytes_at_login, self._block_bytes = session.read_capacity(lun_number)
        except CheckCondition as error:
            self.close()
            raise ProbeRefused(Refusal.NO_LUN, f"LUN {lun_number}: {error}") from None
        except (InitiatorError, OSError) as error:
            self.close()
            raise ProbeRefused(Refusal.OTHER, str(error)) from None

    @property
    def wwid(self) -> str:
        """The NAA designator of VPD page 0x83."""
        return _io(lambda: self._session.wwid(self._lun_number))

    @property
    def size_bytes(self) -> int:
        """READ CAPACITY of now."""
        return _io(lambda: self._session.read_capacity(self._lun_number))[0]

    @property
    def block_bytes(self) -> int:
        """The logical block size."""
        return self._block_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Read whole blocks."""
        return _io(lambda: self._session.read(self._lun_number, offset, length))

    def write(self, offset: int, data: bytes) -> None:
        """Write whole blocks and flush."""
        _io(lambda: self._session.write(self._lun_number, offset, data))
        _io(lambda: self._session.flush(self._lun_number))

    def unmap(self, offset: int, length: int) -> None:
        """Discard whole blocks."""
        _io(lambda: self._session.unmap(self._lun_number, offset, length))

    def close(self) -> None:
        """Log out, or hang up on a target that does not listen any more."""
        try:
            self._session.logout()
        except (InitiatorError, OSError):
            self._session.close()


def _chap(chap: ChapCredentials | None) -> ChapLogin | None:
    if chap is None:
        return None
    mutual = None if chap.mutual_secret is None else chap.mutual_secret.reveal().encode()
    return ChapLogin(chap.username, chap.secret.reveal().encode(), chap.mutual_username, mutual)


def _io(call: Callable[[], T]) -> T:
    try:
        return call()
    except (InitiatorError, OSError) as error:
        raise ProbeIoError(str(error)) from error


def _seen(host_uuid: str, state: Sequence[Value]) -> WitnessedStorage:
    uuid, name, xml, is_active, is_autostarted = state
    return WitnessedStorage(host_uuid, str(uuid), str(name), str(xml), bool(is_active), bool(is_autostarted))


def _strangers_pool(host: Host, name: str) -> str:
    """A pool of a target of its own: two pools of one source are a conflict for libvirt."""
    uuid = uuids.uuid5(_NAMESPACE, f"{host.uuid} {name}")
    address, port = _NOBODY
    return (
        f"<pool type='iscsi-direct'><name>{escape(name)}</name><uuid>{uuid}</uuid><source>"
        f"<host name='{address}' port='{port}'/><device path='iqn.2001-04.org.example:{uuid}'/>"
        f"<initiator><iqn name='iqn.2001-04.org.example:{uuid.hex[:8]}-initiator'/></initiator></source></pool>"
    )
