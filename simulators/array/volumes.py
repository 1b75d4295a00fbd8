"""Volumes: thin, one target each, deleted first and purged later."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from simulators.array.blockmap import BlockMap, ExtentCount
from simulators.array.identity import eui_of, iqn_of, naa_of
from simulators.array.limits import check_count, check_length
from simulators.array.qos import Qos, QosChange
from simulators.array.refusal import Reason, Refused
from simulators.array.register import Register

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simulators.array.accounts import Account, Accounts
    from simulators.array.limits import Limits
    from simulators.array.surroundings import Chance, Now, Revision

PURGE_DELAY: Final = timedelta(hours=8)
_NAME: Final = re.compile(r"[A-Za-z0-9-]*")


class Access(StrEnum):
    """What initiators may do; a locked volume lets nobody in."""

    READ_WRITE = "readWrite"
    LOCKED = "locked"


@dataclass(slots=True)
class Traffic:
    """What went over the data path since the volume was made."""

    read_bytes: int = 0
    read_operations: int = 0
    write_bytes: int = 0
    write_operations: int = 0


@dataclass(slots=True)
class Volume:
    """A volume; deleted when `purge_at` is set. `groups` are the numbers of the access groups it is in."""

    volume_id: int
    name: str
    account_id: int
    size_bytes: int
    uuid: str
    iqn: str
    naa: str
    eui: str
    created_at: datetime
    has_512e: bool
    qos: Qos
    attributes: Mapping[str, object]
    blocks: BlockMap = field(repr=False)
    access: Access = Access.READ_WRITE
    deleted_at: datetime | None = None
    purge_at: datetime | None = None
    groups: dict[int, None] = field(default_factory=dict)
    size_changes: int = 0
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def is_deleted(self) -> bool:
        """Whether it waits to be purged: no target then, but name, space and data stay."""
        return self.purge_at is not None


@dataclass(frozen=True, slots=True)
class VolumeWish:
    """What a caller wants of a new volume."""

    name: str
    account_id: int
    size_bytes: int
    has_512e: bool
    qos: QosChange
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class VolumeChange:
    """What a caller wants changed; None leaves a value as it is."""

    account_id: int | None = None
    size_bytes: int | None = None
    qos: QosChange | None = None
    access: Access | None = None
    attributes: Mapping[str, object] | None = None


@dataclass(slots=True)
class Capacity:
    """Space is used from when it is promised until the volume is purged; `extents` are what is written."""

    total_bytes: int
    used_bytes: int = 0
    extents: ExtentCount = field(default_factory=ExtentCount)

    def check(self, more_bytes: int) -> None:
        """Refuse what does not fit any more."""
        if self.used_bytes + more_bytes > self.total_bytes:
            raise Refused(
                Reason.CAPACITY_EXHAUSTED,
                f"Exceeded maxProvisionedSpace. provisionedSpace={self.used_bytes} asked={more_bytes} "
                f"limit={self.total_bytes}",
            )


class Volumes:
    """The array's volumes, by number, name and target."""

    def __init__(
        self, *, accounts: Accounts, limits: Limits, capacity: Capacity, unique_id: str, now: Now,
        chance: Chance, revision: Revision,
    ) -> None:  # fmt: skip
        self._accounts = accounts
        self._limits = limits
        self.capacity = capacity
        self._unique_id = unique_id
        self._now = now
        self._chance = chance
        self._revision = revision
        self.rows: Register[Volume] = Register()
        self._by_name: dict[str, dict[int, Volume]] = {}
        self._by_iqn: dict[str, Volume] = {}
        self._deleted: dict[int, Volume] = {}

    def get_active(self, volume_id: int) -> Volume:
        """The volume of that number, if it is not deleted."""
        volume = self.rows.find(volume_id)
        if volume is None or volume.is_deleted:
            raise Refused(Reason.VOLUME_UNKNOWN, f"VolumeID {volume_id} does not exist.")
        return volume

    def get_deleted(self, volume_id: int) -> Volume:
        """The volume of that number, if it waits to be purged."""
        volume = self._deleted.get(volume_id)
        if volume is None:
            raise Refused(Reason.VOLUME_UNKNOWN, f"VolumeID {volume_id} is not a deleted volume.")
        return volume

    def find_target(self, target_iqn: str) -> Volume | None:
        """The volume behind a target, if it is not deleted."""
        volume = self._by_iqn.get(target_iqn.lower())
        return None if volume is None or volume.is_deleted else volume

    def named(self, name: str) -> Iterable[Volume]:
        """Volumes of exactly that name, deleted ones too: names may occur more than once."""
        return tuple(self._by_name.get(name, {}).values())

    def deleted(self) -> Iterator[Volume]:
        """Volumes that wait to be purged, by number."""
        return iter(sorted(self._deleted.values(), key=lambda each: each.volume_id))

    def create(self, wish: VolumeWish) -> Volume:
        """Make a volume that initiators can reach at once."""
        check_length(wish.name, 1, self._limits.volume_name_length, "name")
        if not _NAME.fullmatch(wish.name):
            raise Refused(Reason.VALUE_NOT_ALLOWED, "name may have letters, digits and hyphens only")
        size_bytes = self._checked_size(wish.size_bytes)
        qos = Qos().changed(wish.qos, self._limits)
        account = self._accounts.get(wish.account_id)
        self._check_room_in(account)
        check_count(len(self.rows) + 1, self._limits.volumes, "volumes.")
        self.capacity.check(size_bytes)
        return self._keep(wish, account, size_bytes, qos)

    def create_unchecked(self, name: str, account: Account, size_bytes: int) -> Volume:
        """Make a volume outside all limits: how a test uses up space."""
        wish = VolumeWish(name, account.account_id, size_bytes, has_512e=True, qos=QosChange(), attributes={})
        return self._keep(wish, account, size_bytes, Qos())

    def _keep(self, wish: VolumeWish, account: Account, size_bytes: int, qos: Qos) -> Volume:
        number = self.rows.next_number
        volume = Volume(
            volume_id=number,
            name=wish.name,
            account_id=account.account_id,
            size_bytes=size_bytes,
            uuid=self._chance.uuid(),
            iqn=iqn_of(self._unique_id, wish.name, number),
            naa=naa_of(self._unique_id, number),
            eui=eui_of(self._unique_id, number),
            created_at=self._now(),
            has_512e=wish.has_512e,
            qos=qos,
            attributes=wish.attributes,
            blocks=BlockMap(self.capacity.extents),
        )
        self.rows.add(volume)
        self._by_name.setdefault(volume.name, {})[number] = volume
        self._by_iqn[volume.iqn] = volume
        account.volumes[number] = None
        self.capacity.used_bytes += size_bytes
        self._revision.advance()
        return volume

    def modify(self, volume_id: int, change: VolumeChange) -> Volume:
        """Change what is given; sizes only grow."""
        volume = self.get_active(volume_id)
        size_bytes = self._grown_size(volume, change.size_bytes)
        qos = volume.qos if change.qos is None else volume.qos.changed(change.qos, self._limits)
        owner = self._new_owner(volume, change.account_id)
        if owner is not None:
            self._hand_over(volume, owner)
        if size_bytes != volume.size_bytes:
            self.capacity.used_bytes += size_bytes - volume.size_bytes
            volume.size_bytes = size_bytes
            volume.size_changes += 1
        volume.qos = qos
        volume.access = change.access or volume.access
        if change.attributes is not None:
            volume.attributes = change.attributes
        self._revision.advance()
        return volume

    def delete(self, volume_id: int) -> Volume:
        """Close the target; the volume can be restored until it is purged."""
        volume = self.get_active(volume_id)
        volume.deleted_at = self._now()
        volume.purge_at = volume.deleted_at + PURGE_DELAY
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
        del self._by_iqn[volume.iqn]
        namesakes = self._by_name[volume.name]
        del namesakes[number]
        if not namesakes:
            del self._by_name[volume.name]
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

    def _checked_size(self, size_bytes: int) -> int:
        least, most = self._limits.volume_size_min, self._limits.volume_size_max
        rounded = self._limits.rounded_up(size_bytes)
        if size_bytes < least or rounded > most:
            raise Refused(Reason.VALUE_NOT_ALLOWED, f"totalSize={size_bytes}; expected {least} to {most}")
        return rounded

    def _grown_size(self, volume: Volume, size_bytes: int | None) -> int:
        if size_bytes is None:
            return volume.size_bytes
        if size_bytes < volume.size_bytes:
            raise Refused(
                Reason.VOLUME_WOULD_SHRINK,
                f"Lowering a volume size is not allowed: {volume.size_bytes} to {size_bytes}.",
            )
        rounded = self._checked_size(size_bytes)
        self.capacity.check(rounded - volume.size_bytes)
        return rounded

    def _new_owner(self, volume: Volume, account_id: int | None) -> Account | None:
        if account_id is None or account_id == volume.account_id:
            return None
        account = self._accounts.get(account_id)
        self._check_room_in(account)
        return account

    def _check_room_in(self, account: Account) -> None:
        check_count(
            len(account.volumes) + 1,
            self._limits.volumes_per_account,
            f"volumes per account. accountID={account.account_id}",
        )

    def _hand_over(self, volume: Volume, owner: Account) -> None:
        del self._accounts.get(volume.account_id).volumes[volume.volume_id]
        volume.account_id = owner.account_id
        owner.volumes[volume.volume_id] = None
