"""Several hosts: who is there, who can be reached, migration between them, and what an administrator could read."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import libvirt

from simulators.libvirt.faults import check_flags, fault, internal, unreachable
from simulators.libvirt.host import HostSimulator
from simulators.libvirt.login import Login
from simulators.libvirt.values import Value

_FROM = libvirt.VIR_FROM_QEMU
_LOG_LINES = 2000
_MIGRATION = (
    libvirt.VIR_MIGRATE_LIVE
    | libvirt.VIR_MIGRATE_PEER2PEER
    | libvirt.VIR_MIGRATE_PERSIST_DEST
    | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
)


class Hosts(Protocol):
    """What owns the hosts of a world, in this process or in a daemon."""

    def add_host(self, uuid: str, name: str) -> None:
        """A host joins."""

    def remove_host(self, uuid: str) -> None:
        """A host is gone with all that was on it."""

    def set_reachable(self, uuid: str, *, is_reachable: bool) -> None:
        """A host stops answering, or answers again; what it runs goes on."""

    def call(self, uuid: str, procedure: str, arguments: Sequence[Value]) -> Value:
        """Run one procedure of one host; raises libvirtError."""

    def plant_pool(self, uuid: str, xml: str, *, is_active: bool) -> None:
        """Somebody else makes a storage pool on one host; raises libvirtError."""

    def pool_states(self, uuid: str) -> Sequence[Value]:
        """Of every storage pool of one host: uuid, name, XML, whether it is active, whether it starts with the host."""

    def text(self) -> str:
        """All XML and the log."""

    def close(self) -> None:
        """Power off."""


class ClusterSimulator:
    """Hosts that live in this process."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._hosts: dict[str, HostSimulator] = {}
        self._log: deque[str] = deque(maxlen=_LOG_LINES)

    def add_host(self, uuid: str, name: str) -> None:
        """A host joins, with nothing on it."""
        self._hosts[uuid] = HostSimulator(uuid, name, self._login)

    def remove_host(self, uuid: str) -> None:
        """A host is gone with all that was on it."""
        self._hosts.pop(uuid).close()

    def set_reachable(self, uuid: str, *, is_reachable: bool) -> None:
        """A host stops answering, or answers again; what it runs goes on."""
        self._hosts[uuid].is_reachable = is_reachable

    def call(self, uuid: str, procedure: str, arguments: Sequence[Value]) -> Value:
        """Run one procedure of one host, and log it with its outcome."""
        host = self._reachable(uuid)
        try:
            result = self._run(host, procedure, arguments)
        except libvirt.libvirtError as error:
            self._note(host, procedure, arguments, f"error {error.get_error_code()}: {error}")
            raise
        self._note(host, procedure, arguments, "ok")
        return result

    def plant_pool(self, uuid: str, xml: str, *, is_active: bool) -> None:
        """Somebody else makes a storage pool on one host, from behind: the host need not answer, nothing is logged."""
        self._hosts[uuid].plant_pool(xml, is_active=is_active)

    def pool_states(self, uuid: str) -> Sequence[Value]:
        """Every storage pool of one host with its XML and its state, from behind."""
        return self._hosts[uuid].pool_states()

    def text(self) -> str:
        """All XML and the log; values of secrets are in neither."""
        xml = [text for each in list(self._hosts.values()) for text in each.xml_texts()]
        return "\n".join([*xml, *self._log])

    def close(self) -> None:
        """Power off every host."""
        for each in self._hosts.values():
            each.close()
        self._hosts.clear()

    def _run(self, host: HostSimulator, procedure: str, arguments: Sequence[Value]) -> Value:
        if procedure == "virDomainMigrateToURI3":
            return self._migrate(host, *arguments)
        return host.call(procedure, arguments)

    def _migrate(self, source: HostSimulator, *arguments: Value) -> Value:
        uuid, uri, destination_xml, persistent_xml, flags = arguments
        check_flags(int(str(flags)), _MIGRATION, "virDomainMigrateToURI3")
        if int(str(flags)) != _MIGRATION:
            text = "only live peer-to-peer migration that persists there and undefines here"
            raise fault(libvirt.VIR_ERR_NO_SUPPORT, _FROM, text)
        source.domains.check_running(str(uuid))
        target = self._by_uri(str(uri))
        xml = persistent_xml or destination_xml or source.call("virDomainGetXMLDesc", [uuid, 2])
        self._arrive(target, str(uuid), xml)
        source.call("virDomainDestroy", [uuid])
        source.call("virDomainUndefine", [uuid])
        return 0

    def _arrive(self, target: HostSimulator, uuid: str, xml: Value) -> None:
        """The target side opens every disk before the source lets go; if it cannot, nothing has moved."""
        target.call("virDomainDefineXML", [xml])
        try:
            target.call("virDomainCreate", [uuid])
        except libvirt.libvirtError:
            target.call("virDomainUndefine", [uuid])
            raise

    def _reachable(self, uuid: str) -> HostSimulator:
        host = self._hosts.get(uuid)
        if host is None or not host.is_reachable:
            raise unreachable(uuid if host is None else host.name)
        return host

    def _by_uri(self, uri: str) -> HostSimulator:
        for each in self._hosts.values():
            if each.uri == uri:
                return self._reachable(each.uuid)
        raise internal(_FROM, f"unable to connect to server at '{uri}'")

    def _note(self, host: HostSimulator, procedure: str, arguments: Sequence[Value], outcome: str) -> None:
        shown = ", ".join("***" if isinstance(each, bytes) else str(each) for each in arguments)
        self._log.append(f"{host.name}: {procedure}({shown}): {outcome}")
