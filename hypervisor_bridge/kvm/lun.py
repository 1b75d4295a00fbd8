"""Find the LUN that is meant, as each host, before any change: the path that answers, its WWID, its true size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.contract import (
    BlockConnection,
    BridgeError,
    Host,
    HostConnection,
    HypervisorFault,
    IscsiPath,
    LunNotVisible,
    NoInitiator,
    NotSupported,
    ProbeIoError,
    ProbeRefused,
    ProbeSession,
    TargetUnreachable,
)
from hypervisor_bridge.parallel import run_all

from .connection import Remotes
from .errors import HYPERVISOR, from_refusal
from .records import Target


@dataclass(frozen=True, slots=True)
class SeenLun:
    """A LUN as one host reached it; `path` has one portal, the one that answered."""

    host: Host
    path: IscsiPath
    wwid: str
    size_bytes: int
    block_bytes: int

    @property
    def target(self) -> Target:
        """The target, as this host logs in to it."""
        return Target.of(self.host, self.path)


def look_everywhere(remotes: Remotes, at: Sequence[HostConnection], call: str) -> list[SeenLun]:
    """See the LUN from every host, or raise; all must see the same one."""
    paths = [(_checked_host(remotes, each, call), _connection(each, call)) for each in at]
    if not paths:
        raise LunNotVisible(HYPERVISOR, "-", call, "no host was given", "name at least one host")
    for host, connection in paths:
        _candidates(host, connection, call)
    seen = run_all(paths, lambda pair: look(remotes, *pair, call), remotes.connections.parallel_hosts)
    for each in seen:
        if each.wwid != seen[0].wwid:
            reason = f"this host sees LUN {each.wwid}, {seen[0].host.name} sees {seen[0].wwid}"
            raise LunNotVisible(HYPERVISOR, each.host.name, call, reason, "check the LUN numbers per host")
    return seen


def look(remotes: Remotes, host: Host, connection: BlockConnection, call: str) -> SeenLun:
    """See the LUN from one host, over the first portal that answers."""
    unreachable: BridgeError | None = None
    for path in _candidates(host, connection, call):
        try:
            return _seen(remotes, host, path, connection, call)
        except TargetUnreachable as error:
            unreachable = unreachable or error
    raise unreachable or _no_path(host, call)


@contextmanager
def opened(remotes: Remotes, host: Host, path: IscsiPath, call: str) -> Iterator[ProbeSession]:
    """A session to the LUN as that host; its errors are the contract's."""
    try:
        session = remotes.connections.open_lun(host, path)
    except ProbeRefused as refused:
        raise from_refusal(host.name, call, refused) from refused
    try:
        yield session
    except ProbeIoError as error:
        reason = f"reading or writing the LUN failed: {error}"
        raise HypervisorFault(HYPERVISOR, host.name, call, reason) from error
    finally:
        session.close()


def _seen(remotes: Remotes, host: Host, path: IscsiPath, connection: BlockConnection, call: str) -> SeenLun:
    with opened(remotes, host, path, call) as session:
        seen = SeenLun(host, path, session.wwid, session.size_bytes, session.block_bytes)
    wanted = connection.identity.wwid
    if wanted is not None and seen.wwid != wanted:
        reason = f"LUN {path.lun_number} of {path.target_iqn} is {seen.wwid}; expected {wanted}"
        raise LunNotVisible(HYPERVISOR, host.name, call, reason, "ask the array for this host's LUN number")
    return seen


def _candidates(host: Host, connection: BlockConnection, call: str) -> list[IscsiPath]:
    """One portal each, because an iscsi-direct pool has one."""
    paths = [each for each in connection.paths if isinstance(each, IscsiPath)]
    if not paths:
        raise _no_path(host, call)
    for each in paths:
        if each.chap is not None and each.chap.mutual_secret is not None:
            reason = "libvirt's iSCSI logs in with one-way CHAP only"
            raise NotSupported(HYPERVISOR, host.name, call, reason, "give this host one-way CHAP")
    return [
        IscsiPath(each.target_iqn, (portal,), each.lun_number, each.chap) for each in paths for portal in each.portals
    ]


def _no_path(host: Host, call: str) -> BridgeError:
    return NotSupported(HYPERVISOR, host.name, call, "the LUN has no iSCSI path", "export it over iSCSI")


def _checked_host(remotes: Remotes, each: HostConnection, call: str) -> Host:
    known = remotes.get(each.host, call).host
    if not known.iqns or not each.host.iqns:
        next_step = "give the host an iSCSI initiator name"
        raise NoInitiator(HYPERVISOR, known.name, call, "the host has no iSCSI initiator", next_step)
    return known


def _connection(each: HostConnection, call: str) -> BlockConnection:
    if not isinstance(each.connection, BlockConnection):
        reason = "NFS exports are not made into KVM pools here"
        raise NotSupported(HYPERVISOR, each.host.name, call, reason)
    return each.connection
