"""The data store driver: a small mandatory core, and one optional protocol per capability.

Every method is synchronous and may be repeated with the same arguments. The orchestrator never has two calls
in progress for one object's uuid; several instances of a plugin may serve one store, and any may be restarted
between two calls, so everything a method needs comes in its arguments. Where
access model SHARED meets hookup FRAMEWORK, volumes are no objects of the array, and only the calls about
backings and templates are made. Errors are those of `errors`; after
any of them the array is as before the call, unless the method's text says otherwise, and a repeated call
succeeds or fails the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .connection import Connection
from .values import (
    Backing,
    CachedTemplate,
    Cluster,
    Created,
    DataStore,
    Host,
    OwnedObject,
    Placement,
    QosPolicy,
    Resized,
    Snapshot,
    SnapshotRequest,
    StoreObject,
    Template,
    Usage,
    Volume,
    VolumeRequest,
    VolumeStats,
)


class DataStoreDriver(Protocol):
    """What every plugin has (CloudStack: PrimaryDataStoreDriver). `since` 0.1."""

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        """Make the volume: a LUN in DEDICATED and DIRECT, a disk in a shared datastore.

        CloudStack: createAsync. Called by the orchestrator when a volume is first needed. Idempotent by
        `request.uuid`: the same request again answers the same object; another size raises `Conflict`, other
        attributes should. At least `size_bytes` are there on return, less than one granule more, ready to be
        granted. A new LUN reads as zeros. In hookup PLUGIN the LUN is granted to `placement.hosts`, and
        datastore and disk are made through the bridge before return.

        Raises `InvalidRequest` (size zero, negative, too large; QoS outside limits), `CapacityExhausted`,
        `Conflict`, `LimitReached`, `Busy`, `ArrayUnreachable`, `AuthenticationFailed`; nothing is left
        behind. When no answer arrives the caller deletes with `external_id=None` or repeats the call.
        """
        ...

    def delete(self, store: DataStore, volume: Volume) -> None:
        """Remove the volume, and only it (CloudStack: deleteAsync). An absent volume is success.

        With `external_id=None` the volume is found by its request's uuid: a create whose reply was lost. A
        volume still granted is refused with `InUse` or revoked first, as `traits.delete_while_granted`
        declares.
        """
        ...

    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        """Let `host` (or its cluster, by `traits.access_granularity`) see the LUN.

        Other holders keep access. Idempotent. In hookup PLUGIN a host given a Volume or Backing is hooked up
        through the bridge too; Snapshot and CachedTemplate are only granted, because what is on them is the
        orchestrator's business.

        Raises `InvalidRequest` when the host has no initiator of a usable kind, `ObjectNotFound`,
        `LimitReached`; `CapabilityNotSupported` when the array cannot present a Snapshot, and then the caller
        grants a clone of it.
        """
        ...

    def revoke_access(self, store: DataStore, target: StoreObject, host: Host, remaining_hosts: Sequence[Host]) -> None:
        """Take the access of `host` away; `remaining_hosts` keep theirs.

        Never granted, deleted or unknown: success. With granularity CLUSTER the LUN is taken away when no
        host of that cluster remains.
        """
        ...

    def connection(self, store: DataStore, target: StoreObject, host: Host) -> Connection:
        """Tell how `host` reaches the LUN now: identity, size, paths, CHAP (CloudStack: getTO, getChapInfo).

        Called after the grant, for each use; before it raises `AccessNotGranted`. The caller never
        stores it for use; it may keep `without_chap()` of it to undo a hookup when access is gone.
        """
        ...

    def fence(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        """Cut these hosts off (CloudStack: detachVolumeFromAllStorageNodes). Others keep access. Idempotent.

        Returns only when the hosts cannot write any more, sessions that are logged in included. Works at the
        array alone, in hookup PLUGIN too: the hosts may be dead, so the bridge is not called for them. A
        fenced host has no grant any more and stays out until `grant_access` names it, whatever
        `traits.access_granularity`.
        """
        ...

    def list_objects(self, store: DataStore) -> Sequence[OwnedObject]:
        """List all that this plugin made for this store, with the owners' uuids; nothing of anybody else."""
        ...

    def used(self, store: DataStore) -> Usage:
        """Tell bytes and IOPS in use by `traits.space_accounting`.

        Unknown is None (CloudStack: getUsedBytes/Iops).
        """
        ...


class ResizeDriver(Protocol):
    """Capabilities RESIZE, RESIZE_ONLINE, SHRINK."""

    def resize(self, store: DataStore, volume: Volume, size_bytes: int) -> Resized:
        """Grow the volume to at least `size_bytes`, less than one granule more; the same size is success.

        Smaller raises `InvalidRequest` unless SHRINK. While a host has access and RESIZE_ONLINE is not
        supported: `InUse`. Too large: `InvalidRequest`; no room: `CapacityExhausted`; the size is then
        unchanged everywhere.
        """
        ...


class QosDriver(Protocol):
    """Capabilities QOS, QOS_ONLINE."""

    def set_qos(self, store: DataStore, volume: Volume, qos: QosPolicy) -> None:
        """Set exactly these values; None leaves a value as it is.

        Outside `limits`: `InvalidRequest`, nothing changed.
        """
        ...


class SnapshotDriver(Protocol):
    """Capabilities SNAPSHOT, QUIESCED_SNAPSHOT."""

    def take_snapshot(self, store: DataStore, volume: Volume, request: SnapshotRequest, *, quiesced: bool) -> Created:
        """Keep the volume as it is at this moment. Idempotent by `request.uuid`.

        Hosts may go on writing: what they write later is not in it. `quiesced` is asked only of plugins with
        QUIESCED_SNAPSHOT. Raises `ObjectNotFound`, `LimitReached`, `CapacityExhausted`.
        """
        ...

    def delete_snapshot(self, store: DataStore, snapshot: Snapshot) -> None:
        """Remove the snapshot, and only it; absent is success.

        While there are clones of it: what `traits.source_delete_with_clones` declares. With `external_id=None` it is
        found by its request's uuid: a request whose reply was lost.
        """
        ...


class RevertDriver(Protocol):
    """Capability REVERT."""

    def revert(self, store: DataStore, volume: Volume, snapshot: Snapshot) -> None:
        """Put the volume's bytes back, every one; newer snapshots go as `traits.revert_scope` declares.

        The volume has the snapshot's size again, or on an array that cannot make LUNs smaller the size it had, with
        zeros beyond the snapshot's end; `connection` tells. QoS, owner, identity and access stay. The caller has
        revoked every host before; a host that is logged in is `InUse`, one that only has access may be. A snapshot
        that is gone is `ObjectNotFound`, one of another volume `InvalidRequest`.
        """
        ...


class CloneDriver(Protocol):
    """Capabilities VOLUME_FROM_SNAPSHOT, VOLUME_FROM_VOLUME."""

    def clone(
        self,
        store: DataStore,
        request: VolumeRequest,
        placement: Placement,
        source: Snapshot | Volume | CachedTemplate,
    ) -> Created:
        """Make an independent volume with the source's bytes, ready to be granted on return.

        Idempotent by `request.uuid`, as `create` is; another source should raise `Conflict`. Larger is allowed, and
        reads as zeros beyond the source; smaller is `InvalidRequest`. QoS is the request's, and no host has access.
        In hookup PLUGIN it is hooked up where `placement` says, without being formatted.

        Raises `ObjectNotFound` when the source is gone, and what `create` raises.
        """
        ...


class CopyDriver(Protocol):
    """Capability COPY."""

    def can_copy(self, source: DataStore, destination: DataStore) -> bool:
        """Tell whether `copy` would work between these stores: pure and cheap, no I/O."""
        ...

    def copy(self, source: DataStore, volume: Volume, destination: DataStore, request: VolumeRequest) -> Created:
        """Make a byte-exact copy in another store; in hookup PLUGIN hooked up where `volume.placement` is."""
        ...


class ChapDriver(Protocol):
    """Capability CHAP_ROTATION."""

    def rotate_chap(self, store: DataStore, target: StoreObject, host: Host) -> None:
        """Replace the secret; afterwards the old one is refused and `connection` gives the new one.

        Whose secret it is says `traits.chap_scope`; what becomes of sessions, `traits.rotation_drops_sessions`.
        Without a grant: `AccessNotGranted`.
        """
        ...


class StatsDriver(Protocol):
    """Capability VOLUME_STATS."""

    def volume_stats(self, store: DataStore, volume: Volume) -> VolumeStats:
        """Tell what the volume has in use; unknown is None."""
        ...


class TemplateDriver(Protocol):
    """Capability TEMPLATE_CACHE."""

    def seed_template(self, store: DataStore, uuid: str, template: Template, size_bytes: int) -> Created:
        """Make an empty LUN for a template. Idempotent by `uuid`.

        It is cloned only after the orchestrator filled, verified and revoked it.
        """
        ...

    def delete_template(self, store: DataStore, cached: CachedTemplate) -> None:
        """Remove a cached template; clones keep working; absent is success.

        With `external_id=None` it is found by its uuid.
        """
        ...


class GrowthDriver(Protocol):
    """Capability SHARED_GROWTH."""

    def grow_store(self, store: DataStore, uuid: str, needed_bytes: int, cluster: Cluster) -> Sequence[Backing]:
        """Make room in a shared store by growing its LUN or adding one; answers all backings.

        Idempotent by `uuid`.
        """
        ...


class MigrationDriver(Protocol):
    """Capability MIGRATION_QOS."""

    def begin_migration(self, store: DataStore, volume: Volume) -> None:
        """Lift the volume's QoS for a copy: above what it is where the limits allow more, never below. Idempotent."""
        ...

    def end_migration(self, store: DataStore, volume: Volume) -> None:
        """Put the volume's own QoS back, after success and after failure."""
        ...
