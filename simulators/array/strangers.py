"""What others have on the array: space that is taken, and objects whose names are nearly those of somebody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simulators.array.accounts import AccountChange
from simulators.array.groups import GroupChange
from simulators.array.refusal import Refused
from simulators.array.snapshots import SnapshotWish

if TYPE_CHECKING:
    from simulators.array.accounts import Account
    from simulators.array.model import ArrayModel

FILLER: Final = "filler-"
FILLER_GRANULARITY: Final = 512
STRANGER: Final = "filler-0"
NAMESAKE: Final = "namesake-"
PLANTED_BYTES: Final = 1 << 30
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9-]+")


def fill(model: ArrayModel, free_bytes: int) -> None:
    """Let a stranger's volume take all space but `free_bytes`, and give back what the stranger had."""
    stranger = _stranger(model)
    for volume_id in list(stranger.volumes):
        model.volumes.delete(volume_id)
        model.purge_volume(volume_id)
    surplus = model.capacity.total_bytes - model.capacity.used_bytes - free_bytes
    whole = surplus - surplus % FILLER_GRANULARITY
    if whole > 0:
        name = f"{FILLER}{model.volumes.rows.next_number}"
        model.volumes.create_unchecked(name, stranger, whole)


def plant(model: ArrayModel, name: str, initiator: str, content: bytes) -> int:
    """Make an account, a volume with bytes, a snapshot of it, and a group that lets an initiator in, all of one name.

    What the array does not take in names is replaced. Answers the volume's number.
    """
    name = _NOT_IN_NAMES.sub("-", name)[:64]
    return _plant_with(model, model.accounts.add(name, AccountChange()), name, initiator, content)


def plant_namesake(model: ArrayModel, name: str, initiator: str, content: bytes) -> int:
    """As `plant`, with this very name for all but the account: usernames are unique, the other names are not."""
    account = model.accounts.add(f"{NAMESAKE}{model.accounts.rows.next_number}", AccountChange())
    return _plant_with(model, account, name, initiator, content)


def plant_snapshot(model: ArrayModel, volume_id: int, name: str) -> int:
    """Take a snapshot of somebody else's volume, as the array's administrator may; answers its number."""
    return model.snapshots.create(volume_id, SnapshotWish(name=_NOT_IN_NAMES.sub("-", name)[:64])).snapshot_id


def _plant_with(model: ArrayModel, account: Account, name: str, initiator: str, content: bytes) -> int:
    volume = model.volumes.create_unchecked(name, account, PLANTED_BYTES)
    volume.blocks.write(0, content)
    model.snapshots.create(volume.volume_id, SnapshotWish(name=name))
    model.groups.create(GroupChange(name=name, initiators=(initiator,), volumes=(volume.volume_id,)))
    return volume.volume_id


def _stranger(model: ArrayModel) -> Account:
    try:
        return model.accounts.get_named(STRANGER)
    except Refused:
        return model.accounts.add(STRANGER, AccountChange())
