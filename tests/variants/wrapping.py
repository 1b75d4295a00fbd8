"""Plugins made from a reference plugin with one thing done otherwise, and as rightly."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from conformance.contract import DataStoreDriver
from conformance.signatures import methods_of

Around = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
"""Called with the right method, which has its keyword arguments already, and its arguments; answers in its place."""


class Wrapped:
    """One object of a plugin, with something around some of its methods and `without` others. All else is its own."""

    def __init__(self, target: Any, around: Mapping[str, Around], without: Collection[str] = ()) -> None:
        self._target, self._around, self._without = target, around, without

    def __getattr__(self, name: str) -> Any:
        if name in self._without:
            raise AttributeError(name)
        value = getattr(self._target, name)
        around = self._around.get(name)
        if around is None:
            return value

        # Registration looks at signatures.
        @functools.wraps(value)
        def otherwise(*arguments: Any, **keywords: Any) -> Any:
            return around(functools.partial(value, **keywords), arguments)

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
        without: Collection[str] = (),
    ) -> None:
        self._target, self._declared = target, declared
        self.driver: Any = Wrapped(target.driver, driver or {}, without)
        self.lifecycle = Wrapped(target.lifecycle, lifecycle or {}, without)
        self.host_listener: Any = target.host_listener

    def __getattr__(self, name: str) -> Any:
        return self._declared[name] if name in self._declared else getattr(self._target, name)


def everywhere(around: Around, *methods: str) -> dict[str, Around]:
    """The same around several methods."""
    return dict.fromkeys(methods, around)


def every_nth(number: int) -> Callable[[], bool]:
    """True at each n-th question."""
    counted = itertools.count(1)
    return lambda: next(counted) % number == 0


CORE_METHODS: Final = tuple(methods_of(DataStoreDriver))
COPY_METHODS: Final = ("take_snapshot", "delete_snapshot", "revert", "clone", "seed_template", "delete_template")
DRIVER_METHODS: Final = (
    *CORE_METHODS,
    *COPY_METHODS,
    *("resize", "set_qos", "rotate_chap", "volume_stats", "begin_migration", "end_migration"),
)
LIFECYCLE_METHODS: Final = ("initialize", "attach_cluster", "detach_cluster", "delete_datastore")
MAKING: Final = ("create", "clone", "take_snapshot", "seed_template")
"""What answers with `Created`."""
