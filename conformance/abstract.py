"""Dimensionless arguments as JSON and back: what counterexamples are kept as."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from conformance.machines.operations import KINDS
from conformance.strategies import data, faults, names, qos, sizes, wrong

_KINDS: Mapping[str, type] = {
    each.__name__: each
    for each in (
        sizes.Granules,
        sizes.Growth,
        sizes.PartOfLargest,
        names.PlainName,
        names.NameOfLength,
        names.NameWith,
        names.SameName,
        names.CapitalName,
        data.Pattern,
        data.Place,
        faults.Cut,
        faults.Silence,
        qos.QosAt,
        wrong.WrongSize,
    )
}


def to_json(value: object) -> object:
    """The argument as JSON: ``{"Granules": {"count": 3}}`` for our kinds, lists and plain values as they are."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: to_json(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return {type(value).__name__: fields}
    if isinstance(value, (list, tuple)):
        return [to_json(each) for each in value]
    return value


def from_json(value: object) -> object:
    """The argument again; raises `ValueError` on a kind that is not known."""
    if isinstance(value, Mapping):
        if len(value) != 1:
            raise ValueError(f"expected one kind, found {sorted(value)}")
        [(kind, fields)] = value.items()
        known = known_kinds()
        if kind not in known or not isinstance(fields, Mapping):
            raise ValueError(f"unknown kind {kind}")
        return _made(known[kind], {name: from_json(each) for name, each in fields.items()})
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [from_json(each) for each in value]
    return value


def _made(kind: type, fields: Mapping[str, object]) -> object:
    try:
        return kind(**fields)
    except TypeError:
        takes = ", ".join(each.name for each in dataclasses.fields(kind)) or "nothing"
        raise ValueError(f"{kind.__name__} takes {takes}; found {', '.join(fields) or 'nothing'}") from None


def known_kinds() -> Mapping[str, type]:
    """Every kind of argument by name, operations of the state machines included."""
    return {**_KINDS, **{each.__name__: each for each in KINDS}}
