"""Probe hosts in a world: they are granted, log in, and leave."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from conformance.contract import (
    AccessGranularity,
    BlockConnection,
    Capability,
    Cluster,
    Connection,
    Host,
    HostProbe,
    Iqn,
    ProbeRefused,
    ProbeSession,
    Refusal,
    Wwpn,
)
from conformance.errors import BeyondDeclared, KitError
from conformance.verdict import Broken, Certainty, Violation
from conformance.world import watching
from conformance.world.volumes import Made, WithVolumes

_BYSTANDER: Final = "bystander"


class WithHosts(WithVolumes):
    """Probe hosts in a world."""

    _group_seen = False

    def host(self, name: str = "a", cluster: Cluster | None = None, *, initiators: int = 1) -> Host:
        """A probe host of that name: one that the kit logs in as. Told to the plugin's listener when it is new."""
        if name not in self._hosts:
            self._join(_BYSTANDER, self.cluster, 1)
            self._join(name, cluster or self.cluster, initiators)
        return self._hosts[name]

    def _join(self, name: str, cluster: Cluster, initiators: int) -> None:
        """A host joins; every first one finds a bystander there, whom nobody ever grants anything."""
        if name in self._hosts:
            return
        host = self._known_hosts.get(name) or self._new_host(cluster, initiators)
        self._hosts[name] = self._known_hosts[name] = host
        listener = self.plugin.host_listener
        if listener is not None:
            self.store_uuid  # noqa: B018  (a host joins a cluster whose stores are there)
            self._step("host_added", lambda: listener.host_added(host, tuple(self._stores.values())))

    def _new_host(self, cluster: Cluster, initiators: int) -> Host:
        # Each initiator's name is the beginning of the next one's, and two hosts each have one short name in domains of
        # their own: whoever compares only beginnings mixes them up.
        number = 1 + len(self._known_hosts)
        ones, short = "1" * number, "1" * ((number + 1) // 2)
        ends = ("h", "i")[:initiators]
        iqns = tuple(Iqn(f"iqn.2013-03.org.storage-conformance:{self.tag}-{end}{ones}") for end in ends)
        name = f"{self._prefix}host-{short}.rack-{ones}"
        return Host(self._uuid(self._next()), name, cluster.hypervisor, cluster.uuid, iqns)

    def held_by_others(self) -> Host:
        """A host that is about to join, whose initiator somebody else has put into a group of his own."""
        host = self._new_host(self.cluster, 1)
        self._hosts["held"] = self._known_hosts["held"] = host
        self.plant(f"{self._prefix}{self.tag}-somebody", host.iqns[0])
        return host

    def unknown_host(self) -> Host:
        """A host that no plugin was told of."""
        iqn = Iqn(f"iqn.2013-03.org.storage-conformance:{self.tag}-unknown")
        return Host(f"host-{self.tag}-unknown", "unknown", self.cluster.hypervisor, self.cluster.uuid, (iqn,))

    def remove_host(self, host: Host) -> None:
        """A probe host leaves its cluster; its grants were revoked."""
        listener = self.plugin.host_listener
        stores = tuple(self._stores.values())
        if listener is not None:
            self._step("host_about_to_be_removed", lambda: listener.host_about_to_be_removed(host, stores))
            self._step("host_removed", lambda: listener.host_removed(host, stores))
        self._hosts = {name: each for name, each in self._hosts.items() if each != host}
        self._probes.pop(host.uuid, None)

    def stranger(self) -> Host:
        """A probe host of another cluster: outside every granule of the first."""
        return self.host("stranger", self.separate_cluster)

    def mates_of(self, host: Host) -> list[Host]:
        """All other hosts of its cluster, those that nobody was granted anything for included."""
        cluster = next(each for each in (self.cluster, self.other_cluster) if each.uuid == host.cluster_uuid)
        return [each for each in self.hosts_of(cluster) if each != host]

    def second_probe(self, host: Host) -> HostProbe:
        """The second initiator of a host that has two."""
        entry = self.subject.environment.probe
        if entry is None:
            raise KitError(f"no host probe: {self.subject.environment.missing_probe}")
        return entry.open_probe(host.iqns[1], self.array.dial)

    def probe(self, host: Host) -> HostProbe:
        """The initiator of a probe host."""
        if host.uuid not in self._probes:
            entry = self.subject.environment.probe
            if entry is None:
                raise KitError(f"no host probe: {self.subject.environment.missing_probe}")
            self._probes[host.uuid] = entry.open_probe(host.iqns[0], self.array.dial)
        return self._probes[host.uuid]

    def grant(self, made: Made, host: Host) -> None:
        """Give a host access that a property needs; failing is charged to the requirement on grants."""
        self._check_room_for_host(made, host)
        made.granted[host] = None
        with self._namesake_of_group(host):
            self._step("grant_access", lambda: self.driver.grant_access(self._at(made), made.volume, host))
        watching.after_grant(self, made, host)

    def _check_room_for_host(self, made: Made, host: Host) -> None:
        declared = self.subject.declared
        if declared.traits.access_granularity is not AccessGranularity.HOST or host in made.granted:
            return
        hosts, most = len(made.granted), declared.limits.groups_per_lun
        if most is not None and hosts >= most:
            raise BeyondDeclared(f"no more than {hosts} hosts for a LUN: limits.groups_per_lun")
        luns, most = sum(host in each.granted for each in self._made.values()), declared.limits.luns_per_host
        if most is not None and luns >= most:
            raise BeyondDeclared(f"no more than {luns} LUNs for a host: limits.luns_per_host")

    @contextmanager
    def _namesake_of_group(self, host: Host) -> Iterator[None]:
        """Somebody else gets a group of the name that this host's first has, if it got one."""
        if not self.has_namesakes or self._group_seen:
            yield
            return
        before = set(self.view().objects)
        yield
        own = {str(each) for each in host.iqns}
        new = [each.name for each in self.view().objects if each not in before and each.name not in own]
        if new:
            self._group_seen = True
            self._plant_namesakes("group", new[0])

    def revoke(self, made: Made, host: Host) -> None:
        """Take access away; failing is charged to the requirement on revokes."""
        remaining = [each for each in made.granted if each != host]
        self._step("revoke_access", lambda: self.driver.revoke_access(self._at(made), made.volume, host, remaining))
        made.granted.pop(host, None)
        watching.after_revoke(self, made)

    def was_fenced(self, made: Made, *hosts: Host) -> None:
        """These hosts lost their access to a fence; they are revoked at the end, as the cloud does."""
        for host in hosts:
            made.granted.pop(host, None)
            made.fenced[host] = None

    def connection(self, made: Made, host: Host) -> BlockConnection:
        """How a granted host reaches the LUN."""
        found = self._step("connection", lambda: self.driver.connection(self._at(made), made.volume, host))
        connection = self.block(found)
        watching.after_connection(self, made, connection)
        return connection

    def block(self, connection: Connection) -> BlockConnection:
        """The connection as one to a LUN; its CHAP secrets are remembered, to be searched for."""
        if not isinstance(connection, BlockConnection):
            raise Broken(Violation("a connection to a LUN", f"{connection!r}", "the plugin", self.home("connection")))
        for path in connection.paths:
            chap = getattr(path, "chap", None)
            if chap is not None:
                for secret in (chap.secret, chap.mutual_secret):
                    if secret is not None:
                        self.know_secret(secret)
        return connection

    def put(self, made: Made, offset: int, data: bytes, name: str = "a") -> None:
        """Write as a probe host that has access only for that; what the host had before it keeps."""
        with self._briefly(made, name) as session:
            session.write(offset, data)

    def get(self, made: Made, offset: int, length: int, name: str = "a") -> bytes:
        """Read as a probe host that has access only for that; what the host had before it keeps."""
        with self._briefly(made, name) as session:
            return session.read(offset, length)

    @contextmanager
    def _briefly(self, made: Made, name: str) -> Iterator[ProbeSession]:
        had_access = self.host(name) in made.granted
        host, session = self.access(made, name)
        yield session
        session.close()
        if not had_access:
            self.revoke(made, host)

    def login(self, made: Made, host: Host) -> ProbeSession:
        """Log in as a granted host; closed at the end."""
        connection = self.connection(made, host)
        session = self._opened(host, connection)
        self._sessions.append(session)
        watching.after_login(self, made, host, connection, session)
        return session

    def _opened(self, host: Host, connection: BlockConnection) -> ProbeSession:
        try:
            return self._step("login", lambda: self.probe(host).open(connection))
        except Broken as error:
            refused = error.__cause__
            has_chap = self.subject.supports(Capability.CHAP)
            if has_chap and isinstance(refused, ProbeRefused) and refused.refusal is Refusal.AUTHENTICATION:
                # The host used what it was told: that is what was seen to be wrong, whatever was done before.
                seen = replace(error.violation, requirement_id="CHP-002", certainty=Certainty.SEEN)
                raise Broken(seen) from refused
            raise

    def with_fc_port(self, host: Host) -> Host:
        """The same host with a Fibre Channel port besides."""
        return self._changed(replace(host, initiators=(self._wwpn, *host.initiators)))

    @property
    def _wwpn(self) -> Wwpn:
        return Wwpn(hashlib.sha256(self.tag.encode()).hexdigest()[:16])

    def _changed(self, host: Host) -> Host:
        for name, each in self._hosts.items():
            if each == host:
                self._hosts[name] = self._known_hosts[name] = host
        self._probes.pop(host.uuid, None)
        return host

    def fc_host(self) -> Host:
        """A host whose only initiator is a Fibre Channel port."""
        wwpn = self._wwpn
        return replace(self.unknown_host(), uuid=self._uuid(self._next()), name="fc-only", initiators=(wwpn,))

    def with_new_initiator(self, host: Host) -> Host:
        """The same host with another initiator name, as after its adapter was replaced."""
        return self._changed(replace(host, initiators=(Iqn(f"{host.iqns[0]}-new"),)))

    def with_another_initiator(self, host: Host) -> Host:
        """The same host with one more initiator, as after an adapter was added."""
        return self._changed(replace(host, initiators=(*host.initiators, Iqn(f"{host.iqns[0]}-added"))))

    def access(self, made: Made, name: str = "a") -> tuple[Host, ProbeSession]:
        """Grant a probe host and log in as it."""
        host = self.host(name)
        self.grant(made, host)
        return host, self.login(made, host)
