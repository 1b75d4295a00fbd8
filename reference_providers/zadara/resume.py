"""Doing an operation again when a reply was lost.

Every operation of this plugin looks at the array before it changes anything. Whatever an interrupted one had done
already is found by the look, so the whole operation can simply be done once more, by whichever instance.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from .errors import Interrupted

_Self = TypeVar("_Self")
_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")


def resumable(
    method: Callable[Concatenate[_Self, _Args], _Result],
) -> Callable[Concatenate[_Self, _Args], _Result]:
    """Repeat a method once when it was interrupted, then raise the interruption's outcome."""

    @wraps(method)
    def repeated(self: _Self, /, *args: _Args.args, **kwargs: _Args.kwargs) -> _Result:
        try:
            return method(self, *args, **kwargs)
        except Interrupted:
            pass
        try:
            return method(self, *args, **kwargs)
        except Interrupted as again:
            raise again.outcome from None

    return repeated
