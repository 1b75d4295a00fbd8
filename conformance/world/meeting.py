"""Two calls that meet: while one waits for an answer of the array, the other goes as far as it can."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from conformance.context import Locks
from conformance.contract import ProviderError

# For a call that waits for a lock of the plugin's own, of which nobody is told.
_PATIENCE_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Ending:
    """What a call answered, or the contract's error that it raised."""

    answer: object = None
    error: ProviderError | None = None


def ending_of(act: Callable[[], object]) -> Ending:
    """Call, and tell how it ended; what is no error of the contract is raised."""
    try:
        return Ending(act())
    except ProviderError as error:
        return Ending(error=error)


class Beside:
    """A call on a thread of its own."""

    def __init__(self, act: Callable[[], object], locks: Locks) -> None:
        self._act, self._locks = act, locks
        self._goes_no_further = threading.Event()
        self._ending, self._stray = Ending(), None  # type: Ending, BaseException | None
        self._thread = threading.Thread(target=self._run, name="storage-conformance beside", daemon=True)

    def go(self) -> None:
        """Begin, and return when it has ended or waits for a lock."""
        self._locks.on_wait = self._goes_no_further.set
        self._thread.start()
        self._goes_no_further.wait(_PATIENCE_SECONDS)
        self._locks.on_wait = lambda: None

    def end(self) -> Ending:
        """Let it come to its end, from the beginning if it was never let go."""
        if self._thread.ident is None:
            self.go()
        self._thread.join()
        if self._stray is not None:
            raise self._stray
        return self._ending

    def _run(self) -> None:
        try:
            self._ending = ending_of(self._act)
        except BaseException as error:  # whatever it is, `end` raises it
            self._stray = error
        finally:
            self._goes_no_further.set()
