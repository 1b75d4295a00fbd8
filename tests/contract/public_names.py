"""Everything that vendors can name, one line each: `python -m tests.contract.public_names` writes it down.

A change of the vendors' interface is then a change of `public_names.txt`, and nobody overlooks it in a review.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Final

import conformance.contract as contract
from conformance import registration
from conformance.contract import adapters, codec

LIST: Final = Path(__file__).with_name("public_names.txt")
COMMAND: Final = "python -m tests.contract.public_names"


def lines() -> list[str]:
    """One line for each public name, field, member and method."""
    found = [line for name in contract.__all__ for line in described(name, getattr(contract, name))]
    for module in (adapters, codec, registration):
        own = {name: each for name, each in vars(module).items() if is_own(module, name, each)}
        prefix = module.__name__.rpartition(".")[2]
        found += [line for name in own for line in described(f"{prefix}.{name}", own[name])]
    return sorted(found)


def is_own(module: ModuleType, name: str, value: object) -> bool:
    """Whether a module defines a class or function for others; `codec` has its error from a private module."""
    is_for_others = not name.startswith("_") and (isinstance(value, type) or inspect.isroutine(value))
    is_its_error = module is codec and value is codec.CodecError
    return is_for_others and (getattr(value, "__module__", None) == module.__name__ or is_its_error)


def described(name: str, value: object) -> Iterator[str]:
    """The lines about one name."""
    if not isinstance(value, type):
        yield f"function {name}{signature(value)}" if inspect.isroutine(value) else f"alias {name} = {text(value)}"
    elif issubclass(value, Enum):
        yield from (f"enum {name}.{each.name} = {each.value}" for each in value)
    elif dataclasses.is_dataclass(value):
        yield f"dataclass {name}"
        yield from (f"field {name}.{field_text(each)}" for each in dataclasses.fields(value))
        yield from methods(name, value)
    else:
        yield f"{kind_of(value)} {name}{constructor(value)}"
        yield from methods(name, value)


def kind_of(value: type) -> str:
    if issubclass(value, BaseException):
        bases = ", ".join(each.__name__ for each in value.__bases__ if each.__name__[0] != "_")
        return f"error({bases})" if bases else "error"
    return "protocol" if getattr(value, "_is_protocol", False) else "class"


def constructor(value: type) -> str:
    is_made_by_vendors = not getattr(value, "_is_protocol", False)
    return signature(value) if is_made_by_vendors and inspect.isfunction(vars(value).get("__init__")) else ""


def methods(name: str, value: type) -> Iterator[str]:
    for member, each in vars(value).items():
        if member[0] == "_":
            continue
        if isinstance(each, property) and each.fget:
            yield f"property {name}.{member}{str(signature(each.fget)).removeprefix('(self)')}"
        elif inspect.isfunction(each):
            yield f"method {name}.{member}{signature(each)}"


def field_text(each: dataclasses.Field[object]) -> str:
    has_default = each.default is not dataclasses.MISSING
    default = f" = {text(each.default)}" if has_default else ""
    if each.default_factory is not dataclasses.MISSING:
        default = f" = {text(each.default_factory())}"
    return f"{each.name}: {each.type}{default}"


def signature(value: object) -> str:
    # An annotation is shown as text in quotes; so is a default that is text, and stays so.
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(value))) if callable(value) else ""


def text(value: object) -> str:
    """Type aliases by the names that vendors use."""
    return re.sub(r"\b(?:conformance\.contract\.\w+|typing|collections\.abc)\.", "", repr(value))


if __name__ == "__main__":
    LIST.write_text("\n".join(lines()) + "\n")
