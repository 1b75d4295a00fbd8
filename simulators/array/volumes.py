"""Volumes: thin, found by number, name and target, deleted first and purged later."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simulators.array.limits import check_count, check_length
from simulators.array.qos import Qos, QosChange
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register
from simulators.array.volume import Volume, VolumeWish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simulators.array.accounts import Account, Accounts
    from simulators.array.capacity import Capacity
    from simulators.array.limits import Limits
    from simulators.array.make import Make
    from simulators.array.qos_policies import QosPolicies, QosPolicy
    from simulators.array.store import Blocks, Store
    from simulators.array.surroundings import Chance, Now, Revision
    from simulators.array.volume import Content, VolumeChange


class Volumes:
    """The array's volumes, by number, name and target."""

    def __init__(
        self, *, accounts: Accounts, policies: QosPolicies, limits: Limits, capacity: Capacity, store: Store,
        unique_id: str, make: Make, now: Now, chance: Chance, revision: Revision,
    ) -> None:  # fmt: skip
        self._accounts = accounts
        self._policies = policies
        self._limits = limits
        self.capacity = capacity
        self._store = store
        self._unique_id = unique_id
        self._make = make
        self._now = now
        self._chance = chance
        self._revision = revision
        self.rows: Register[Volume] = Register()
        self.kept_for = make.kept_for
        self._by_name = _Index()
        self._by_target = _Index()
        self._deleted: dict[int, Volume] = {}

    def get(self, volume_id: int) -> Volume:
        """The volume of that number, deleted or not."""
        volume = self.rows.find(volume_id)
        if volume is None:
            raise Refused(Reason.VOLUME_UNKNOWN, f"Volume {volume_id} does not exist.")
        return volume

    def get_active(self, volume_id: int) -> Volume:
        """The volume of that number, if it is not deleted."""
        volume = self.rows.find(volume_id)
        if volume is None or volume.is_deleted:
            raise Refused(Reason.VOLUME_UNKNOWN, f"Volume {volume_id} does not exist.")
        return volume

    def get_ready(self, volume_id: int) -> Volume:
        """The volume of that number, if it is neither deleted nor still being copied."""
        volume = self.get_active(volume_id)
        if volume.is_copying:
            raise Refused(Reason.VOLUME_NOT_READY, f"VolumeID {volume_id} is still being copied: try again.")
        return volume

    def get_deleted(self, volume_id: int) -> Volume:
        """The volume of that number, if it waits to be purged."""
        volume = self._deleted.get(volume_id)
        if volume is None:
            raise Refused(Reason.VOLUME_UNKNOWN, f"VolumeID {volume_id} is not a deleted volume.")
        return volume

    def find_target(self, target_iqn: str) -> Volume | None:
        """The volume behind a target of its own, if there is such a target now."""
        return next((each for each in self._by_target.at(target_iqn.lower()) if each.has_target), None)

    def named(self, name: str) -> Iterable[Volume]:
        """Volumes of exactly that name, deleted ones too: names may occur more than once."""
        return self._by_name.at(name)

    def deleted(self) -> Iterator[Volume]:
        """Volumes that wait to be purged, by number."""
        return iter(sorted(self._deleted.values(), key=lambda each: each.volume_id))

    def create(self, wish: VolumeWish) -> Volume:
        """Make a volume; unless it is still being copied, initiators can reach it at once."""
        return self.create_all([wish])[0]

    def create_all(self, wishes: Sequence[VolumeWish]) -> list[Volume]:
        """Make several volumes or none."""
        sizes = [self._checked_content(each) for each in wishes]
        qos = [self._wanted_qos(each) for each in wishes]
        accounts = {each.account_id: self._accounts.get(each.account_id) for each in wishes}
        for account_id, more in Counter(each.account_id for each in wishes).items():
            self._check_room_in(accounts[account_id], more)
        check_count(len(self.rows) + len(wishes), self._limits.volumes, "volumes.")
        self.capacity.check(sum(sizes))
        return [
            self._keep(wish, accounts[wish.account_id], size_bytes, each)
            for wish, size_bytes, each in zip(wishes, sizes, qos, strict=True)
        ]

    def create_unchecked(self, name: str, account: Account, size_bytes: int) -> Volume:
        """Make a volume outside all limits: how a test uses up space."""
        wish = VolumeWish(name, account.account_id, size_bytes, has_512e=True, qos=QosChange(), attributes={})
        return self._keep(wish, account, size_bytes, Qos())

    def _keep(self, wish: VolumeWish, account: Account, size_bytes: int, qos: Qos) -> Volume:
        number, now = self.rows.next_number, self._now()
        volume = Volume(
            volume_id=number,
            name=wish.name,
            account_id=account.account_id,
            size_bytes=size_bytes,
            uuid=self._chance.uuid(),
            iqn=self._make.target_of(self._unique_id, wish.name, number),
            naa=self._make.naa_of(self._unique_id, number),
            eui=self._make.eui_of(self._unique_id, number),
            created_at=now,
            changed_at=now,
            has_512e=wish.has_512e,
            qos=qos,
            attributes=wish.attributes,
            access=wish.access,
            blocks=self._blocks_with(wish.content, size_bytes),
            is_copying=wish.is_copying,
        )
        self.rows.add(volume)
        if wish.qos_policy_id is not None:
            self._policies.join(volume, self._policies.get(wish.qos_policy_id))
        self._by_name.add(volume.name, volume)
        self._by_target.add(volume.iqn, volume)
        account.volumes[number] = None
        self.capacity.used_bytes += size_bytes
        self._revision.advance()
        return volume

    def _blocks_with(self, content: Content | None, size_bytes: int) -> Blocks:
        if content is None:
            return self._store.create(size_bytes)
        blocks = content.blocks.fork()
        if size_bytes != content.size_bytes:
            blocks.resize(size_bytes)
        return blocks

    def rename(self, volume: Volume, name: str) -> None:
        """Call a volume otherwise; its target keeps its name."""
        if name != volume.name:
            self._check_name(name)
            self._by_name.remove(volume.name, volume)
            volume.name, volume.changed_at = name, self._now()
            self._by_name.add(name, volume)

    def modify(self, volume_id: int, change: VolumeChange) -> Volume:
        """Change what is given; sizes only grow."""
        return self.modify_all([volume_id], change)[0]

    def modify_all(self, volume_ids: Sequence[int], change: VolumeChange) -> list[Volume]:
        """Make the same change to several volumes or to none."""
        volumes = [self.get_active(each) for each in dict.fromkeys(volume_ids)]
        sizes = [self._grown_size(each, change.size_bytes) for each in volumes]
        self.check_room_for(sum(sizes) - sum(each.size_bytes for each in volumes))
        policy = None if change.qos_policy_id is None else self._policies.get(change.qos_policy_id)
        qos = [each.qos if change.qos is None else each.qos.changed(change.qos, self._limits) for each in volumes]
        owner = None if change.account_id is None else self._accounts.get(change.account_id)
        if owner is not None:
            self._check_room_in(owner, sum(each.account_id != owner.account_id for each in volumes))
        for volume, size_bytes, has_qos in zip(volumes, sizes, qos, strict=True):
            self._put_under(volume, policy, has_qos, leaves=change.qos is not None or change.leaves_qos_policy)
            self._apply(volume, change, owner)
            self._resize(volume, size_bytes)
        self._revision.advance()
        return volumes

    def _apply(self, volume: Volume, change: VolumeChange, owner: Account | None) -> None:
        volume.changed_at = self._now()
        if owner is not None:
            self._hand_over(volume, owner)
        volume.access = change.access or volume.access
        if volume.access.is_closed:
            # Locked and unlocked again before anybody looks: its sessions are over all the same.
            volume.sessions_ended_at = self._revision.number + 1
        if change.attributes is not None:
            volume.attributes = change.attributes

    def _put_under(self, volume: Volume, policy: QosPolicy | None, qos: Qos, *, leaves: bool) -> None:
        if policy is not None:
            self._policies.join(volume, policy)
        elif leaves:
            self._policies.leave(volume)
            volume.qos = qos

    def _wanted_qos(self, wish: VolumeWish) -> Qos:
        if wish.qos_policy_id is not None:
            return self._policies.get(wish.qos_policy_id).qos
        return self._policies.default.changed(wish.qos, self._limits)

    def check_room_for(self, more_bytes: int) -> None:
        """Refuse growth that does not fit; shrinking always does."""
        if more_bytes > 0:
            self.capacity.check(more_bytes)

    def put_back(self, volume: Volume, content: Content) -> None:
        """Let a volume hold what another thing holds, and have its size."""
        self._resize(volume, content.size_bytes)
        self.overwrite(volume, content)
        self._revision.advance()

    def overwrite(self, volume: Volume, content: Content) -> None:
        """Let a volume hold what another thing holds, and forget its own; it keeps its size."""
        volume.blocks.overwrite(content.blocks)
        if volume.size_bytes < content.size_bytes:
            volume.blocks.resize(volume.size_bytes)

    def finish_copying(self, volume: Volume) -> None:
        """Open the target of a clone."""
        volume.is_copying = False
        self._revision.advance()

    def delete(self, volume_id: int) -> Volume:
        """Close the target; the volume can be restored until it is purged."""
        volume = self.get_active(volume_id)
        volume.deleted_at = self._now()
        volume.purge_at = volume.deleted_at + self.kept_for
        volume.sessions_ended_at = self._revision.number + 1
        self._deleted[volume_id] = volume
        self._revision.advance()
        return volume

    def restore(self, volume_id: int) -> Volume:
        """Make a deleted volume active again."""
        volume = self.get_deleted(volume_id)
        volume.deleted_at = volume.purge_at = None
        del self._deleted[volume_id]
        self._revision.advance()
        return volume

    def purge(self, volume: Volume) -> None:
        """Forget a deleted volume and its data."""
        number = volume.volume_id
        self.rows.remove(number)
        del self._deleted[number]
        self._by_target.remove(volume.iqn, volume)
        self._by_name.remove(volume.name, volume)
        self._policies.leave(volume)
        del self._accounts.get(volume.account_id).volumes[number]
        self.capacity.used_bytes -= volume.size_bytes
        volume.blocks.clear()

    def due(self) -> Iterator[Volume]:
        """Deleted volumes whose time has come; each has to be purged before the next is asked for."""
        # All wait equally long, so the order of deletion is the order of purging.
        while self._deleted:
            oldest = next(iter(self._deleted.values()))
            if oldest.purge_at is None or oldest.purge_at > self._now():
                return
            yield oldest

    def _checked_content(self, wish: VolumeWish) -> int:
        """Refuse a name or a size that cannot be; the size that it will really have is returned."""
        self._check_name(wish.name)
        return self._checked_size(wish.size_bytes)

    def _check_name(self, name: str) -> None:
        check_length(name, 1, self._limits.volume_name_length, "name")
        if not self._make.volume_names.fullmatch(name):
            raise Refused(Reason.VALUE_NOT_ALLOWED, f"name may have {self._make.volume_name_rule} only")
        if self._make.has_unique_names and self._by_name.at(name):
            raise Refused(Reason.NAME_TAKEN, f"name {name} is in use already")

    def _resize(self, volume: Volume, size_bytes: int) -> None:
        if size_bytes != volume.size_bytes:
            self.capacity.used_bytes += size_bytes - volume.size_bytes
            volume.size_bytes = size_bytes
            volume.size_changes += 1
            volume.blocks.resize(size_bytes)

    def _checked_size(self, size_bytes: int) -> int:
        least, most = self._limits.volume_size_min, self._limits.volume_size_max
        rounded = self._limits.rounded_up(size_bytes)
        if size_bytes < least or rounded > most:
            raise Refused(Reason.VALUE_NOT_ALLOWED, f"totalSize={size_bytes}; expected {least} to {most}")
        return rounded

    def _grown_size(self, volume: Volume, size_bytes: int | None) -> int:
        if size_bytes is None:
            return volume.size_bytes
        # Callers ask again for the size they asked for, not for what it was rounded up to.
        if self._limits.rounded_up(size_bytes) < volume.size_bytes:
            raise Refused(
                Reason.VOLUME_WOULD_SHRINK,
                f"Lowering a volume size is not allowed: {volume.size_bytes} to {size_bytes}.",
            )
        return self._checked_size(size_bytes)

    def _check_room_in(self, account: Account, more: int) -> None:
        check_count(
            len(account.volumes) + more,
            self._limits.volumes_per_account,
            f"volumes per account. accountID={account.account_id}",
        )

    def _hand_over(self, volume: Volume, owner: Account) -> None:
        del self._accounts.get(volume.account_id).volumes[volume.volume_id]
        volume.account_id = owner.account_id
        owner.volumes[volume.volume_id] = None


class _Index:
    """Volumes by a text that several of them may share."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, Volume]] = {}

    def at(self, key: str) -> tuple[Volume, ...]:
        """All of that text."""
        return tuple(self._rows.get(key, {}).values())

    def add(self, key: str, volume: Volume) -> None:
        """Enter a volume."""
        self._rows.setdefault(key, {})[volume.volume_id] = volume

    def remove(self, key: str, volume: Volume) -> None:
        """Strike a volume out."""
        rows = self._rows[key]
        del rows[volume.volume_id]
        if not rows:
            del self._rows[key]
