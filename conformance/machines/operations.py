"""The steps programs are made of. Numbers name volumes and hosts; a step that makes no sense at its turn is passed
over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.strategies.data import Pattern, Place, patterns, places
from conformance.strategies.qos import QosAt, policies
from conformance.strategies.sizes import Granules, Growth, Size, growths, sizes

VOLUMES: Final = 3
HOSTS: Final = 3
STORES: Final = 2
SNAPSHOTS: Final = 2
_LONGEST: Final = 18


@dataclass(frozen=True, slots=True)
class CreateVolume:
    """Create a volume in one of two stores; if it is there, repeat its create."""

    volume: int
    size: Size
    store: int = 0


@dataclass(frozen=True, slots=True)
class DeleteVolume:
    """Delete a volume's snapshots, revoke its hosts and delete it; if it is gone, repeat its delete."""

    volume: int


@dataclass(frozen=True, slots=True)
class GrantHost:
    """Grant a host; if it is granted, again."""

    volume: int
    host: int


@dataclass(frozen=True, slots=True)
class RevokeHost:
    """Revoke a host; if it is not granted, all the same."""

    volume: int
    host: int


@dataclass(frozen=True, slots=True)
class WriteData:
    """Write as a granted host."""

    volume: int
    host: int
    pattern: Pattern
    place: Place


@dataclass(frozen=True, slots=True)
class GrowVolume:
    """Resize."""

    volume: int
    growth: Growth


@dataclass(frozen=True, slots=True)
class ChangeQos:
    """Set QoS."""

    volume: int
    qos: QosAt


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Take a snapshot; if there is one of that number, repeat its request."""

    snapshot: int
    volume: int


@dataclass(frozen=True, slots=True)
class DeleteSnapshot:
    """Delete a snapshot."""

    snapshot: int


@dataclass(frozen=True, slots=True)
class RevertVolume:
    """Revert the snapshot's volume to it; its hosts are revoked before and granted again."""

    snapshot: int


@dataclass(frozen=True, slots=True)
class CloneSnapshot:
    """Make a volume from a snapshot."""

    snapshot: int
    volume: int


@dataclass(frozen=True, slots=True)
class CloneVolume:
    """Make a volume from another."""

    source: int
    volume: int


@dataclass(frozen=True, slots=True)
class RestartPlugin:
    """Go on with a new instance of the plugin."""


Step = (
    CreateVolume
    | DeleteVolume
    | GrantHost
    | RevokeHost
    | WriteData
    | GrowVolume
    | ChangeQos
    | TakeSnapshot
    | DeleteSnapshot
    | RevertVolume
    | CloneSnapshot
    | CloneVolume
    | RestartPlugin
)
KINDS: Final[tuple[type, ...]] = get_args(Step)


LONG_PROGRAM: Final[tuple[Step, ...]] = (
    CreateVolume(0, Granules(0)),
    CreateVolume(1, Granules(3, 512), store=1),
    GrantHost(0, 0),
    WriteData(0, 0, Pattern(1), Place(0)),
    GrantHost(1, 1),
    WriteData(1, 1, Pattern(2, 3), Place(-1)),
    ChangeQos(0, QosAt(500, 500, 500)),
    GrowVolume(0, Growth(2)),
    GrantHost(0, 1),
    WriteData(0, 1, Pattern(3), Place(7)),
    TakeSnapshot(0, 0),
    RestartPlugin(),
    RevokeHost(0, 0),
    ChangeQos(1, QosAt(200, 300, 400)),
    GrowVolume(1, Growth(1, 512)),
    WriteData(0, 1, Pattern(6), Place(0)),
    CloneSnapshot(0, 2),
    ChangeQos(0, QosAt(0, 0, 0)),
    GrantHost(0, 0),
    RevokeHost(1, 1),
    GrantHost(2, 2),
    WriteData(2, 2, Pattern(7), Place(7)),
    TakeSnapshot(1, 0),
    DeleteVolume(1),
    DeleteVolume(1),
    WriteData(0, 0, Pattern(4), Place(100)),
    RevertVolume(0),
    CreateVolume(1, Granules(1), store=1),
    GrantHost(1, 0),
    RestartPlugin(),
    WriteData(1, 0, Pattern(5), Place(0)),
    DeleteSnapshot(0),
    GrowVolume(0, Growth(1)),
    DeleteVolume(2),
    CloneVolume(1, 2),
    WriteData(1, 0, Pattern(8), Place(0)),
    DeleteVolume(0),
)
"""Every kind of step after most other kinds: tried first, wherever programs are drawn."""


def programs() -> SearchStrategy[list[Step]]:
    """Lists of steps; each begins with a volume, or there would be nothing to do."""
    volume, host = st.integers(0, VOLUMES - 1), st.integers(0, HOSTS - 1)
    store, snapshot = st.integers(0, STORES - 1), st.integers(0, SNAPSHOTS - 1)
    step: SearchStrategy[Step] = st.one_of(
        st.builds(CreateVolume, volume, sizes(), store),
        st.builds(GrantHost, volume, host),
        st.builds(WriteData, volume, host, patterns(), places()),
        st.builds(RevokeHost, volume, host),
        st.builds(GrowVolume, volume, growths()),
        st.builds(DeleteVolume, volume),
        st.builds(ChangeQos, volume, policies()),
        st.builds(TakeSnapshot, snapshot, volume),
        st.builds(RevertVolume, snapshot),
        st.builds(CloneSnapshot, snapshot, volume),
        st.builds(CloneVolume, volume, volume),
        st.builds(DeleteSnapshot, snapshot),
        st.builds(RestartPlugin),
    )
    first: SearchStrategy[Step] = st.builds(CreateVolume, st.just(0), sizes())
    second: SearchStrategy[Step] = st.builds(GrantHost, st.just(0), st.just(0))
    rest = st.lists(step, min_size=4, max_size=_LONGEST)
    return st.builds(lambda a, b, more: [a, b, *more], first, second, rest)
