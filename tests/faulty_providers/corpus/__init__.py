"""The faults: one module for each area, and `blind`, written from the contract alone."""

from __future__ import annotations

import importlib
import pkgutil

from tests.faulty_providers.fault import Fault


def all_faults() -> tuple[Fault, ...]:
    """Every fault; names are unique."""
    found: list[Fault] = []
    for module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
        found += importlib.import_module(f"{__name__}.{module}").FAULTS
    names = [each.name for each in found]
    twice = {each for each in names if names.count(each) > 1}
    if twice:
        raise ValueError(f"two faults of one name: {sorted(twice)}")
    return tuple(found)
