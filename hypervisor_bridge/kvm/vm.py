"""VMs, as far as storage needs them: small machines that are defined, started, moved and removed."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.contract import BlockConnection, Host, HypervisorFault, VmRef
from hypervisor_bridge.saga import Saga

from . import constants as c
from .connection import RemoteHost, Remotes
from .domains import DomainView, of_vm, read_domains, read_host_domains, the_vm
from .errors import HYPERVISOR
from .hookup import HookUp
from .records import Records, vm_uuid
from .vm_disks import VmDisks
from .xml import domain_xml

_MIGRATION = c.MIGRATE_LIVE | c.MIGRATE_PEER2PEER | c.MIGRATE_PERSIST_DEST | c.MIGRATE_UNDEFINE_SOURCE


class Vms:
    """The life of VMs in one cluster."""

    def __init__(self, remotes: Remotes, records: Records, hookup: HookUp, disks: VmDisks) -> None:
        self._remotes, self._records, self._hookup, self._disks = remotes, records, hookup, disks

    def create(self, vm: VmRef, on: Host) -> None:
        """See `HypervisorBridge.create_vm`."""
        remote = self._remotes.get(on, "create_vm")
        if of_vm(read_domains(self._remotes), vm):
            return
        uuid = vm_uuid(vm.uuid)
        capabilities = remote.do("virConnectGetDomainCapabilities", remote.connection.getDomainCapabilities)
        xml = domain_xml(vm.name, uuid, capabilities)
        with self._hookup.saga() as saga:
            saga.make(
                self._records.key("vm", uuid),
                {"name": vm.name},
                lambda: remote.do("virDomainDefineXML", lambda: remote.connection.defineXML(xml)),
                lambda: _undefine(remote, uuid),
            )

    def start(self, vm: VmRef, on: Host, luns: Sequence[BlockConnection]) -> None:
        """See `HypervisorBridge.start_vm`; a stopped VM moves to that host."""
        view = the_vm(read_domains(self._remotes), vm, "start_vm")
        if view.is_active:
            _check_runs_on(view, on)
            return
        remote = self._remotes.get(on, "start_vm")
        with self._hookup.saga() as saga:
            xml = self._disks.for_host(saga, view, remote, luns, "start_vm")
            self._define(saga, view, remote, xml)
            self._power_on(saga, remote, view.uuid)
            self._disks.leave_uses(saga, view.uuid, stays_on=on)

    def stop(self, vm: VmRef) -> None:
        """See `HypervisorBridge.stop_vm`."""
        view = the_vm(read_domains(self._remotes), vm, "stop_vm")
        if view.is_active:
            view.remote.do("virDomainDestroy", view.domain.destroy)

    def migrate(self, vm: VmRef, to: Host, luns: Sequence[BlockConnection]) -> None:
        """See `HypervisorBridge.migrate_vm`: libvirtd to libvirtd, with the target's own units in its XML."""
        view = the_vm(read_domains(self._remotes), vm, "migrate_vm")
        if view.remote.host == to and view.is_active:
            return
        remote = self._remotes.get(to, "migrate_vm")
        with self._hookup.saga() as saga:
            xml = self._disks.for_host(saga, view, remote, luns, "migrate_vm")
            uri = remote.do("virConnectGetURI", remote.connection.getURI)
            params = {c.MIGRATE_PARAM_DEST_XML: xml, c.MIGRATE_PARAM_PERSIST_XML: xml}
            view.remote.do("virDomainMigrateToURI3", lambda: view.domain.migrateToURI3(uri, params, _MIGRATION))
        with self._hookup.saga() as saga:
            self._disks.leave_uses(saga, view.uuid, stays_on=to)

    def delete(self, vm: VmRef) -> None:
        """See `HypervisorBridge.delete_vm`; the ledger forgets the VM when no host has it."""
        for view in of_vm(read_domains(self._remotes), vm):
            if view.is_active:
                view.remote.do("virDomainDestroy", view.domain.destroy)
            if view.is_persistent:
                view.remote.do("virDomainUndefine", view.domain.undefine)
        uuid = vm_uuid(vm.uuid)
        with self._hookup.saga() as saga:
            self._disks.leave_uses(saga, uuid)
        for key in self._records.keys("vm_disk", uuid):
            self._records.forget(key)
        self._records.forget(self._records.key("vm", uuid))

    def _define(self, saga: Saga, view: DomainView, remote: RemoteHost, xml: str) -> None:
        """Define it on that host with its disks there; elsewhere it is not defined any more."""
        before = view.remote.do("virDomainGetXMLDesc", lambda: view.domain.XMLDesc(c.DOMAIN_XML_INACTIVE))
        is_same_host = view.remote.host == remote.host
        saga.step(
            lambda: _define(remote, xml),
            lambda: _define(remote, before) if is_same_host else _undefine(remote, view.uuid),
        )
        if not is_same_host:
            saga.step(lambda: _undefine(view.remote, view.uuid), lambda: _define(view.remote, before))

    def _power_on(self, saga: Saga, remote: RemoteHost, uuid: str) -> None:
        domain = remote.do("virDomainLookupByUUIDString", lambda: remote.connection.lookupByUUIDString(uuid))
        saga.step(lambda: remote.do("virDomainCreate", domain.create), lambda: _power_off(remote, uuid))


def _check_runs_on(view: DomainView, on: Host) -> None:
    if view.remote.host != on:
        reason = f"VM {view.name} runs here already"
        next_step = f"migrate it to {on.name}"
        raise HypervisorFault(HYPERVISOR, view.remote.host.name, "start_vm", reason, next_step)


def _define(remote: RemoteHost, xml: str) -> None:
    remote.do("virDomainDefineXML", lambda: remote.connection.defineXML(xml))


def _undefine(remote: RemoteHost, uuid: str) -> None:
    for view in read_host_domains(remote):
        if view.uuid == uuid:
            remote.do("virDomainUndefine", view.domain.undefine)


def _power_off(remote: RemoteHost, uuid: str) -> None:
    for view in read_host_domains(remote):
        if view.uuid == uuid and view.is_active:
            remote.do("virDomainDestroy", view.domain.destroy)
