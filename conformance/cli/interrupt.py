"""Ctrl-C: the first ends what is being done, and what was started is cleaned up; only the third leaves at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = "\nstorage-conformance: cleaning up; once more leaves at once, and leaves things behind\n"


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside, the first signal is a KeyboardInterrupt, and a second one does not disturb the clean-up."""
    pressed = 0

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += 1
        if pressed == 1:
            raise KeyboardInterrupt
        if pressed > 2:
            os._exit(128 + signal.SIGINT)
        # Not by print: the signal may have come in the middle of one.
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _PATIENCE.encode())

    before = {each: signal.signal(each, on_signal) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
