"""One simulated KVM host: what libvirtd on it answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from simulators.libvirt.disks import DiskOpener
from simulators.libvirt.domains import Domains
from simulators.libvirt.driver import Driver
from simulators.libvirt.faults import unsupported
from simulators.libvirt.login import Login
from simulators.libvirt.pools import Pools
from simulators.libvirt.secrets import Secrets
from simulators.libvirt.values import Procedures, Value

_CAPABILITIES = """<domainCapabilities>
  <path>/usr/bin/qemu-system-x86_64</path>
  <domain>qemu</domain>
  <machine>pc-i440fx-7.2</machine>
  <arch>x86_64</arch>
</domainCapabilities>
"""


class HostSimulator:
    """Answers the procedures of the allow-list, one at a time."""

    def __init__(self, uuid: str, name: str, login: Login) -> None:
        self.uuid, self.name = uuid, name
        self.is_reachable = True
        self._driver = Driver()
        self._secrets = Secrets()
        self._pools = Pools(self._driver, self._secrets, login)
        self.domains = Domains(self._driver, DiskOpener(self._pools, self._secrets, login))
        self._procedures = self._allowed()
        self._one_at_a_time = threading.RLock()

    @property
    def uri(self) -> str:
        """What `virConnectGetURI` answers; also how other hosts name this one in a migration."""
        return f"qemu+tls://{self.name}/system"

    def call(self, procedure: str, arguments: Sequence[Value]) -> Value:
        """Run one procedure; raises libvirtError."""
        if procedure not in self._procedures:
            raise unsupported(procedure)
        with self._one_at_a_time:
            return self._procedures[procedure](*arguments)

    def plant_pool(self, xml: str, *, is_active: bool) -> None:
        """A storage pool that somebody else made."""
        with self._one_at_a_time:
            self._pools.plant(xml, is_active=is_active)

    def pool_states(self) -> list[Value]:
        """Every storage pool with its XML and its state."""
        with self._one_at_a_time:
            return self._pools.states()

    def xml_texts(self) -> list[str]:
        """All XML an administrator of this host could read."""
        with self._one_at_a_time:
            return [*self._pools.xml_texts(), *self.domains.xml_texts(), *self._secrets.xml_texts()]

    def close(self) -> None:
        """Power off everything."""
        with self._one_at_a_time:
            self.domains.close()
            self._driver.close()

    def _allowed(self) -> Procedures:
        return {
            "virConnectGetURI": lambda: self.uri,
            "virConnectGetHostname": lambda: self.name,
            "virConnectIsAlive": lambda: 1,
            "virConnectGetDomainCapabilities": lambda: _CAPABILITIES,
            **self._secrets.procedures(),
            **self._pools.procedures(),
            **self.domains.procedures(),
        }
