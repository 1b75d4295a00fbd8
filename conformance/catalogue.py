"""All requirements, found by importing the property modules: there is no registry."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache

from conformance.requirement import Requirement

_PACKAGE = "conformance.properties"


@cache
def catalogue() -> Mapping[str, Requirement]:
    """Every requirement by id, areas in the order of their names."""
    found: dict[str, Requirement] = {}
    package = importlib.import_module(_PACKAGE)
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        for value in vars(importlib.import_module(f"{_PACKAGE}.{module}")).values():
            one = getattr(value, "requirement", None)
            if isinstance(one, Requirement):
                _add(found, one)
    return dict(sorted(found.items()))


def _add(found: dict[str, Requirement], one: Requirement) -> None:
    if one.id in found and found[one.id].body is not one.body:
        raise ValueError(f"requirement id {one.id} is used twice")
    found[one.id] = one


def depth(identifier: str, requirements: Mapping[str, Requirement]) -> int:
    """How many requirements stand below this one in `rests_on`: 0 for the foundations."""
    below = requirements[identifier].rests_on if identifier in requirements else ()
    return 1 + max((depth(each, requirements) for each in below), default=-1)


def from_the_ground(chosen: Iterable[Requirement], requirements: Mapping[str, Requirement]) -> list[Requirement]:
    """What rests on least first: a run then finds causes before their consequences."""
    return sorted(chosen, key=lambda each: (depth(each.id, requirements), each.id))


def foundations(identifier: str, requirements: Mapping[str, Requirement]) -> frozenset[str]:
    """All that a requirement rests on, directly or not."""
    below = requirements[identifier].rests_on if identifier in requirements else ()
    return frozenset(below).union(*(foundations(each, requirements) for each in below))
