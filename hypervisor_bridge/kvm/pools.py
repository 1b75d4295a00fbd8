"""Pools of a host: an iscsi-direct pool shows a target, so that several datastores may stand on one pool.

A pool that was there before is used when it runs and leads to the same target in the same way, and is never
stopped or removed. A refresh that fails stops the pool (storagePoolRefresh in libvirt's storage driver), so a
pool that already shows the LUN in its right size is not refreshed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.contract import HypervisorFault, LunNotVisible
from hypervisor_bridge.saga import Saga

from . import constants as c
from .connection import RemoteHost, Remotes, VirStoragePool
from .errors import HYPERVISOR, error_code
from .lun import SeenLun, opened
from .records import Records, Target
from .xml import pool_target, pool_xml


@dataclass(frozen=True, slots=True)
class PoolChoice:
    """The pool that a LUN will be seen in: `existing`, or one to be made."""

    uuid: str
    name: str
    existing: VirStoragePool | None


def choose_pool(remote: RemoteHost, records: Records, target: Target, datastore: str) -> PoolChoice:
    """Ours if it is there, else somebody's that runs, else a new one named after the datastore."""
    pools = iscsi_pools(remote)
    uuid = target.pool_uuid(records.cluster_uuid)
    for each in pools:
        if each.UUIDString() == uuid:
            return PoolChoice(uuid, each.name(), each)
    for each in pools:
        if _is_usable(remote, records, each, target):
            return PoolChoice(each.UUIDString(), each.name(), each)
    return PoolChoice(uuid, _free_name(pools, datastore, uuid), None)


def ensure_pool(
    remote: RemoteHost, records: Records, saga: Saga, choice: PoolChoice, target: Target, usage: str | None
) -> VirStoragePool:
    """Have it defined and running."""
    pool = choice.existing
    if pool is None:
        pool = _define(remote, records, saga, choice, pool_xml(choice.name, choice.uuid, target, usage))
    elif is_active(remote, pool):
        return pool
    _start(remote, saga, pool)
    return pool


def find_unit(remotes: Remotes, remote: RemoteHost, saga: Saga, pool: VirStoragePool, seen: SeenLun, unit: str) -> None:
    """Have the LUN in the pool with the size it has, refreshing if need be."""
    if unit_bytes(remote, pool, unit, seen.block_bytes) == seen.size_bytes:
        return
    try:
        saga.step(lambda: remote.do("virStoragePoolRefresh", pool.refresh), lambda: _restart(remote, pool))
    except HypervisorFault:
        # Code 1 with a text we do not know: an own login tells the cause, or there is none.
        with opened(remotes, remote.host, seen.path, "virStoragePoolRefresh"):
            raise
    found = unit_bytes(remote, pool, unit, seen.block_bytes)
    if found != seen.size_bytes:
        reason = f"pool {pool.name()} shows {found} bytes as {unit}; expected {seen.size_bytes}"
        next_step = "check the array's access list for this host"
        raise LunNotVisible(HYPERVISOR, remote.host.name, "virStorageVolGetInfo", reason, next_step)


def unit_bytes(remote: RemoteHost, pool: VirStoragePool, unit: str, block_bytes: int) -> int | None:
    """The LUN's size as the pool saw it last; None when it did not.

    Libvirt multiplies by the number of the *last* block, so that one block is missing
    (virISCSIDirectGetVolumeCapacity in storage_backend_iscsi_direct.c).
    """
    try:
        volume = remote.do("virStorageVolLookupByName", lambda: pool.storageVolLookupByName(unit))
    except LunNotVisible:
        return None
    return remote.do("virStorageVolGetInfo", volume.info)[1] + block_bytes


def release_pool(remote: RemoteHost | None, records: Records, saga: Saga, host_uuid: str, uuid: str) -> None:
    """Stop and remove a pool of ours; absent is success, and what somebody else made stays.

    A host that left the cluster (None) took its pools with it.
    """
    key = records.pool_key(host_uuid, uuid)
    if not records.has(key):
        return
    pool = None if remote is None else pool_by_uuid(remote, uuid)
    if remote is not None and pool is not None:
        _take_down(remote, saga, pool)
    saga.forget(key)


def pool_by_uuid(remote: RemoteHost, uuid: str) -> VirStoragePool | None:
    """One pool, or None."""
    try:
        return remote.do(
            "virStoragePoolLookupByUUIDString", lambda: remote.connection.storagePoolLookupByUUIDString(uuid)
        )
    except Exception as error:
        if error_code(error) == c.ERR_NO_STORAGE_POOL:
            return None
        raise


def iscsi_pools(remote: RemoteHost) -> Sequence[VirStoragePool]:
    """All iscsi-direct pools, in one call."""
    flags = c.CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT
    return remote.do("virConnectListAllStoragePools", lambda: remote.connection.listAllStoragePools(flags))


def is_active(remote: RemoteHost, pool: VirStoragePool) -> bool:
    """Whether it runs."""
    return bool(remote.do("virStoragePoolIsActive", pool.isActive))


def _define(remote: RemoteHost, records: Records, saga: Saga, choice: PoolChoice, xml: str) -> VirStoragePool:
    pool = saga.make(
        records.pool_key(remote.host.uuid, choice.uuid),
        {"name": choice.name},
        lambda: remote.do("virStoragePoolDefineXML", lambda: remote.connection.storagePoolDefineXML(xml, 0)),
        lambda: _undefine(remote, choice.uuid),
    )
    remote.do("virStoragePoolSetAutostart", lambda: pool.setAutostart(1))
    return pool


def _start(remote: RemoteHost, saga: Saga, pool: VirStoragePool) -> None:
    saga.step(lambda: remote.do("virStoragePoolCreate", pool.create), lambda: _stop(remote, pool))


def _take_down(remote: RemoteHost, saga: Saga, pool: VirStoragePool) -> None:
    xml = remote.do("virStoragePoolGetXMLDesc", pool.XMLDesc)
    if is_active(remote, pool):
        saga.step(lambda: remote.do("virStoragePoolDestroy", pool.destroy), lambda: _restart(remote, pool))
    uuid = pool.UUIDString()
    saga.step(lambda: remote.do("virStoragePoolUndefine", pool.undefine), lambda: _redefine(remote, uuid, xml))


def _redefine(remote: RemoteHost, uuid: str, xml: str) -> None:
    if pool_by_uuid(remote, uuid) is None:
        pool = remote.do("virStoragePoolDefineXML", lambda: remote.connection.storagePoolDefineXML(xml, 0))
        remote.do("virStoragePoolSetAutostart", lambda: pool.setAutostart(1))


def _undefine(remote: RemoteHost, uuid: str) -> None:
    pool = pool_by_uuid(remote, uuid)
    if pool is not None:
        remote.do("virStoragePoolUndefine", pool.undefine)


def _stop(remote: RemoteHost, pool: VirStoragePool) -> None:
    if is_active(remote, pool):
        remote.do("virStoragePoolDestroy", pool.destroy)


def _restart(remote: RemoteHost, pool: VirStoragePool) -> None:
    if not is_active(remote, pool):
        remote.do("virStoragePoolCreate", pool.create)


def _is_usable(remote: RemoteHost, records: Records, pool: VirStoragePool, target: Target) -> bool:
    if records.has(records.pool_key(remote.host.uuid, pool.UUIDString())):
        return False
    xml = remote.do("virStoragePoolGetXMLDesc", pool.XMLDesc)
    return pool_target(xml) == target and is_active(remote, pool)


def _free_name(pools: Sequence[VirStoragePool], datastore: str, uuid: str) -> str:
    # Libvirt refuses names with a slash or a line end, and names that are dots.
    name = datastore.replace("/", "-").replace("\n", "-")
    is_free = name not in {each.name() for each in pools} and name not in (".", "..")
    return name if is_free else f"{name}-{uuid[:8]}"
