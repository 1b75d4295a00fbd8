"""Plugins made from a reference plugin with one thing done otherwise, and as rightly."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

Around = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
"""Called with the right method and its arguments; answers in its place."""


class Wrapped:
    """One object of a plugin, with something around some of its methods. All else is the object's own."""

    def __init__(self, target: Any, around: Mapping[str, Around]) -> None:
        self._target, self._around = target, around

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        around = self._around.get(name)
        if around is None:
            return value

        # Registration looks at signatures.
        @functools.wraps(value)
        def otherwise(*arguments: Any) -> Any:
            return around(value, arguments)

        return otherwise


class Variant:
    """A plugin with other declarations, and something around the methods of its parts."""

    def __init__(
        self,
        target: Any,
        declared: Mapping[str, Any],
        *,
        driver: Mapping[str, Around] | None = None,
        lifecycle: Mapping[str, Around] | None = None,
        host_listener: Mapping[str, Around] | None = None,
    ) -> None:
        self._target, self._declared = target, declared
        self.driver: Any = Wrapped(target.driver, driver or {})
        self.lifecycle = Wrapped(target.lifecycle, lifecycle or {})
        listener = target.host_listener
        self.host_listener: Any = None if listener is None else Wrapped(listener, host_listener or {})

    def __getattr__(self, name: str) -> Any:
        return self._declared[name] if name in self._declared else getattr(self._target, name)


def everywhere(around: Around, *methods: str) -> dict[str, Around]:
    """The same around several methods."""
    return dict.fromkeys(methods, around)


def every_nth(number: int) -> Callable[[], bool]:
    """True at each n-th question."""
    counted = itertools.count(1)
    return lambda: next(counted) % number == 0


DRIVER_METHODS = (
    "create",
    "delete",
    "grant_access",
    "revoke_access",
    "connection",
    "fence",
    "list_objects",
    "used",
    "resize",
    "set_qos",
)
LIFECYCLE_METHODS = ("initialize", "attach_cluster", "detach_cluster", "delete_datastore")
