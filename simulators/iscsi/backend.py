"""What a target needs from whoever owns the data: which targets exist, who may see what, and the blocks.

The target holds no configuration of its own. It asks the `Fabric` again for every login, discovery and (after
a change) command, so a revoked access is gone with the next PDU and a grown unit is noticed by the next
command.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class UnitIdentity:
    """What INQUIRY and its vital product data say a logical unit is."""

    naa: str
    """32 hex digits, NAA 6: the designator of type 3 in VPD page 0x83."""
    eui: str | None
    """32 hex digits, a 16-byte EUI-64 based designator (type 2), or None."""
    serial: str
    vendor: str
    product: str
    revision: str


class SpaceExhausted(OSError):
    """A thin unit's pool is full: raised by `write`, reported as 27/07, space allocation failed."""


@runtime_checkable
class LogicalUnit(Protocol):
    """A LUN as the target sees it. Offsets and lengths are bytes and always multiples of `block_bytes`.

    Any method may raise `OSError`: the initiator then gets MEDIUM ERROR.
    """

    @property
    def size_bytes(self) -> int:
        """Current capacity; a multiple of `block_bytes`."""

    @property
    def block_bytes(self) -> int:
        """Logical block length: 512 or 4096."""

    @property
    def physical_block_bytes(self) -> int:
        """Physical block length: `block_bytes` times a power of two."""

    @property
    def is_thin(self) -> bool:
        """Whether UNMAP is supported and unmapped blocks read as zeros (LBPME and LBPRZ)."""

    @property
    def is_read_only(self) -> bool:
        """Whether writing is refused: sense 27/00, write protected."""

    @property
    def identity(self) -> UnitIdentity:
        """What INQUIRY reports."""

    @property
    def generation(self) -> int:
        """A number that changes when the capacity changes: each nexus then gets unit attention 2A/09 once."""

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes; the range is already checked against `size_bytes`."""

    def write(self, offset: int, data: bytes) -> None:
        """Store `data`; the range is already checked against `size_bytes`."""

    def unmap(self, offset: int, length: int) -> None:
        """Deallocate: the range reads as zeros afterwards. Called only when `is_thin`."""

    def flush(self) -> None:
        """Make earlier writes durable (SYNCHRONIZE CACHE)."""


@runtime_checkable
class ProvisionedUnit(Protocol):
    """What a unit may tell besides, if it keeps account of its space: GET LBA STATUS and thresholds live on it."""

    @property
    def allocated_bytes(self) -> int:
        """Space that the unit takes up."""

    def allocation(self, offset: int) -> tuple[bool, int]:
        """Return whether the block at `offset` is allocated, and how many bytes from there on are just as it is.

        Both are multiples of the block length, and the stretch is at least one block and ends with the unit.
        """


@dataclass(frozen=True, slots=True)
class ChapAccount:
    """One CHAP name with its secret, and what the target proves itself with in mutual CHAP."""

    username: str
    secret: bytes = field(repr=False)
    mutual_username: str | None = None
    mutual_secret: bytes | None = field(default=None, repr=False)


class AdmissionVerdict(Enum):
    """Whether this initiator may log in to this target at all (before CHAP)."""

    ALLOWED = "allowed"
    NOT_FOUND = "not found"
    """No such target: login status 0x0203."""
    FORBIDDEN = "forbidden"
    """The target exists but this initiator is not in its access list: login status 0x0202."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to a login attempt."""

    verdict: AdmissionVerdict
    chap: tuple[ChapAccount, ...] = ()
    """Empty: no authentication required. Otherwise one of these must authenticate, else status 0x0201."""


class Fabric(Protocol):
    """Which targets exist and who may see what; asked live, so that a revoke takes effect at once."""

    @property
    def revision(self) -> int:
        """A number that changes whenever any access or target changes: a cheap check for cached answers."""

    def discover(self, initiator_iqn: str) -> Sequence[str]:
        """Return the target IQNs that SendTargets=All lists for this initiator."""

    def admit(self, initiator_iqn: str, target_iqn: str) -> Admission:
        """Say whether this initiator may log in to this target, and as whom."""

    def units(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, LogicalUnit]:
        """Return lun_number -> unit: this initiator's view of the target."""

    def still_admitted(self, initiator_iqn: str, target_iqn: str, chap_username: str | None, since: int) -> bool:
        """Say whether a session that began at revision `since` may live on; asked when `revision` changed.

        False closes it.
        """


@runtime_checkable
class DiscoveryGuard(Protocol):
    """What a fabric may have besides: accounts for discovery. Without it, targets are shown to who asks by name."""

    def discovery_accounts(self, initiator_iqn: str) -> tuple[ChapAccount, ...]:
        """Return the accounts of which one must authenticate a discovery session; empty when none is needed."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One logged-in session, as an administrator of the target would list it."""

    initiator_iqn: str
    target_iqn: str
    """Empty for a discovery session."""
    initiator_address: str
    isid: bytes
    tsih: int
    chap_username: str | None
    auth_method: str
    """`None` or `CHAP`, the value of the AuthMethod key."""
    chap_algorithm: int | None = None
    """5 (MD5) or 7 (SHA-256) when `auth_method` is CHAP."""
    is_mutual: bool = False
    header_digest: str = "None"
    data_digest: str = "None"
    age_seconds: float = 0.0
    """Since the login was complete; like the other two, when the session was listed."""
    idle_seconds: float = 0.0
    """Since the initiator sent its last PDU."""
    command_idle_seconds: float = 0.0
    """Since the initiator sent its last SCSI command; since the login if it has sent none."""
