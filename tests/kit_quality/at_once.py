"""Calls into a plugin on the caller's own thread: a corpus is several hundred thousand of them.

What is given up is the deadline of a call: what hangs, hangs its worker, which is killed, and the job is done again
with threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from conformance.calls import StrayExit

T = TypeVar("T")


class AtOnce:
    """Stands in for the kit's threads."""

    def run(self, function: Callable[[], T], seconds: float) -> T:
        """Call it here and now; raises what it raises, or `StrayExit`."""
        try:
            return function()
        except Exception:
            raise
        except BaseException as error:  # a plugin may raise SystemExit: that is a finding
            raise StrayExit(error) from None

    def close(self) -> None:
        """There is nothing to close."""
