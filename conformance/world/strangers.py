"""What others have on the array of a world: planted once the plugin's way of naming is seen, compared at the end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from conformance.contract import ArrayView, ArrayWitness, Iqn, WitnessedLun, WitnessedObject, WitnessedSnapshot
from conformance.verdict import Violation

LUNS: Final = "ISO-001"
OTHERS: Final = "ISO-003"
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Strangers:
    """What was planted, field for field; `luns` with the bytes they hold."""

    luns: tuple[tuple[WitnessedLun, bytes], ...]
    snapshots: tuple[WitnessedSnapshot, ...]
    objects: tuple[WitnessedObject, ...]


def plant(witness: ArrayWitness, lun_name: str, tag: str) -> tuple[Strangers, ArrayView]:
    """Let others have objects whose names are nearly that of the plugin's LUN; answers the view afterwards too."""
    before = witness.observe()
    contents = {}
    for number, name in enumerate(look_alikes(lun_name)):
        content = hashlib.shake_256(f"stranger {name}".encode()).digest(4096)
        iqn = Iqn(f"iqn.2001-04.org.example:{tag}-stranger{number}")
        contents[witness.plant(name, iqn, content)] = content
    after = witness.observe()
    strangers = Strangers(
        tuple((each, contents[each.external_id]) for each in after.luns if each.external_id in contents),
        tuple(each for each in after.snapshots if each.lun_external_id in contents),
        tuple(each for each in after.objects if each not in before.objects),
    )
    return strangers, after


def look_alikes(name: str) -> tuple[str, str]:
    """Names that somebody who compares only beginnings, or cuts off ends, takes for this one."""
    return f"{name}1" if len(name) < _LONGEST else f"{name[:-1]}~", name[: _LONGEST - 1][:-1]


def harmed(strangers: Strangers, witness: ArrayWitness) -> list[Violation]:
    """What is not as it was planted."""
    view = witness.observe()
    luns = {each.external_id: each for each in view.luns}
    for planted, content in strangers.luns:
        now = luns.get(planted.external_id)
        if now != planted:
            return [_violation(LUNS, f"a stranger's LUN to stay {planted}", str(now or "gone"))]
        if witness.read(planted.external_id, 0, len(content)) != content:
            return [_violation(LUNS, f"the bytes of a stranger's LUN {planted.name} to stay", "others")]
    missing = [str(each) for each in strangers.snapshots if each not in view.snapshots]
    missing += [str(each) for each in strangers.objects if each not in view.objects]
    return [_violation(OTHERS, f"a stranger's {missing[0]} to stay", "changed or gone")] if missing else []


def _violation(home: str, expected: str, observed: str) -> Violation:
    return Violation(expected, observed, "the array", home)
