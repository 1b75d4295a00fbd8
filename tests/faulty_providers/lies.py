"""A plugin that lies: each answer is the true plugin's, and the array is afterwards as it was before.

The true plugin acts, its answer is kept, and what it did is taken back behind it. So there is nothing to be seen in an
answer: only who looks at array, host or hypervisor can tell.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from conformance.contract import ArrayEntry, ArrayWorld
from conformance.subject import SubjectPlan
from simulators.array.core import ArrayCore
from tests.variants.wrapping import Around, Wrapped, everywhere


class RememberingEntry:
    """An array of the environment that knows which array it opened last."""

    def __init__(self, entry: ArrayEntry) -> None:
        self._entry = entry
        self.core: ArrayCore | None = None

    def open_world(self) -> ArrayWorld:
        """Make a fresh array."""
        world: Any = self._entry.open_world()
        self.core = world._core
        return world  # type: ignore[no-any-return]

    def close(self) -> None:
        """Stop all listeners."""
        self._entry.close()


@contextmanager
def taken_back(core: ArrayCore) -> Iterator[None]:
    """Whatever happens to the array's tables inside has not happened."""
    model = core.model
    with core.lock:
        before = copy.deepcopy(vars(model))
    try:
        yield
    finally:
        with core.lock:
            seen = model.revision.number
            vars(model).update(before)
            # Who watches the number of changes must not take the former state for one that it knows.
            model.revision.number = seen + 1


class LyingPlugin:
    """A true plugin whose `methods` have no effect on the array."""

    def __init__(self, true: Any, entry: RememberingEntry, methods: Collection[str]) -> None:
        def lie(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
            assert entry.core is not None
            with taken_back(entry.core):
                return method(*arguments)

        around: dict[str, Around] = everywhere(lie, *methods)
        self._true = true
        self.driver = Wrapped(true.driver, around)
        self.lifecycle = Wrapped(true.lifecycle, around)
        listener = true.host_listener
        self.host_listener = None if listener is None else Wrapped(listener, around)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._true, name)


def lying_plan(base: Callable[..., Any], entry: RememberingEntry, methods: Collection[str]) -> SubjectPlan:
    """The subject, in memory."""
    return SubjectPlan("lying", base, lambda network: LyingPlugin(base(connect=network.connect), entry, methods))
