"""Persistent reservations of one logical unit (SPC-4 §5.13): who is registered, who holds, and what that forbids.

Pure state. An I_T nexus is known by its name, so that a registration outlives the session it was made in. Each
service action returns the names of the nexuses that must be told, by kind of news; whoever calls tells them.
Nexuses that break a rule get RESERVATION CONFLICT.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from simulators.iscsi.scsi.operation import ReservationConflict
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_PARAMETERS, INVALID_RELEASE, ScsiCheck

_SERVICE_ACTION_KEY_AT = 8


class NexusName(NamedTuple):
    """An I_T nexus: the two ends of a session, as SPC-4 tells them apart."""

    initiator_port: str
    """`iqn…,i,0x…`: the iSCSI initiator port name, RFC 7143 §4.4.3.2."""
    target_port: str
    """`iqn…,t,0x…`."""
    relative_port: int


class Kind(IntEnum):
    """The six types of a persistent reservation (SPC-4 table 45)."""

    WRITE_EXCLUSIVE = 1
    EXCLUSIVE_ACCESS = 3
    WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 5
    EXCLUSIVE_ACCESS_REGISTRANTS_ONLY = 6
    WRITE_EXCLUSIVE_ALL_REGISTRANTS = 7
    EXCLUSIVE_ACCESS_ALL_REGISTRANTS = 8

    @property
    def is_shared(self) -> bool:
        """Whether every registrant is a holder."""
        return self >= Kind.WRITE_EXCLUSIVE_ALL_REGISTRANTS

    @property
    def admits_registrants(self) -> bool:
        """Whether being registered is enough for access."""
        return self >= Kind.WRITE_EXCLUSIVE_REGISTRANTS_ONLY

    @property
    def admits_readers(self) -> bool:
        """Whether anybody may read."""
        return self in _OPEN_TO_READERS


_OPEN_TO_READERS = frozenset(
    {Kind.WRITE_EXCLUSIVE, Kind.WRITE_EXCLUSIVE_REGISTRANTS_ONLY, Kind.WRITE_EXCLUSIVE_ALL_REGISTRANTS}
)


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation that is in force; the holder of a shared one is every registrant."""

    kind: Kind
    holder: NexusName | None


@dataclass(slots=True)
class News:
    """Who has to be told what, as unit attentions."""

    released: set[NexusName] = field(default_factory=set)
    reservations_preempted: set[NexusName] = field(default_factory=set)
    registrations_preempted: set[NexusName] = field(default_factory=set)


class Reservations:
    """The registrations and the reservation of one logical unit."""

    def __init__(self) -> None:
        self.generation = 0
        self.keys: dict[NexusName, int] = {}
        self.held: Held | None = None
        self.survives_power_loss = False

    def holds(self, name: NexusName) -> bool:
        """Say whether this nexus is a holder."""
        if self.held is None:
            return False
        return name in self.keys if self.held.kind.is_shared else self.held.holder == name

    def register(self, name: NexusName, key: int, new_key: int, *, ignores_key: bool, survives: bool) -> News:
        """REGISTER, and REGISTER AND IGNORE EXISTING KEY (§5.13.7)."""
        if not ignores_key and key != self.keys.get(name, 0):
            raise ReservationConflict
        news = News()
        if new_key:
            self.keys[name] = new_key
        elif name in self.keys:
            news = self._unregister(name)
        self.survives_power_loss = survives
        self._count()
        return news

    def reserve(self, name: NexusName, key: int, kind: Kind) -> News:
        """RESERVE (§5.13.9): repeating one's own reservation changes nothing."""
        self._check_key(name, key)
        if self.held is None:
            self.held = Held(kind, None if kind.is_shared else name)
        elif not (self.holds(name) and self.held.kind is kind):
            raise ReservationConflict
        return News()

    def release(self, name: NexusName, key: int, kind: Kind) -> News:
        """RELEASE (§5.13.11.2): without effect for who holds nothing, an error for another type."""
        self._check_key(name, key)
        if self.held is None or not self.holds(name):
            return News()
        if self.held.kind is not kind:
            raise ScsiCheck(INVALID_RELEASE)
        return self._end(name)

    def clear(self, name: NexusName, key: int) -> News:
        """CLEAR (§5.13.11.5)."""
        self._check_key(name, key)
        others = set(self.keys) - {name}
        self.held = None
        self.keys.clear()
        self._count()
        return News(reservations_preempted=others)

    def preempt(self, name: NexusName, key: int, victim_key: int, kind: Kind) -> News:
        """PREEMPT (§5.13.11.4): take over a reservation, or only remove registrations."""
        self._check_key(name, key)
        held = self.held
        if held is not None and self._is_held_by_key(held, victim_key):
            news = self._remove(self._others(name, 0 if held.kind.is_shared else victim_key))
            if held.kind is not kind and held.kind.admits_registrants:
                news.released = set(self.keys) - {name}
            self.held = Held(kind, None if kind.is_shared else name)
        else:
            news = self._preempt_registrations(name, victim_key)
        self._count()
        return news

    def _preempt_registrations(self, name: NexusName, victim_key: int) -> News:
        if victim_key == 0:
            raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(_SERVICE_ACTION_KEY_AT))
        if victim_key not in self.keys.values():
            raise ReservationConflict
        news = self._remove(self._others(name, victim_key))
        if self.keys[name] == victim_key:
            # §5.13.11.4.2: the key may be one's own, and is then removed like any other that has it.
            news.released |= self._unregister(name).released
        return news

    def lose_power(self) -> None:
        """Forget everything, unless the last registration asked to be kept (APTPL)."""
        if not self.survives_power_loss:
            self.keys.clear()
            self.held = None
        self.generation = 0

    @property
    def is_pristine(self) -> bool:
        """Whether there is nothing to remember."""
        return not self.keys and self.generation == 0

    def _check_key(self, name: NexusName, key: int) -> None:
        if self.keys.get(name) != key:
            raise ReservationConflict

    def _is_held_by_key(self, held: Held, key: int) -> bool:
        if held.holder is None:
            return key == 0
        return self.keys.get(held.holder) == key

    def _others(self, name: NexusName, key: int) -> set[NexusName]:
        return {other for other, its_key in self.keys.items() if other != name and key in {0, its_key}}

    def _remove(self, names: set[NexusName]) -> News:
        for name in names:
            self._unregister(name)
        return News(registrations_preempted=names)

    def _unregister(self, name: NexusName) -> News:
        was_holder = self.holds(name)
        del self.keys[name]
        if self.held is None or not was_holder or (self.held.kind.is_shared and self.keys):
            return News()
        return self._end(name)

    def _end(self, name: NexusName) -> News:
        kind, self.held = (self.held.kind if self.held else None), None
        is_news = kind is not None and kind.admits_registrants
        return News(released=set(self.keys) - {name}) if is_news else News()

    def _count(self) -> None:
        self.generation = (self.generation + 1) & 0xFFFFFFFF
