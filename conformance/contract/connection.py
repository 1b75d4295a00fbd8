"""How one host reaches one LUN or export: answers of `connection()`, per host.

They are never stored for use: the next use asks again. What undoing a hookup needs when the array does not
answer, or access is already gone (a fenced host that comes back), is kept as `BlockConnection.without_chap`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from .addresses import Iqn, Nqn, Portal, Wwpn
from .secret import ChapCredentials

_WWID: Final = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class LunIdentity:
    """What a LUN is, the same from every host: its designator of VPD page 0x83 (SPC-4 §7.8.6).

    `wwid` is the NAA or EUI-64 designator in hexadecimal. It is None when the array's management API does not
    report it: bridges then match by path and read the page.
    """

    wwid: str | None
    since = "0.1"

    def __post_init__(self) -> None:
        if self.wwid is not None and not _WWID.fullmatch(self.wwid):
            raise ValueError(f"{self.wwid!r} is no WWID; expected 16 or 32 lower-case hexadecimal digits, or None")


@dataclass(frozen=True, slots=True)
class IscsiPath:
    """One way to a LUN over iSCSI: the target, its portals, and the number this LUN has *on this host*."""

    target_iqn: Iqn
    portals: tuple[Portal, ...]
    lun_number: int
    chap: ChapCredentials | None = None
    since = "0.1"

    def __post_init__(self) -> None:
        if not self.portals:
            raise ValueError("an iSCSI path has no portal; expected at least one")
        _check_number("lun_number", self.lun_number, 16383)


@dataclass(frozen=True, slots=True)
class FcPath:
    """One way to a LUN over Fibre Channel."""

    target_wwpn: Wwpn
    lun_number: int
    since = "0.1"

    def __post_init__(self) -> None:
        _check_number("lun_number", self.lun_number, 16383)


@dataclass(frozen=True, slots=True)
class NvmePath:
    """One way to a namespace over NVMe/TCP."""

    subsystem_nqn: Nqn
    portals: tuple[Portal, ...]
    namespace_id: int
    since = "0.1"

    def __post_init__(self) -> None:
        if not self.portals:
            raise ValueError("an NVMe path has no portal; expected at least one")
        if self.namespace_id < 1:
            raise ValueError(f"namespace_id {self.namespace_id} is below 1")


BlockPath = IscsiPath | FcPath | NvmePath


@dataclass(frozen=True, slots=True)
class BlockConnection:
    """How one host reaches one LUN now; `size_bytes` is the LUN's size."""

    identity: LunIdentity
    size_bytes: int
    paths: tuple[BlockPath, ...]
    since = "0.1"

    def __post_init__(self) -> None:
        if self.size_bytes <= 0:
            raise ValueError(f"size_bytes {self.size_bytes} is not positive")
        if not self.paths:
            raise ValueError("a connection has no path; expected at least one")

    def without_chap(self) -> BlockConnection:
        """Drop the secrets: what may be kept so that the hookup can be undone after access was taken away."""
        return replace(self, paths=tuple(_without_chap(path) for path in self.paths))


@dataclass(frozen=True, slots=True)
class NfsExport:
    """An NFS export: the server's address and an absolute path."""

    server: str
    path: str
    since = "0.1"

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or ".." in self.path.split("/"):
            raise ValueError(f"{self.path!r} is no export path; expected an absolute path without '..'")


Connection = BlockConnection | NfsExport


def _without_chap(path: BlockPath) -> BlockPath:
    return replace(path, chap=None) if isinstance(path, IscsiPath) else path


def _check_number(field: str, number: int, largest: int) -> None:
    if not 0 <= number <= largest:
        raise ValueError(f"{field} {number} is outside 0..{largest}")
