"""What others have on the array of a world: planted once the plugin's way of naming is seen, compared at the end.

Everywhere their names are nearly the plugin's own. They are exactly its own only where the array takes that (power
NAMESAKES): a plugin has to tell its things by marks or ids there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.contract import ArrayWitness, Iqn, WitnessedLun, WitnessedObject, WitnessedSnapshot
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

    def and_those(self, others: Strangers) -> Strangers:
        """Both."""
        return Strangers(
            (*self.luns, *others.luns), (*self.snapshots, *others.snapshots), (*self.objects, *others.objects)
        )


NOBODY: Final = Strangers((), (), ())


def planted(plant: Callable[[str, Iqn, bytes], str], witness: ArrayWitness, names: Mapping[str, Iqn]) -> Strangers:
    """Let others have objects of these names, which let these initiators in."""
    before = witness.observe()
    contents = {}
    for name, iqn in names.items():
        content = hashlib.shake_256(f"stranger {name}".encode()).digest(4096)
        contents[plant(name, iqn, content)] = content
    after = witness.observe()
    return Strangers(
        tuple((each, contents[each.external_id]) for each in after.luns if each.external_id in contents),
        tuple(each for each in after.snapshots if each.lun_external_id in contents),
        tuple(each for each in after.objects if each not in before.objects),
    )


def look_alikes(name: str) -> tuple[str, str]:
    """Names that somebody who compares only beginnings, or cuts off ends, takes for this one."""
    return f"{name}1" if len(name) < _LONGEST else f"{name[:-1]}~", name[: _LONGEST - 1][:-1]


def named_after(name: str, uuid: str, another: str) -> str | None:
    """How the plugin will name the thing of another uuid; None where names do not show their uuids."""
    for old, new in ((uuid, another), (uuid.replace("-", ""), another.replace("-", ""))):
        if old in name:
            return name.replace(old, new)
    return None


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
