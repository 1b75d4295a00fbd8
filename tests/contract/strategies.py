"""A strategy for every value of the contract, from its fields' types and what the value itself demands."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from conformance.contract import (
    BlockConnection,
    BridgeError,
    ChapCredentials,
    FcPath,
    Iqn,
    IscsiPath,
    Limits,
    LunIdentity,
    NfsClient,
    NfsExport,
    Nqn,
    NvmePath,
    Parameter,
    Portal,
    ProviderError,
    QosPolicy,
    Secret,
    Traits,
    Unsupported,
    Wwpn,
    errors,
)

T = TypeVar("T")

_HEX: Final = "0123456789abcdef"
words: Final = st.text(min_size=1, max_size=12).filter(str.strip)
sizes: Final = st.integers(1, 2**63)
names: Final = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
domains: Final = st.tuples(st.integers(1990, 2099), st.integers(1, 12), names, names)
seconds: Final = st.floats(0.001, 1e6)
scalars: Final = st.none() | st.booleans() | st.integers(-(2**100), 2**100) | st.floats(-1e9, 1e9) | words


def _qualified(prefix: str) -> SearchStrategy[str]:
    return domains.map(lambda each: f"{prefix}.{each[0]}-{each[1]:02d}.com.{each[2]}:{each[3]}")


def hexadecimal(*lengths: int) -> SearchStrategy[str]:
    return st.one_of(*(st.text(_HEX, min_size=each, max_size=each) for each in lengths))


secrets: Final = st.text("abcdefgh", min_size=12, max_size=16).map(Secret)


@st.composite
def _chap(draw: st.DrawFn) -> ChapCredentials:
    name, secret = draw(words), draw(secrets)
    if draw(st.booleans()):
        return ChapCredentials(name, secret)
    return ChapCredentials(name, secret, draw(words), draw(secrets.filter(lambda other: other != secret)))


@st.composite
def _limits(draw: st.DrawFn) -> Limits:
    smallest, more = draw(sizes), draw(st.integers(0, 2**63))
    others = {each.name for each in dataclasses.fields(Limits)} - {"smallest_lun_bytes", "largest_lun_bytes"}
    given = {name: draw(_field(Limits, name)) for name in others}
    return cast(Limits, cast("type", Limits)(smallest, smallest + more, **given))


@st.composite
def _qos(draw: st.DrawFn) -> QosPolicy:
    given = sorted(draw(st.lists(sizes, min_size=3, max_size=3)))
    return QosPolicy(*(each if draw(st.booleans()) else None for each in given))


def _addresses() -> SearchStrategy[str]:
    return st.ip_addresses().map(str)


_made: Final[dict[type, SearchStrategy[object]]] = {
    Iqn: st.one_of(_qualified("iqn"), hexadecimal(16).map("eui.{}".format)).map(Iqn),
    Nqn: _qualified("nqn").map(Nqn),
    Wwpn: hexadecimal(16).map(Wwpn),
    NfsClient: _addresses().map(NfsClient),
    Secret: st.text().map(Secret),
    ChapCredentials: _chap(),
    LunIdentity: st.builds(LunIdentity, st.none() | hexadecimal(16, 32)),
    QosPolicy: _qos(),
    Limits: _limits(),
}
_FIELDS: Final[Mapping[type, Mapping[str, SearchStrategy[object]]]] = {
    Portal: {"address": _addresses() | names, "port": st.integers(1, 65535)},
    IscsiPath: {"lun_number": st.integers(0, 16383)},
    FcPath: {"lun_number": st.integers(0, 16383)},
    NvmePath: {"namespace_id": sizes},
    NfsExport: {"path": names.map("/exports/{}".format)},
    Parameter: {"name": names},
    Unsupported: {"reason": words},
    Traits: {"completion_seconds": st.dictionaries(names, seconds, max_size=2)},
    BlockConnection: {},
}


def values_of(kind: type[T]) -> SearchStrategy[T]:
    """Values of one type of the contract."""
    if kind not in _made:
        _made[kind] = st.sampled_from(kind) if issubclass(kind, Enum) else _built(kind)
    return cast("SearchStrategy[T]", _made[kind])


def _built(kind: type) -> SearchStrategy[object]:
    return st.builds(kind, **{each.name: _field(kind, each.name) for each in dataclasses.fields(kind)})


def _field(kind: type, name: str) -> SearchStrategy[object]:
    known = _FIELDS.get(kind, {}).get(name)
    return known if known is not None else from_hint(get_type_hints(kind)[name])


_PLAIN: Final[Mapping[object, SearchStrategy[object]]] = {
    str: words,
    int: sizes,
    float: seconds,
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    object: scalars,
    NoneType: st.none(),
}
_MANY: Final[Mapping[object, Callable[[SearchStrategy[object]], SearchStrategy[object]]]] = {
    tuple: lambda item: st.lists(item, min_size=1, max_size=2).map(tuple),
    frozenset: lambda item: st.frozensets(item, max_size=2),
    Mapping: lambda item: st.dictionaries(words, item, max_size=2),
}


def from_hint(hint: object) -> SearchStrategy[object]:
    """Values that a field or argument of this type may have."""
    origin, inner = get_origin(hint), [each for each in get_args(hint) if each is not ...]
    if origin in {Union, UnionType}:
        return st.one_of(*map(from_hint, inner))
    if origin in _MANY:
        return _MANY[origin](from_hint(inner[-1]))
    return _PLAIN[hint] if hint in _PLAIN else values_of(cast("type[object]", hint))


def _kinds(base: type[Exception]) -> list[type[Exception]]:
    own = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, base)]
    return [each for each in own if each is not base]


PROVIDER_ERRORS: Final = _kinds(ProviderError)
BRIDGE_ERRORS: Final = _kinds(BridgeError)


def errors_of(kind: type[Exception]) -> SearchStrategy[Exception]:
    """Errors of one kind, with facts of every type they may have."""
    hints = get_type_hints(kind.__init__)
    facts = {name: from_hint(hint) for name, hint in hints.items() if name != "return"}
    return st.builds(kind, **facts)


@st.composite
def bridge_errors(draw: st.DrawFn) -> BridgeError:
    """Errors of a bridge, some with what went wrong while undoing."""
    found = st.one_of(*map(errors_of, BRIDGE_ERRORS))
    error = cast(BridgeError, draw(found))
    error.undo_errors = tuple(draw(st.lists(found, max_size=2)))
    return error
