"""Values and errors of the contract as tagged JSON, and back.

`encode` turns a value into an object that `json.dumps` takes: ``{"type": "Resized", "size_bytes": 1024}``.
`decode` turns such an object back into an equal value. Every dataclass, enumeration and error that a plugin
or a bridge is given or gives has a form here, except what holds functions (`Endpoint`, `LaunchOptions`,
`Subject`).

- Fields of dataclasses and facts of errors stand under their names, beside ``type``; all are written and all
are required, also those with defaults, so that a peer of another version is noticed and not guessed at. - An
enumeration is its text in a field, and ``{"type": "Hookup", "value": "plugin"}`` on its own. Tuples are
arrays; sets are arrays in a fixed order; bytes are base64; a `Secret` is ``{"type": "Secret", "text": …}``. -
Of an error, what its sentence is made from survives; its traceback, cause and notes do not. A vendor's
subclass arrives as the kind it was derived from. Facts that are neither text nor number arrive as their text,
and an undo error that is no `BridgeError` arrives as a `HypervisorFault` that names it.

Whatever it is given, either function answers or raises `CodecError`, which names the place and quotes no
secret. This is the only place besides the user of a secret that reveals one: keep what comes out of `encode`
out of logs.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Final, TypeVar, get_type_hints

from . import (
    addresses,
    bridge,
    capabilities,
    connection,
    environment,
    errors,
    parameter,
    probe,
    traits,
    values,
    witness,
)
from . import secret as secrets
from ._wire_form import PLAIN, Form, encode_fact, fields_of, form_of, inside, tag_of, wrong
from ._wire_form import CodecError as CodecError

T = TypeVar("T")

_MODULES: Final = (
    addresses,
    bridge,
    capabilities,
    connection,
    environment,
    parameter,
    probe,
    secrets,
    traits,
    values,
    witness,
)
_NOT_ON_A_WIRE: Final = (environment.Endpoint, environment.LaunchOptions)
_DEEPEST_UNDO: Final = 8


def encode(value: object) -> dict[str, object]:
    """Write a value or an error of the contract; raise `CodecError` for anything else."""
    if isinstance(value, Exception):
        return _encode_error(value, _DEEPEST_UNDO)
    kind = type(value)
    form = _forms_by_type().get(kind)
    if form is None:
        raise CodecError(f"is {kind.__name__}; expected a value of the contract")
    wire = form.encode(value)
    return wire if isinstance(wire, dict) else {"type": kind.__name__, "value": wire}


def decode(wire: object) -> object:
    """Read what `encode` wrote; raise `CodecError` for anything else."""
    tag = tag_of(wire)
    if tag in _error_kinds():
        return _decode_error(wire, _DEEPEST_UNDO)
    form = _forms_bytag_of().get(tag)
    if form is None:
        raise CodecError("is of a type that the contract does not have", ("type",))
    if form.shape is str:
        text = fields_of(wire, tag, frozenset({"value"}))["value"]
        return inside("value", form.decode, text)
    return form.decode(wire)


def decode_as(kind: type[T], wire: object) -> T:
    """Read a value that must be of this type."""
    value = decode(wire)
    if not isinstance(value, kind):
        raise CodecError(f"is {type(value).__name__}; expected {kind.__name__}")
    return value


@cache
def _forms_by_type() -> Mapping[type, Form]:
    own = [each for module in _MODULES for each in vars(module).values() if isinstance(each, type)]
    kinds = {
        each: form_of(each)
        for each in own
        if (dataclasses.is_dataclass(each) or issubclass(each, Enum)) and each not in _NOT_ON_A_WIRE
        if each.__module__.startswith(__package__)
    }
    return kinds | {secrets.Secret: PLAIN[secrets.Secret]}


@cache
def _forms_bytag_of() -> Mapping[str, Form]:
    return {kind.__name__: form for kind, form in _forms_by_type().items()}


# Errors


@cache
def _error_kinds() -> Mapping[str, type[Exception]]:
    bases = (errors.ProviderError, errors.BridgeError)
    return {
        each.__name__: each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, bases) and each not in bases
    }


@cache
def _facts() -> Mapping[str, Mapping[str, Form]]:
    """Learn from its __init__ what each error is made of.

    Every argument is kept as an attribute of that name.
    """
    return {tag: _facts_of(kind) for tag, kind in _error_kinds().items()}


def _facts_of(kind: type[Exception]) -> Mapping[str, Form]:
    hints = get_type_hints(kind.__init__)
    return {name: form_of(hints[name]) for name in inspect.signature(kind).parameters}


def _encode_error(error: Exception, depth: int) -> dict[str, object]:
    known = _error_kinds()
    kind = next((each for each in type(error).__mro__ if known.get(each.__name__) is each), None)
    if kind is None:
        raise CodecError(f"is {type(error).__name__}; expected an error of the contract")
    wire: dict[str, object] = {"type": kind.__name__}
    for name, form in _facts()[kind.__name__].items():
        wire[name] = inside(name, form.encode, getattr(error, name, None))
    if isinstance(error, errors.BridgeError):
        wire["undo_errors"] = [_encode_undo(error, each, depth) for each in error.undo_errors]
    return wire


def _encode_undo(error: errors.BridgeError, undo: Exception, depth: int) -> dict[str, object]:
    if depth == 0:
        raise CodecError("is nested too deeply", ("undo_errors",))
    if not isinstance(undo, errors.BridgeError):
        reason = f"{type(undo).__name__}: {encode_fact(undo)}"
        undo = errors.HypervisorFault(error.hypervisor, error.host, error.call, reason)
    return _encode_error(undo, depth - 1)


def _decode_error(wire: object, depth: int) -> Exception:
    tag = tag_of(wire)
    kind = _error_kinds().get(tag)
    if kind is None:
        raise CodecError("is of a type that the contract does not have", ("type",))
    forms = _facts()[tag]
    is_bridge = issubclass(kind, errors.BridgeError)
    given = fields_of(wire, tag, frozenset(forms) | ({"undo_errors"} if is_bridge else set()))
    error = kind(**{name: inside(name, form.decode, given[name]) for name, form in forms.items()})
    if isinstance(error, errors.BridgeError):
        error.undo_errors = tuple(_decode_undo(given["undo_errors"], depth))
    return error


def _decode_undo(wire: object, depth: int) -> list[Exception]:
    if depth == 0 and wire:
        raise CodecError("is nested too deeply", ("undo_errors",))
    if not isinstance(wire, list):
        raise wrong(wire, "an array").inside("undo_errors")
    found = []
    for number, each in enumerate(wire):
        error = inside(f"undo_errors[{number}]", lambda undo: _decode_error(undo, depth - 1), each)
        if not isinstance(error, errors.BridgeError):
            raise CodecError("is no BridgeError", (f"undo_errors[{number}]",))
        found.append(error)
    return list(found)
