"""What an array exports, as values that LIO is asked for: put together from what its fabric answers to initiators.

The rule of who gets in is the fabric's alone. It is asked for each initiator that the array knows, and for one that it
does not know: what that one is answered holds for anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from simulators.iscsi.backend import AdmissionVerdict, Fabric
from simulators.lio.names import is_initiator_name
from simulators.lio.values import Acl, Chap, Lun, Target, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.array.fabric import VolumeUnit
    from simulators.iscsi.backend import ChapAccount

UNKNOWN: Final = "iqn.1970-01.invalid:nobody-knows-this-initiator"


class Exporting(Fabric, Protocol):
    """A fabric that can say what there is to ask about."""

    def targets(self) -> Sequence[str]:
        """All targets there are."""

    def initiators(self) -> Sequence[str]:
        """Names of all initiators that may be answered otherwise than an unknown one."""

    def units(self, initiator_iqn: str, target_iqn: str) -> Mapping[int, VolumeUnit]:
        """LUN number -> unit: this initiator's view of the target."""


def export_view(fabric: Exporting) -> list[Target]:
    """All targets with everybody who gets in."""
    # LIO takes no other names, and nobody can log in to it by one.
    known = [each for each in fabric.initiators() if is_initiator_name(each)]
    return [_target(fabric, iqn, known) for iqn in fabric.targets()]


def _target(fabric: Exporting, iqn: str, known: Sequence[str]) -> Target:
    anybody = _acl(fabric, UNKNOWN, iqn)
    answers = {name: _acl(fabric, name, iqn) for name in known}
    if anybody is not None and None in answers.values():
        raise ValueError(f"{iqn}: LIO cannot refuse one initiator where it lets anybody in")
    acls = {name: acl for name, acl in answers.items() if acl is not None and acl != anybody}
    seen = [UNKNOWN, *acls]
    units = {each.disk: _unit(each) for name in seen for each in fabric.units(name, iqn).values()}
    return Target(iqn, units, acls, anybody)


def _acl(fabric: Exporting, initiator: str, iqn: str) -> Acl | None:
    admission = fabric.admit(initiator, iqn)
    if admission.verdict is not AdmissionVerdict.ALLOWED:
        return None
    luns = {number: Lun(each.disk, each.is_read_only) for number, each in fabric.units(initiator, iqn).items()}
    return Acl(luns, _chap(*admission.chap) if admission.chap else None)


def _chap(account: ChapAccount) -> Chap:
    mutual = account.mutual_secret
    return Chap(
        account.username, account.secret.decode(), account.mutual_username, None if mutual is None else mutual.decode()
    )


def _unit(unit: VolumeUnit) -> Unit:
    identity = unit.identity
    return Unit(identity.naa, identity.vendor, identity.product, identity.revision, unit.block_bytes)
