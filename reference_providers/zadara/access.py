"""Who may see a LUN: each initiator of a host is a server, and what is attached to it is what it sees.

A server is made with the first LUN and goes with the last one. All changes of a host's servers happen under the
host's lock. The array takes a detached LUN away at once, from sessions too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from conformance.contract import (
    AccessNotGranted,
    BlockConnection,
    Conflict,
    DataStore,
    Host,
    InvalidRequest,
    IscsiPath,
    LunIdentity,
    ObjectNotFound,
    Portal,
    ProviderError,
)

from . import names
from .arrays import port_of
from .errors import Interrupted
from .vpsa import Lun, Server, Vpsa


def iqns_of(host: Host) -> list[str]:
    """The host's initiators that this array can serve, as the array writes them."""
    iqns = sorted({str(each).lower() for each in host.iqns})
    if not iqns:
        raise InvalidRequest("host.initiators", [str(each) for each in host.initiators], "at least one IQN")
    return iqns


def grant(vpsa: Vpsa, lun: Lun, host: Host) -> None:
    """Attach the LUN to all servers of the host. Call this under the host's lock."""
    iqns = iqns_of(host)
    _drop_stale(vpsa, host, iqns)
    try:
        _attach(vpsa, lun, host, iqns)
    except Exception:
        # A host that was refused has no business on the array.
        with suppress(ProviderError, Interrupted):
            drop_unused(vpsa.in_any_case(), {host.uuid})
        raise


def cut_off(vpsa: Vpsa, lun: Lun, hosts: Iterable[Host]) -> None:
    """Detach the LUN from all servers of these hosts. Call this under their locks."""
    uuids = {each.uuid for each in hosts}
    for each in vpsa.servers_of(lun):
        if host_of(each) in uuids:
            vpsa.detach(lun, each)
    drop_unused(vpsa, uuids)


def host_of(server: Server) -> str | None:
    """The uuid of the host that a server stands for; None when this plugin did not make it."""
    return names.host_in(server.name, server.iqn)


def drop_unused(vpsa: Vpsa, host_uuids: Collection[str]) -> None:
    """Remove the servers of these hosts that have no volumes. Call this under the hosts' locks."""
    for each in vpsa.servers():
        if host_of(each) in host_uuids and not vpsa.luns_of(each):
            vpsa.delete_server(each)


def refresh(vpsa: Vpsa, host: Host) -> None:
    """Let the host's initiators of now see what its servers have. Call this under the host's lock."""
    before = _of_host(vpsa.servers(), host)
    seen = {lun.external_id: lun for server in before for lun in vpsa.luns_of(server)}
    iqns = [str(each).lower() for each in host.iqns]
    if not seen or {each.iqn for each in before} == set(iqns):
        return
    for iqn in iqns:
        server = _made(vpsa, host, iqn)
        for lun in seen.values():
            vpsa.attach(lun, server)
    _drop_stale(vpsa, host, iqns)


def forget(vpsa: Vpsa, host: Host) -> None:
    """Remove the host's servers. Call this under the host's lock."""
    _drop_stale(vpsa, host, ())


def connection(vpsa: Vpsa, store: DataStore, lun: Lun, host: Host) -> BlockConnection:
    """How the host reaches the LUN."""
    iqns = {str(each).lower() for each in host.iqns}
    own = [each for each in _of_host(vpsa.servers_of(lun), host) if each.iqn in iqns]
    numbers = sorted({each.lun_number for each in own if each.lun_number is not None})
    if not numbers:
        raise AccessNotGranted(lun.external_id, host.uuid)
    _check_one_number(host, numbers)
    controller = vpsa.controller()
    if controller is None:
        raise ObjectNotFound("active controller", None)
    portal = Portal(controller.address, port_of(store.request))
    path = IscsiPath(controller.target_iqn, (portal,), numbers[0], controller.chap)
    return BlockConnection(LunIdentity(None), lun.size_bytes, (path,))


def _of_host(servers: Iterable[Server], host: Host) -> Sequence[Server]:
    return [each for each in servers if host_of(each) == host.uuid]


def _made(vpsa: Vpsa, host: Host, iqn: str) -> Server:
    """The server of an initiator; the array has one for each IQN."""
    name = names.of_server(host.uuid, iqn)
    found = _server(vpsa, iqn)
    if found is None:
        vpsa.create_server(name, iqn)
        found = _server(vpsa, iqn)
    if found is None:
        raise ObjectNotFound("server", name)
    if found.name != name:
        raise Conflict(host.uuid, f"server of {iqn}", found.name, name)
    return found


def _server(vpsa: Vpsa, iqn: str) -> Server | None:
    return next((each for each in vpsa.servers() if each.iqn == iqn), None)


def _drop_stale(vpsa: Vpsa, host: Host, iqns: Collection[str]) -> None:
    """Remove the host's servers of initiators that it has not any more."""
    for server in _of_host(vpsa.servers(), host):
        if server.iqn not in iqns:
            for lun in vpsa.luns_of(server):
                vpsa.detach(lun, server)
            vpsa.delete_server(server)


def _attach(vpsa: Vpsa, lun: Lun, host: Host, iqns: Iterable[str]) -> None:
    for server in [_made(vpsa, host, iqn) for iqn in iqns]:
        vpsa.attach(lun, server)
    own = _of_host(vpsa.servers_of(lun), host)
    try:
        _check_one_number(host, {each.lun_number for each in own if each.lun_number is not None})
    except Conflict:
        cut_off(vpsa, lun, [host])
        raise


def _check_one_number(host: Host, numbers: Collection[int]) -> None:
    """Paths tell one number, for whichever initiator the host uses."""
    if len(numbers) > 1:
        raise Conflict(host.uuid, "LUN number", sorted(numbers), "one for all initiators of the host")
