"""The array itself, without any way to reach it: all of its tables, and the rules that span them.

It does no input or output; time and chance are given to it. Everything is found by index: an operation
costs the same on ten volumes and on ten thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.accounts import AccountChange, Accounts
from simulators.array.capacity import Capacity
from simulators.array.clones import Clones, CloneTime
from simulators.array.events import Events
from simulators.array.groups import Groups
from simulators.array.initiators import Initiators
from simulators.array.limits import Limits
from simulators.array.qos_policies import QosPolicies
from simulators.array.snapshots import Snapshots
from simulators.array.store import MemoryStore
from simulators.array.surroundings import Revision
from simulators.array.volume import Traffic
from simulators.array.volumes import Volumes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.array.accounts import Account
    from simulators.array.make import Make
    from simulators.array.store import Store
    from simulators.array.surroundings import Chance, Now
    from simulators.array.volume import Volume

DEFAULT_CAPACITY_BYTES: Final = 100 * 10**12


class ArrayModel:
    """One array. Callers see to it that only one thread is in it at a time."""

    def __init__(
        self,
        *,
        make: Make,
        now: Now,
        chance: Chance,
        limits: Limits | None = None,
        capacity_bytes: int = DEFAULT_CAPACITY_BYTES,
        clone_time: CloneTime | None = None,
        store: Store | None = None,
        sessions_survive_regrouping: bool = False,
        lun_numbers_from: int | None = None,
    ) -> None:
        self.make = make
        self.lun_numbers_from = lun_numbers_from
        self.sessions_survive_regrouping = sessions_survive_regrouping
        self.now = now
        self.limits = limits or Limits()
        self.unique_id = chance.unique_id()
        self.uuid = chance.uuid()
        store = store or MemoryStore()
        self.capacity = Capacity(capacity_bytes, store.usage, make.promises_more_than_it_has)
        self.revision = Revision()
        self.traffic = Traffic()
        self.counts_traffic = store.counts_traffic
        self.events = Events(now)
        self.accounts = Accounts(self.limits, chance, self.revision)
        self.policies = QosPolicies(self.limits)
        self.volumes = Volumes(
            accounts=self.accounts,
            policies=self.policies,
            limits=self.limits,
            capacity=self.capacity,
            store=store,
            unique_id=self.unique_id,
            make=make,
            now=now,
            chance=chance,
            revision=self.revision,
        )
        self.snapshots = Snapshots(volumes=self.volumes, limits=self.limits, now=now, chance=chance)
        self.clones = Clones(
            volumes=self.volumes,
            snapshots=self.snapshots,
            limits=self.limits,
            now=now,
            time=clone_time or CloneTime(),
        )
        self.initiators = Initiators(self.limits, chance)
        self.groups = Groups(
            volumes=self.volumes, initiators=self.initiators, limits=self.limits, revision=self.revision
        )
        self.addressing = make.addressing(self)
        if make.owner:
            self.accounts.add(make.owner, AccountChange())

    @property
    def owner(self) -> Account:
        """The account of everything, on arrays of a make that has one owner."""
        return self.accounts.get_named(self.make.owner)

    def delete_volumes(self, volume_ids: Iterable[int]) -> list[Volume]:
        """Delete several volumes or none."""
        volumes = [self.volumes.get_active(each) for each in dict.fromkeys(volume_ids)]
        return [self.volumes.delete(each.volume_id) for each in volumes]

    def purge_volumes(self, volume_ids: Iterable[int]) -> None:
        """Purge several deleted volumes or none."""
        for volume in [self.volumes.get_deleted(each) for each in dict.fromkeys(volume_ids)]:
            self.purge_volume(volume.volume_id)

    def purge_volume(self, volume_id: int) -> None:
        """Remove a deleted volume from everything, its snapshots with it; its clones stay."""
        volume = self.volumes.get_deleted(volume_id)
        for snapshot in self.snapshots.of(volume):
            self.snapshots.delete(snapshot)
        self.groups.forget_volume(volume)
        self.volumes.purge(volume)

    def cancel_clone(self, job_id: int, *, is_group: bool) -> None:
        """Stop a clone in the making, and remove what there is of it."""
        for volume in self.clones.cancel(job_id, is_group=is_group):
            if not volume.is_deleted:
                self.volumes.delete(volume.volume_id)
            self.purge_volume(volume.volume_id)

    def settle(self) -> None:
        """Do whatever the time has come for: purge volumes, let snapshots expire, finish clones."""
        self.clones.finish_due()
        for volume in self.volumes.due():
            self.purge_volume(volume.volume_id)
        for snapshot in self.snapshots.due():
            self.snapshots.delete(snapshot)
