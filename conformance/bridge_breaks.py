"""Which calls of a bridge fail before they do anything: hosts that do not answer, injected by the kit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conformance.contract import HypervisorBridge

_ASKS_NOTHING = frozenset({"hypervisor", "lun_bytes_for"})
"""What a bridge knows without a host."""


class BridgeBreaks:
    """A plan of failures, shared by all bridges of a world."""

    def __init__(self) -> None:
        self._is_silent = False
        self._countdown: int | None = None
        self.has_failed = False

    def fails(self, name: str) -> bool:
        """Whether this call fails; counts it."""
        if name in _ASKS_NOTHING:
            return False
        if self._countdown is not None:
            self._countdown -= 1
            self.has_failed |= self._countdown == -1
            return self._countdown == -1
        return self._is_silent and hasattr(HypervisorBridge, name)

    @contextmanager
    def all(self) -> Iterator[None]:
        """No host answers meanwhile."""
        self._is_silent = True
        try:
            yield
        finally:
            self._is_silent = False

    @contextmanager
    def nth(self, nth: int) -> Iterator[None]:
        """The nth call, counted from 0, fails, and no other; afterwards `has_failed` tells whether there was one."""
        self._countdown, self.has_failed = nth, False
        try:
            yield
        finally:
            self._countdown = None
