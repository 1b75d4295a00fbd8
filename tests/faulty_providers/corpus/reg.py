"""Faults against REG: what a plugin must be before it is called."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from conformance.contract import ArrayUnreachable, Capability
from tests.faulty_providers.fault import Call, Change, Fault, Kind, Provider
from tests.faulty_providers.operators import alter_result, fail

_NUMBERS = itertools.count(1)


def another_each(call: Call) -> str:
    """A version of its own for each plugin object."""
    own: str = call.memory.own.setdefault("version", f"0.1.{next(_NUMBERS)}")
    return own


def lun_limit(call: Call) -> Any:
    """A limit of its own for each plugin object."""
    number = call.memory.own.setdefault("number", next(_NUMBERS))
    return dataclasses.replace(call.proceed(), luns_per_host=1000 + number)


def declaring(**changed: Any) -> Change:
    """Declares other traits; does what it did."""
    return alter_result(lambda traits: dataclasses.replace(traits, **changed))


FAULTS = (
    Fault(
        "REG-001",
        "a capability has no answer",
        Provider.capabilities,
        alter_result(lambda answers: {key: each for key, each in answers.items() if key is not Capability.THIN}),
    ),
    Fault(
        "REG-001",
        "capabilities are answered by yes and no",
        Provider.capabilities,
        alter_result(lambda answers: {key: bool(each) for key, each in answers.items()}),
    ),
    Fault("REG-001", "traits are text", Provider.traits, alter_result(str)),
    Fault("REG-001", "the hookup is made up", Provider.hookup, alter_result(lambda _: "both")),
    Fault(
        "REG-002",
        "configure looks for the array and fails",
        Provider.configure,
        fail(lambda call: ArrayUnreachable("array", "no route")),
        Kind.LIFE,
    ),
    Fault("REG-003", "each object has a version of its own", Provider.version, another_each, Kind.IDENTITY),
    Fault("REG-003", "each object has limits of its own", Provider.limits, lun_limit, Kind.IDENTITY),
    Fault("REG-004", "a call may take a minute", Provider.traits, declaring(default_completion_seconds=60.0)),
    Fault("REG-004", "a delete may take an hour", Provider.traits, declaring(completion_seconds={"delete": 3600.0})),
    Fault("REG-004", "usage is of yesterday", Provider.traits, declaring(stats_lag_seconds=86400.0)),
    Fault("REG-004", "the trash is emptied once a year", Provider.traits, declaring(trash_seconds=365 * 86400)),
)
