"""What the page shows, without secrets, in an order in which a person looks for it; nothing is changed by looking.

Who sees what is asked of the fabric, as a host that logs in would find it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from simulators.array.extents import EXTENT_BYTES
from simulators.kernel.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simulators.array.core import ArrayCore
    from simulators.array.volume import Volume
    from simulators.iscsi.backend import SessionInfo

ROWS_MAX: Final = 500
CALLS_MAX: Final = 60


class Lun(NamedTuple):
    """A volume, its state in words and who owns it."""

    volume: Volume
    state: str
    account: str


class Sight(NamedTuple):
    """A LUN as one initiator finds it; `chap_usernames` are the names it may authenticate as, none if it need not."""

    initiator: str
    target: str
    lun_number: int
    volume: str
    chap_usernames: Sequence[str]


class Call(NamedTuple):
    """One request to the management API with its answer, or what was let go wrong, and how many seconds ago."""

    seconds_ago: float
    request: str
    answer: str


def content(core: ArrayCore, sessions: Sequence[SessionInfo]) -> Mapping[str, object]:
    """The parts of the page by name. Whoever asks holds the array's lock."""
    model = core.model
    volumes = list(islice(model.volumes.rows, ROWS_MAX))
    return {
        "unique_id": model.unique_id,
        "capacity": model.capacity,
        "written_bytes": model.capacity.extents.value * EXTENT_BYTES,
        "luns": [Lun(each, _state(each), model.accounts.get(each.account_id).username) for each in volumes],
        "snapshots": [model.snapshots.get(number) for each in volumes for number in each.snapshots],
        "sights": list(islice(_sights(core), ROWS_MAX)),
        "groups": [
            (each, [model.initiators.get(number).name for number in each.initiators])
            for each in islice(model.groups.rows, ROWS_MAX)
        ],
        "accounts": list(islice(model.accounts.rows, ROWS_MAX)),
        "sessions": sessions[:ROWS_MAX],
        "calls": _calls(core),
        "left_out": {
            "LUNs": len(model.volumes.rows) - ROWS_MAX,
            "groups": len(model.groups.rows) - ROWS_MAX,
            "accounts": len(model.accounts.rows) - ROWS_MAX,
            "sessions": len(sessions) - ROWS_MAX,
        },
    }


def _state(volume: Volume) -> str:
    if volume.is_deleted:
        return "deleted, not purged"
    return "being copied" if volume.is_copying else str(volume.access)


def _sights(core: ArrayCore) -> Iterator[Sight]:
    """What each initiator that the array knows is shown unasked."""
    names = {each.naa: each.name for each in core.model.volumes.rows}
    for initiator in core.model.initiators.rows:
        for target in core.fabric.discover(initiator.name):
            accounts = core.fabric.admit(initiator.name, target).chap
            for number, unit in core.fabric.units(initiator.name, target).items():
                volume = names[unit.identity.naa]
                yield Sight(initiator.name, target, number, volume, [each.username for each in accounts])


def _calls(core: ArrayCore) -> Sequence[Call]:
    """The last exchanges, newest first; one that has no answer has none here."""
    calls: list[Call] = []
    now = core.transcript.now()
    for entry in core.transcript.entries():
        if entry.direction is not Direction.SENT:
            calls.append(Call(now - entry.time, entry.text, ""))
        elif calls:
            calls[-1] = calls[-1]._replace(answer=entry.text)
    return calls[: -CALLS_MAX - 1 : -1]
