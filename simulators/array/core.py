"""One array, ready to be asked: the model with its lock, its management API and its fabric."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.array.apis import APIS, Api
from simulators.array.clones import CloneTime
from simulators.array.element_api.release import LATEST, Release
from simulators.array.fabric import ArrayFabric
from simulators.array.limits import Limits
from simulators.array.management import Premises
from simulators.array.model import DEFAULT_CAPACITY_BYTES, ArrayModel
from simulators.kernel.clock import MonotonicClock
from simulators.kernel.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.array.administrator import Administrator
    from simulators.array.management import Addresses, ManagementApi
    from simulators.array.surroundings import Chance, Now
    from simulators.iscsi.backend import SessionInfo

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

    def __init__(self, *, size: ArraySize, administrator: Administrator, chance: Chance, now: Now = utc_now) -> None:
        # Reentrant: the target asks the fabric while it may hold the lock for a unit.
        self.lock = threading.RLock()
        self.administrator = administrator
        self.api, self.release = size.api, size.release
        self.model = ArrayModel(
            make=size.api.make,
            now=now,
            chance=chance,
            limits=size.limits,
            capacity_bytes=size.capacity_bytes,
            clone_time=size.clone_time,
            sessions_survive_regrouping=size.sessions_survive_regrouping,
            lun_numbers_from=size.lun_numbers_from,
        )
        self.fabric = ArrayFabric(self.model, self.lock)
        self.transcript = Transcript(MonotonicClock(), TRANSCRIPT_LINES)

    def management(self, addresses: Addresses, sessions: Callable[[], Sequence[SessionInfo]]) -> ManagementApi:
        """The management API of this array, told where it answers and who is logged in."""
        premises = Premises(self.model, self.administrator, addresses, self.lock, sessions, self.transcript)
        return self.api.serve(premises, self.release)
