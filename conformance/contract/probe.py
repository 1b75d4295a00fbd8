"""The host probe: an initiator in user space that is its own host with its own IQN and grant."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from .addresses import Iqn, Portal
from .connection import BlockConnection
from .secret import ChapCredentials


class Refusal(StrEnum):
    """Why a probe did not get in (RFC 7143 §11.13.5 status, or a missing LUN behind a good login)."""

    AUTHENTICATION = "authentication"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    NO_LUN = "no_lun"
    TARGET_UNPROVEN = "target_unproven"
    UNREACHABLE = "unreachable"
    OTHER = "other"


class ProbeRefused(Exception):
    """The probe could not reach the LUN; `refusal` says why in the protocol's terms."""

    since = "0.1"

    def __init__(self, refusal: Refusal, text: str) -> None:
        self.refusal, self.text = refusal, text
        super().__init__(refusal, text)

    def __str__(self) -> str:
        return f"{self.refusal}: {self.text}"


class ProbeIoError(Exception):
    """A command on an open session failed, or the session is gone."""

    since = "0.1"


class ProbeSession(Protocol):
    """One LUN, logged in. Offsets and lengths are bytes and multiples of `block_bytes`."""

    @property
    def wwid(self) -> str:
        """The NAA designator of VPD page 0x83, in hexadecimal."""
        ...

    @property
    def size_bytes(self) -> int:
        """What READ CAPACITY says now."""
        ...

    @property
    def block_bytes(self) -> int:
        """The logical block size."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Read; raises `ProbeIoError`."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write and flush; raises `ProbeIoError`."""
        ...

    def unmap(self, offset: int, length: int) -> None:
        """Discard; raises `ProbeIoError`."""
        ...

    def close(self) -> None:
        """Log out; never fails."""
        ...


class HostProbe(Protocol):
    """An initiator with a name of its own."""

    @property
    def initiator_iqn(self) -> Iqn:
        """Its name."""
        ...

    def open(self, connection: BlockConnection, chap: ChapCredentials | None = None) -> ProbeSession:
        """Log in over the first iSCSI path that answers; `chap` replaces the path's own credentials.

        Raises `ProbeRefused`.
        """
        ...

    def open_without_chap(self, connection: BlockConnection) -> ProbeSession:
        """As `open`, offering no authentication."""
        ...

    def discover(self, portal: Portal, chap: ChapCredentials | None = None) -> Sequence[Iqn]:
        """Names of the targets that SendTargets shows to this initiator."""
        ...
