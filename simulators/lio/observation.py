"""What LIO exports now, read from configfs itself: nothing here shares code with what changes it."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulators.lio.values import Acl, Chap, Lun, Session, Target, Unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

ROOT: Final = Path("/sys/kernel/config/target")
_INITIATOR: Final = re.compile(r"InitiatorName: (\S+)")
_SESSION: Final = re.compile(r"ISID: 0x([0-9a-f ]+?)\s+TSIH: (\d+)")
_CONNECTION: Final = re.compile(r"Address (\S+) (?:TCP|SCTP)")


def targets(names: Collection[str], prefix: str, root: Path = ROOT) -> tuple[Target, ...]:
    """The targets of these names that there are, with their secrets; `prefix` is left out of the names of disks."""
    groups = sorted(each for each in (root / "iscsi").glob("iqn.*/tpgt_1") if each.parent.name in names)
    return tuple(_target(each, prefix) for each in groups)


def sessions(root: Path = ROOT) -> tuple[Session, ...]:
    """Everybody who is logged in."""
    groups = sorted((root / "iscsi").glob("iqn.*/tpgt_1"))
    return tuple(session for group in groups for session in _sessions(group))


def session_in(info: str, target_iqn: str) -> Session | None:
    """Read what LIO says about an ACL's session; None if there is none."""
    name, session, connection = _INITIATOR.search(info), _SESSION.search(info), _CONNECTION.search(info)
    if name is None:
        return None
    return Session(
        name[1],
        target_iqn,
        connection[1] if connection else "",
        session[1].replace(" ", "") if session else "",
        int(session[2]) if session else 0,
    )


def _sessions(group: Path) -> Iterator[Session]:
    for acl in sorted((group / "acls").iterdir()):
        session = session_in(_text(acl / "info"), group.parent.name)
        if session is not None:
            yield session
    for name in _text(group / "dynamic_sessions").split("\n"):
        if name:
            yield Session(name, group.parent.name)


def _target(group: Path, prefix: str) -> Target:
    behind = {int(each.name.removeprefix("lun_")): _storage(each) for each in (group / "lun").iterdir()}
    disks = {number: each for number, each in behind.items() if each is not None}
    names = {number: each.name.removeprefix(prefix) for number, each in disks.items()}
    return Target(
        iqn=group.parent.name,
        units={names[number]: _unit(each) for number, each in disks.items()},
        acls={each.name: _acl(each, prefix) for each in sorted((group / "acls").iterdir())},
        anybody=_anybody(group, names),
        is_enabled=_text(group / "enable") == "1",
    )


def _unit(storage: Path) -> Unit:
    serial = _text(storage / "wwn/vpd_unit_serial").rpartition(": ")[2]
    return Unit(
        naa=f"6{int(_text(storage / 'wwn/company_id'), 16):06x}{serial}",
        vendor=_text(storage / "wwn/vendor_id"),
        product=_text(storage / "wwn/product_id"),
        revision=_text(storage / "wwn/revision"),
        block_bytes=int(_text(storage / "attrib/block_size")),
    )


def _acl(acl: Path, prefix: str) -> Acl:
    luns = {}
    for each in acl.glob("lun_*"):
        lun = next((link.resolve() for link in each.iterdir() if link.is_symlink()), None)
        storage = None if lun is None else _storage(lun)
        if storage is not None:
            is_read_only = _text(each / "write_protect") == "1"
            luns[int(each.name.removeprefix("lun_"))] = Lun(storage.name.removeprefix(prefix), is_read_only)
    return Acl(dict(sorted(luns.items())), _chap(acl) if _text(acl / "attrib/authentication") == "1" else None)


def _anybody(group: Path, names: Mapping[int, str]) -> Acl | None:
    if _text(group / "attrib/generate_node_acls") != "1":
        return None
    is_read_only = _text(group / "attrib/demo_mode_write_protect") == "1"
    luns = {number: Lun(name, is_read_only) for number, name in sorted(names.items())}
    return Acl(luns, _chap(group) if _text(group / "attrib/authentication") == "1" else None)


def _chap(holder: Path) -> Chap:
    username, secret, mutual_username, mutual_secret = (
        _text(holder / "auth" / each) for each in ("userid", "password", "userid_mutual", "password_mutual")
    )
    return Chap(username, secret, _set(mutual_username), _set(mutual_secret))


def _set(text: str) -> str | None:
    """What was taken back is kept as this word, which nobody can be called by."""
    return None if text in {"", "NULL"} else text


def _storage(lun: Path) -> Path | None:
    return next((each.resolve() for each in lun.iterdir() if each.is_symlink()), None)


def _text(path: Path) -> str:
    # A session or an ACL may go while it is looked at.
    with suppress(OSError):
        return path.read_text(errors="replace").strip("\0\n ")
    return ""
