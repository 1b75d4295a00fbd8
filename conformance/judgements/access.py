"""Who gets in, as far as the declared granule and mechanism go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from conformance.contract import (
    AccessGranularity,
    AccessMechanism,
    BlockConnection,
    BridgeError,
    Cluster,
    DeleteWhileGranted,
    FcPath,
    Host,
    HostListener,
    InUse,
    InvalidRequest,
    Iqn,
    ProbeIoError,
    ProbeRefused,
    ProbeSession,
    ProviderError,
    WitnessedLun,
)
from conformance.errors import KitError
from conformance.expect import (
    ARRAY,
    HOST,
    PLUGIN,
    broken,
    expect,
    expect_bytes,
    expect_done,
    expect_equal,
    expect_none,
    expect_refusal,
)
from conformance.judgements.array import is_gone
from conformance.strategies.data import BLOCK
from conformance.world import Made, World


def listener_of(world: World) -> HostListener:
    """The plugin's host listener; gating has made sure that there is one."""
    listener = world.plugin.host_listener
    if listener is None:
        raise KitError("this property needs a host listener")
    return listener


def deleted_while_granted(world: World, made: Made, host: Host, session: ProbeSession) -> None:
    """A delete while a host has access is refused, or takes the access away, as declared."""
    if world.subject.declared.traits.delete_while_granted is DeleteWhileGranted.REFUSED:
        expect_refusal(InUse, "delete while granted", lambda: world.driver.delete(world.store, made.volume))
        expect_done("reading after the refused delete", lambda: session.read(0, BLOCK))
        unused = world.create()
        world.grant(unused, host)
        expect_refusal(
            InUse, "delete while nobody is logged in", lambda: world.driver.delete(world.store, unused.volume)
        )
        return
    expect_done("delete while granted", lambda: world.driver.delete(world.store, made.volume))
    is_gone(world, made)
    world.forget(made)
    still_works = _reads(session)
    expect(not still_works, "a deleted LUN to be out of reach", f"{host.name} still reads it", HOST)


def _reads(session: ProbeSession) -> bool:
    try:
        session.read(0, BLOCK)
    except (ProbeIoError, ProbeRefused):
        return False
    return True


def cannot_write(session: ProbeSession, host: Host) -> None:
    """A write over this session fails."""
    try:
        session.write(0, b"\xee" * BLOCK)
    except (ProbeIoError, ProbeRefused):
        return
    broken(f"{host.name} not to be able to write", "its write succeeded", HOST)


def still_reads(world: World, made: Made, host: Host, session: ProbeSession, content: bytes) -> None:
    """A host that keeps its access reads on; if its session was ended it gets in again by itself, as initiators do."""
    try:
        found = session.read(0, len(content))
    except ProbeIoError:
        found = world.login(made, host).read(0, len(content))
    expect_bytes(f"data of {host.name}, which keeps its access", found, content, HOST)


def out_of_reach(world: World, host: Host, connection: BlockConnection, wwid: str) -> None:
    """A host cannot get to the LUN of this identity: not without credentials, and where hosts are masked not with
    anybody's.
    """
    way = _way_in(world, host, connection, wwid)
    expect(not way, f"{host.name} not to reach the LUN", f"it logged in {way}", HOST)


def _way_in(world: World, host: Host, connection: BlockConnection, wwid: str) -> str:
    by_chap_alone = world.subject.declared.traits.access_mechanism is AccessMechanism.CHAP
    probe = world.probe(host)
    if _leads_to(wwid, lambda: probe.open_without_chap(connection)):
        return "without credentials"
    # Where CHAP alone guards a LUN, whoever was given the secret gets in: that is what was declared.
    if not by_chap_alone and _leads_to(wwid, lambda: probe.open(connection)):
        return "with another host's connection"
    return ""


def _leads_to(wwid: str, login: Callable[[], ProbeSession]) -> bool:
    """Whether a login leads to this LUN: where hosts have LUN numbers of their own, it may lead to the host's own."""
    try:
        session = login()
    except ProbeRefused:
        return False
    found = session.wwid
    session.close()
    return found == wwid


def granted_connection(world: World, made: Made, host: Host) -> BlockConnection:
    """Grant a host, and ask how it reaches the LUN."""
    world.grant(made, host)
    return world.connection(made, host)


def reached_from_each_or_refused(world: World, made: Made, host: Host, taken: str) -> None:
    """Granted, a host with two initiators reaches this LUN from either, and not the one of WWID `taken`."""
    told = _granted_or_refused(world, made, host)
    if told is None:
        return
    for probe in (world.probe(host), world.second_probe(host)):
        session = expect_done("login", partial(probe.open, told))
        expect(session.wwid != taken, "another LUN than the host's first", taken, HOST)
        expect_equal("the LUN reached", session.wwid, world.lun(made).wwid, HOST)
        session.close()


def _granted_or_refused(world: World, made: Made, host: Host) -> BlockConnection | None:
    made.granted[host] = None
    world.act()
    try:
        world.driver.grant_access(world.store, made.volume, host)
        return world.block(world.driver.connection(world.store, made.volume, host))
    except ProviderError:
        world.driver.revoke_access(world.store, made.volume, host, [])
        made.granted.clear()
        return None


def locked_out(world: World, host: Host, connection: BlockConnection) -> None:
    """A host that lost its access cannot log in with what it once was told."""
    probe = world.probe(host)
    with_secret = logs_in(lambda: probe.open(connection))
    without = logs_in(lambda: probe.open_without_chap(connection))
    expect(not (with_secret or without), f"{host.name} to be locked out", "it logged in again", HOST)


def cut_off_from(world: World, host: Host, connection: BlockConnection, wwid: str) -> None:
    """A host that lost its access cannot get to the LUN with what it once was told, whatever else it may reach."""
    probe = world.probe(host)
    gets_in = any(_leads_to(wwid, partial(way, connection)) for way in (probe.open, probe.open_without_chap))
    expect(not gets_in, f"{host.name} to be cut off from the LUN", "it got to it again", HOST)


def logs_in(login: Callable[[], ProbeSession]) -> bool:
    try:
        session = login()
    except ProbeRefused:
        return False
    session.close()
    return True


def fc_only_is_refused_or_served(world: World, made: Made, host: Host) -> None:
    """A host with a Fibre Channel port only is refused, or its connection has a Fibre Channel path."""
    with suppress(InvalidRequest):
        world.driver.grant_access(world.store, made.volume, host)
        made.granted[host] = None
        connection = world.block(world.driver.connection(world.store, made.volume, host))
        usable = any(isinstance(each, FcPath) for each in connection.paths)
        expect(usable, "a path the host can use", f"{connection.paths}", PLUGIN)


def access_left(world: World, lun: WitnessedLun, host: Host) -> set[Iqn]:
    """Initiators of a host that left and are still let in. A plugin that grants whole clusters must be told to know."""
    by_cluster = world.subject.declared.traits.access_granularity is AccessGranularity.CLUSTER
    if by_cluster and world.plugin.host_listener is None:
        return set()
    return set(lun.visible_to) & set(host.iqns)


def hosts_with_datastore(world: World, made: Made) -> list[str]:
    """Names of the hypervisor hosts that see the volume's datastore, sorted."""
    seen = []
    for host in world.placement.hosts:
        with suppress(BridgeError):
            if made.volume.disk and world.open_bridge().datastore_bytes(made.volume.disk.datastore, host):
                seen.append(host.name)
    return sorted(seen)


def only_granted_are_let_in(world: World, made: Made) -> None:
    """Of the probe hosts' initiators those of hosts that were granted, or that a grant covers, are let in."""
    known = {iqn for host in world.probe_hosts for iqn in host.iqns}
    covered = {iqn for host in made.granted for iqn in granule(world, host)}
    expect_none("initiator let in without a grant", (world.lun(made).visible_to & known) - covered, ARRAY)


def comes_back(world: World, host: Host) -> None:
    """The host reconnects and is enabled again, and the plugin is told."""
    listener = listener_of(world)
    expect_done("host_disconnected", lambda: listener.host_disconnected(host, world.store))
    expect_done("host_connected", lambda: listener.host_connected(host, world.store))
    expect_done("host_enabled", lambda: listener.host_enabled(host, [world.store]))


def granule(world: World, host: Host) -> set[Iqn]:
    """Initiators that a grant for this host lets in, where hosts are masked."""
    traits = world.subject.declared.traits
    if traits.access_mechanism is AccessMechanism.CHAP:
        return set()
    by_cluster = traits.access_granularity is AccessGranularity.CLUSTER
    cluster = Cluster(host.cluster_uuid, host.cluster_uuid, host.hypervisor)
    hosts = world.hosts_of(cluster) if by_cluster else [host]
    return {iqn for each in hosts for iqn in each.iqns}
