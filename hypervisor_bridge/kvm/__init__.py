"""KVM: libvirt hosts with ``iscsi-direct`` pools, which need no initiator in the kernel.

A pool shows a target, so a datastore is a pool *and* a unit of it, per host. libvirt formats nothing and
keeps no text with a pool: the datastore's name is in the ledger, and the LUN is known by its WWID. Not
supported: NFS and Fibre Channel, mutual CHAP (libvirt has none), resignature (there is no signature),
templates that are not raw.
"""

from __future__ import annotations

from typing import cast

from conformance.contract import BridgeLedger, Cluster, HypervisorBridge

from .bridge import KvmBridge
from .connection import Connections

__all__ = ["Connections", "KvmBridge", "open_bridge"]


def open_bridge(cluster: Cluster, connections: object, ledger: BridgeLedger) -> HypervisorBridge:
    """A `BridgeFactory`. Several bridges of one cluster may be open when they share a ledger."""
    return KvmBridge(cluster, cast("Connections", connections), ledger)
