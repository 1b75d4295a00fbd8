"""What makes arrays, one after the other, as a run needs them."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from simulators.array.chance import SeededChance
from simulators.array.core import ArrayCore
from simulators.array.data_plane import EMBEDDED, open_plane
from simulators.array.server import HOST, ArrayServer
from simulators.array.worlds import MemoryWorld, SocketWorld

if TYPE_CHECKING:
    from simulators.array.lio_store import LioStore
    from simulators.array.settings import ArraySettings


class MemoryEntry:
    """Makes arrays in memory; several may be open."""

    def __init__(self, name: str, settings: ArraySettings) -> None:
        self._cores = _Cores(name, settings)

    def open_world(self) -> MemoryWorld:
        return MemoryWorld(self._cores.make())

    def close(self) -> None:
        """There is nothing to stop."""


class SocketEntry:
    """Makes arrays behind one set of ports; one at a time."""

    def __init__(self, name: str, settings: ArraySettings) -> None:
        self._cores = _Cores(name, settings)
        self.is_exported = settings.data_plane != EMBEDDED
        self.server = ArrayServer(settings.ports, open_plane(settings.data_plane, HOST, settings.ports.iscsi))
        self._lock = threading.Lock()

    def open_world(self) -> SocketWorld:
        with self._lock:
            if self.server.core is not None:
                raise RuntimeError("an array of this entry is open; close it before opening the next")
            return SocketWorld(self._cores.make(self.server.target.new_store()), self.server)

    def close(self) -> None:
        self.server.close()


class _Cores:
    """Makes arrays that differ from each other, and are the same in every run but for their secrets."""

    def __init__(self, name: str, settings: ArraySettings) -> None:
        self._name = name
        self._settings = settings
        self._serial = itertools.count(1)

    def make(self, store: LioStore | None = None) -> ArrayCore:
        settings, journal = self._settings, self._settings.journal
        core = ArrayCore(
            size=settings.size,
            administrator=settings.administrator,
            chance=SeededChance(f"{self._name}/{next(self._serial)}", None if journal is None else journal.seed),
            faults=settings.faults,
            journal=journal,
            store=store,
        )
        core.replay()
        return core
