"""The array seen from behind the plugin's back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from .addresses import Iqn
from .values import QosPolicy


class WitnessPower(StrEnum):
    """What a witness can see; a requirement that needs more is NOT_VERIFIED."""

    LUNS = "luns"
    SIZE = "size"
    QOS = "qos"
    ACCESS = "access"
    ACCOUNTS = "accounts"
    SESSIONS = "sessions"
    TRASH = "trash"
    BYTES = "bytes"
    SNAPSHOTS = "snapshots"
    FILL = "fill"
    PLANT = "plant"
    NAMESAKES = "namesakes"
    PLANT_SNAPSHOTS = "plant_snapshots"


@dataclass(frozen=True, slots=True)
class WitnessedLun:
    """A LUN as the array has it.

    `in_trash`: deleted, kept until purged. `visible_to`: initiators that masking lets in. `needs_chap`: an
    initiator has to authenticate as well, or instead. `is_ready`: hosts can use it; a clone that the array is still
    filling cannot be used. A witness that cannot tell says it is.
    """

    external_id: str
    name: str
    size_bytes: int
    wwid: str
    in_trash: bool = False
    qos: QosPolicy | None = None
    written_bytes: int = 0
    visible_to: frozenset[Iqn] = frozenset()
    needs_chap: bool = False
    is_ready: bool = True
    since = "0.1"


@dataclass(frozen=True, slots=True, order=True)
class WitnessedSnapshot:
    """A snapshot as the array has it: of which LUN, and how large that was when it was taken."""

    external_id: str
    lun_external_id: str
    name: str
    size_bytes: int
    since = "0.1"


@dataclass(frozen=True, slots=True, order=True)
class WitnessedObject:
    """Any other object a plugin may have made: account, group, initiator.

    `value` is its state, for comparing.
    """

    kind: str
    external_id: str
    name: str
    value: str = ""
    since = "0.1"


@dataclass(frozen=True, slots=True, order=True)
class WitnessedSession:
    """An initiator that is logged in."""

    initiator_iqn: Iqn
    lun_external_id: str
    since = "0.1"


@dataclass(frozen=True, slots=True)
class ArrayView:
    """All of the array at one moment."""

    luns: tuple[WitnessedLun, ...]
    objects: tuple[WitnessedObject, ...]
    sessions: tuple[WitnessedSession, ...]
    capacity_bytes: int
    used_bytes: int
    snapshots: tuple[WitnessedSnapshot, ...] = ()
    since = "0.1"

    @property
    def live(self) -> tuple[WitnessedLun, ...]:
        """LUNs that are not in the trash."""
        return tuple(each for each in self.luns if not each.in_trash)


class ArrayWitness(Protocol):
    """The array's own word, by another way than the one the plugin uses."""

    @property
    def powers(self) -> frozenset[WitnessPower]:
        """What it can see and do."""
        ...

    def observe(self) -> ArrayView:
        """Look at everything."""
        ...

    def read(self, external_id: str, offset: int, length: int) -> bytes:
        """Read a LUN's bytes behind the data path; power BYTES."""
        ...

    def read_snapshot(self, external_id: str, offset: int, length: int) -> bytes:
        """Read a snapshot's bytes behind the data path; powers SNAPSHOTS and BYTES."""
        ...

    def fill(self, free_bytes: int) -> None:
        """Use up capacity with foreign LUNs until `free_bytes` are left.

        Power FILL, simulated arrays only.
        """
        ...

    def plant(self, name: str, initiator: Iqn, content: bytes) -> str:
        """Make, as somebody else, a LUN of this name that holds these bytes and is shown to this initiator.

        And a snapshot of it, and beside it an account, a group or whatever else the array has that carries names.
        What the array does not take in names is replaced. Answers the LUN's external_id. Power PLANT, simulated
        arrays only.
        """
        ...

    def plant_namesake(self, name: str, initiator: Iqn, content: bytes) -> str:
        """As `plant`, with exactly this name, also where somebody else has it already; accounts get another.

        Power NAMESAKES: simulated arrays that let LUNs, snapshots and groups of several makers have one name.
        """
        ...

    def plant_snapshot(self, external_id: str, name: str) -> str:
        """Take, as somebody else, a snapshot of this name of a LUN of the plugin's; answers its external_id.

        Power PLANT_SNAPSHOTS, simulated arrays only.
        """
        ...

    def remove_planted_snapshot(self, external_id: str) -> None:
        """Remove it again; absent is success. Power PLANT_SNAPSHOTS."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class WitnessedStorage:
    """What one hypervisor host keeps of storage, whoever made it: a storage pool, a storage repository, a datastore.

    `definition` is the host's own text of it, for comparing; `name` is what a bridge's inventory calls it.
    """

    host_uuid: str
    external_id: str
    name: str
    definition: str
    is_active: bool
    is_autostarted: bool
    since = "0.1"


class HypervisorWitness(Protocol):
    """The hosts' own word, by another way than the one the bridge uses."""

    def observe(self) -> Sequence[WitnessedStorage]:
        """Look at all storage of all hosts of now, also of those that do not answer a bridge."""
        ...

    def plant(self, name: str, *, is_active: bool) -> None:
        """Let somebody else have storage of this name on every host of now, which leads to a target of his own.

        Active and not started with the host, or else stopped and started with the host. What a host does not take in
        names is replaced; a name that is taken there already raises ValueError. Simulated clusters only.
        """
        ...


@runtime_checkable
class WitnessedHosts(Protocol):
    """What a `ClusterWorld` is too where its hosts can be seen from behind the bridge's back; it need not be."""

    @property
    def witness(self) -> HypervisorWitness:
        """The look from behind."""
        ...
