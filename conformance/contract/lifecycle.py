"""The life cycle of a primary storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .values import Backing, Cluster, DataStore, StoreRequest, Zone


class DataStoreLifeCycle(Protocol):
    """What every plugin has (CloudStack: PrimaryDataStoreLifeCycle). `since` 0.1."""

    def initialize(self, request: StoreRequest) -> DataStore:
        """Check the request against the array and accept it. Called first when storage is added.

        Idempotent by uuid. Bad parameters raise `InvalidRequest` naming the parameter, bad credentials
        `AuthenticationFailed`, a dead address `ArrayUnreachable`: here, not at the first volume. Returns a
        store or leaves nothing on the array. Accounts, groups and the like may be made; in DEDICATED and DIRECT no
        LUN, because each LUN there is a volume's or a template's.
        """
        ...

    def attach_cluster(self, store: DataStore, cluster: Cluster) -> Sequence[Backing]:
        """Make the store usable from a cluster; called after `initialize`, once for each cluster. Idempotent.

        SHARED: answers what the datastore stands on. DEDICATED and DIRECT: makes nothing and answers nothing.
        """
        ...

    def detach_cluster(self, store: DataStore, cluster: Cluster) -> None:
        """Undo `attach_cluster`; never attached is success."""
        ...

    def delete_datastore(self, request: StoreRequest) -> None:
        """Remove all that stands on the array for this store; needs only the request. Idempotent.

        Called when storage is deleted, and as the rollback of a failed `initialize` or attach: it tolerates a
        half-made store, and revokes what is granted.
        """
        ...


class ZoneAttachment(Protocol):
    """Optional: stores that serve a whole zone."""

    def attach_zone(self, store: DataStore, zone: Zone) -> Sequence[Backing]:
        """As `attach_cluster`, for every cluster of the zone."""
        ...


class StoreUpdate(Protocol):
    """Optional: capacity changes."""

    def update(self, store: DataStore, request: StoreRequest) -> DataStore:
        """Take a new capacity; below what is used raises `InvalidRequest` and changes nothing."""
        ...


class StoreSwitch(Protocol):
    """Optional: a store that takes no new volumes. Existing volumes are unaffected."""

    def enable(self, store: DataStore) -> None:
        """Allow new volumes again."""
        ...

    def disable(self, store: DataStore) -> None:
        """Take no new volumes."""
        ...


class StoreMaintenance(Protocol):
    """Optional: take the store out of use and back."""

    def maintain(self, store: DataStore) -> None:
        """Make its volumes unreachable; the orchestrator has stopped their users."""
        ...

    def cancel_maintain(self, store: DataStore) -> None:
        """Bring the store back with the same data."""
        ...
