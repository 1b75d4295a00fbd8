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
from conformance.strategies.sizes import Growth, Size, growths, sizes

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
class FenceHost:
    """Cut a granted host off."""

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
    """Make a volume from a snapshot, so many granules larger; if it is there, repeat its request."""

    snapshot: int
    volume: int
    more: int = 0


@dataclass(frozen=True, slots=True)
class CloneVolume:
    """Make a volume from another, so many granules larger; if it is there, repeat its request."""

    source: int
    volume: int
    more: int = 0


@dataclass(frozen=True, slots=True)
class SeedTemplate:
    """Keep a template in the first store; there is one at most."""


@dataclass(frozen=True, slots=True)
class CloneTemplate:
    """Make a volume from the template; if it is there, repeat its request."""

    volume: int


@dataclass(frozen=True, slots=True)
class DeleteTemplate:
    """Delete the template."""


@dataclass(frozen=True, slots=True)
class BeginMigration:
    """Lift a volume's QoS."""

    volume: int


@dataclass(frozen=True, slots=True)
class EndMigration:
    """Give a volume its QoS back; also one that is in no migration."""

    volume: int


@dataclass(frozen=True, slots=True)
class RotateChap:
    """Replace a granted host's secret."""

    volume: int
    host: int


@dataclass(frozen=True, slots=True)
class InitializeAgain:
    """Initialise the first store once more."""


@dataclass(frozen=True, slots=True)
class ConnectHost:
    """Tell of a host once more that it is connected and enabled."""

    host: int


@dataclass(frozen=True, slots=True)
class RestartPlugin:
    """Go on with a new instance of the plugin."""


Step = (
    CreateVolume
    | DeleteVolume
    | GrantHost
    | RevokeHost
    | FenceHost
    | WriteData
    | GrowVolume
    | ChangeQos
    | TakeSnapshot
    | DeleteSnapshot
    | RevertVolume
    | CloneSnapshot
    | CloneVolume
    | SeedTemplate
    | CloneTemplate
    | DeleteTemplate
    | BeginMigration
    | EndMigration
    | RotateChap
    | InitializeAgain
    | ConnectHost
    | RestartPlugin
)
KINDS: Final[tuple[type, ...]] = get_args(Step)


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
        st.builds(CloneSnapshot, snapshot, volume, st.integers(0, 2)),
        st.builds(CloneVolume, volume, volume, st.integers(0, 2)),
        st.builds(DeleteSnapshot, snapshot),
        st.builds(FenceHost, volume, host),
        st.builds(SeedTemplate),
        st.builds(CloneTemplate, volume),
        st.builds(DeleteTemplate),
        st.builds(BeginMigration, volume),
        st.builds(EndMigration, volume),
        st.builds(RotateChap, volume, host),
        st.builds(InitializeAgain),
        st.builds(ConnectHost, host),
        st.builds(RestartPlugin),
    )
    first: SearchStrategy[Step] = st.builds(CreateVolume, st.just(0), sizes())
    second: SearchStrategy[Step] = st.builds(GrantHost, st.just(0), st.just(0))
    rest = st.lists(step, min_size=4, max_size=_LONGEST)
    return st.builds(lambda a, b, more: [a, b, *more], first, second, rest)
