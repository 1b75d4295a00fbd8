"""For plugins that call the array besides what the reference plugin calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from conformance.contract import DataStore
from reference_providers.solidfire.arrays import Arrays, OnArrays
from reference_providers.solidfire.element import Element
from reference_providers.solidfire.resume import resumable
from tests.variants.wrapping import Around


class OwnCalls(OnArrays):
    """The arrays of a reference plugin, and its way of going on after an interruption."""

    def element(self, store: DataStore) -> Element:
        """The store's array."""
        return self._arrays.of(store.request)

    @property
    def arrays(self) -> Arrays:
        """All arrays, with their locks."""
        return self._arrays

    @resumable
    def done(self, around: Around, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Do it, and once more when a reply was lost."""
        return around(method, arguments)

    def resumed(self, around: Mapping[str, Around]) -> dict[str, Around]:
        """The same, each resumable as a whole."""
        return {name: functools.partial(self.done, each) for name, each in around.items()}
