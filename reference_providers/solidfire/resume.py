"""Doing an operation again when a reply was lost or the array was not ready.

Every operation of this plugin looks at the array before it changes anything. Whatever an interrupted one had
done already is found by the look, so the whole operation can simply be done once more; nothing has to be
remembered in between, and the same holds when it is another instance that goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from conformance.contract import ProviderContext

from .errors import Interrupted

_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")


class HasContext(Protocol):
    """Where a method finds clock and deadline."""

    @property
    def context(self) -> ProviderContext:
        """The cloud's context."""
        ...


_Self = TypeVar("_Self", bound=HasContext)


def resumable(
    method: Callable[Concatenate[_Self, _Args], _Result],
) -> Callable[Concatenate[_Self, _Args], _Result]:
    """Repeat a method while `Interrupted` allows it, then raise the interruption's outcome."""

    @wraps(method)
    def repeated(self: _Self, /, *args: _Args.args, **kwargs: _Args.kwargs) -> _Result:
        repetition = 0
        while True:
            try:
                return method(self, *args, **kwargs)
            except Interrupted as interruption:
                # Interruptions of several kinds may follow each other, and each kind allows its own number.
                if repetition >= len(interruption.waits):
                    raise interruption.outcome from None
                pause(self.context, interruption.waits[repetition], interruption.outcome)
                repetition += 1

    return repeated


def pause(context: ProviderContext, seconds: float, outcome: Exception) -> None:
    """Wait, if the caller has that much time; else raise `outcome`."""
    operation = context.operation()
    operation.check()
    if operation.remaining_seconds <= seconds:
        raise outcome from None
    if seconds:
        context.clock.sleep(seconds)
