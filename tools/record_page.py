"""`docs/report-json.md`: the shape of `report.json`, from the models that read it."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from conformance.report import record

_INTRODUCTION: Final = """What a run leaves for machines. Every other report can be made from it:
`storage-conformance report` makes `report.html` again. A version of the kit reads records of its own `schema_version`
and of earlier ones; what it does not know it passes over. Times are seconds unless a name says `_ms`."""


def page(note: str) -> str:
    """The page."""
    parts = [f"# report.json, schema version {record.SCHEMA_VERSION}", note, _INTRODUCTION]
    for model in _models(record.Record, []):
        parts += [f"## {_title(model)}", inspect.getdoc(model) or "", _table(model)]
    return "\n\n".join(parts) + "\n"


def _models(model: type[BaseModel], known: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """The model and those its fields lead to, each once, from the top down."""
    if model not in known:
        known.append(model)
        for each in model.model_fields.values():
            for inner in _inside(each.annotation):
                _models(inner, known)
    return known


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _inside(each)


def _table(model: type[BaseModel]) -> str:
    rows = [f"| `{name}` | {_kind(each.annotation)} | {_left_out(each)} |" for name, each in model.model_fields.items()]
    return "\n".join(["| Field | Kind | If left out |", "|---|---|---|", *rows])


def _left_out(one: FieldInfo) -> str:
    if one.is_required():
        return "damaged"
    default = one.default
    return "empty" if default in ("", (), {}) or isinstance(default, BaseModel) else f"`{default}`"


def _kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if each is type(None) else _kind(each) for each in arguments)
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"object, name to {_kind(arguments[1])}"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return f"[{_title(annotation)}](#{_title(annotation)})"
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(annotation, "anything")


def _title(model: type[BaseModel]) -> str:
    return model.__name__.removesuffix("Record").lower() or "record"
