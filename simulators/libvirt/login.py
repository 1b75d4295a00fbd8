"""Log in to a target as a hypervisor does, and say what went wrong in libiscsi's words.

libvirt's iscsi-direct back end and QEMU both use libiscsi, and put its text behind error code 1. The texts here are
libiscsi's; clients that must tell a wrong secret from a missing target have nothing else to go by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ChapLogin:
    """The credentials of one login."""

    username: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TargetLogin:
    """Everything a login needs."""

    address: str
    port: int
    target_iqn: str
    initiator_iqn: str
    chap: ChapLogin | None


@dataclass(frozen=True, slots=True)
class UnitSize:
    """READ CAPACITY of one LUN."""

    size_bytes: int
    block_bytes: int


class TargetSession(Protocol):
    """A session with one target."""

    def lun_numbers(self) -> Sequence[int]:
        """REPORT LUNS."""

    def unit_size(self, lun_number: int) -> UnitSize:
        """READ CAPACITY; raises `TargetFault`."""

    def close(self) -> None:
        """Log out; never fails."""


class TargetFault(Exception):
    """A login or a command failed; the text is libiscsi's."""


Login = Callable[[TargetLogin], TargetSession]
"""Opens a session; raises `TargetFault`."""
