"""All that the hosts hold because of storage: a few list calls per host, all hosts at once."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import BridgeInventory, InventoryItem, InventoryKind
from hypervisor_bridge.parallel import run_all

from . import constants as c
from .connection import RemoteHost, Remotes
from .domains import read_host_domains
from .pools import iscsi_pools
from .records import Records


def read_inventory(remotes: Remotes, records: Records) -> BridgeInventory:
    """See `HypervisorBridge.inventory`. iscsi-direct keeps no sessions of its own, so there are none to list."""
    items = run_all(
        remotes.all(),
        lambda remote: [*_pools(remote, records), *_secrets(remote, records), *_vms(remote, records)],
        remotes.connections.parallel_hosts,
    )
    return BridgeInventory(frozenset(item for each in items for item in each))


def _pools(remote: RemoteHost, records: Records) -> Iterator[InventoryItem]:
    host = remote.host.uuid
    names = {each.UUIDString(): each.name() for each in iscsi_pools(remote)}
    for uuid, name in names.items():
        is_ours = records.has(records.pool_key(host, uuid))
        yield InventoryItem(InventoryKind.TARGET, host, name, is_ours)
    disks = {each.name: each.disk for each in records.datastores()}
    for each in records.attachments():
        if each.host_uuid == host and each.pool_uuid in names:
            yield InventoryItem(InventoryKind.DATASTORE, host, each.datastore)
            if disks.get(each.datastore):
                name = f"{each.datastore}/{disks[each.datastore]}"
                yield InventoryItem(InventoryKind.DISK, host, name)


def _secrets(remote: RemoteHost, records: Records) -> Iterator[InventoryItem]:
    host = remote.host.uuid
    for each in remote.do("virConnectListAllSecrets", remote.connection.listAllSecrets):
        if each.usageType() == c.SECRET_USAGE_TYPE_ISCSI:
            is_ours = records.has(records.secret_key(host, each.UUIDString()))
            yield InventoryItem(InventoryKind.SECRET, host, each.usageID(), is_ours)


def _vms(remote: RemoteHost, records: Records) -> Iterator[InventoryItem]:
    host = remote.host.uuid
    for view in read_host_domains(remote):
        yield InventoryItem(InventoryKind.VM, host, view.name, records.has(records.key("vm", view.uuid)))
        for disk in view.disks:
            is_ours = records.has(records.key("vm_disk", view.uuid, disk.serial))
            name = f"{view.name}/{disk.dev} {disk.serial or disk.volume}".rstrip()
            yield InventoryItem(InventoryKind.VM_DISK, host, name, is_ours)
