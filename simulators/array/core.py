"""One array, ready to be asked: the model with its lock, its management API and its fabric."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.array.clones import CloneTime
from simulators.array.element_api.http import ElementApi
from simulators.array.element_api.release import LATEST, Release
from simulators.array.export_view import export_view
from simulators.array.fabric import ArrayFabric
from simulators.array.limits import Limits
from simulators.array.model import DEFAULT_CAPACITY_BYTES, ArrayModel
from simulators.array.publishing_lock import PublishingLock
from simulators.kernel.clock import MonotonicClock
from simulators.kernel.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.array.administrator import Administrator
    from simulators.array.element_api.method import Addresses
    from simulators.array.lio_store import LioStore
    from simulators.array.surroundings import Chance, Now
    from simulators.iscsi.backend import SessionInfo

TRANSCRIPT_LINES = 400


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ArraySize:
    """How large an array is, how long its clones take, of which release it is, how it numbers LUNs, and which sessions
    it lets live.

    Removing a volume from a group ends the sessions that came through that group, or, where they survive, does not:
    Element's documents only tell that locking or deleting a volume ends them.
    """

    capacity_bytes: int = DEFAULT_CAPACITY_BYTES
    limits: Limits = field(default_factory=Limits)
    clone_time: CloneTime = field(default_factory=CloneTime)
    release: Release = LATEST
    lun_numbers_from: int | None = None
    sessions_survive_regrouping: bool = False


class ArrayCore:
    """All parts of an array but the sockets. Whoever touches `model` directly holds `lock`."""

    def __init__(
        self, *, size: ArraySize, administrator: Administrator, chance: Chance, now: Now = utc_now,
        store: LioStore | None = None,
    ) -> None:  # fmt: skip
        # Reentrant: the target asks the fabric while it may hold the lock for a unit.
        self.lock = threading.RLock() if store is None else self._publishing(store)
        self.administrator = administrator
        self._store = store
        self.release = size.release
        self.model = ArrayModel(
            now=now,
            chance=chance,
            limits=size.limits,
            capacity_bytes=size.capacity_bytes,
            clone_time=size.clone_time,
            sessions_survive_regrouping=size.sessions_survive_regrouping,
            store=store,
        )
        self.fabric = ArrayFabric(self.model, self.lock, size.lun_numbers_from)
        self.transcript = Transcript(MonotonicClock(), TRANSCRIPT_LINES)

    def _publishing(self, store: LioStore) -> PublishingLock:
        return PublishingLock(
            begin=store.begin,
            revision=lambda: self.model.revision.number,
            publish=lambda: store.publish(export_view(self.fabric)),
        )

    def exports(self) -> str:
        """What is exported by whom, for people."""
        if self._store is None:
            return "This process answers initiators itself, from the tables: nothing is exported."
        return self._store.lio.render()

    def management(self, addresses: Addresses, sessions: Callable[[], Sequence[SessionInfo]]) -> ElementApi:
        """The management API of this array, told where it answers and who is logged in."""
        return ElementApi(
            model=self.model,
            administrator=self.administrator,
            addresses=addresses,
            lock=self.lock,
            sessions=sessions,
            transcript=self.transcript,
            release=self.release,
        )
