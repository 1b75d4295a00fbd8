"""What LIO is asked to export, and what it has, as values: disks are named, sizes are bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Portal:
    """Where initiators find the targets."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Chap:
    """Name and secret of the initiator; with `mutual_username` those that the target proves itself with."""

    username: str
    secret: str = field(repr=False)
    mutual_username: str | None = None
    mutual_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Unit:
    """How a disk presents itself: INQUIRY data, the NAA designator (32 hexadecimal digits) and its blocks."""

    naa: str
    vendor: str = "LIO-ORG"
    product: str = "disk"
    revision: str = "1"
    block_bytes: int = 512


@dataclass(frozen=True, slots=True)
class Lun:
    """A disk under a LUN number."""

    disk: str
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class Acl:
    """What an initiator sees, by LUN number, once it has proved who it is; without `chap` it need not."""

    luns: Mapping[int, Lun]
    chap: Chap | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A target with the disks behind it, by name, and who may log in.

    `anybody` is for initiators that have no entry in `acls`; without it they are refused (login status 0x0202).
    """

    iqn: str
    units: Mapping[str, Unit]
    acls: Mapping[str, Acl]
    anybody: Acl | None = None
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """An initiator that is logged in; of one that has no ACL of its own LIO tells the name only."""

    initiator_iqn: str
    target_iqn: str
    address: str = ""
    isid: str = ""
    tsih: int = 0
