"""Whether the arguments in a counterexample are those that a property takes: looked at before anything is started."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

from conformance.abstract import from_json
from conformance.errors import WiringError
from conformance.requirement import Requirement


def decoded(requirement: Requirement, abstract: Mapping[str, object]) -> dict[str, object]:
    """The arguments of a property, from JSON; raises `WiringError` when this property does not take them."""
    wanted = taken_by(requirement)
    if set(wanted) != set(abstract):
        raise WiringError(
            f"{requirement.id} takes {_listed(wanted)} in this version of the kit, the counterexample has "
            f"{_listed(abstract)}; replay it with the kit that wrote it; nothing was started"
        )
    return {name: _one(requirement, name, abstract[name], hint) for name, hint in wanted.items()}


def taken_by(requirement: Requirement) -> dict[str, Any]:
    """Names and types of the arguments of a property, but for the subject."""
    hints = typing.get_type_hints(requirement.body)
    names = list(inspect.signature(requirement.body).parameters)[1:]
    return {name: hints[name] for name in names}


def _one(requirement: Requirement, name: str, abstract: object, hint: Any) -> object:
    try:
        value = from_json(abstract)
    except ValueError as error:
        raise WiringError(
            f"argument {name} of {requirement.id}: {error}; replay it with the kit that wrote it; nothing was started"
        ) from None
    if not fits(value, hint):
        raise WiringError(
            f"argument {name} of {requirement.id}: expected {_named(hint)}, found {value!r}; "
            "replay it with the kit that wrote it; nothing was started"
        )
    return value


def fits(value: object, hint: Any) -> bool:
    """Say whether a value is of an annotated type, all the way down."""
    origin = typing.get_origin(hint)
    if origin in {types.UnionType, typing.Union}:
        return any(fits(value, each) for each in typing.get_args(hint))
    if origin is list:
        return isinstance(value, list) and all(fits(each, typing.get_args(hint)[0]) for each in value)
    if getattr(hint, "_is_protocol", False):
        return _is_sound(value) and all(hasattr(value, each) for each in vars(hint) if not each.startswith("_"))
    if dataclasses.is_dataclass(hint):
        return type(value) is hint and _is_sound(value)
    # bool is an int for Python, and not for whoever wrote the file.
    return type(value) is hint


def _is_sound(value: object) -> bool:
    if not dataclasses.is_dataclass(value):
        return False
    hints = typing.get_type_hints(type(value))
    return all(fits(getattr(value, each.name), hints[each.name]) for each in dataclasses.fields(value))


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "no arguments"


def _named(hint: Any) -> str:
    return hint.__name__ if inspect.isclass(hint) and not typing.get_args(hint) else str(hint)
