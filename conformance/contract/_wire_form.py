"""How each type of the contract looks as JSON; `codec` is what others use.

A form is built once from a type, by its hints, and is two functions: one that writes and one that reads. Both
check what they are given and raise `CodecError`, whose place grows on the way out.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Final, Union, get_args, get_origin, get_type_hints

from .secret import Secret

Encoder = Callable[[object], object]
Decoder = Callable[[object], object]

_LARGEST: Final = 2**128
"""No size is as large; Python itself refuses to write integers of more than 4300 digits."""


class CodecError(Exception):
    """What was given has no form on the wire, or is no such form; `place` leads to it from the outside."""

    since = "0.1"

    def __init__(self, reason: str, place: tuple[str, ...] = ()) -> None:
        self.reason, self.place = reason, place
        super().__init__(reason, place)

    def __str__(self) -> str:
        return f"{'.'.join(self.place) or 'value'}: {self.reason}"

    def inside(self, step: str) -> CodecError:
        """Say the same of a place one step further out."""
        return CodecError(self.reason, (step, *self.place))


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """How one type is written and read; `shape` is what tells it from others in a union: a tag, or a type."""

    encode: Encoder
    decode: Decoder
    python_type: type
    shape: str | type


def inside(step: str, convert: Callable[[object], object], value: object) -> object:
    try:
        return convert(value)
    except CodecError as problem:
        raise problem.inside(step) from None


def wrong(value: object, expected: str) -> CodecError:
    return CodecError(f"is {type(value).__name__}; expected {expected}")


def tag_of(wire: object) -> str:
    if not isinstance(wire, dict):
        raise wrong(wire, "an object")
    tag: object = wire.get("type")
    if not isinstance(tag, str):
        raise CodecError("is missing or no text; expected the name of a type", ("type",))
    return tag


def fields_of(wire: object, tag: str, names: frozenset[str]) -> dict[str, object]:
    """Check that an object has this tag and exactly these fields."""
    if tag_of(wire) != tag or not isinstance(wire, dict):
        raise CodecError(f"is of another type; expected {tag}", ("type",))
    if wire.keys() - {"type"} != names:
        missing = sorted(names - wire.keys())
        if missing:
            raise CodecError("is missing", (missing[0],))
        stranger = next(iter(wire.keys() - names - {"type"}))
        raise CodecError(f"is no field of {tag}", (f"{stranger!s:.40}",))
    return wire


# Plain types


def _plain(kind: type, expected: str) -> Form:
    def check(value: object) -> object:
        if type(value) is not kind:
            raise wrong(value, expected)
        return value

    return Form(check, check, kind, kind)


def _encode_text(value: object) -> str:
    if isinstance(value, str):
        return str.__str__(value)  # plain text also of a StrEnum or another subclass
    raise wrong(value, "text")


def _whole(value: object) -> object:
    if type(value) is not int:
        raise wrong(value, "a whole number")
    if not -_LARGEST < value < _LARGEST:
        raise CodecError("is a number of more than 128 bits")
    return value


def _number(value: object) -> object:
    if type(value) is float:
        if not math.isfinite(value):
            raise CodecError("is no finite number")
        return value
    if type(value) is not int:
        raise wrong(value, "a number")
    return _whole(value)


def _encode_bytes(value: object) -> str:
    if not isinstance(value, bytes):
        raise wrong(value, "bytes")
    return base64.b64encode(value).decode()


def _decode_bytes(wire: object) -> bytes:
    if not isinstance(wire, str):
        raise wrong(wire, "text in base64")
    try:
        return base64.b64decode(wire, validate=True)
    except ValueError:
        raise CodecError("is no base64") from None


def encode_fact(value: object) -> object:
    """Give a fact of an error: what JSON has as it is, anything else as its text, so never a secret."""
    try:
        return value if value is None or type(value) in {bool, str} else _number(value)
    except CodecError:
        pass
    try:
        return str(value)
    except Exception:
        # Whatever a foreign __str__ raises: the error that it is a fact of must get through.
        return type(value).__name__


def _decode_fact(wire: object) -> object:
    return wire if wire is None or type(wire) in {bool, str} else _number(wire)


def _encode_secret(value: object) -> dict[str, object]:
    if not isinstance(value, Secret):
        raise wrong(value, "Secret")
    return {"type": "Secret", "text": value.reveal()}


def _decode_secret(wire: object) -> Secret:
    text = fields_of(wire, "Secret", frozenset({"text"}))["text"]
    if not isinstance(text, str):
        raise wrong(text, "text").inside("text")
    return Secret(text)


PLAIN: Final = {
    str: Form(_encode_text, _plain(str, "text").decode, str, str),
    int: Form(_whole, _whole, int, int),
    float: Form(_number, _number, float, float),
    bool: _plain(bool, "true or false"),
    bytes: Form(_encode_bytes, _decode_bytes, bytes, str),
    object: Form(encode_fact, _decode_fact, object, object),
    NoneType: _plain(NoneType, "nothing"),
    Secret: Form(_encode_secret, _decode_secret, Secret, "Secret"),
}


# Types made of others


@cache
def form_of(hint: object) -> Form:
    """Build the form of a type hint; every hint is looked at once."""
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return _union([form_of(each) for each in get_args(hint)])
    if origin in _GENERIC:
        return _GENERIC[origin](form_of(next(each for each in reversed(get_args(hint)) if each is not ...)))
    if not isinstance(hint, type):
        raise TypeError(f"{hint} has no form on the wire")
    if hint in PLAIN:
        return PLAIN[hint]
    return _enumeration(hint) if issubclass(hint, Enum) else _record(hint)


def _union(forms: list[Form]) -> Form:
    by_type = {form.python_type: form for form in forms}
    # Text may be of a subclass of str, and a number without a fraction is an int.
    by_base = [form for form in forms if form.python_type in {str, float}]
    by_shape = {form.shape: form for form in forms}
    expected = " or ".join("nothing" if each is NoneType else each.__name__ for each in by_type)

    def encode_one(value: object) -> object:
        form = by_type.get(type(value)) or next(iter(by_base), None)
        if form is None:
            raise wrong(value, expected)
        return form.encode(value)

    def decode_one(wire: object) -> object:
        form = by_shape.get(tag_of(wire) if isinstance(wire, dict) else type(wire))
        if form is None and type(wire) is int:
            form = by_shape.get(float)
        if form is None:
            raise wrong(wire, expected)
        return form.decode(wire)

    return Form(encode_one, decode_one, object, object)


def _each(items: object, kind: type, convert: Callable[[object], object]) -> list[object]:
    """Convert what is in a sequence or set; an error names the item."""
    if not isinstance(items, kind) or not isinstance(items, (tuple, frozenset, list)):
        raise wrong(items, "an array" if kind is list else kind.__name__)
    done: list[object] = []
    try:
        done.extend(map(convert, items))
    except CodecError as problem:
        raise problem.inside(f"[{len(done)}]") from None
    return done


def _tuple(item: Form) -> Form:
    return Form(
        lambda value: _each(value, tuple, item.encode),
        lambda wire: tuple(_each(wire, list, item.decode)),
        tuple,
        list,
    )


def _frozenset(item: Form) -> Form:
    def read(wire: object) -> frozenset[object]:
        items = _each(wire, list, item.decode)
        found = frozenset(items)
        if len(found) != len(items):
            raise CodecError("has an item twice")
        return found

    # The order of a set changes from run to run, that of its items' text does not.
    return Form(lambda value: sorted(_each(value, frozenset, item.encode), key=repr), read, frozenset, list)


def _mapping(item: Form) -> Form:
    def convert(entries: object, kind: type, one: Callable[[object], object]) -> dict[str, object]:
        if not isinstance(entries, kind) or not isinstance(entries, Mapping):
            raise wrong(entries, "an object")
        if any(type(key) is not str for key in entries):
            raise CodecError("has a key that is no text")
        return {key: inside(f"[{key}]", one, value) for key, value in entries.items()}

    return Form(
        lambda value: convert(value, Mapping, item.encode),
        lambda wire: convert(wire, dict, item.decode),
        Mapping,
        dict,
    )


_GENERIC: Final[Mapping[object, Callable[[Form], Form]]] = {
    tuple: _tuple,
    frozenset: _frozenset,
    Mapping: _mapping,
}


def _enumeration(kind: type[Enum]) -> Form:
    members = {member.value: member for member in kind}

    def write(value: object) -> object:
        if type(value) is not kind:
            raise wrong(value, kind.__name__)
        return value.value

    def read(wire: object) -> Enum:
        if not isinstance(wire, str) or wire not in members:
            raise CodecError(f"is no {kind.__name__}; expected one of {', '.join(members)}")
        return members[wire]

    return Form(write, read, kind, str)


class _Record:
    """Writes and reads one dataclass."""

    def __init__(self, kind: type) -> None:
        hints = get_type_hints(kind)
        names = [each.name for each in dataclasses.fields(kind)]
        forms = [(name, form_of(hints[name])) for name in names]
        self._kind, self._tag, self._known = kind, kind.__name__, frozenset(names)
        self._encoders = [(name, form.encode) for name, form in forms]
        self._decoders = [(name, form.decode) for name, form in forms]

    def encode(self, value: object) -> dict[str, object]:
        """Write an object of exactly this type."""
        if type(value) is not self._kind:
            raise wrong(value, self._tag)
        wire: dict[str, object] = {"type": self._tag}
        name = ""
        try:
            for name, convert in self._encoders:
                wire[name] = convert(getattr(value, name))
        except CodecError as problem:
            raise problem.inside(name) from None
        return wire

    def decode(self, wire: object) -> object:
        """Read and make an object; what it refuses itself is a `CodecError` too."""
        given = fields_of(wire, self._tag, self._known)
        arguments: list[object] = []
        name = ""
        try:
            for name, convert in self._decoders:
                arguments.append(convert(given[name]))
        except CodecError as problem:
            raise problem.inside(name) from None
        try:
            made: object = self._kind(*arguments)
        except (TypeError, ValueError) as problem:
            raise CodecError(str(problem)) from None
        return made


def _record(kind: type) -> Form:
    record = _Record(kind)
    return Form(record.encode, record.decode, kind, kind.__name__)
