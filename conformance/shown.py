"""A value in a few words, as reports show it; never a secret."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from enum import Enum
from typing import Final

from conformance.contract import Secret

MASK: Final = "***"


def short(value: object) -> str:
    """A value in a few words: what a reader of a counterexample wants to see."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Enum):
        return str(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _short_dataclass(value)
    if isinstance(value, (list, tuple, frozenset)):
        return _short_list(list(value))
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


_HIDDEN = frozenset({"parameters", "secrets", "details", "scope", "tags", "tenant", "provisioning", "hypervisor"})


def _short_dataclass(value: object) -> str:
    fields = dataclasses.fields(value)  # type: ignore[arg-type]
    shown = [
        f"{each.name}={short(content)}"
        for each in fields
        if each.name not in _HIDDEN and (content := getattr(value, each.name)) not in (None, (), "")
    ]
    name = type(value).__name__
    if name in {"DataStore", "StoreRequest", "Host", "Cluster", "Placement"}:
        return f"{name}({getattr(value, 'name', '') or _inner_name(value)})"
    if name == "Volume":
        return f"Volume({_inner_name(value)}, id {value.external_id}, {value.size_bytes} bytes)"  # type: ignore[attr-defined]
    return f"{name}({', '.join(shown)})"


def _inner_name(value: object) -> str:
    inner = getattr(value, "request", None) or getattr(value, "cluster", None)
    return str(getattr(inner, "name", ""))


def _short_list(values: Iterable[object]) -> str:
    every = list(values)
    shown = ", ".join(short(each) for each in every[:4])
    return f"[{shown}{', …' if len(every) > 4 else ''}]"
