"""What the domains of all hosts have attached, because libvirt itself does not keep two VMs from one LUN."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from conformance.contract import HypervisorFault, VmNotFound, VmRef
from hypervisor_bridge.parallel import run_all

from . import constants as c
from .connection import RemoteHost, Remotes, VirDomain
from .errors import HYPERVISOR
from .records import Attachment, Records, vm_uuid
from .xml import DiskXml, disks_of


@dataclass(frozen=True, slots=True)
class DomainView:
    """A domain on one host, as read at once; `disks` are those it has now and those it gets at its next start."""

    remote: RemoteHost
    domain: VirDomain
    uuid: str
    name: str
    is_active: bool
    is_persistent: bool
    live: tuple[DiskXml, ...]
    config: tuple[DiskXml, ...]

    @property
    def disks(self) -> tuple[DiskXml, ...]:
        """Every disk once, by its place."""
        return tuple({each.dev: each for each in (*self.config, *self.live)}.values())

    @property
    def affects(self) -> int:
        """The flags with which a change is made now and for ever, as far as it can."""
        live = c.DOMAIN_AFFECT_LIVE if self.is_active else 0
        return live | (c.DOMAIN_AFFECT_CONFIG if self.is_persistent else 0)


@dataclass(frozen=True, slots=True)
class LunPlaces:
    """How a LUN may appear in domains: by its WWID, as volume of a pool, or by target and number on that host."""

    wwid: str
    volumes: frozenset[tuple[str, str, str]]
    units: frozenset[tuple[str, str, int]]

    @classmethod
    def of(cls, wwid: str, attachments: Sequence[Attachment]) -> LunPlaces:
        """The places of a datastore's LUN."""
        return cls(
            wwid,
            frozenset((each.host_uuid, each.pool_name, each.unit) for each in attachments),
            frozenset((each.host_uuid, each.target.iqn, each.lun_number) for each in attachments),
        )

    def has(self, host_uuid: str, disk: DiskXml) -> bool:
        """Whether a disk on that host is this LUN. A disk with another LUN's serial is not."""
        if disk.serial == self.wwid:
            return True
        if disk.volume:
            return (host_uuid, disk.pool, disk.volume) in self.volumes
        return disk.lun_number is not None and (host_uuid, disk.target_iqn, disk.lun_number) in self.units


def read_domains(remotes: Remotes, host_uuids: Collection[str] | None = None) -> list[DomainView]:
    """Every domain of these hosts, or of every host."""
    hosts = [each for each in remotes.all() if host_uuids is None or each.host.uuid in host_uuids]
    views = run_all(hosts, read_host_domains, remotes.connections.parallel_hosts)
    return [view for each in views for view in each]


def read_host_domains(remote: RemoteHost) -> list[DomainView]:
    """Every domain of one host; one that goes away meanwhile is not there."""
    return [
        view
        for flag in (c.CONNECT_LIST_DOMAINS_ACTIVE, c.CONNECT_LIST_DOMAINS_INACTIVE)
        for domain in _listed(remote, flag)
        for view in _view(remote, domain, is_active=flag == c.CONNECT_LIST_DOMAINS_ACTIVE)
    ]


def users(views: Sequence[DomainView], places: LunPlaces) -> Iterator[tuple[DomainView, DiskXml]]:
    """Who has this LUN."""
    for view in views:
        for disk in view.disks:
            if places.has(view.remote.host.uuid, disk):
                yield view, disk


def of_vm(views: Sequence[DomainView], vm: VmRef) -> list[DomainView]:
    """The VM's domains: running ones first."""
    wanted = vm_uuid(vm.uuid)
    return sorted((each for each in views if each.uuid == wanted), key=lambda each: not each.is_active)


def the_vm(views: Sequence[DomainView], vm: VmRef, call: str) -> DomainView:
    """Where the VM runs, or else is defined."""
    found = of_vm(views, vm)
    if not found:
        reason = f"no host has VM {vm.name} ({vm.uuid})"
        raise VmNotFound(HYPERVISOR, "-", call, reason, "create the VM first")
    return found[0]


def lun_places(records: Records, wwid: str) -> LunPlaces:
    """Where that LUN may be seen, by everything the ledger knows of it."""
    names = {each.name for each in records.datastores() if each.wwid == wwid}
    return LunPlaces.of(wwid, [each for each in records.attachments() if each.datastore in names])


def _listed(remote: RemoteHost, flag: int) -> Sequence[VirDomain]:
    return remote.do("virConnectListAllDomains", lambda: remote.connection.listAllDomains(flag))


def _view(remote: RemoteHost, domain: VirDomain, *, is_active: bool) -> list[DomainView]:
    try:
        live = remote.do("virDomainGetXMLDesc", domain.XMLDesc) if is_active else None
        is_persistent = not is_active or bool(remote.do("virDomainIsPersistent", domain.isPersistent))
        config = remote.do("virDomainGetXMLDesc", lambda: domain.XMLDesc(c.DOMAIN_XML_INACTIVE))
    except VmNotFound:
        return []
    return [
        DomainView(
            remote=remote,
            domain=domain,
            uuid=domain.UUIDString(),
            name=domain.name(),
            is_active=is_active,
            is_persistent=is_persistent,
            live=tuple(disks_of(live)) if live else (),
            config=tuple(disks_of(config)) if is_persistent else (),
        )
    ]


def tell_qemu(view: DomainView, dev: str, size_bytes: int) -> None:
    """Let a domain that runs see how large its disk is; one that does not will see it when it starts."""
    if not view.is_active:
        return
    remote, domain = view.remote, view.domain
    remote.do("virDomainBlockResize", lambda: domain.blockResize(dev, size_bytes, c.DOMAIN_BLOCK_RESIZE_BYTES))
    # blockResize can answer 0 and change nothing.
    seen_bytes = remote.do("virDomainGetBlockInfo", lambda: domain.blockInfo(dev))[0]
    if seen_bytes < size_bytes:
        reason = f"{dev} has {seen_bytes} bytes after the resize; expected {size_bytes}"
        raise HypervisorFault(HYPERVISOR, remote.host.name, "virDomainBlockResize", reason, "repeat the resize")
