"""Exports as a tree of text, in the words of `targetcli ls`; without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simulators.lio.values import Acl, Chap, Portal, Target


def rendered(targets: Sequence[Target], portals: Sequence[Portal]) -> str:
    """One line for each thing, indented by what it is in."""
    return "\n".join(
        [f"o- iscsi [Targets: {len(targets)}]", *(line for each in targets for line in _target(each, portals))]
    )


def _target(target: Target, portals: Sequence[Portal]) -> Iterator[str]:
    yield f"  o- {target.iqn} [{'enabled' if target.is_enabled else 'disabled'}]"
    yield f"    o- acls [ACLs: {len(target.acls)}]"
    for name, acl in target.acls.items():
        yield from _acl(name, acl)
    if target.anybody is not None:
        yield from _acl("any other initiator", target.anybody)
    yield f"    o- luns [LUNs: {len(target.units)}]"
    for disk, unit in target.units.items():
        yield f"      o- {disk} [{unit.vendor} {unit.product}, NAA {unit.naa}, blocks of {unit.block_bytes}]"
    yield from _portals(portals)


def _portals(portals: Iterable[Portal]) -> Iterator[str]:
    yield "    o- portals"
    yield from (f"      o- {each} [OK]" for each in portals)


def _acl(name: str, acl: Acl) -> Iterator[str]:
    yield f"      o- {name} [{_proof(acl.chap)}]"
    for number, lun in sorted(acl.luns.items()):
        yield f"        o- mapped_lun{number} [{lun.disk} ({'ro' if lun.is_read_only else 'rw'})]"


def _proof(chap: Chap | None) -> str:
    if chap is None:
        return "no authentication"
    return f"CHAP as {chap.username}" if chap.mutual_username is None else f"mutual CHAP as {chap.username}"
