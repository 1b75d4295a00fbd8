"""The catalogue as plain values: what `list --json` prints and the wheel carries as `catalogue.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final

from conformance.contract import AccessModel, Capability, WitnessPower
from conformance.requirement import Needed, Requirement

FILE: Final = "catalogue.json"
Faults = Mapping[str, Sequence[str]]


def record(requirement: Requirement, faults: Faults) -> dict[str, object]:
    """One requirement; `faults` are those known to break it."""
    return {
        "id": requirement.id,
        "strength": requirement.strength,
        "area": requirement.area,
        "subject": str(requirement.subject),
        "sentence": requirement.sentence,
        "needs": needs(requirement),
        "rests_on": list(requirement.rests_on),
        "faults": list(faults.get(requirement.id, ())),
        "not_testable": requirement.not_testable,
    }


def text(requirements: Mapping[str, Requirement], faults: Faults) -> str:
    """All of them as JSON."""
    records = [record(each, faults) for each in requirements.values()]
    return json.dumps(records, indent=2, ensure_ascii=False) + "\n"


def needs(requirement: Requirement) -> list[str]:
    """What must be there, or must be missing, for the requirement to be asked."""
    lacks = [f"no capability {each}" for each in requirement.lacks]
    return [_need(each) for each in requirement.needs] + lacks


def _need(need: Needed) -> str:
    if isinstance(need, Capability):
        return f"capability {need}"
    if isinstance(need, WitnessPower):
        return f"a witness that shows {need}"
    return f"access model {need}" if isinstance(need, AccessModel) else str(need)


def known_faults() -> dict[str, list[str]]:
    """The faults in the catalogue that was shipped, by requirement; none where it was not generated."""
    file = resources.files("conformance").joinpath(FILE)
    if not file.is_file():
        return {}
    return {each["id"]: each["faults"] for each in json.loads(file.read_text(encoding="utf-8"))}
