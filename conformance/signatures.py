"""Signatures and values of objects that are not trusted: read, compared and put into words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter as Argument
from inspect import Signature
from typing import Final

_NOTHING: Final = object()
_CATCH_ALL: Final = {Argument.VAR_POSITIONAL, Argument.VAR_KEYWORD}


def fits(found: Signature, expected: Signature) -> bool:
    """Say whether every call that the contract makes can be made of this method, and means the same."""
    given = list(found.parameters.values())
    positional = [each for each in expected.parameters.values() if each.kind is Argument.POSITIONAL_OR_KEYWORD]
    named = {each.name: each for each in expected.parameters.values() if each.kind is Argument.KEYWORD_ONLY}
    head, rest = given[: len(positional)], given[len(positional) :]
    return (
        len(head) == len(positional)
        and all(_is_same(mine, its) for mine, its in zip(head, positional, strict=True))
        and named.keys() <= {each.name for each in rest if each.kind not in _CATCH_ALL}
        and all(_may_stay(each, named) for each in rest)
    )


def _is_same(mine: Argument, its: Argument) -> bool:
    has_default = mine.default is not Argument.empty or its.default is Argument.empty
    return mine.name == its.name and mine.kind is its.kind and has_default


def _may_stay(extra: Argument, named: Mapping[str, Argument]) -> bool:
    if extra.name in named:
        return extra.kind is not Argument.POSITIONAL_ONLY
    return extra.kind in _CATCH_ALL or extra.default is not Argument.empty


def methods_of(protocol: type) -> Mapping[str, Callable[..., object]]:
    own = vars(protocol).items()
    return {name: each for name, each in own if inspect.isfunction(each) and not name.startswith("_")}


def present_of(owner: object, protocol: type) -> Mapping[str, Callable[..., object]]:
    return {name: each for name, each in methods_of(protocol).items() if is_present(owner, name)}


def is_present(owner: object, name: str) -> bool:
    """Look without running anything of the owner's, then by asking it."""
    if inspect.getattr_static(owner, name, _NOTHING) is not _NOTHING:
        return True
    try:
        return hasattr(owner, name)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return True


def signature_of(method: Callable[..., object], *, is_bound: bool) -> Signature | None:
    """Read names, kinds and defaults; annotations are the type checker's. None: there is nothing to read."""
    try:
        arguments = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):
        return None
    return Signature([each.replace(annotation=Argument.empty) for each in arguments[0 if is_bound else 1 :]])


def text_of(signature: Signature | None) -> str:
    try:
        return "without a readable signature" if signature is None else str(signature)
    except Exception:
        return "with a default that cannot be shown"


def gives_iterator(function: Callable[..., object]) -> bool:
    return str(inspect.signature(function).return_annotation).startswith("Iterator")


def described(error: BaseException) -> str:
    try:
        return f"{type(error).__name__} ({error!s:.80})" if str(error) else type(error).__name__
    except Exception:
        return type(error).__name__


def shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= 80 else f"{text[:79]}…"
