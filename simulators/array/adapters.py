"""The array as the kit's witness: it reads the tables, never the management API."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from conformance.contract import (
    ArrayView,
    Iqn,
    QosPolicy,
    WitnessedLun,
    WitnessedObject,
    WitnessedSession,
    WitnessedSnapshot,
    WitnessPower,
)
from simulators.array import strangers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simulators.array.core import ArrayCore
    from simulators.array.doors import Doors
    from simulators.array.model import ArrayModel
    from simulators.array.snapshots import Snapshot
    from simulators.array.volume import Volume
    from simulators.iscsi.backend import SessionInfo


class TableWitness:
    """Sees everything. `sessions` is asked before the array's lock is taken: the target has its own."""

    def __init__(self, core: ArrayCore, sessions: Callable[[], Sequence[SessionInfo]]) -> None:
        self._core = core
        self._sessions = sessions

    @property
    def powers(self) -> frozenset[WitnessPower]:
        has_namesakes = not self._core.model.make.has_unique_names
        return frozenset(WitnessPower) - (frozenset() if has_namesakes else {WitnessPower.NAMESAKES})

    def observe(self) -> ArrayView:
        live = self._sessions()
        model = self._core.model
        with self._core.lock:
            model.settle()
            doors = self._core.doors()
            return ArrayView(
                luns=tuple(_lun(model, doors, each) for each in model.volumes.rows),
                objects=tuple(
                    sorted((*_accounts(model), *_groups(model), *_initiators(model), *_group_snapshots(model)))
                ),
                sessions=tuple(sorted(_logged_in(model, live))),
                capacity_bytes=model.capacity.total_bytes,
                used_bytes=model.capacity.used_bytes,
                snapshots=tuple(_snapshot(model, each) for each in model.snapshots.rows),
            )

    def read(self, external_id: str, offset: int, length: int) -> bytes:
        with self._core.lock:
            return _bytes_of(_volume(self._core.model, external_id), "volume", offset, length)

    def read_snapshot(self, external_id: str, offset: int, length: int) -> bytes:
        with self._core.lock:
            return _bytes_of(_kept(self._core.model, external_id), "snapshot", offset, length)

    def fill(self, free_bytes: int) -> None:
        with self._core.lock:
            strangers.fill(self._core.model, free_bytes)

    def plant(self, name: str, initiator: Iqn, content: bytes) -> str:
        model = self._core.model
        with self._core.lock:
            return model.make.volume_ids.text(strangers.plant(model, name, str(initiator), content))

    def plant_namesake(self, name: str, initiator: Iqn, content: bytes) -> str:
        model = self._core.model
        with self._core.lock:
            return model.make.volume_ids.text(strangers.plant_namesake(model, name, str(initiator), content))

    def plant_snapshot(self, external_id: str, name: str) -> str:
        model = self._core.model
        with self._core.lock:
            volume = _volume(model, external_id)
            if volume is None:
                raise LookupError("there is no such volume on the array")
            return model.make.snapshot_ids.text(strangers.plant_snapshot(model, volume.volume_id, name))

    def remove_planted_snapshot(self, external_id: str) -> None:
        with self._core.lock:
            found = _kept(self._core.model, external_id)
            if found is not None:
                self._core.model.snapshots.delete(found)


def _volume(model: ArrayModel, external_id: str) -> Volume | None:
    number = model.make.volume_ids.number(external_id)
    return None if number is None else model.volumes.rows.find(number)


def _kept(model: ArrayModel, external_id: str) -> Snapshot | None:
    number = model.make.snapshot_ids.number(external_id)
    return None if number is None else model.snapshots.rows.find(number)


def _bytes_of(content: Volume | Snapshot | None, kind: str, offset: int, length: int) -> bytes:
    if content is None:
        raise LookupError(f"there is no such {kind} on the array")
    if min(offset, length) < 0 or offset + length > content.size_bytes:
        raise ValueError(f"bytes {offset} to {offset + length} are outside the {kind}'s {content.size_bytes}")
    return content.blocks.read(offset, length)


def _snapshot(model: ArrayModel, snapshot: Snapshot) -> WitnessedSnapshot:
    return WitnessedSnapshot(
        external_id=model.make.snapshot_ids.text(snapshot.snapshot_id),
        lun_external_id=model.make.volume_ids.text(snapshot.volume_id),
        name=snapshot.name,
        size_bytes=snapshot.size_bytes,
    )


def _lun(model: ArrayModel, doors: Doors, volume: Volume) -> WitnessedLun:
    names = map(_iqn, doors.initiators(volume))
    return WitnessedLun(
        external_id=model.make.volume_ids.text(volume.volume_id),
        name=volume.name,
        size_bytes=volume.size_bytes,
        wwid=volume.naa,
        in_trash=volume.is_deleted,
        qos=_policy(volume.qos.min_iops, volume.qos.max_iops, volume.qos.burst_iops),
        written_bytes=volume.blocks.written_bytes,
        visible_to=frozenset(each for each in names if each is not None),
        needs_chap=doors.need_chap(volume),
        is_ready=not volume.is_copying,
    )


def _objects(model: ArrayModel) -> Iterator[WitnessedObject]:
    yield from _accounts(model)
    yield from _groups(model)
    yield from _initiators(model)
    yield from _group_snapshots(model)
    yield from _qos_policies(model)


def _accounts(model: ArrayModel) -> Iterator[WitnessedObject]:
    for each in model.accounts.rows:
        state = {
            "status": each.status,
            "enableChap": each.uses_chap,
            "attributes": each.attributes,
            "secretChanges": each.secret_changes,
        }
        yield WitnessedObject("account", str(each.account_id), each.username, _state(state))


def _groups(model: ArrayModel) -> Iterator[WitnessedObject]:
    for each in model.groups.rows:
        state = {
            "initiators": sorted(model.initiators.get(number).name for number in each.initiators),
            "volumes": dict(sorted(each.volumes.items())),
            "attributes": each.attributes,
        }
        yield WitnessedObject("group", str(each.group_id), each.name, _state(state))


def _initiators(model: ArrayModel) -> Iterator[WitnessedObject]:
    for each in model.initiators.rows:
        state = {
            "group": each.group_id,
            "alias": each.alias,
            "requireChap": each.requires_chap,
            "chapUsername": each.chap_username,
            "secretChanges": each.secret_changes,
            "attributes": each.attributes,
        }
        yield WitnessedObject("initiator", str(each.initiator_id), each.name, _state(state))


def _group_snapshots(model: ArrayModel) -> Iterator[WitnessedObject]:
    for each in model.snapshots.groups:
        state = {"members": sorted(each.members), "attributes": each.attributes}
        yield WitnessedObject("group snapshot", str(each.group_id), each.name, _state(state))


def _qos_policies(model: ArrayModel) -> Iterator[WitnessedObject]:
    for each in model.policies.rows:
        state = {"qos": dataclasses.asdict(each.qos), "volumes": sorted(each.volumes)}
        yield WitnessedObject("QoS policy", str(each.policy_id), each.name, _state(state))


def _logged_in(model: ArrayModel, live: Sequence[SessionInfo]) -> Iterator[WitnessedSession]:
    # One line for each LUN: where a target has many, a session reaches those that the initiator is shown.
    for each in live:
        for volume in model.addressing.luns(each.initiator_iqn, each.target_iqn).values():
            yield WitnessedSession(Iqn(each.initiator_iqn), model.make.volume_ids.text(volume.volume_id))


# The kit looks many times at the same few names and numbers, and these values check what they are made of.
_policy = lru_cache(maxsize=256)(QosPolicy)


@lru_cache(maxsize=1024)
def _iqn(name: str) -> Iqn | None:
    # No iSCSI initiator has another name, nor one beyond 223 bytes: nobody is let in by these.
    with suppress(ValueError):
        return Iqn(name)
    return None


def _state(state: object) -> str:
    return str(state)
