"""One array, ready to be asked: the model with its lock, its management API and its fabric."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from simulators.array.apis import APIS, Api
from simulators.array.clones import CloneTime
from simulators.array.doors import ExportedDoors, TableDoors
from simulators.array.element_api.release import LATEST, Release
from simulators.array.export_view import export_view
from simulators.array.fabric import ArrayFabric, VolumeUnit
from simulators.array.faulty_management import FaultyManagement
from simulators.array.journal import Request
from simulators.array.limits import Limits
from simulators.array.management import Addresses, Premises
from simulators.array.model import DEFAULT_CAPACITY_BYTES, ArrayModel
from simulators.array.noted_api import NotedApi
from simulators.array.publishing_lock import PublishingLock
from simulators.iscsi.connection_faults import ON_CONNECTIONS
from simulators.kernel.clock import MonotonicClock
from simulators.kernel.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.array.administrator import Administrator
    from simulators.array.doors import Doors
    from simulators.array.journal import Journal, Write
    from simulators.array.lio_store import LioStore
    from simulators.array.management import ManagementApi
    from simulators.array.surroundings import Chance, Now
    from simulators.iscsi.backend import SessionInfo
    from simulators.kernel.faults import Fault

TRANSCRIPT_LINES = 400


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ArraySize:
    """How large an array is, how long its clones take, which API it has and of which release, how it numbers LUNs, and
    which sessions it lets live.

    Removing a volume from a group ends the sessions that came through that group, or, where they survive, does not:
    Element's documents only tell that locking or deleting a volume ends them.
    """

    capacity_bytes: int = DEFAULT_CAPACITY_BYTES
    limits: Limits = field(default_factory=Limits)
    clone_time: CloneTime = field(default_factory=CloneTime)
    release: Release = LATEST
    lun_numbers_from: int | None = None
    sessions_survive_regrouping: bool = False
    api: Api = APIS["element"]


class ArrayCore:
    """All parts of an array but the sockets. Whoever touches `model` directly holds `lock`."""

    def __init__(
        self,
        *,
        size: ArraySize,
        administrator: Administrator,
        chance: Chance,
        now: Now = utc_now,
        faults: Sequence[Fault] = (),
        journal: Journal | None = None,
        store: LioStore | None = None,
    ) -> None:
        # Reentrant: the target asks the fabric while it may hold the lock for a unit.
        self.lock = threading.RLock() if store is None else self._publishing(store)
        self.administrator = administrator
        self.api, self.release = size.api, size.release
        self._faults = [each for each in faults if each.failure not in ON_CONNECTIONS]
        self.connection_faults = [each for each in faults if each.failure in ON_CONNECTIONS]
        self._journal = journal
        self._store = store
        self.model = ArrayModel(
            make=size.api.make,
            now=now if journal is None else journal.now,
            chance=chance,
            limits=size.limits,
            capacity_bytes=size.capacity_bytes,
            clone_time=size.clone_time,
            sessions_survive_regrouping=size.sessions_survive_regrouping,
            lun_numbers_from=size.lun_numbers_from,
            store=store,
        )
        self.fabric = ArrayFabric(self.model, self.lock, journal)
        self.transcript = Transcript(MonotonicClock(), TRANSCRIPT_LINES)

    def _publishing(self, store: LioStore) -> PublishingLock:
        return PublishingLock(
            begin=store.begin,
            revision=lambda: self.model.revision.number,
            publish=lambda: store.publish(export_view(self.fabric)),
        )

    def doors(self) -> Doors:
        """Who gets in where; whoever asks holds the lock."""
        if self._store is None:
            return TableDoors(self.model)
        return ExportedDoors(self._store.observed(self.model.revision.number))

    def exports(self) -> str:
        """What is exported by whom, for people."""
        if self._store is None:
            return "This process answers initiators itself, from the tables: nothing is exported."
        return self._store.lio.listed()

    def management(
        self, addresses: Addresses, sessions: Callable[[], Sequence[SessionInfo]], restart: Callable[[], None]
    ) -> FaultyManagement:
        """The way into the management API, told where it answers, who is logged in and how all sessions are ended."""
        api = self._served(addresses, sessions)
        noted = api if self._journal is None else NotedApi(api, self._journal, self.lock)
        return FaultyManagement(noted, self._faults, self.transcript, restart)

    def replay(self) -> None:
        """Become what the journal tells."""
        if self._journal is not None:
            api = self._served(Addresses("", ""), list)
            with self.lock:
                self._journal.replay(partial(self._again, api))
            self.transcript.clear()

    def _again(self, api: ManagementApi, what: Request | Write) -> None:
        if isinstance(what, Request):
            api.handle(*what)
            return
        unit = VolumeUnit(self.model, self.model.volumes.get(what.volume_id), self.lock)
        self.model.clones.finish_due()
        if what.data is None:
            unit.unmap(what.offset, what.length)
        else:
            unit.write(what.offset, what.data)

    def _served(self, addresses: Addresses, sessions: Callable[[], Sequence[SessionInfo]]) -> ManagementApi:
        premises = Premises(self.model, self.administrator, addresses, self.lock, sessions, self.transcript)
        return self.api.serve(premises, self.release)
